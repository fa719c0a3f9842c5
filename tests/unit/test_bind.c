/* From a file to a model in memory: every row of every tensor, whatever the container, type, --quant, --mmap and number of
 * threads; and the messages when a tensor is missing, misshapen or not finite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernels/pack.h"
#include "model/model.h"
#include "tests/support/tiny.h"
#include "weights/quants.h"

enum { DIM = 64, LAYERS = 2, HEADS = 4, KV_HEADS = 2, HEAD_DIM = 16, SEQ = 32, LARGEST = 60000 * DIM };

/* A file to make. */
struct file {
    enum wts_container container;
    choir_dtype type; /* of the matrices */
    choir_dtype norm_type;
    int vocab, hidden;
    bool tied;
    const char *leave_out; /* a tensor's name */
    const char *transpose;
    const char *nan_in;      /* its element 5 is not a number */
    const char *extra;       /* a tensor nobody asks for */
    const float *rope_freqs; /* [HEAD_DIM / 2] */
};

static const struct file plain = {
    .container = WTS_GGUF, .type = DTYPE_F32, .norm_type = DTYPE_F32, .vocab = 50, .hidden = 96};

static char dir[TINY_PATH], path[TINY_PATH];

static int make_dir(void **state)
{
    (void)state;
    tiny_dir_make(dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    tiny_dir_remove(dir);
    return 0;
}

/* ---- what is in the files ---------------------------------------------------------------------------- */

static void shape_of(const struct file *f, enum mdl_tensor which, uint64_t shape[2], int *n_dims)
{
    const uint64_t q = HEADS * HEAD_DIM, kv = KV_HEADS * HEAD_DIM, hidden = (uint64_t)f->hidden;
    const uint64_t table[MDL_TENSOR_COUNT][2] = {
        [MDL_EMBED] = {(uint64_t)f->vocab, DIM},
        [MDL_OUTPUT_NORM] = {DIM, 0},
        [MDL_OUTPUT] = {(uint64_t)f->vocab, DIM},
        [MDL_ATT_NORM] = {DIM, 0},
        [MDL_WQ] = {q, DIM},
        [MDL_WK] = {kv, DIM},
        [MDL_WV] = {kv, DIM},
        [MDL_WO] = {DIM, q},
        [MDL_FFN_NORM] = {DIM, 0},
        [MDL_W_GATE] = {hidden, DIM},
        [MDL_W_UP] = {hidden, DIM},
        [MDL_W_DOWN] = {DIM, hidden},
    };
    *n_dims = table[which][1] > 0 ? 2 : 1;
    shape[0] = table[which][0];
    shape[1] = *n_dims == 2 ? table[which][1] : 1;
}

/* Element i of a tensor before it is rounded to a type. */
static float value_at(enum mdl_tensor which, int layer, size_t i)
{
    uint32_t h = (uint32_t)i * 2654435761u ^ ((uint32_t)which * 40503u + (uint32_t)(layer + 1) * 9176u);
    h = (h ^ h >> 15) * 2246822519u;
    h ^= h >> 13;
    return (float)(int32_t)(h & 0xffff) / 65536.0f - 0.4f;
}

static void values_of(const struct file *f, enum mdl_tensor which, int layer, float *values)
{
    uint64_t shape[2];
    int n_dims;
    shape_of(f, which, shape, &n_dims);
    for (size_t i = 0; i < shape[0] * shape[1]; i++) {
        values[i] = value_at(which, layer, i);
    }
}

static bool is(const char *wanted, const char *name)
{
    return wanted != NULL && strcmp(wanted, name) == 0;
}

struct sink {
    struct tiny_gguf gguf;
    struct tiny_safetensors st;
};

static void put(struct sink *s, const struct file *f, const char *name, choir_dtype type, int n_dims,
                const uint64_t *shape, const float *values)
{
    if (f->container == WTS_GGUF) {
        tiny_gguf_tensor(&s->gguf, name, type, n_dims, shape, values);
    } else {
        tiny_st_tensor(&s->st, name, type, n_dims, shape, values);
    }
}

static void put_tensor(struct sink *s, const struct file *f, enum mdl_tensor which, int layer, float *values)
{
    const struct mdl_arch *arch = mdl_arch_by_gguf("llama");
    uint64_t shape[2];
    int n_dims;
    char name[MDL_NAME_CAP];
    shape_of(f, which, shape, &n_dims);
    if (shape[0] == 0) { /* this family has none */
        return;
    }
    mdl_tensor_name(name, sizeof name, (f->container == WTS_GGUF ? mdl_gguf_names : arch->hf_names)[which], 0, "model.",
                    layer, 0);
    if (is(f->leave_out, name)) {
        return;
    }
    values_of(f, which, layer, values);
    if (is(f->nan_in, name)) {
        values[5] = strtof("nan", NULL);
    }
    if (is(f->transpose, name)) {
        uint64_t rows = shape[0];
        shape[0] = shape[1];
        shape[1] = rows;
    }
    put(s, f, name, n_dims == 1 ? f->norm_type : f->type, n_dims, shape, values);
}

static void set_gguf(struct tiny_gguf *g, const struct file *f)
{
    char hidden[16];
    snprintf(hidden, sizeof hidden, "%d", f->hidden);
    tiny_gguf_set(g, "general.architecture", "string", "llama");
    tiny_gguf_set(g, "llama.block_count", "u32", "2");
    tiny_gguf_set(g, "llama.embedding_length", "u32", "64");
    tiny_gguf_set(g, "llama.feed_forward_length", "u32", hidden);
    tiny_gguf_set(g, "llama.attention.head_count", "u32", "4");
    tiny_gguf_set(g, "llama.attention.head_count_kv", "u32", "2");
    tiny_gguf_set(g, "llama.context_length", "u32", "32");
    tiny_gguf_set(g, "llama.attention.layer_norm_rms_epsilon", "f32", "1e-5");
}

static void write_config(const struct file *f)
{
    char text[512];
    int n = snprintf(text, sizeof text,
                     "{\"model_type\": \"llama\", \"hidden_size\": 64, \"intermediate_size\": %d, \"vocab_size\": %d,"
                     " \"num_hidden_layers\": 2, \"num_attention_heads\": 4, \"num_key_value_heads\": 2,"
                     " \"max_position_embeddings\": 32, \"tie_word_embeddings\": %s}",
                     f->hidden, f->vocab, f->tied ? "true" : "false");
    tiny_write(dir, "config.json", text, (size_t)n);
}

static void write_tensors(const struct file *f, float *values)
{
    struct sink s = {0};
    for (int which = 0; which < MDL_FIRST_LAYER_TENSOR; which++) {
        if (which != MDL_OUTPUT || !f->tied) {
            put_tensor(&s, f, (enum mdl_tensor)which, -1, values);
        }
    }
    for (int l = 0; l < LAYERS; l++) {
        for (int which = MDL_FIRST_LAYER_TENSOR; which < MDL_TENSOR_COUNT; which++) {
            put_tensor(&s, f, (enum mdl_tensor)which, l, values);
        }
    }
    const uint64_t pairs = HEAD_DIM / 2, one[2] = {1, 32};
    if (f->rope_freqs != NULL) {
        put(&s, f, "rope_freqs.weight", DTYPE_F32, 1, &pairs, f->rope_freqs);
    }
    if (f->extra != NULL) {
        put(&s, f, f->extra, DTYPE_F32, 2, one, values);
    }
    if (f->container == WTS_GGUF) {
        set_gguf(&s.gguf, f);
        tiny_gguf_write(&s.gguf, dir, "m.gguf");
    } else {
        tiny_st_write(&s.st, dir, "model.safetensors");
        write_config(f);
    }
}

/* llama2.c's legacy layout: header, then each kind of tensor for all layers. */
static void write_llama2c(const struct file *f, float *values)
{
    static const enum mdl_tensor order[] = {MDL_EMBED,    MDL_ATT_NORM, MDL_WQ,     MDL_WK,   MDL_WV,         MDL_WO,
                                            MDL_FFN_NORM, MDL_W_GATE,   MDL_W_DOWN, MDL_W_UP, MDL_OUTPUT_NORM};
    const int32_t header[7] = {DIM, f->hidden, LAYERS, HEADS, KV_HEADS, f->tied ? f->vocab : -f->vocab, SEQ};
    struct tiny_bytes b = {0};
    tiny_put(&b, header, sizeof header);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        const bool in_layers = order[i] >= (enum mdl_tensor)MDL_FIRST_LAYER_TENSOR;
        uint64_t shape[2];
        int n_dims;
        shape_of(f, order[i], shape, &n_dims);
        for (int l = 0; l < (in_layers ? LAYERS : 1); l++) {
            values_of(f, order[i], in_layers ? l : -1, values);
            tiny_put(&b, values, shape[0] * shape[1] * sizeof *values);
        }
    }
    tiny_put(&b, values, SEQ * HEAD_DIM * sizeof *values); /* tables of cosines and sines, not used */
    if (!f->tied) {
        values_of(f, MDL_OUTPUT, -1, values);
        tiny_put(&b, values, (size_t)f->vocab * DIM * sizeof *values);
    }
    tiny_write(dir, "m.bin", b.p, b.n);
    free(b.p);
}

