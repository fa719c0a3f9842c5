/* Settings of a GGUF file by key, with the type and the range that a setting must have.  Any integer type is taken where
 * the value fits. */
#include "model/config/gguf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static const struct {
    const char *name;
    int bytes; /* of an integer, else 0 */
    bool is_signed;
} meta_types[] = {
    [WTS_U8] = {"u8", 1, false},       [WTS_I8] = {"i8", 1, true},      [WTS_U16] = {"u16", 2, false},
    [WTS_I16] = {"i16", 2, true},      [WTS_U32] = {"u32", 4, false},   [WTS_I32] = {"i32", 4, true},
    [WTS_F32] = {"f32", 0, false},     [WTS_BOOL] = {"bool", 0, false}, [WTS_STRING] = {"string", 0, false},
    [WTS_ARRAY] = {"array", 0, false}, [WTS_U64] = {"u64", 8, false},   [WTS_I64] = {"i64", 8, true},
    [WTS_F64] = {"f64", 0, false},
};

static choir_status wrong_type(const struct mdl_gguf_reader *r, const char *key, const struct wts_meta *m,
                               const char *wanted)
{
    const char *of = m->type == WTS_ARRAY ? meta_types[m->elem_type].name : "";
    return base_fail(r->err, CHOIR_FILE, "%s: %s: has type %s%s%s, must be %s", r->file, key, meta_types[m->type].name,
                     m->type == WTS_ARRAY ? " of " : "", of, wanted);
}

choir_status mdl_gguf_missing(const struct mdl_gguf_reader *r, const char *key)
{
    return base_fail(r->err, CHOIR_FILE, "%s: %s missing", r->file, key);
}

const struct wts_meta *mdl_gguf_find(const struct mdl_gguf_reader *r, const char *name, char key[MDL_GGUF_KEY_CAP])
{
    snprintf(key, MDL_GGUF_KEY_CAP, "%s%s", r->prefix, name);
    return wts_meta_find(r->set, key);
}

/* Element i of an integer or of an array of integers. */
static void int_at(const struct wts_meta *m, uint64_t i, struct wts_meta *out)
{
    *out = *m;
    if (m->type != WTS_ARRAY) {
        return;
    }
    out->type = m->elem_type;
    size_t bytes = (size_t)meta_types[m->elem_type].bytes;
    const uint8_t *at = (const uint8_t *)m->v.array + i * bytes; /* fits: i is below m->n */
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    switch (bytes) {
    case 1:
        memcpy(&u8, at, 1);
        out->v.u = u8;
        break;
    case 2:
        memcpy(&u16, at, 2);
        out->v.u = u16;
        break;
    case 4:
        memcpy(&u32, at, 4);
        out->v.u = u32;
        break;
    default:
        memcpy(&out->v.u, at, 8);
        break;
    }
    if (meta_types[out->type].is_signed) { /* two's complement of its own width */
        int shift = 64 - 8 * (int)bytes;
        uint64_t top = out->v.u << shift; /* fits: shift is 0 to 56 */
        out->v.i = (int64_t)top >> shift;
    }
}

static choir_status check_int(int32_t *out, const struct mdl_gguf_reader *r, const char *key, const struct wts_meta *m,
                              int32_t min, int32_t max)
{
    if (meta_types[m->type].is_signed) {
        if (m->v.i < min || m->v.i > max) {
            return base_fail(r->err, CHOIR_FILE, "%s: %s: %" PRId64 " (%d to %d allowed)", r->file, key, m->v.i, min,
                             max);
        }
        *out = (int32_t)m->v.i;
        return CHOIR_OK;
    }
    if (m->v.u > (uint64_t)max || (int64_t)m->v.u < min) {
        return base_fail(r->err, CHOIR_FILE, "%s: %s: %" PRIu64 " (%d to %d allowed)", r->file, key, m->v.u, min, max);
    }
    *out = (int32_t)m->v.u;
    return CHOIR_OK;
}

choir_status mdl_gguf_int(int32_t *out, const struct mdl_gguf_reader *r, const char *name, bool need, int32_t min,
                          int32_t max)
{
    char key[MDL_GGUF_KEY_CAP];
    const struct wts_meta *m = mdl_gguf_find(r, name, key);
    if (m == NULL) {
        return need ? mdl_gguf_missing(r, key) : CHOIR_OK;
    }
    if (meta_types[m->type].bytes == 0) {
        return wrong_type(r, key, m, "u32");
    }
    return check_int(out, r, key, m, min, max);
}

