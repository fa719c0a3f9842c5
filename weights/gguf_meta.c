/* The settings of a GGUF file: key, type, value; arrays of one level.  Lengths are compared with the bytes left
 * before anything is allocated for them: a setting takes at least 14 bytes of the file, a string in an array 8. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/half.h"
#include "weights/gguf.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "arrays of numbers are kept as the file has them");

enum { MIN_SETTING_BYTES = 14, MIN_STRING_BYTES = 8 };

/* In the order of enum wts_meta_type, which is the file's numbering. */
static const struct {
    const char *name;
    int bytes; /* of a number, 0 for others */
} types[] = {
    [WTS_U8] = {"u8", 1},         [WTS_I8] = {"i8", 1},       [WTS_U16] = {"u16", 2}, [WTS_I16] = {"i16", 2},
    [WTS_U32] = {"u32", 4},       [WTS_I32] = {"i32", 4},     [WTS_F32] = {"f32", 4}, [WTS_BOOL] = {"bool", 1},
    [WTS_STRING] = {"string", 0}, [WTS_ARRAY] = {"array", 0}, [WTS_U64] = {"u64", 8}, [WTS_I64] = {"i64", 8},
    [WTS_F64] = {"f64", 8},
};

enum { N_TYPES = sizeof types / sizeof types[0] };

const char *gguf_type_name(uint32_t type)
{
    return type < N_TYPES ? types[type].name : NULL;
}

/* n bytes, already known to be in the file, with a NUL behind them. */
static choir_status take_text(struct wts_set *set, struct gguf_cursor *c, uint64_t n, struct wts_string *out,
                              choir_error *err)
{
    char *text = wts_pool_take(&set->priv->pool, (size_t)n + 1);
    if (text == NULL) {
        return base_fail_memory(err, (size_t)n + 1, "a setting");
    }
    text[n] = '\0';
    *out = (struct wts_string){text, n};
    return gguf_take(c, text, n, err);
}

static choir_status take_key(struct wts_set *set, struct gguf_cursor *c, uint64_t index, struct wts_string *key,
                             choir_error *err)
{
    unsigned long long i = index;
    uint64_t n;
    choir_status status = gguf_take_u64(c, &n, err);
    if (status != CHOIR_OK) {
        return status;
    }
    if (n > gguf_left(c)) {
        return wts_fail(err, c->file, "metadata entry %llu: key length %llu past end of file", i,
                        (unsigned long long)n);
    }
    if (n == 0) {
        return wts_fail(err, c->file, "metadata entry %llu: empty key", i);
    }
    if (n > WTS_MAX_KEY) {
        return wts_fail(err, c->file, "metadata entry %llu: key longer than %d bytes", i, WTS_MAX_KEY);
    }
    status = take_text(set, c, n, key, err);
    for (uint64_t k = 0; k < n && status == CHOIR_OK; k++) {
        if (key->data[k] < 0x20 || key->data[k] > 0x7e) {
            status = wts_fail(err, c->file, "metadata entry %llu: key is not ASCII", i);
        }
    }
    return status;
}

static choir_status fail_setting(choir_error *err, const struct gguf_cursor *c, const char *key, const char *what,
                                 uint64_t number, const char *rest)
{
    char shown[BASE_ESCAPE_CAP];
    return wts_fail(err, c->file, "%s: %s%llu%s", base_escape_str(shown, key), what, (unsigned long long)number, rest);
}

static choir_status take_string(struct wts_set *set, struct gguf_cursor *c, const char *key, struct wts_string *out,
                                choir_error *err)
{
    uint64_t n;
    choir_status status = gguf_take_u64(c, &n, err);
    if (status != CHOIR_OK) {
        return status;
    }
    if (n > c->file->size) {
        return fail_setting(err, c, key, "string length ", n, " past end of file");
    }
    if (n > gguf_left(c)) {
        return fail_setting(err, c, key, "string ends ", n - gguf_left(c),
                            n - gguf_left(c) == 1 ? " byte past end of file" : " bytes past end of file");
    }
    if (n > WTS_MAX_STRING) {
        return fail_setting(err, c, key, "string longer than ", WTS_MAX_STRING, " bytes");
    }
    return take_text(set, c, n, out, err);
}

