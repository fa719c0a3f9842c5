/* One safetensors file.  https://huggingface.co/docs/safetensors
 *
 *   u64 N   N bytes of JSON: {"NAME": {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, ..}   data
 *
 * Offsets count from the data.  The tensors cover the data without overlaps and holes.  Types that cannot be read
 * are kept by name. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/utf8.h"
#include "weights/st_scan.h"

typedef unsigned long long ull;

enum { LENGTH_BYTES = 8, KNOWN_DIMS = 8 };

static const struct {
    const char *name;
    int bits;
    choir_dtype type;
} types[] = {
    {"F32", 32, DTYPE_F32},          {"F16", 16, DTYPE_F16},      {"BF16", 16, DTYPE_BF16},
    {"F64", 64, DTYPE_COUNT},        {"F8_E4M3", 8, DTYPE_COUNT}, {"F8_E5M2", 8, DTYPE_COUNT},
    {"F8_E8M0", 8, DTYPE_COUNT},     {"F4", 4, DTYPE_COUNT},      {"F6_E2M3", 6, DTYPE_COUNT},
    {"F6_E3M2", 6, DTYPE_COUNT},     {"I8", 8, DTYPE_COUNT},      {"U8", 8, DTYPE_COUNT},
    {"I16", 16, DTYPE_COUNT},        {"U16", 16, DTYPE_COUNT},    {"I32", 32, DTYPE_COUNT},
    {"U32", 32, DTYPE_COUNT},        {"I64", 64, DTYPE_COUNT},    {"U64", 64, DTYPE_COUNT},
    {"BOOL", 8, DTYPE_COUNT},        {"C64", 64, DTYPE_COUNT},    {"F8_E4M3FNUZ", 8, DTYPE_COUNT},
    {"F8_E5M2FNUZ", 8, DTYPE_COUNT},
};

/* What a tensor's object says, as it is read. */
struct entry {
    struct wts_tensor *t;
    int bits;            /* of a value; 0: no dtype yet */
    bool shaped, placed; /* shape, data_offsets seen */
    uint64_t n_values, begin, end;
};

static choir_status take_dtype(struct st_scan *s, struct entry *e)
{
    if (st_peek(s) != '"') {
        return wts_fail_tensor(s->err, e->t, "dtype is not a string");
    }
    const char *name;
    choir_status status = st_string(s, &name);
    if (status != CHOIR_OK) {
        return status;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0) {
            e->bits = types[i].bits;
            e->t->type = types[i].type;
            e->t->type_name = types[i].name;
            return CHOIR_OK;
        }
    }
    char shown[BASE_ESCAPE_CAP];
    return wts_fail_tensor(s->err, e->t, "dtype \"%s\" not known", base_escape_str(shown, name));
}

/* Dimensions beyond the fourth are only counted: such a tensor cannot be read. */
static choir_status take_shape(struct st_scan *s, struct entry *e)
{
    struct wts_tensor *t = e->t;
    uint64_t n, product = 1, values = 1;
    bool more = true, fits = true;
    if (st_peek(s) != '[') {
        return wts_fail_tensor(s->err, t, "bad shape");
    }
    s->at++;
    if (st_peek(s) == ']') {
        s->at++;
        more = false;
    }
    while (more) {
        if (!st_whole_number(s, &n) || t->n_dims == KNOWN_DIMS) {
            return wts_fail_tensor(s->err, t, "bad shape");
        }
        if (t->n_dims < WTS_MAX_DIMS) {
            t->shape[t->n_dims] = n;
        }
        t->n_dims++;
        fits = fits && base_mul(product, n > 0 ? n : 1, &product);
        values = n == 0 ? 0 : values;
        choir_status status = st_next(s, ']', &more);
        if (status != CHOIR_OK) {
            return status;
        }
    }
    if (!fits) {
        return wts_fail_tensor(s->err, t, "shape overflows");
    }
    e->n_values = values * product; /* fits: `values` is 0 or 1 */
    e->shaped = true;
    return CHOIR_OK;
}

