/* Shared by the commands that generate. */
#include "cli/generation.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

int text_append(text_buffer *t, const char *text, size_t n)
{
    if (n > t->cap - t->n) {
        size_t cap = t->cap ? t->cap * 2 : 256;
        if (cap < t->n + n) {
            cap = t->n + n;
        }
        char *bigger = realloc(t->at, cap);
        if (!bigger) {
            t->failed = true;
            return 1;
        }
        t->at = bigger;
        t->cap = cap;
    }
    if (n > 0) {
        memcpy(t->at + t->n, text, n);
    }
    t->n += n;
    return 0;
}

static uint64_t random_seed(void)
{
    uint64_t seed = base_clock_ns() ^ (uint64_t)getpid() << 32;
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        uint64_t drawn;
        if (read(fd, &drawn, sizeof drawn) == (ssize_t)sizeof drawn) {
            seed = drawn;
        }
        close(fd);
    }
    return seed;
}

void generation_seed(choir_sampling *out, const options *o)
{
    *out = o->sampling;
    if (!o->seed_given) {
        out->seed = random_seed();
    }
}

void generation_options(choir_generation *g, const session *s, const options *o, choir_stream_fn on_text, void *user)
{
    choir_generation_default(g);
    g->max_tokens = o->max_tokens;
    g->stops = o->stops.at;
    g->n_stops = o->stops.n;
    if (s->chat && !o->sampling.ignore_eos) {
        g->end_ids = choir_chat_ends(s->chat, &g->n_end_ids);
    }
    g->speculate = session_guesses(s);
    g->draft = s->draft;
    g->stream = on_text;
    g->user = user;
}

int32_t generation_at_once(const options *o)
{
    return o->n_seqs > 0 ? o->n_seqs : 16;
}

void generation_engine_options(choir_engine_options *opt, const session *s, int32_t n, int32_t least)
{
    choir_engine_options full;
    choir_memory m;
    choir_error err;
    session_engine_options(s, opt);
    opt->max_logits = n;
    opt->n_seqs = n;
    for (full = *opt; opt->n_seqs > least; opt->n_seqs = opt->n_seqs / 2 > least ? opt->n_seqs / 2 : least) {
        full.n_seqs = opt->n_seqs;
        full.ctx_size = opt->ctx_size > 0 ? opt->ctx_size : s->info.max_seq_len;
        if (choir_memory_account(&m, s->model, &full, &err) == CHOIR_OK && m.kv + m.activations <= m.free &&
            (opt->mem_limit == 0 || m.total <= opt->mem_limit)) {
            break;
        }
    }
}
