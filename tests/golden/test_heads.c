/* The tap on the families' tiny models: attention weights against those of Hugging Face's own classes
 * (tools/golden/heads.py), parts of the residual stream against the logits that they add up to, masked heads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/family.h"
#include "tests/support/tiny.h"

static const char *const names[] = {"falcon", "falcon_new",     "gemma",        "gemma2",    "gemma3",
                                    "gpt2",   "internlm2",      "llama",        "llama3",    "mixtral",
                                    "olmo2",  "mistral_window", "phi3_partial", "qwen2_moe", "qwen2_window",
                                    "qwen3",  "qwen3_moe",      "starcoder2"};
enum { N_NAMES = sizeof names / sizeof names[0] };
static const int positions[] = {13, 39};

/* A family's model in an engine, nothing computed. */
struct bench {
    struct family f;
    char dir[TINY_PATH];
    choir_model *model;
    choir_model_info info;
    choir_engine *engine;
    choir_sequence *seq;
};

/* quant: what its matrices become; NULL: nothing. */
static void open_quantized(struct bench *b, const char *name, const choir_engine_options *like, const char *quant)
{
    choir_error err;
    choir_model_options mo;
    choir_sampling greedy;
    choir_engine_options opt = *like;
    family_load(&b->f, name);
    tiny_dir_make(b->dir);
    assert_true(family_write(&b->f, b->dir, "config"));
    choir_model_options_default(&mo);
    mo.path = b->dir;
    mo.text_optional = true;
    mo.quant = quant;
    if (choir_model_open(&b->model, &mo, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    choir_model_describe(b->model, &b->info);
    opt.ctx_size = opt.ctx_size > 0 ? opt.ctx_size : b->f.ctx_size;
    if (choir_engine_open(&b->engine, b->model, &opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    choir_sampling_default(&greedy);
    greedy.temp = 0;
    assert_int_equal(choir_sequence_open(&b->seq, b->engine, &greedy, NULL), CHOIR_OK);
}

static void open_bench(struct bench *b, const char *name, const choir_engine_options *like)
{
    open_quantized(b, name, like, NULL);
}

static void close_bench(struct bench *b)
{
    choir_sequence_close(b->seq);
    choir_engine_close(b->engine);
    choir_model_close(b->model);
    tiny_dir_remove(b->dir);
    family_free(&b->f);
}

static choir_engine_options plain(void)
{
    choir_engine_options opt;
    choir_engine_options_default(&opt);
    opt.kv_type = "f32";
    opt.n_threads = 2;
    opt.prefix_cache = false;
    return opt;
}

static void run(struct bench *b, const int32_t *ids, int n)
{
    choir_error err;
    assert_int_equal(choir_sequence_append(b->seq, ids, (size_t)n, NULL), CHOIR_OK);
    while (choir_sequence_computed(b->seq) < choir_sequence_length(b->seq)) {
        if (choir_engine_step(b->engine, &b->seq, 1, &err) != CHOIR_OK) {
            fail_msg("%s: %s", b->f.name, err.msg);
        }
    }
}

/* ---- attention weights ---- */

struct rows {
    const struct bench *b;
    const float *golden;
    double worst;
    int n_rows, n_golden, n_cut; /* n_cut: that a window cuts */
};

/* Where the golden row of (layer, head, position) begins; -1: there is none. */
static long golden_at(const struct rows *r, int layer, int head, int pos)
{
    const int both = positions[0] + 1 + positions[1] + 1;
    long at = ((long)layer * r->b->info.n_heads + head) * both;
    return pos == positions[0] ? at : pos == positions[1] ? at + positions[0] + 1 : -1;
}

static void on_attention(void *user, choir_seen seen, int32_t head, const float *weights, int32_t n)
{
    struct rows *r = user;
    double sum = 0;
    assert_ptr_equal(seen.seq, r->b->seq);
    assert_int_equal(n, seen.pos + 1);
    for (int i = 0; i < n; i++) {
        assert_true(weights[i] >= 0);
        sum += weights[i];
    }
    assert_true(fabs(sum - 1) <= 1e-5);
    const int32_t window = r->golden != NULL ? choir_model_window(r->b->model, seen.layer) : 0;
    if (window > 0 && window < n) { /* what it says is what the row shows */
        assert_true(weights[n - window - 1] == 0);
        assert_true(weights[n - window] > 0);
    }
    r->n_rows++;
    r->n_cut += window > 0 && window < n;
    const long at = r->golden != NULL ? golden_at(r, seen.layer, head, seen.pos) : -1;
    for (int i = 0; at >= 0 && i < n; i++) {
        const double off = fabs((double)weights[i] - (double)r->golden[at + i]);
        r->worst = off > r->worst ? off : r->worst;
    }
    r->n_golden += at >= 0;
}

static float *read_golden(const struct bench *b)
{
    char path[128];
    const size_t n = (size_t)b->info.n_layers * (size_t)b->info.n_heads * (size_t)(positions[0] + positions[1] + 2);
    float *golden = malloc(n * sizeof *golden);
    snprintf(path, sizeof path, "tests/golden/heads/%s.f32", b->f.name);
    FILE *in = fopen(path, "rb");
    if (golden == NULL || in == NULL || fread(golden, sizeof *golden, n, in) != n || fgetc(in) != EOF) {
        fail_msg("%s: not %zu numbers", path, n);
    }
    fclose(in);
    return golden;
}

static void test_attention(void **state)
{
    static const struct {
        int batch, block, threads;
        int32_t from;
    } ways[] = {{512, 16, 2, 0}, {7, 4, 3, INT32_MIN}, {1, 32, 1, -1}};
    const char *name = *state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct bench b;
        choir_tap tap;
        choir_engine_options opt = plain();
        opt.batch = ways[i].batch;
        opt.kv_block = ways[i].block;
        opt.n_threads = ways[i].threads;
        open_bench(&b, name, &opt);
        float *golden = read_golden(&b);
        struct rows r = {.b = &b, .golden = golden};
        choir_tap_default(&tap);
        tap.from = ways[i].from;
        tap.attention = on_attention;
        tap.user = &r;
        assert_int_equal(choir_engine_tap(b.engine, &tap, NULL), CHOIR_OK);
        run(&b, b.f.ids, b.f.n_ids);
        const int n = b.info.n_layers * b.info.n_heads;
        assert_int_equal(r.n_rows, n * b.f.n_ids);
        assert_int_equal(r.n_golden, 2 * n);
        assert_int_equal(r.n_cut > 0, b.info.n_windowed > 0);
        if (!(r.worst <= 1e-5)) {
            fail_msg("%s: a weight is off by %g", name, r.worst);
        }
        free(golden);
        close_bench(&b);
    }
}

/* Rows as they come: all of them, to be compared. */
struct heap {
    float *weights;
    size_t n;
    int32_t first; /* the lowest position that was told of */
};

static void on_any(void *user, choir_seen seen, int32_t head, const float *weights, int32_t n)
{
    struct heap *h = user;
    (void)head;
    h->weights = realloc(h->weights, (h->n + (size_t)n) * sizeof *weights);
    assert_non_null(h->weights);
    memcpy(h->weights + h->n, weights, (size_t)n * sizeof *weights);
    h->n += (size_t)n;
    h->first = seen.pos < h->first ? seen.pos : h->first;
}

/* The rows of the tokens from a position on, a token a step; what comes before them is computed again, or comes from the prefix
 * cache, which has it of a sequence that was closed. */
static struct heap late_rows(const char *name, int32_t from, bool prefix_cache)
{
    struct bench b;
    choir_tap tap;
    choir_engine_options opt = plain();
    struct heap h = {.first = INT32_MAX};
    opt.prefix_cache = prefix_cache;
    opt.batch = 1; /* rows come in the same order */
    opt.kv_block = 4;
    open_bench(&b, name, &opt);
    run(&b, b.f.ids, b.f.n_ids);
    if (prefix_cache) {
        choir_sequence_close(b.seq);
        assert_int_equal(choir_sequence_open(&b.seq, b.engine, NULL, NULL), CHOIR_OK);
    } else {
        choir_sequence_truncate(b.seq, 0);
    }
    choir_tap_default(&tap);
    tap.from = from;
    tap.attention = on_any;
    tap.user = &h;
    assert_int_equal(choir_engine_tap(b.engine, &tap, NULL), CHOIR_OK);
    run(&b, b.f.ids, b.f.n_ids);
    if ((choir_sequence_cached(b.seq) > 0) != prefix_cache) {
        fail_msg("%s: %d tokens were cached", name, choir_sequence_cached(b.seq));
    }
    assert_true(choir_sequence_cached(b.seq) <= from);
    close_bench(&b);
    return h;
}

/* What is looked at late in a text is the same to the bit, whether what comes before it is computed or reused. */
static void test_reused_prefix(void **state)
{
    static const char *const some[] = {"llama", "gemma3", "qwen2_moe"};
    (void)state;
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        const int32_t from = 38; /* of 40, in blocks of 4 */
        struct heap plain_rows = late_rows(some[i], from, false), reused = late_rows(some[i], from, true);
        assert_int_equal(plain_rows.first, from);
        assert_int_equal(reused.first, from);
        assert_int_equal(plain_rows.n, reused.n);
        assert_memory_equal(plain_rows.weights, reused.weights, reused.n * sizeof(float));
        free(plain_rows.weights);
        free(reused.weights);
    }
}

/* ---- parts of the residual stream ---- */

struct parts {
    const struct bench *b;
    double *sum; /* [dim] embedding and parts */
    float *last; /* [dim] the stream after the last layer */
    int n_parts, n_streams;
};

static void on_stream(void *user, choir_seen seen, const float *x, int32_t dim)
{
    struct parts *p = user;
    assert_int_equal(seen.pos, p->b->f.n_ids - 1);
    p->n_streams++;
    for (int i = 0; i < dim && seen.layer < 0; i++) {
        p->sum[i] = x[i];
    }
    memcpy(p->last, x, (size_t)dim * sizeof *x);
}

static void on_part(void *user, choir_seen seen, choir_part part, int32_t head, const float *y, int32_t dim)
{
    struct parts *p = user;
    assert_true((part == CHOIR_PART_HEAD) == (head >= 0));
    assert_true(seen.layer >= 0);
    p->n_parts += part != CHOIR_PART_ATTENTION_BIAS;
    for (int i = 0; i < dim; i++) {
        p->sum[i] += (double)y[i];
    }
}

/* Logits of the stream, and one of them as the sum of what all parts add to it. */
static void check_readout(struct bench *b, const struct parts *p, const float *logits)
{
    const int n = b->f.vocab_size, dim = b->info.dim;
    const bool capped = strcmp(b->f.name, "gemma2") == 0;
    float *again = malloc((size_t)n * sizeof *again), most = 0;
    double *direction = malloc((size_t)dim * sizeof *direction), constant;
    assert_non_null(again);
    assert_non_null(direction);
    assert_int_equal(choir_engine_unembed(b->engine, p->last, again, NULL), CHOIR_OK);
    assert_memory_equal(again, logits, (size_t)n * sizeof *again);
    for (int i = 0; i < n; i++) {
        most = fabsf(logits[i]) > most ? fabsf(logits[i]) : most;
    }
    for (int id = 0; id < n; id += 7) {
        assert_int_equal(choir_engine_readout(direction, &constant, b->engine, p->last, id, NULL), CHOIR_OK);
        double logit = constant;
        for (int i = 0; i < dim; i++) {
            logit += direction[i] * p->sum[i];
        }
        logit = capped ? 3.0 * tanh(logit / 3.0) : logit; /* final_logit_softcapping */
        if (!(fabs(logit - (double)logits[id]) <= 1e-5 * (double)most)) {
            fail_msg("%s: parts of logit %d add up to %.9g, it is %.9g", b->f.name, id, logit, (double)logits[id]);
        }
    }
    assert_int_equal(choir_engine_readout(direction, &constant, b->engine, p->last, n, NULL), CHOIR_USAGE);
    free(again);
    free(direction);
}

static void test_parts(void **state)
{
    struct bench b;
    choir_tap tap;
    choir_engine_options opt = plain();
    open_bench(&b, *state, &opt);
    const size_t dim = (size_t)b.info.dim, row = (size_t)b.f.vocab_size * sizeof(float);
    struct parts p = {.b = &b, .sum = calloc(dim, sizeof(double)), .last = calloc(dim, sizeof(float))};
    float *bare = malloc(row);
    assert_non_null(bare);
    run(&b, b.f.ids, b.f.n_ids);
    memcpy(bare, choir_sequence_logits(b.seq), row);
    choir_sequence_truncate(b.seq, 0);
    choir_tap_default(&tap);
    tap.from = b.f.n_ids - 1;
    tap.stream = on_stream;
    tap.part = on_part;
    tap.user = &p;
    assert_int_equal(choir_engine_tap(b.engine, &tap, NULL), CHOIR_OK);
    run(&b, b.f.ids, b.f.n_ids);
    assert_int_equal(p.n_streams, b.info.n_layers + 1);
    assert_int_equal(p.n_parts, b.info.n_layers * (b.info.n_heads + 1));
    assert_memory_equal(choir_sequence_logits(b.seq), bare, row); /* looking changes nothing */
    check_readout(&b, &p, bare);
    free(p.sum);
    free(p.last);
    free(bare);
    close_bench(&b);
}

/* Heads of 16 numbers, two in a block of W_O's quantized input: their parts add up to what the layers made, too. */
static void test_parts_quantized(void **state)
{
    static const char *const types[] = {"q8_0", "q4_0"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct bench b;
        choir_tap tap;
        choir_engine_options opt = plain();
        double worst = 0, most = 0;
        open_quantized(&b, "llama", &opt, types[i]);
        assert_true(b.info.head_dim % 32 != 0);
        const int dim = b.info.dim;
        struct parts p = {
            .b = &b, .sum = calloc((size_t)dim, sizeof(double)), .last = calloc((size_t)dim, sizeof(float))};
        choir_tap_default(&tap);
        tap.from = b.f.n_ids - 1;
        tap.stream = on_stream;
        tap.part = on_part;
        tap.user = &p;
        assert_int_equal(choir_engine_tap(b.engine, &tap, NULL), CHOIR_OK);
        run(&b, b.f.ids, b.f.n_ids);
        for (int k = 0; k < dim; k++) {
            const double off = fabs(p.sum[k] - (double)p.last[k]);
            worst = off > worst ? off : worst;
            most = fabs((double)p.last[k]) > most ? fabs((double)p.last[k]) : most;
        }
        if (!(worst <= 1e-6 * most)) {
            fail_msg("%s: parts are off by %g of %g", types[i], worst, most);
        }
        free(p.sum);
        free(p.last);
        close_bench(&b);
    }
}

/* ---- memory ---- */

/* A limit that holds model and engine to the byte has no room for a tap; one with a tap's bytes more has. */
static void test_room(void **state)
{
    (void)state;
    for (int fits = 0; fits < 2; fits++) {
        struct bench b;
        choir_error err;
        choir_engine_info info;
        choir_engine_options opt = plain();
        const choir_tap tap = {.attention = on_attention, .part = on_part};
        open_bench(&b, "llama", &opt);
        choir_engine_describe(b.engine, &info);
        const uint64_t bytes = choir_tap_bytes(b.engine, &tap);
        const size_t tokens = (size_t)info.ctx_size, width = (size_t)b.info.dim;
        assert_true(bytes > (tokens * (size_t)b.info.n_kv_heads * (size_t)b.info.head_dim + 2 * tokens * width) *
                                sizeof(float));
        opt.mem_limit = b.info.weight_bytes + info.kv_bytes + info.activation_bytes + bytes - (fits ? 0 : 1);
        opt.ctx_size = info.ctx_size;
        choir_sequence_close(b.seq);
        b.seq = NULL;
        choir_engine_close(b.engine);
        assert_int_equal(choir_engine_open(&b.engine, b.model, &opt, &err), CHOIR_OK);
        assert_true(choir_engine_room(b.engine) == bytes - (fits ? 0 : 1));
        assert_int_equal(choir_engine_tap(b.engine, &tap, &err), fits ? CHOIR_OK : CHOIR_RESOURCE);
        if (fits) {
            assert_true(choir_engine_room(b.engine) == 0);
            assert_int_equal(choir_engine_tap(b.engine, &tap, &err), CHOIR_OK); /* in place of the other */
        } else {
            assert_non_null(strstr(err.msg, "MiB are left"));
        }
        close_bench(&b);
    }
}

/* ---- other caches ---- */

/* Quantized keys, and a text that is longer than what is seen of it. */
static void test_other_caches(void **state)
{
    static const char *const types[] = {"f16", "q8_0", "f32"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct bench b;
        choir_tap tap;
        choir_engine_options opt = plain();
        opt.kv_type = types[i];
        opt.infinite = i == 2;
        opt.ctx_size = i == 2 ? 20 : 0;
        opt.n_sinks = 3;
        opt.batch = 5;
        open_bench(&b, "llama", &opt);
        struct rows r = {.b = &b};
        choir_tap_default(&tap);
        tap.attention = on_attention;
        tap.user = &r;
        assert_int_equal(choir_engine_tap(b.engine, &tap, NULL), CHOIR_OK);
        for (int at = 0; at < b.f.n_ids; at += 10) {
            run(&b, b.f.ids + at, 10);
        }
        assert_int_equal(r.n_rows, b.f.n_ids * b.info.n_layers * b.info.n_heads);
        close_bench(&b);
    }
}

/* ---- masked heads ---- */

/* W_O's columns of the head become zeros in the folder. */
static void cut_columns(const struct bench *b, int layer, int head)
{
    char path[TINY_PATH], name[64];
    snprintf(name, sizeof name, "model.layers.%d.self_attn.o_proj.weight", layer);
    FILE *file = fopen(tiny_path(path, b->dir, "model.safetensors"), "r+b");
    assert_non_null(file);
    uint64_t n = 0;
    assert_int_equal(fread(&n, 8, 1, file), 1);
    char *header = calloc(1, n + 1);
    assert_non_null(header);
    assert_int_equal(fread(header, 1, n, file), n);
    json_t *all = json_loads(header, 0, NULL), *tensor = json_object_get(all, name);
    assert_non_null(tensor);
    const json_int_t begin = json_integer_value(json_array_get(json_object_get(tensor, "data_offsets"), 0));
    const size_t hd = (size_t)b->info.head_dim, q_dim = hd * (size_t)b->info.n_heads;
    float *zeros = calloc(hd, sizeof *zeros);
    for (int row = 0; row < b->info.dim; row++) {
        size_t at = 8 + n + (size_t)begin + ((size_t)row * q_dim + (size_t)head * hd) * sizeof *zeros;
        assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
        assert_int_equal(fwrite(zeros, sizeof *zeros, hd, file), hd);
    }
    assert_int_equal(fclose(file), 0);
    json_decref(all);
    free(zeros);
    free(header);
}

static void test_mask(void **state)
{
    static const choir_head heads[] = {{0, 1}, {1, -1}};
    struct bench b;
    choir_error err;
    choir_engine_options opt = plain();
    (void)state;
    open_bench(&b, "llama", &opt);
    const size_t row = (size_t)b.f.vocab_size * sizeof(float);
    float *masked = malloc(row);
    assert_non_null(masked);
    assert_int_equal(choir_engine_mask_heads(b.engine, heads, 2, NULL), CHOIR_OK);
    run(&b, b.f.ids, b.f.n_ids);
    memcpy(masked, choir_sequence_logits(b.seq), row);
    assert_int_equal(choir_engine_mask_heads(b.engine, NULL, 0, &err), CHOIR_USAGE); /* something is cached */
    choir_sequence_truncate(b.seq, 0);
    assert_int_equal(choir_engine_mask_heads(b.engine, NULL, 0, NULL), CHOIR_OK);
    run(&b, b.f.ids, b.f.n_ids);
    assert_memory_not_equal(masked, choir_sequence_logits(b.seq), row);

    choir_sequence_close(b.seq);
    choir_engine_close(b.engine);
    choir_model_close(b.model);
    cut_columns(&b, 0, 1);
    for (int h = 0; h < b.info.n_heads; h++) {
        cut_columns(&b, 1, h);
    }
    choir_model_options mo;
    choir_sampling greedy;
    choir_model_options_default(&mo);
    choir_sampling_default(&greedy);
    mo.path = b.dir;
    mo.text_optional = true;
    opt.ctx_size = b.f.ctx_size;
    assert_int_equal(choir_model_open(&b.model, &mo, NULL), CHOIR_OK);
    assert_int_equal(choir_engine_open(&b.engine, b.model, &opt, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_open(&b.seq, b.engine, &greedy, NULL), CHOIR_OK);
    run(&b, b.f.ids, b.f.n_ids);
    assert_memory_equal(masked, choir_sequence_logits(b.seq), row); /* the same bits */
    free(masked);
    close_bench(&b);
}

static void test_mask_refused(void **state)
{
    static const choir_head wrong[] = {{2, 0}, {-1, 0}, {0, 4}, {0, -2}};
    struct bench b;
    choir_error err;
    choir_engine_options opt = plain();
    (void)state;
    open_bench(&b, "llama", &opt);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(choir_engine_mask_heads(b.engine, &wrong[i], 1, &err), CHOIR_USAGE);
        assert_non_null(strstr(err.msg, i < 2 ? "the model has layers 0 to 1" : "the model has heads 0 to 3"));
    }
    close_bench(&b);
}

/* ---- a step once more ---- */

struct streams {
    float *x; /* [n_ids, dim] before layer `layer` */
    int layer;
};

static void keep_stream(void *user, choir_seen seen, const float *x, int32_t dim)
{
    const struct streams *s = user;
    if (seen.layer == s->layer - 1) {
        memcpy(s->x + (size_t)seen.pos * (size_t)dim, x, (size_t)dim * sizeof *x);
    }
}

static void test_redo(void **state)
{
    static const choir_head head = {1, 2};
    struct bench b;
    choir_tap tap;
    choir_engine_options opt = plain();
    (void)state;
    open_bench(&b, "gemma2", &opt);
    const size_t row = (size_t)b.f.vocab_size * sizeof(float);
    struct streams s = {.x = calloc((size_t)b.f.n_ids * (size_t)b.info.dim, sizeof(float)), .layer = 1};
    float *whole = malloc(row), *masked = malloc(row);
    assert_true(s.x != NULL && whole != NULL && masked != NULL);
    assert_int_equal(choir_engine_mask_heads(b.engine, &head, 1, NULL), CHOIR_OK);
    run(&b, b.f.ids, b.f.n_ids);
    memcpy(masked, choir_sequence_logits(b.seq), row);
    choir_sequence_truncate(b.seq, 0);
    assert_int_equal(choir_engine_mask_heads(b.engine, NULL, 0, NULL), CHOIR_OK);
    choir_tap_default(&tap);
    tap.stream = keep_stream;
    tap.user = &s;
    assert_int_equal(choir_engine_tap(b.engine, &tap, NULL), CHOIR_OK);
    run(&b, b.f.ids, b.f.n_ids);
    assert_int_equal(choir_engine_tap(b.engine, NULL, NULL), CHOIR_OK);
    memcpy(whole, choir_sequence_logits(b.seq), row);
    assert_memory_not_equal(whole, masked, row);
    for (int i = 0; i < 2; i++) { /* there, back, and there again */
        assert_int_equal(choir_engine_redo(b.engine, 1, s.x, &head, 1, NULL), CHOIR_OK);
        assert_memory_equal(choir_sequence_logits(b.seq), masked, row);
        assert_int_equal(choir_engine_redo(b.engine, 1, s.x, NULL, 0, NULL), CHOIR_OK);
        assert_memory_equal(choir_sequence_logits(b.seq), whole, row);
    }
    assert_int_equal(choir_engine_redo(b.engine, b.info.n_layers, s.x, NULL, 0, NULL), CHOIR_USAGE);
    choir_sequence_truncate(b.seq, b.f.n_ids - 1);
    assert_int_equal(choir_engine_redo(b.engine, 1, s.x, NULL, 0, NULL), CHOIR_USAGE);
    free(s.x);
    free(whole);
    free(masked);
    close_bench(&b);
}

int main(void)
{
    struct CMUnitTest tests[2 * N_NAMES + 7];
    size_t n = 0;
    for (int i = 0; i < N_NAMES; i++) {
        void *name = (void *)(uintptr_t)names[i];
        tests[n++] = (struct CMUnitTest){names[i], test_attention, NULL, NULL, name};
        tests[n++] = (struct CMUnitTest){names[i], test_parts, NULL, NULL, name};
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_reused_prefix);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_parts_quantized);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_room);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_other_caches);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_mask);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_mask_refused);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_redo);
    return _cmocka_run_group_tests("heads", tests, n, NULL, NULL);
}