static choir_status take_offsets(struct st_scan *s, struct entry *e)
{
    choir_status status = st_punct(s, '[');
    if (status == CHOIR_OK && !st_whole_number(s, &e->begin)) {
        status = st_expected(s, "a whole number");
    }
    if (status == CHOIR_OK) {
        status = st_punct(s, ',');
    }
    if (status == CHOIR_OK && !st_whole_number(s, &e->end)) {
        status = st_expected(s, "a whole number");
    }
    if (status == CHOIR_OK) {
        status = st_punct(s, ']');
    }
    e->placed = true;
    return status;
}

static choir_status take_field(struct st_scan *s, struct entry *e)
{
    const char *key;
    choir_status status = st_string(s, &key);
    if (status == CHOIR_OK) {
        status = st_punct(s, ':');
    }
    if (status != CHOIR_OK) {
        return status;
    }
    if (strcmp(key, "dtype") == 0 && e->bits == 0) {
        return take_dtype(s, e);
    }
    if (strcmp(key, "shape") == 0 && !e->shaped) {
        return take_shape(s, e);
    }
    if (strcmp(key, "data_offsets") == 0 && !e->placed) {
        return take_offsets(s, e);
    }
    return st_expected(s, "dtype, shape and data_offsets, each once");
}

/* The entry against itself and the file; begin and end become a place in the file. */
static choir_status check_entry(const struct st_scan *s, const struct entry *e)
{
    struct wts_tensor *t = e->t;
    uint64_t data_start = LENGTH_BYTES + s->n, data_bytes = s->file->size - data_start, bits;
    if (e->bits == 0 || !e->shaped || !e->placed) {
        return wts_fail_tensor(s->err, t, "%s missing", e->bits == 0 ? "dtype" : e->shaped ? "data_offsets" : "shape");
    }
    if (e->end < e->begin) {
        return wts_fail_tensor(s->err, t, "data ends before it starts");
    }
    if (!base_mul(e->n_values, (uint64_t)e->bits, &bits)) {
        return wts_fail_tensor(s->err, t, "shape overflows");
    }
    if (bits % 8 != 0) {
        return wts_fail_tensor(s->err, t, "does not fill whole bytes");
    }
    if (e->end - e->begin != bits / 8) {
        return wts_fail_tensor(s->err, t, "%llu bytes of data, shape and type need %llu", (ull)(e->end - e->begin),
                               (ull)(bits / 8));
    }
    if (e->end > data_bytes) {
        return wts_fail_tensor(s->err, t, "ends at %llu, data has %llu bytes", (ull)e->end, (ull)data_bytes);
    }
    t->offset = data_start + e->begin;
    t->bytes = bits / 8;
    if (t->n_dims > WTS_MAX_DIMS) {
        t->type = DTYPE_COUNT;
    } else {
        (void)wts_count_rows(t); /* take_shape has seen that the product fits */
    }
    return CHOIR_OK;
}

static choir_status take_tensor(struct wts_set *set, struct st_scan *s, const char *name)
{
    struct entry e = {.t = wts_add_tensor(set)};
    if (e.t == NULL) {
        return base_fail_memory(s->err, sizeof *e.t, "a table of tensors");
    }
    e.t->name = name;
    e.t->file = s->file;
    choir_status status = st_punct(s, '{');
    bool more = true;
    while (status == CHOIR_OK && more) {
        status = take_field(s, &e);
        if (status == CHOIR_OK) {
            status = st_next(s, '}', &more);
        }
    }
    return status == CHOIR_OK ? check_entry(s, &e) : status;
}

/* {"key": "value", ..}, of which nothing is kept. */
static choir_status skip_metadata(struct st_scan *s)
{
    choir_status status = st_punct(s, '{');
    bool more = true;
    if (status == CHOIR_OK && st_peek(s) == '}') {
        s->at++;
        return CHOIR_OK;
    }
    while (status == CHOIR_OK && more) {
        const char *key, *value;
        status = st_string(s, &key);
        if (status == CHOIR_OK) {
            status = st_punct(s, ':');
        }
        if (status == CHOIR_OK && st_peek(s) != '"') {
            char shown[BASE_ESCAPE_CAP];
            return wts_fail(s->err, s->file, "__metadata__: value of \"%s\" is not a string",
                            base_escape_str(shown, key));
        }
        if (status == CHOIR_OK) {
            status = st_string(s, &value);
        }
        if (status == CHOIR_OK) {
            status = st_next(s, '}', &more);
        }
    }
    return status;
}