static const char *write_file(const struct file *f)
{
    float *values = malloc(LARGEST * sizeof *values);
    assert_non_null(values);
    if (f->container == WTS_LLAMA2C) {
        write_llama2c(f, values);
    } else {
        write_tensors(f, values);
    }
    free(values);
    return f->container == WTS_HF ? dir : tiny_path(path, dir, f->container == WTS_GGUF ? "m.gguf" : "m.bin");
}

/* ---- opening and looking ----------------------------------------------------------------------------- */

struct opened {
    struct wts_set *set;
    struct mdl_config config;
    struct mdl_model *model;
};

static choir_status open_file(struct opened *o, const struct file *f, const struct mdl_load_options *opt,
                              choir_error *err)
{
    *o = (struct opened){0};
    choir_status status = wts_open(&o->set, write_file(f), false, err);
    if (status == CHOIR_OK) {
        status = mdl_config_read(&o->config, o->set, err);
    }
    if (status == CHOIR_OK && opt->in_place) {
        status = wts_map(o->set, err);
    }
    if (status == CHOIR_OK) {
        status = mdl_open(&o->model, &o->config, o->set, opt, err);
    }
    return status;
}

static void close_all(struct opened *o)
{
    mdl_close(o->model);
    wts_close(o->set);
}

/* What rounding to a type leaves of a row. */
static void round_to(choir_dtype type, float *row, size_t n)
{
    unsigned char rows[4096];
    assert_true(dtype_row_bytes(type, n) <= sizeof rows);
    wts_quantize_row(type, rows, row, n);
    wts_dequantize_row(type, row, rows, n);
}

