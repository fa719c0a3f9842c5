/* The same integer hash as tools/golden/hashed.py. */
#include "tests/support/family.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/tiny.h"

enum { DIMS_CAP = 4 };

static uint64_t splitmix64(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* The i-th number of the sequence that a name starts. */
static uint64_t hash(const char *name, uint64_t seed, uint64_t i)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *name != '\0'; name++) {
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    }
    return splitmix64(h + (seed << 40) + i);
}

static int get_int(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v)) {
        fail_msg("no integer %s", key);
    }
    return (int)json_integer_value(v);
}

/* Elements of an array of integers; at most cap. */
static int get_ints(int *dst, int cap, const json_t *array)
{
    int n = (int)json_array_size(array);
    assert_true(n > 0 && n <= cap);
    for (int i = 0; i < n; i++) {
        dst[i] = (int)json_integer_value(json_array_get(array, (size_t)i));
    }
    return n;
}

static uint64_t seed_of(const struct family *f)
{
    return (uint64_t)get_int(f->file, "seed");
}

static void load_logits(struct family *f)
{
    char path[256];
    snprintf(path, sizeof path, "tests/golden/families/%s.f64", f->name);
    size_t n = (size_t)f->n_keep * (size_t)f->vocab_size;
    f->logits = malloc(n * sizeof *f->logits);
    FILE *in = fopen(path, "rb");
    if (f->logits == NULL || in == NULL || fread(f->logits, sizeof *f->logits, n, in) != n || fgetc(in) != EOF) {
        fail_msg("%s: not %zu numbers", path, n);
    }
    fclose(in);
}

void family_load(struct family *f, const char *name)
{
    char path[256];
    json_error_t e;
    snprintf(path, sizeof path, "tests/golden/families/%s.json", name);
    *f = (struct family){.name = name, .file = json_load_file(path, 0, &e)};
    if (f->file == NULL) {
        fail_msg("%s: %s", path, e.text);
    }
    f->n_ids = get_int(f->file, "n_ids");
    f->ctx_size = get_int(f->file, "ctx_size");
    f->vocab_size = get_int(json_object_get(f->file, "config"), "vocab_size");
    f->n_keep = get_ints(f->keep, FAMILY_KEEP_CAP, json_object_get(f->file, "keep"));
    int greedy[FAMILY_GREEDY_CAP];
    f->n_greedy = get_ints(greedy, FAMILY_GREEDY_CAP, json_object_get(f->file, "greedy"));
    assert_int_equal(f->keep[f->n_keep - 1], f->n_ids - 1);
    assert_int_equal(f->ctx_size, f->n_ids + f->n_greedy);
    f->ids = malloc((size_t)f->ctx_size * sizeof *f->ids);
    assert_non_null(f->ids);
    for (int i = 0; i < f->ctx_size; i++) {
        uint64_t h = hash("token ids", seed_of(f), (uint64_t)i) % (uint64_t)f->vocab_size;
        f->ids[i] = i < f->n_ids ? (int32_t)h : greedy[i - f->n_ids];
    }
    load_logits(f);
}

void family_free(struct family *f)
{
    json_decref(f->file);
    free(f->ids);
    free(f->logits);
}

/* ---- the folder -------------------------------------------------------------------------------------- */

/* tensor: [name, shape, base, log2 of the scale]. */
static void write_tensor(struct tiny_safetensors *out, uint64_t seed, const json_t *tensor)
{
    const char *name = json_string_value(json_array_get(tensor, 0));
    int dims[DIMS_CAP];
    uint64_t shape[DIMS_CAP];
    int n_dims = get_ints(dims, DIMS_CAP, json_array_get(tensor, 1));
    float base = (float)json_integer_value(json_array_get(tensor, 2));
    float scale = ldexpf(1, (int)json_integer_value(json_array_get(tensor, 3)));
    size_t n = 1;
    for (int i = 0; i < n_dims; i++) {
        shape[i] = (uint64_t)dims[i];
        n *= (size_t)dims[i];
    }
    float *w = malloc(n * sizeof *w);
    assert_non_null(w);
    for (size_t i = 0; i < n; i++) {
        w[i] = base + (float)((int)(hash(name, seed, i) >> 56) - 128) * scale;
    }
    tiny_st_tensor(out, name, DTYPE_F32, n_dims, shape, w);
    free(w);
}