static choir_status take_header(struct wts_set *set, struct st_scan *s)
{
    choir_status status = st_punct(s, '{');
    bool more = true, described = false;
    if (st_peek(s) == '}') {
        s->at++;
        more = false;
    }
    while (status == CHOIR_OK && more) {
        const char *name;
        status = st_string(s, &name);
        if (status == CHOIR_OK) {
            status = st_punct(s, ':');
        }
        if (status == CHOIR_OK && strcmp(name, "__metadata__") == 0 && !described) {
            described = true;
            status = skip_metadata(s);
        } else if (status == CHOIR_OK) {
            status = take_tensor(set, s, name);
        }
        if (status == CHOIR_OK) {
            status = st_next(s, '}', &more);
        }
    }
    if (status == CHOIR_OK && (st_peek(s) != '\0' || s->at < s->n)) {
        status = st_expected(s, "the end");
    }
    return status;
}

static choir_status read_header(struct wts_set *set, struct st_scan *s)
{
    const struct base_file *file = s->file;
    unsigned char b[LENGTH_BYTES];
    uint64_t n = 0;
    if (file->size < sizeof b) {
        return wts_fail(s->err, file, "truncated: %llu bytes, the header length needs 8", (ull)file->size);
    }
    choir_status status = base_file_read(file, 0, b, sizeof b, s->err);
    if (status != CHOIR_OK) {
        return status;
    }
    for (int i = LENGTH_BYTES; i-- > 0;) {
        n = n << 8 | b[i];
    }
    if (memcmp(b, "version ", sizeof b) == 0 || b[0] == '<') {
        status = n > WTS_MAX_ST_HEADER ? wts_fail_magic(s->err, file, "a safetensors file") : CHOIR_OK;
    } else if (n == 0) {
        status = wts_fail(s->err, file, "header length 0");
    } else if (n > WTS_MAX_ST_HEADER) {
        status = wts_fail(s->err, file, "header length %llu exceeds %d", (ull)n, WTS_MAX_ST_HEADER);
    }
    if (status == CHOIR_OK && n > file->size - sizeof b) {
        status = wts_fail(s->err, file, "header ends at byte %llu, file has %llu", (ull)n + sizeof b, (ull)file->size);
    }
    if (status != CHOIR_OK) {
        return status;
    }
    s->n = (size_t)n;
    s->text = wts_pool_take(&set->priv->pool, s->n + 1);
    if (s->text == NULL) {
        return base_fail_memory(s->err, s->n + 1, "a safetensors header");
    }
    s->text[s->n] = '\0';
    status = base_file_read(file, sizeof b, s->text, s->n, s->err);
    if (status == CHOIR_OK && s->text[0] != '{') {
        return wts_fail(s->err, file, "header does not start with {");
    }
    size_t valid = status == CHOIR_OK ? base_utf8_valid(s->text, s->n) : s->n;
    if (valid < s->n) {
        return wts_fail(s->err, file, "header byte %zu: invalid UTF-8", valid);
    }
    return status;
}

/* Tensors [from .. n_tensors), in order of place, cover the data exactly. */
static choir_status check_cover(const struct wts_set *set, size_t from, const struct st_scan *s)
{
    uint64_t data_start = LENGTH_BYTES + s->n, covered = data_start;
    for (size_t i = from; i <= set->n_tensors; i++) {
        uint64_t next = i < set->n_tensors ? set->tensors[i].offset : s->file->size;
        if (next < covered) {
            return wts_fail_overlap(s->err, &set->tensors[i - 1], &set->tensors[i]);
        }
        if (next > covered) {
            return wts_fail(s->err, s->file, "%llu bytes at %llu belong to no tensor", (ull)(next - covered),
                            (ull)(covered - data_start));
        }
        covered = i < set->n_tensors ? next + set->tensors[i].bytes : covered;
    }
    return CHOIR_OK;
}

choir_status wts_load_safetensors(struct wts_set *set, const struct base_file *file, choir_error *err)
{
    size_t from = set->n_tensors;
    struct st_scan s = {.file = file, .err = err};
    choir_status status = read_header(set, &s);
    if (status == CHOIR_OK) {
        status = take_header(set, &s);
    }
    if (status == CHOIR_OK) {
        wts_sort_by_offset(set, from);
        status = check_cover(set, from, &s);
    }
    return status;
}