static void row_in_memory(const struct mdl_matrix *w, int row, float *dst)
{
    if (w->rows != NULL) {
        wts_dequantize_row(w->type, dst, w->rows + (size_t)row * w->row_bytes, (size_t)w->n_cols);
    } else {
        kern_unpack_row(w->type, dst, w->panels + (size_t)(row / DTYPE_PANEL_ROWS) * w->panel_bytes,
                        row % DTYPE_PANEL_ROWS, w->n_cols);
    }
}

static void check_matrix(const struct file *f, choir_dtype quant, enum mdl_tensor which, int layer,
                         const struct mdl_matrix *w)
{
    uint64_t shape[2];
    int n_dims;
    float found[256], wanted[256];
    shape_of(f, which, shape, &n_dims);
    assert_int_equal(w->n_rows, shape[0]);
    assert_int_equal(w->n_cols, shape[1]);
    choir_dtype fits = quant != DTYPE_COUNT ? wts_type_that_fits(quant, (uint64_t)w->n_cols) : DTYPE_COUNT;
    assert_int_equal(w->type, fits != DTYPE_COUNT ? fits : f->type);
    assert_int_equal(w->panel_bytes, dtype_panel_bytes(w->type, (size_t)w->n_cols));
    for (int r = 0; r < w->n_rows; r++) {
        for (int c = 0; c < w->n_cols; c++) {
            wanted[c] = value_at(which, layer, (size_t)r * (size_t)w->n_cols + (size_t)c);
        }
        round_to(f->type, wanted, (size_t)w->n_cols);
        round_to(w->type, wanted, (size_t)w->n_cols);
        row_in_memory(w, r, found);
        for (int c = 0; c < w->n_cols; c++) {
            if (found[c] != wanted[c]) {
                fail_msg("tensor %d, layer %d, row %d, column %d: %g, not %g", (int)which, layer, r, c,
                         (double)found[c], (double)wanted[c]);
            }
        }
    }
}

