/* choir info: what a model is and what it needs, from its headers alone. */
#include <string.h>

#include "base/error.h"
#include "cli/report.h"

typedef struct part {
    const char *name;
    const char *key;
    uint64_t n;
} part;

#define N_PARTS 12

static int32_t n_seqs(const session *s)
{
    return s->opt->n_seqs > 0 ? s->opt->n_seqs : 1;
}

static void list_parts(part parts[N_PARTS], const choir_model_info *m)
{
    const part all[N_PARTS] = {
        {"embedding", "embedding", m->n_embedding},
        {"positions", "positions", m->n_positions},
        {"W_Q", "wq", m->n_wq},
        {"W_K", "wk", m->n_wk},
        {"W_V", "wv", m->n_wv},
        {"W_O", "wo", m->n_wo},
        {"feed-forward", "ffn", m->n_ffn},
        {"router", "router", m->n_router},
        {"experts", "experts", m->n_experts},
        {"norms", "norms", m->n_norms},
        {"biases", "biases", m->n_biases},
        {"output", "output", m->n_output},
    };
    memcpy(parts, all, sizeof all);
}

static void print_model(session *s)
{
    const choir_model_info *m = &s->info;
    char bytes[BYTES_CAP], name[BASE_ESCAPE_CAP];
    stream_print(&s->out, "%-14s %s\n", "model", base_escape_str(name, m->path));
    if (m->file_bytes > 0) {
        stream_print(&s->out, "%-14s %s, %s, mostly %s\n", "file", m->container,
                     format_bytes(bytes, sizeof bytes, m->file_bytes), m->type);
    } else {
        stream_print(&s->out, "%-14s config.json alone; weights taken as %s\n", "file", m->type);
    }
    if (m->types[0] != '\0') {
        stream_print(&s->out, "%-14s %s\n", "types", m->types);
    }
    stream_print(&s->out, "%-14s %s: %d layers, dim %d, feed-forward %d, %svocabulary %d\n", "architecture",
                 m->architecture, (int)m->n_layers, (int)m->dim, (int)m->hidden_dim,
                 m->tied_output ? "tied output, " : "", (int)m->vocab_size);
    stream_print(&s->out, "%-14s %s: %d query, %d key/value, %d wide\n", "heads", m->heads, (int)m->n_heads,
                 (int)m->n_kv_heads, (int)m->head_dim);
    stream_print(&s->out, "%-14s %d tokens, ", "context", (int)m->max_seq_len);
    if (m->n_positions > 0) {
        stream_print(&s->out, "learned positions");
    } else {
        stream_print(&s->out, "RoPE theta %g, scaling %s", m->rope_theta, m->rope_scaling);
    }
    if (m->sliding_window > 0) {
        stream_print(&s->out, ", sliding window %d", (int)m->sliding_window);
    }
    stream_print(&s->out, "\n%-14s %s", "tokenizer", m->tokenizer);
    if (m->bos_id >= 0) {
        stream_print(&s->out, ", text begins with %d", (int)m->bos_id);
    }
    if (m->eos_id >= 0) {
        stream_print(&s->out, ", ends with %d", (int)m->eos_id);
    }
    stream_print(&s->out, "\n%-14s %s\n", "kernels", m->kernels);
}

static void print_parts(session *s)
{
    part parts[N_PARTS];
    char count[BYTES_CAP];
    list_parts(parts, &s->info);
    stream_print(&s->out, "%-14s %llu (%s)\n", "parameters", (unsigned long long)s->info.n_params,
                 format_count(count, sizeof count, s->info.n_params));
    for (int i = 0; i < N_PARTS; i++) {
        if (parts[i].n > 0) {
            double share = s->info.n_params ? 100.0 * (double)parts[i].n / (double)s->info.n_params : 0;
            stream_print(&s->out, "  %-12s %14llu %6.1f %%\n", parts[i].name, (unsigned long long)parts[i].n, share);
        }
    }
    if (s->info.n_active < s->info.n_params) {
        stream_print(&s->out, "  of these a token meets %llu (%s)\n", (unsigned long long)s->info.n_active,
                     format_count(count, sizeof count, s->info.n_active));
    }
}

static void print_bytes(session *s, const char *name, uint64_t n)
{
    char bytes[BYTES_CAP];
    stream_print(&s->out, "  %-15s %11s\n", name, format_bytes(bytes, sizeof bytes, n));
}

/* Keys and values of the whole context and of a token, for one form of the heads. */
static void print_cache(session *s, const char *name, uint64_t n, uint64_t token)
{
    char bytes[BYTES_CAP], one[BYTES_CAP];
    stream_print(&s->out, "  %-15s %11s   %s a token\n", name, format_bytes(bytes, sizeof bytes, n),
                 format_bytes(one, sizeof one, token));
}