/* A number of `type` from its bytes. */
static void set_number(struct wts_meta *m, uint64_t bits)
{
    switch (m->type) {
    case WTS_I8:
        m->v.i = (int8_t)bits;
        break;
    case WTS_I16:
        m->v.i = (int16_t)bits;
        break;
    case WTS_I32:
        m->v.i = (int32_t)bits;
        break;
    case WTS_I64:
        m->v.i = (int64_t)bits;
        break;
    case WTS_F32:
        m->v.f = (double)base_f32_from_bits((uint32_t)bits);
        break;
    case WTS_F64:
        memcpy(&m->v.f, &bits, sizeof bits);
        break;
    case WTS_BOOL:
        m->v.b = bits != 0;
        break;
    default:
        m->v.u = bits;
        break;
    }
}

static choir_status take_number(struct gguf_cursor *c, struct wts_meta *m, choir_error *err)
{
    uint64_t bits = 0;
    choir_status status = gguf_take(c, &bits, (uint64_t)types[m->type].bytes, err);
    if (status == CHOIR_OK && m->type == WTS_BOOL && bits > 1) {
        return fail_setting(err, c, m->key.data, "bool value ", bits, " (must be 0 or 1)");
    }
    if (status == CHOIR_OK) {
        set_number(m, bits);
    }
    return status;
}

static choir_status take_strings(struct wts_set *set, struct gguf_cursor *c, struct wts_meta *m, choir_error *err)
{
    size_t bytes = (size_t)m->n * sizeof(struct wts_string); /* twice the bytes left at most: no overflow */
    struct wts_string *strings = wts_pool_take(&set->priv->pool, bytes);
    if (strings == NULL) {
        return base_fail_memory(err, bytes, "a list of strings");
    }
    m->v.array = strings;
    choir_status status = CHOIR_OK;
    for (uint64_t i = 0; i < m->n && status == CHOIR_OK; i++) {
        status = take_string(set, c, m->key.data, &strings[i], err);
    }
    return status;
}

static choir_status take_array(struct wts_set *set, struct gguf_cursor *c, struct wts_meta *m, choir_error *err)
{
    uint32_t type;
    choir_status status = gguf_take_u32(c, &type, err);
    if (status == CHOIR_OK && type == WTS_ARRAY) {
        return wts_fail(err, c->file, "%s: nested arrays not supported", m->key.data);
    }
    if (status == CHOIR_OK && type >= N_TYPES) {
        return fail_setting(err, c, m->key.data, "unknown array element type ", type, "");
    }
    if (status == CHOIR_OK) {
        m->elem_type = (enum wts_meta_type)type;
        status = gguf_take_u64(c, &m->n, err);
    }
    if (status != CHOIR_OK) {
        return status;
    }
    uint64_t size = type == WTS_STRING ? MIN_STRING_BYTES : (uint64_t)types[type].bytes, bytes;
    if (!base_mul(m->n, size, &bytes) || bytes > gguf_left(c)) {
        char rest[64];
        snprintf(rest, sizeof rest, " \xc3\x97 %d bytes past end of file", (int)size);
        return fail_setting(err, c, m->key.data, "array of ", m->n, rest);
    }
    if (type == WTS_STRING) {
        return take_strings(set, c, m, err);
    }
    unsigned char *numbers = wts_pool_take(&set->priv->pool, (size_t)bytes);
    if (numbers == NULL) {
        return base_fail_memory(err, (size_t)bytes, "a list of numbers");
    }
    m->v.array = numbers;
    status = gguf_take(c, numbers, bytes, err);
    for (uint64_t i = 0; type == WTS_BOOL && i < m->n && status == CHOIR_OK; i++) {
        if (numbers[i] > 1) {
            status = fail_setting(err, c, m->key.data, "bool value ", numbers[i], " (must be 0 or 1)");
        }
    }
    return status;
}