static void check_vector(const struct file *f, enum mdl_tensor which, int layer, const float *v)
{
    float wanted[DIM];
    values_of(f, which, layer, wanted);
    round_to(f->norm_type, wanted, DIM);
    assert_memory_equal(v, wanted, sizeof wanted);
}

static void check_model(const struct file *f, choir_dtype quant, const struct mdl_model *m)
{
    check_matrix(f, quant, MDL_EMBED, -1, &m->embed);
    check_vector(f, MDL_OUTPUT_NORM, -1, m->output_norm);
    if (f->tied) {
        assert_memory_equal(&m->output, &m->embed, sizeof m->embed);
    } else {
        check_matrix(f, quant, MDL_OUTPUT, -1, &m->output);
    }
    for (int l = 0; l < LAYERS; l++) {
        const struct mdl_layer *layer = &m->layers[l];
        check_vector(f, MDL_ATT_NORM, l, layer->att_norm);
        check_vector(f, MDL_FFN_NORM, l, layer->ffn_norm);
        check_matrix(f, quant, MDL_WQ, l, &layer->wq);
        check_matrix(f, quant, MDL_WK, l, &layer->wk);
        check_matrix(f, quant, MDL_WV, l, &layer->wv);
        check_matrix(f, quant, MDL_WO, l, &layer->wo);
        check_matrix(f, quant, MDL_W_GATE, l, &layer->ffn.w_gate);
        check_matrix(f, quant, MDL_W_UP, l, &layer->ffn.w_up);
        check_matrix(f, quant, MDL_W_DOWN, l, &layer->ffn.w_down);
    }
}

static struct mdl_load_options options(void)
{
    return (struct mdl_load_options){.n_threads = 2};
}