static void print_memory(session *s, const choir_memory *m, int32_t ctx)
{
    stream_print(&s->out, "memory for a context of %d tokens", (int)ctx);
    if (n_seqs(s) > 1) {
        stream_print(&s->out, ", %d texts at the same time", (int)n_seqs(s));
    }
    stream_print(&s->out, "\n");
    print_bytes(s, "weights", m->weights);
    print_cache(s, "keys and values", m->kv, m->kv_token);
    print_bytes(s, "activations", m->activations);
    print_bytes(s, "total", m->total);
    print_bytes(s, "free", m->free);
    stream_print(&s->out, "the same keys and values (%s) by form of the heads\n", s->opt->kv_type);
    print_cache(s, "multi-head", m->kv_multi_head, m->kv_token_multi_head);
    if (strcmp(s->info.heads, "grouped-query") == 0) {
        print_cache(s, "grouped-query", m->kv, m->kv_token);
    }
    print_cache(s, "multi-query", m->kv_multi_query, m->kv_token_multi_query);
}

static json_t *json_u64(uint64_t n)
{
    return json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX : n));
}

static json_t *parts_json(const choir_model_info *m)
{
    part parts[N_PARTS];
    json_t *object = json_object();
    list_parts(parts, m);
    bool failed = json_object_set_new(object, "total", json_u64(m->n_params)) != 0 ||
                  json_object_set_new(object, "active", json_u64(m->n_active)) != 0;
    for (int i = 0; i < N_PARTS; i++) {
        failed = failed || json_object_set_new(object, parts[i].key, json_u64(parts[i].n)) != 0;
    }
    if (failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *model_json(const choir_model_info *m)
{
    return json_pack("{s:o, s:s, s:s, s:o, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:s, s:i, s:i, s:i, s:i, s:b, s:f, s:s, "
                     "s:s, s:i, s:i, "
                     "s:s, s:o}",
                     "path", json_text(m->path, strlen(m->path)), "architecture", m->architecture, "container",
                     m->container, "file_bytes", json_u64(m->file_bytes), "type", m->type, "types", m->types,
                     "n_layers", (int)m->n_layers, "dim", (int)m->dim, "hidden_dim", (int)m->hidden_dim, "n_heads",
                     (int)m->n_heads, "n_kv_heads", (int)m->n_kv_heads, "heads", m->heads, "head_dim", (int)m->head_dim,
                     "vocab_size", (int)m->vocab_size, "max_seq_len", (int)m->max_seq_len, "sliding_window",
                     (int)m->sliding_window, "tied_output", (int)m->tied_output, "rope_theta", m->rope_theta,
                     "rope_scaling", m->rope_scaling, "tokenizer", m->tokenizer, "bos_id", (int)m->bos_id, "eos_id",
                     (int)m->eos_id, "kernels", m->kernels, "parameters", parts_json(m));
}

static json_t *memory_json(const session *s, const choir_memory *m, int32_t ctx)
{
    return json_pack("{s:i, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "ctx_size", (int)ctx,
                     "n_seqs", (int)n_seqs(s), "kv_type", s->opt->kv_type, "weights", json_u64(m->weights), "kv",
                     json_u64(m->kv), "activations", json_u64(m->activations), "total", json_u64(m->total), "free",
                     json_u64(m->free), "kv_token", json_u64(m->kv_token), "kv_token_multi_head",
                     json_u64(m->kv_token_multi_head), "kv_token_multi_query", json_u64(m->kv_token_multi_query),
                     "kv_multi_head", json_u64(m->kv_multi_head), "kv_multi_query", json_u64(m->kv_multi_query));
}

int cmd_info(session *s)
{
    choir_error err;
    choir_memory memory;
    choir_engine_options opt;
    choir_status status = session_open_model(s, true, &err);
    if (!status) {
        session_engine_options(s, &opt);
        opt.ctx_size = opt.ctx_size ? opt.ctx_size : s->info.max_seq_len;
        opt.n_seqs = n_seqs(s);
        status = choir_memory_account(&memory, s->model, &opt, &err);
    }
    if (!status && s->opt->json) {
        json_t *object = model_json(&s->info);
        json_t *account = memory_json(s, &memory, opt.ctx_size);
        bool failed = !object || json_object_set_new(object, "memory", account) != 0;
        if (failed) {
            json_decref(object);
        }
        status = session_print_json(s, failed ? NULL : object, &err);
    } else if (!status) {
        print_model(s);
        print_parts(s);
        print_memory(s, &memory, opt.ctx_size);
    }
    return session_end(s, status, &err);
}