static choir_status take_value(struct wts_set *set, struct gguf_cursor *c, struct wts_meta *m, choir_error *err)
{
    uint32_t type;
    choir_status status = gguf_take_u32(c, &type, err);
    if (status != CHOIR_OK) {
        return status;
    }
    if (type >= N_TYPES) {
        return fail_setting(err, c, m->key.data, "unknown value type ", type, "");
    }
    m->type = (enum wts_meta_type)type;
    m->n = 1;
    switch (m->type) {
    case WTS_STRING:
        return take_string(set, c, m->key.data, &m->v.s, err);
    case WTS_ARRAY:
        return take_array(set, c, m, err);
    default:
        return take_number(c, m, err);
    }
}

/* ---- the index by key -------------------------------------------------------------------------------- */

struct keyed {
    const char *key;
    uint32_t index;
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *s = a, *t = b;
    return strcmp(s->key, t->key);
}

static choir_status index_meta(struct wts_set *set, const struct gguf_cursor *c, choir_error *err)
{
    size_t n = set->n_meta;
    struct keyed *keyed = base_array(n + 1, sizeof *keyed);
    uint32_t *order = base_array(n + 1, sizeof *order);
    choir_status status = CHOIR_OK;
    if (keyed == NULL || order == NULL) {
        free(order);
        free(keyed);
        return base_fail_memory(err, n * sizeof *keyed, "an index of settings");
    }
    for (size_t i = 0; i < n; i++) {
        keyed[i] = (struct keyed){set->meta[i].key.data, (uint32_t)i};
    }
    qsort(keyed, n, sizeof *keyed, by_key);
    for (size_t i = 0; i < n && status == CHOIR_OK; i++) {
        order[i] = keyed[i].index;
        if (i > 0 && by_key(&keyed[i - 1], &keyed[i]) == 0) {
            char shown[BASE_ESCAPE_CAP];
            status = wts_fail(err, c->file, "duplicate metadata key %s", base_escape_str(shown, keyed[i].key));
        }
    }
    free(keyed);
    free(set->priv->meta_order);
    set->priv->meta_order = order;
    return status;
}

choir_status gguf_read_meta(struct wts_set *set, struct gguf_cursor *c, uint64_t n_kv, choir_error *err)
{
    if (n_kv > gguf_left(c) / MIN_SETTING_BYTES || n_kv > UINT32_MAX) {
        return wts_fail(err, c->file, "header: %llu metadata entries cannot fit in %llu remaining bytes",
                        (unsigned long long)n_kv, (unsigned long long)gguf_left(c));
    }
    set->meta = calloc((size_t)n_kv + 1, sizeof *set->meta);
    if (set->meta == NULL) {
        return base_fail_memory(err, (size_t)n_kv * sizeof *set->meta, "a table of settings");
    }
    for (uint64_t i = 0; i < n_kv; i++) {
        struct wts_meta *m = &set->meta[i];
        choir_status status = take_key(set, c, i, &m->key, err);
        if (status == CHOIR_OK) {
            status = take_value(set, c, m, err);
        }
        if (status != CHOIR_OK) {
            return status;
        }
        set->n_meta++;
    }
    return index_meta(set, c, err);
}

bool gguf_meta_uint(const struct wts_set *set, const char *key, uint64_t *v)
{
    const struct wts_meta *m = wts_meta_find(set, key);
    if (m == NULL) {
        return false;
    }
    switch (m->type) {
    case WTS_U8:
    case WTS_U16:
    case WTS_U32:
    case WTS_U64:
        *v = m->v.u;
        return true;
    case WTS_I8:
    case WTS_I16:
    case WTS_I32:
    case WTS_I64:
        *v = (uint64_t)m->v.i;
        return m->v.i >= 0;
    default:
        return false;
    }
}