/* Opens, compares every row, and holds the plan against what was taken. */
static void roundtrip(const struct file *f, const struct mdl_load_options *opt)
{
    struct opened o;
    choir_error err = {0};
    uint64_t planned;
    if (open_file(&o, f, opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(mdl_plan_bytes(&o.config, o.set, opt, &planned, &err), CHOIR_OK);
    assert_int_equal(planned, o.model->arena.cap + sizeof *o.model);
    assert_int_equal(o.model->arena.used, o.model->arena.cap);
    check_model(f, opt->quant != NULL ? opt->quant->type : DTYPE_COUNT, o.model);
    assert_null(o.model->rope_freqs);
    if (!opt->in_place) { /* then the set may be closed first */
        wts_close(o.set);
        o.set = NULL;
        check_model(f, opt->quant != NULL ? opt->quant->type : DTYPE_COUNT, o.model);
    }
    close_all(&o);
}

/* Rows here are shorter than super-blocks, and their values must be made. */
static bool fits_here(int type)
{
    return dtype_table[type].block_len <= 32 && wts_quantizable((choir_dtype)type);
}

static void gguf_types(void **state)
{
    (void)state;
    struct mdl_load_options opt = options();
    for (int type = 0; type < DTYPE_COUNT; type++) {
        if (!fits_here(type)) {
            continue;
        }
        struct file f = plain;
        f.type = (choir_dtype)type;
        roundtrip(&f, &opt);
        f.tied = true;
        f.norm_type = DTYPE_F16;
        roundtrip(&f, &opt);
    }
}

static void folders(void **state)
{
    (void)state;
    static const choir_dtype types[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16};
    struct mdl_load_options opt = options();
    for (size_t i = 0; i < 3; i++) {
        struct file f = plain;
        f.container = WTS_HF;
        f.type = f.norm_type = types[i];
        f.tied = i % 2 != 0;
        f.hidden = 80; /* a row that is no whole number of units */
        roundtrip(&f, &opt);
    }
}

static void llama2c_files(void **state)
{
    (void)state;
    struct mdl_load_options opt = options();
    struct file f = plain;
    f.container = WTS_LLAMA2C;
    roundtrip(&f, &opt);
    f.tied = true;
    roundtrip(&f, &opt);
    opt.quant = wts_mix_alike(DTYPE_Q8_0);
    roundtrip(&f, &opt);
}

static void quantized(void **state)
{
    (void)state;
    for (int from = 0; from < DTYPE_COUNT; from++) {
        for (int to = 0; to < DTYPE_COUNT; to++) {
            if (!fits_here(from) || !fits_here(to)) {
                continue;
            }
            struct mdl_load_options opt = options();
            struct file f = plain;
            f.type = (choir_dtype)from;
            /* w_down's rows do not fit blocks of 32 then: it keeps its type */
            f.hidden = dtype_table[from].block_len == 1 ? 80 : 96;
            opt.quant = wts_mix_alike((choir_dtype)to);
            roundtrip(&f, &opt);
        }
    }
}

/* w_down's rows are a super-block each, the others get the type that is nearest. */
static void quantized_to_super_blocks(void **state)
{
    (void)state;
    for (int to = 0; to < DTYPE_COUNT; to++) {
        if (dtype_table[to].block_len == 256 && wts_quantizable((choir_dtype)to)) {
            struct mdl_load_options opt = options();
            struct file f = plain;
            f.hidden = 256;
            opt.quant = wts_mix_alike((choir_dtype)to);
            roundtrip(&f, &opt);
            f.type = DTYPE_F16;
            roundtrip(&f, &opt);
        }
    }
}

static void in_place(void **state)
{
    (void)state;
    struct mdl_load_options opt = options();
    opt.in_place = true;
    for (int type = 0; type < DTYPE_COUNT; type++) {
        if (!fits_here(type)) {
            continue;
        }
        struct file f = plain;
        struct opened o;
        choir_error err = {0};
        f.type = (choir_dtype)type;
        roundtrip(&f, &opt);
        assert_int_equal(open_file(&o, &f, &opt, &err), CHOIR_OK);
        assert_non_null(o.model->layers[1].ffn.w_down.rows);
        assert_null(o.model->layers[1].ffn.w_down.panels);
        assert_int_equal(o.model->layers[1].ffn.w_down.row_bytes, dtype_row_bytes(f.type, 96));
        close_all(&o);
    }
}

/* Several pieces to a matrix; any number of threads gives the same bytes. */
static void threads(void **state)
{
    (void)state;
    struct file f = plain;
    struct opened one, many;
    choir_error err = {0};
    struct mdl_load_options opt = options();
    f.vocab = 60000;
    opt.n_threads = 1;
    assert_int_equal(open_file(&one, &f, &opt, &err), CHOIR_OK);
    check_model(&f, DTYPE_COUNT, one.model);
    opt.n_threads = 5;
    assert_int_equal(open_file(&many, &f, &opt, &err), CHOIR_OK);
    const size_t layers = LAYERS * sizeof(struct mdl_layer); /* pointers, which differ */
    assert_int_equal(one.model->arena.cap, many.model->arena.cap);
    assert_memory_equal(one.model->arena.base + layers, many.model->arena.base + layers, one.model->arena.cap - layers);
    assert_int_equal(one.model->weight_bytes, many.model->weight_bytes);
    close_all(&one);
    close_all(&many);
}

/* A mapped file whose matrices are packed all the same, straight from the mapping. */
static void packed_from_memory(void **state)
{
    (void)state;
    struct file f = plain;
    struct mdl_load_options opt = options();
    f.vocab = 9000;
    opt.in_place = true;
    opt.quant = wts_mix_alike(DTYPE_F16);
    roundtrip(&f, &opt);
}

/* ---- callbacks --------------------------------------------------------------------------------------- */

struct heard {
    int calls, stop_after;
    uint64_t done, total;
    int warnings;
    char line[400];
};

static int progress(void *user, uint64_t done, uint64_t total)
{
    struct heard *h = user;
    assert_true(done >= h->done && done <= total);
    h->done = done;
    h->total = total;
    return ++h->calls == h->stop_after;
}

static void warn(void *user, const char *line)
{
    struct heard *h = user;
    h->warnings++;
    snprintf(h->line, sizeof h->line, "%s", line);
}

static void progress_and_cancel(void **state)
{
    (void)state;
    struct file f = plain;
    struct opened o;
    choir_error err = {0};
    struct heard h = {0};
    struct mdl_load_options opt = options();
    opt.progress = progress;
    opt.warn = warn;
    opt.user = &h;
    f.vocab = 9000;
    assert_int_equal(open_file(&o, &f, &opt, &err), CHOIR_OK);
    assert_int_equal(h.done, h.total);
    assert_true(h.total > 2 * 9000 * DIM * sizeof(float));
    assert_int_equal(h.warnings, 0);
    close_all(&o);
    h = (struct heard){.stop_after = 1};
    assert_int_equal(open_file(&o, &f, &opt, &err), CHOIR_CANCELLED);
    assert_null(o.model);
    assert_int_equal(h.calls, 1);
    close_all(&o);
}

static void extra_tensors(void **state)
{
    (void)state;
    struct file f = plain;
    struct opened o;
    choir_error err = {0};
    struct heard h = {0};
    struct mdl_load_options opt = options();
    char wanted[256];
    opt.warn = warn;
    opt.user = &h;
    f.extra = "blk.0.what";
    assert_int_equal(open_file(&o, &f, &opt, &err), CHOIR_OK);
    assert_int_equal(h.warnings, 1);
    snprintf(wanted, sizeof wanted, "%s/m.gguf: 1 tensor not used: blk.0.what", dir);
    assert_string_equal(h.line, wanted);
    close_all(&o);

    f.container = WTS_HF;
    f.tied = true;
    static const char *const known[] = {"lm_head.weight", "model.layers.0.self_attn.rotary_emb.inv_freq"};
    for (size_t i = 0; i < 2; i++) {
        f.extra = known[i];
        assert_int_equal(open_file(&o, &f, &opt, &err), CHOIR_OK);
        assert_int_equal(h.warnings, 1);
        close_all(&o);
    }
}

/* ---- refusals ---------------------------------------------------------------------------------------- */

static void expect_refusal(const struct file *f, const char *message)
{
    struct opened o;
    choir_error err = {0};
    char wanted[512];
    struct mdl_load_options opt = options();
    choir_status status = open_file(&o, f, &opt, &err);
    snprintf(wanted, sizeof wanted, "%s/%s", dir, message);
    if (status != CHOIR_FILE || strcmp(err.msg, wanted) != 0) {
        fail_msg("status %d, \"%s\" instead of \"%s\"", (int)status, err.msg, wanted);
    }
    assert_null(o.model);
    close_all(&o);
}

/* C07, C20, W07 */
static void wrong_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *message;
    } rows[] = {
        {"blk.0.attn_k.weight", "shape 64 x 32, expected 32 x 64 from 2 key/value heads of 16"},
        {"blk.1.ffn_up.weight", "shape 64 x 96, expected 96 x 64 from a feed-forward width of 96"},
        {"blk.1.ffn_down.weight", "shape 96 x 64, expected 64 x 96 from a feed-forward width of 96"},
        {"output.weight", "shape 64 x 50, expected 50 x 64 from a vocabulary of 50"},
    };
    struct file f = plain;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char message[256];
        f.transpose = rows[i].name;
        snprintf(message, sizeof message, "m.gguf: tensor %s: %s", rows[i].name, rows[i].message);
        expect_refusal(&f, message);
    }
    static const float freqs[HEAD_DIM / 2] = {1, 1, 1, 1, 1, 1, 1, 1};
    struct opened o;
    choir_error err = {0};
    struct mdl_load_options opt = options();
    f = plain;
    f.rope_freqs = freqs;
    assert_int_equal(open_file(&o, &f, &opt, &err), CHOIR_OK);
    mdl_close(o.model);
    o.model = NULL;
    o.config.rope_dim = 8;
    assert_int_equal(mdl_open(&o.model, &o.config, o.set, &opt, &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "tensor rope_freqs.weight: shape 8, expected 4"));
    o.config.rope_dim = 16;
    o.config.n_heads = 8;
    assert_int_equal(mdl_open(&o.model, &o.config, o.set, &opt, &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "tensor blk.0.attn_q.weight: shape 64 x 64, expected 128 x 64 from 8 heads of 16"));
    close_all(&o);
}