bool family_write(const struct family *f, const char *dir, const char *form)
{
    json_t *config = json_object_get(f->file, form);
    if (!json_is_object(config)) {
        return false;
    }
    char *text = json_dumps(config, 0);
    assert_non_null(text);
    tiny_write(dir, "config.json", text, strlen(text));
    free(text);
    struct tiny_safetensors out = {0};
    size_t i;
    json_t *tensor;
    json_array_foreach(json_object_get(f->file, "tensors"), i, tensor)
    {
        write_tensor(&out, seed_of(f), tensor);
    }
    tiny_st_write(&out, dir, "model.safetensors");
    return true;
}

/* ---- the run ----------------------------------------------------------------------------------------- */

static choir_model *open_model(const char *path, const struct family_setting *x)
{
    choir_model_options opt;
    choir_model_options_default(&opt);
    opt.path = path;
    opt.cpu = x->cpu;
    opt.mmap = x->in_place;
    opt.text_optional = true;
    choir_model *m;
    choir_error err;
    if (choir_model_open(&m, &opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    return m;
}

/* Appends n ids, computes them and copies the logits after the last; returns where the next ones go. */
static float *advance(choir_engine *e, choir_sequence *s, const int32_t *ids, int n, float *dst, int vocab_size)
{
    assert_int_equal(choir_sequence_append(s, ids, (size_t)n, NULL), CHOIR_OK);
    while (choir_sequence_computed(s) < choir_sequence_length(s)) {
        choir_error err;
        if (choir_engine_step(e, &s, 1, &err) != CHOIR_OK) {
            fail_msg("%s", err.msg);
        }
    }
    memcpy(dst, choir_sequence_logits(s), (size_t)vocab_size * sizeof *dst);
    return dst + vocab_size;
}

float *family_run(const struct family *f, const char *path, const struct family_setting *x, int *wrong)
{
    choir_model *m = open_model(path, x);
    choir_model_info info;
    choir_model_describe(m, &info);
    assert_int_equal(info.vocab_size, f->vocab_size);
    choir_engine_options opt;
    choir_engine_options_default(&opt);
    opt.ctx_size = f->ctx_size;
    opt.kv_type = "f32";
    opt.n_threads = x->threads;
    opt.batch = x->chunk;
    choir_engine *e;
    choir_sequence *s;
    choir_error err;
    if (choir_engine_open(&e, m, &opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    choir_sampling greedy;
    choir_sampling_default(&greedy);
    greedy.temp = 0;
    assert_int_equal(choir_sequence_open(&s, e, &greedy, NULL), CHOIR_OK);
    float *logits = malloc((size_t)(f->n_keep + f->n_greedy) * (size_t)f->vocab_size * sizeof *logits), *at = logits;
    assert_non_null(logits);
    for (int i = 0, done = 0; i < f->n_keep; i++) {
        at = advance(e, s, f->ids + done, f->keep[i] + 1 - done, at, f->vocab_size);
        done = f->keep[i] + 1;
    }
    *wrong = -1;
    for (int i = 0; i < f->n_greedy; i++) {
        int32_t id;
        assert_int_equal(choir_sequence_sample(s, &id, NULL), CHOIR_OK);
        *wrong = *wrong < 0 && id != f->ids[f->n_ids + i] ? i : *wrong;
        at = advance(e, s, f->ids + f->n_ids + i, 1, at, f->vocab_size);
    }
    choir_sequence_close(s);
    choir_engine_close(e);
    choir_model_close(m);
    return logits;
}

double family_nmse(const struct family *f, const float *logits)
{
    double error = 0, power = 0;
    for (int i = 0; i < f->n_keep * f->vocab_size; i++) {
        error += (logits[i] - f->logits[i]) * (logits[i] - f->logits[i]);
        power += f->logits[i] * f->logits[i];
    }
    return error / power;
}
