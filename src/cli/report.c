/* Reports on stderr. */
#include "cli/report.h"

#include <stdio.h>

const char *format_bytes(char *dst, size_t cap, uint64_t n)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double x = (double)n / 1024;
    size_t i = 0;
    if (n < 1024) {
        snprintf(dst, cap, "%u B", (unsigned)n);
        return dst;
    }
    while (x >= 1024 && i + 1 < sizeof units / sizeof *units) {
        x /= 1024;
        i++;
    }
    snprintf(dst, cap, x < 100 ? "%.1f %s" : "%.0f %s", x, units[i]);
    return dst;
}

const char *format_count(char *dst, size_t cap, uint64_t n)
{
    if (n >= 1000000000) {
        snprintf(dst, cap, "%.2f B", (double)n / 1e9);
    } else if (n >= 1000000) {
        snprintf(dst, cap, "%.1f M", (double)n / 1e6);
    } else if (n >= 1000) {
        snprintf(dst, cap, "%.1f K", (double)n / 1e3);
    } else {
        snprintf(dst, cap, "%u", (unsigned)n);
    }
    return dst;
}

void report_memory(const session *s)
{
    char weights[BYTES_CAP], kv[BYTES_CAP], activations[BYTES_CAP], total[BYTES_CAP], room[BYTES_CAP], token[BYTES_CAP];
    choir_engine_options opt;
    choir_memory m;
    choir_error err;
    choir_engine_info engine;
    if (!s->term.verbose) {
        return;
    }
    session_engine_options(s, &opt);
    choir_engine_describe(s->engine, &engine);
    opt.ctx_size = engine.ctx_size;
    if (choir_memory_account(&m, s->model, &opt, &err) != CHOIR_OK) {
        return;
    }
    m.kv = engine.kv_bytes; /* the pool may be for several sequences */
    m.activations = engine.activation_bytes;
    m.total = m.weights + m.kv + m.activations;
    note(&s->term, "memory: weights %s, keys and values %s (%s a token, %s), activations %s, total %s; free %s",
         format_bytes(weights, sizeof weights, m.weights), format_bytes(kv, sizeof kv, m.kv),
         format_bytes(token, sizeof token, m.kv_token), engine.kv_type,
         format_bytes(activations, sizeof activations, m.activations), format_bytes(total, sizeof total, m.total),
         format_bytes(room, sizeof room, m.free));
}

void report_setup(const session *s, uint64_t seed)
{
    char params[BYTES_CAP];
    choir_engine_info engine;
    if (!s->term.verbose) {
        return;
    }
    choir_engine_describe(s->engine, &engine);
    note(&s->term, "model %s: %s, %s parameters, %s, %s", session_model_name(s), s->info.architecture,
         format_count(params, sizeof params, s->info.n_params), s->info.type, s->info.heads);
    note(&s->term, "kernels %s, %d thread%s, context %d tokens", s->info.kernels, engine.n_threads,
         engine.n_threads == 1 ? "" : "s", (int)engine.ctx_size);
    report_memory(s);
    if (s->opt->command->command != CMD_PERPLEXITY) { /* which draws nothing */
        note(&s->term, "seed %llu", (unsigned long long)seed);
    }
}

static double per_second(int32_t n, uint64_t ns)
{
    return ns > 0 ? (double)n * 1e9 / (double)ns : 0;
}

void report_timings(const session *s, const choir_result *r)
{
    const terminal *t = &s->term;
    if (!t->verbose && (!t->err || t->quiet)) {
        return;
    }
    char cached[48] = "";
    if (r->n_cached > 0) {
        snprintf(cached, sizeof cached, " (%d from cache)", (int)r->n_cached);
    }
    note(t, "prompt %d tokens%s, %.1f ms, %.1f tok/s; generated %d tokens, %.1f ms, %.1f tok/s; first token %.1f ms",
         (int)r->n_prompt, cached, (double)r->prompt_ns / 1e6, per_second(r->n_prompt - r->n_cached, r->prompt_ns),
         (int)r->n_generated, (double)r->generate_ns / 1e6, per_second(r->n_generated, r->generate_ns),
         (double)r->first_token_ns / 1e6);
    if (session_guesses(s) > 0) {
        note(t, "guessed %d tokens, %d right (%.1f %%)", (int)r->n_guessed, (int)r->n_guesses_kept,
             r->n_guessed > 0 ? 100.0 * r->n_guesses_kept / r->n_guessed : 0.0);
    }
}