/* C23, S29 */
static void missing_tensors(void **state)
{
    (void)state;
    struct file f = plain;
    f.leave_out = "blk.1.ffn_up.weight";
    expect_refusal(&f, "m.gguf: tensor blk.1.ffn_up.weight missing");
    f.leave_out = "token_embd.weight";
    expect_refusal(&f, "m.gguf: tensor token_embd.weight missing");
    f.container = WTS_HF;
    f.leave_out = "lm_head.weight";
    expect_refusal(&f, "model.safetensors: tensor lm_head.weight missing");
    f.leave_out = "model.layers.1.mlp.up_proj.weight";
    expect_refusal(&f, "model.safetensors: tensor model.layers.1.mlp.up_proj.weight missing");
}

/* The output matrix is there in a type that cannot be read: that is no tied model. */
static void unreadable_output(void **state)
{
    (void)state;
    static const char key[] = "\x0d\0\0\0\0\0\0\0output.weight\x02"; /* length, name, dimensions */
    const struct file f = plain;
    const uint32_t i32 = 26;
    unsigned char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    FILE *in = fopen(write_file(&f), "rb");
    assert_non_null(in);
    size_t n = fread(bytes, 1, 1 << 20, in), at = 0;
    fclose(in);
    while (at + 64 < n && memcmp(bytes + at, key, sizeof key - 1) != 0) {
        at++;
    }
    memcpy(bytes + at + 8 + 13 + 4 + 2 * 8, &i32, sizeof i32);
    tiny_write(dir, "m.gguf", bytes, n);
    free(bytes);
    struct wts_set *set;
    struct mdl_config config;
    struct mdl_model *model;
    struct mdl_load_options opt = options();
    choir_error err = {0};
    assert_int_equal(wts_open(&set, path, false, &err), CHOIR_OK);
    assert_int_equal(mdl_config_read(&config, set, &err), CHOIR_OK);
    assert_false(config.tied_output);
    assert_int_equal(mdl_open(&model, &config, set, &opt, &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "m.gguf: tensor output.weight: type "));
    wts_close(set);
}