choir_status mdl_gguf_layers_int(int32_t *out, const struct mdl_gguf_reader *r, const char *name, bool need,
                                 int32_t n_layers, int32_t max)
{
    char key[MDL_GGUF_KEY_CAP];
    const struct wts_meta *m = mdl_gguf_find(r, name, key);
    if (m == NULL || m->type != WTS_ARRAY) {
        return mdl_gguf_int(out, r, name, need, 1, max);
    }
    if (meta_types[m->elem_type].bytes == 0) {
        return wrong_type(r, key, m, "u32");
    }
    if (m->n != (uint64_t)n_layers) {
        return base_fail(r->err, CHOIR_FILE, "%s: %s: %" PRIu64 " entries, the model has %d layers", r->file, key, m->n,
                         n_layers);
    }
    int32_t first = 0;
    for (uint64_t i = 0; i < m->n; i++) {
        struct wts_meta one;
        int_at(m, i, &one);
        choir_status status = check_int(out, r, key, &one, 1, max);
        if (status != CHOIR_OK) {
            return status;
        }
        if (i == 0) {
            first = *out;
        } else if (*out != first) {
            return base_fail(r->err, CHOIR_FILE,
                             "%s: %s: %d in layer 0, %d in layer %" PRIu64 ": layers that differ are not supported",
                             r->file, key, first, *out, i);
        }
    }
    return CHOIR_OK;
}

choir_status mdl_gguf_real(double *out, const struct mdl_gguf_reader *r, const char *name, bool need, bool *found)
{
    char key[MDL_GGUF_KEY_CAP];
    const struct wts_meta *m = mdl_gguf_find(r, name, key);
    if (found != NULL) {
        *found = m != NULL;
    }
    if (m == NULL) {
        return need ? mdl_gguf_missing(r, key) : CHOIR_OK;
    }
    if (m->type != WTS_F32 && m->type != WTS_F64) {
        return wrong_type(r, key, m, "f32");
    }
    *out = m->v.f;
    return CHOIR_OK;
}

choir_status mdl_gguf_string(const struct wts_string **out, const struct mdl_gguf_reader *r, const char *key)
{
    *out = NULL;
    const struct wts_meta *m = wts_meta_find(r->set, key);
    if (m != NULL && m->type != WTS_STRING) {
        return wrong_type(r, key, m, "string");
    }
    *out = m != NULL ? &m->v.s : NULL;
    return CHOIR_OK;
}

bool mdl_gguf_string_is(const struct wts_string *s, const char *text)
{
    return s->n == strlen(text) && memcmp(s->data, text, (size_t)s->n) == 0;
}

choir_status mdl_gguf_bool(bool *out, const struct mdl_gguf_reader *r, const char *name)
{
    char key[MDL_GGUF_KEY_CAP];
    const struct wts_meta *m = mdl_gguf_find(r, name, key);
    if (m == NULL) {
        return CHOIR_OK;
    }
    if (m->type != WTS_BOOL) {
        return wrong_type(r, key, m, "bool");
    }
    *out = m->v.b;
    return CHOIR_OK;
}

choir_status mdl_gguf_layer_bits(uint64_t *bits, const struct mdl_gguf_reader *r, const struct wts_meta *m,
                                 const char *key, int32_t n_layers)
{
    if (m->elem_type != WTS_BOOL && meta_types[m->elem_type].bytes == 0) {
        return wrong_type(r, key, m, "array of bool");
    }
    if (m->n != (uint64_t)n_layers) {
        return base_fail(r->err, CHOIR_FILE, "%s: %s: %" PRIu64 " entries, the model has %d layers", r->file, key, m->n,
                         n_layers);
    }
    const size_t bytes = m->elem_type == WTS_BOOL ? 1 : (size_t)meta_types[m->elem_type].bytes;
    for (size_t l = 0; l < m->n; l++) {
        const uint8_t *at = (const uint8_t *)m->v.array + l * bytes; /* fits: l is below m->n */
        for (size_t i = 0; i < bytes; i++) {
            if (at[i] != 0) {
                bits[l / 64] |= (uint64_t)1 << (l % 64);
            }
        }
    }
    return CHOIR_OK;
}

choir_status mdl_gguf_id(int64_t *out, const struct mdl_gguf_reader *r, const char *key)
{
    *out = -1;
    const struct wts_meta *m = wts_meta_find(r->set, key);
    if (m == NULL) {
        return CHOIR_OK;
    }
    if (meta_types[m->type].bytes == 0) {
        return wrong_type(r, key, m, "u32");
    }
    if (!meta_types[m->type].is_signed) {
        *out = m->v.u > INT64_MAX ? INT64_MAX : (int64_t)m->v.u;
    } else if (m->v.i != -1) { /* some writers say "none" so */
        *out = m->v.i < 0 ? INT64_MIN : m->v.i;
    }
    return CHOIR_OK;
}