/* W01 */
static void not_finite(void **state)
{
    (void)state;
    static const float zero[HEAD_DIM / 2] = {1, 1, 0, 1, 1, 1, 1, 1};
    struct file f = plain;
    f.nan_in = "output_norm.weight";
    expect_refusal(&f, "m.gguf: tensor output_norm.weight: element 5 is not finite");
    f.nan_in = "blk.1.ffn_norm.weight";
    f.norm_type = DTYPE_BF16;
    expect_refusal(&f, "m.gguf: tensor blk.1.ffn_norm.weight: element 5 is not finite");
    f = plain;
    f.rope_freqs = zero;
    expect_refusal(&f, "m.gguf: tensor rope_freqs.weight: element 2 is not positive");
}

static void rope_freqs(void **state)
{
    (void)state;
    static const float freqs[HEAD_DIM / 2] = {1, 1, 1.5f, 2, 4, 8, 8, 8};
    struct file f = plain;
    struct opened o;
    choir_error err = {0};
    struct heard h = {0};
    struct mdl_load_options opt = options();
    opt.warn = warn;
    opt.user = &h;
    f.rope_freqs = freqs;
    assert_int_equal(open_file(&o, &f, &opt, &err), CHOIR_OK);
    assert_memory_equal(o.model->rope_freqs, freqs, sizeof freqs);
    assert_int_equal(h.warnings, 0);
    close_all(&o);
}

/* A file that shrinks between opening and reading is an I/O error, for any number of threads. */
static void file_shrinks(void **state)
{
    (void)state;
    struct file f = plain;
    choir_error err = {0};
    struct mdl_load_options opt = options();
    f.vocab = 60000;
    for (int i = 0; i < 4; i++) {
        struct wts_set *set;
        struct mdl_config config;
        struct mdl_model *model;
        opt.n_threads = i % 2 == 0 ? 1 : 4;
        assert_int_equal(wts_open(&set, write_file(&f), false, &err), CHOIR_OK);
        assert_int_equal(mdl_config_read(&config, set, &err), CHOIR_OK);
        /* before the first norm, or only the last two matrices */
        off_t size = i < 2 ? 3000 : (off_t)wts_file_bytes(set) - 2 * 96 * DIM * 4;
        assert_int_equal(truncate(path, size), 0);
        assert_int_equal(mdl_open(&model, &config, set, &opt, &err), CHOIR_IO);
        assert_non_null(strstr(err.msg, "file changed or became unreadable while in use"));
        assert_null(model);
        wts_close(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
        TEST(gguf_types),
        TEST(folders),
        TEST(llama2c_files),
        TEST(quantized),
        TEST(quantized_to_super_blocks),
        TEST(in_place),
        TEST(threads),
        TEST(packed_from_memory),
        TEST(extra_tensors),
        TEST(wrong_shapes),
        TEST(missing_tensors),
        TEST(not_finite),
        TEST(unreadable_output),
        TEST(progress_and_cancel),
        TEST(rope_freqs),
        TEST(file_shrinks),
#undef TEST
    };
    return cmocka_run_group_tests_name("bind", tests, NULL, NULL);
}
