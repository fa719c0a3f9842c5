/* The tensor table of a GGUF file, and whether it agrees with the file: every tensor inside it, none on another,
 * no holes beyond the padding.  Tensors of types that cannot be read have no known size, so only their start is
 * checked. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "weights/gguf.h"

/* Name length, one byte of name, dimensions, type, offset; and one dimension. */
enum { MIN_TENSOR_BYTES = 33 };

typedef unsigned long long ull;

static choir_status take_name(struct wts_set *set, struct gguf_cursor *c, uint64_t index, struct wts_tensor *t,
                              choir_error *err)
{
    uint64_t n;
    choir_status status = gguf_take_u64(c, &n, err);
    if (status != CHOIR_OK) {
        return status;
    }
    if (n == 0) {
        return wts_fail(err, c->file, "tensor %llu: empty name", (ull)index);
    }
    if (n > WTS_MAX_NAME) {
        return wts_fail(err, c->file, "tensor %llu: name longer than %d bytes", (ull)index, WTS_MAX_NAME);
    }
    char name[WTS_MAX_NAME];
    status = gguf_take(c, name, n, err);
    if (status != CHOIR_OK) {
        return status;
    }
    if (memchr(name, '\0', (size_t)n) != NULL) {
        return wts_fail(err, c->file, "tensor %llu: NUL byte in its name", (ull)index);
    }
    t->name = wts_keep(set, name, (size_t)n);
    return t->name != NULL ? CHOIR_OK : base_fail_memory(err, (size_t)n, "a tensor name");
}

/* GGUF has the innermost dimension first. */
static choir_status take_shape(struct gguf_cursor *c, struct wts_tensor *t, choir_error *err)
{
    uint32_t n_dims;
    choir_status status = gguf_take_u32(c, &n_dims, err);
    if (status != CHOIR_OK) {
        return status;
    }
    if (n_dims == 0 || n_dims > WTS_MAX_DIMS) {
        return wts_fail_tensor(err, t, "%u dimensions (1 to %d allowed)", n_dims, WTS_MAX_DIMS);
    }
    t->n_dims = (int)n_dims;
    for (uint32_t d = 0; d < n_dims; d++) {
        uint64_t n;
        status = gguf_take_u64(c, &n, err);
        if (status != CHOIR_OK) {
            return status;
        }
        if (n == 0) {
            return wts_fail_tensor(err, t, "dimension %u is 0", d);
        }
        if (n > INT64_MAX) {
            return wts_fail_tensor(err, t, "dimension %u is %llu, too large", d, (ull)n);
        }
        t->shape[n_dims - 1 - d] = n;
    }
    if (!wts_count_rows(t) || t->n_rows * t->n_cols > INT64_MAX) { /* fits: wts_count_rows says so */
        char dims[WTS_MAX_DIMS * 24] = "";
        for (uint32_t d = 0; d < n_dims; d++) {
            size_t used = strlen(dims);
            snprintf(dims + used, sizeof dims - used, "%llu%s", (ull)t->shape[n_dims - 1 - d],
                     d + 1 < n_dims ? " \xc3\x97 " : "");
        }
        return wts_fail_tensor(err, t, "%s elements overflow", dims);
    }
    return CHOIR_OK;
}

/* Type and size in bytes, 0 for a type that cannot be read. */
static choir_status take_type(struct gguf_cursor *c, struct wts_tensor *t, choir_error *err)
{
    uint32_t id;
    choir_status status = gguf_take_u32(c, &id, err);
    if (status != CHOIR_OK) {
        return status;
    }
    t->type = dtype_by_gguf_id(id);
    t->type_name = dtype_gguf_name(id);
    if (t->type_name == NULL) {
        return wts_fail_tensor(err, t, "unknown type %u", id);
    }
    if (t->type == DTYPE_COUNT) {
        return CHOIR_OK;
    }
    const struct dtype_info *info = &dtype_table[t->type];
    uint64_t block_len = (uint64_t)info->block_len;
    if (t->n_cols % block_len != 0) {
        return wts_fail_tensor(err, t, "row of %llu is not a multiple of %s's block of %d", (ull)t->n_cols, info->name,
                               info->block_len);
    }
    if (!base_mul(t->n_rows * (t->n_cols / block_len), (uint64_t)info->block_bytes, &t->bytes)) {
        return wts_fail_tensor(err, t, "size in bytes overflows");
    }
    return CHOIR_OK;
}

static choir_status take_tensor(struct wts_set *set, struct gguf_cursor *c, uint64_t index, uint64_t alignment,
                                choir_error *err)
{
    struct wts_tensor *t = wts_add_tensor(set);
    if (t == NULL) {
        return base_fail_memory(err, sizeof *t, "a table of tensors");
    }
    t->file = c->file;
    choir_status status = take_name(set, c, index, t, err);
    if (status == CHOIR_OK) {
        status = take_shape(c, t, err);
    }
    if (status == CHOIR_OK) {
        status = take_type(c, t, err);
    }
    if (status == CHOIR_OK) {
        status = gguf_take_u64(c, &t->offset, err);
    }
    if (status == CHOIR_OK && t->offset % alignment != 0) {
        status = wts_fail_tensor(err, t, "offset %llu not aligned to %llu", (ull)t->offset, (ull)alignment);
    }
    return status;
}

/* One tensor against the file; its offset becomes one in the file. */
static choir_status place(struct wts_tensor *t, uint64_t data_start, choir_error *err)
{
    uint64_t size = t->file->size, end;
    uint64_t room = size > data_start ? size - data_start : 0;
    if (t->offset >= room) {
        return wts_fail_tensor(err, t, "offset %llu past end of file (%llu bytes)", (ull)t->offset, (ull)size);
    }
    t->offset += data_start;
    if (!base_add(t->offset, t->bytes, &end) || end > size) {
        return wts_fail_tensor(err, t, "needs %llu bytes from byte %llu, file has %llu (incomplete download?)",
                               (ull)t->bytes, (ull)t->offset, (ull)size);
    }
    return CHOIR_OK;
}

/* Tensors [from .. n_tensors), in order of place: each begins where the one before ends, padded. */
static choir_status check_layout(const struct wts_set *set, size_t from, uint64_t data_start, uint64_t alignment,
                                 choir_error *err)
{
    for (size_t i = from; i < set->n_tensors; i++) {
        const struct wts_tensor *t = &set->tensors[i], *before = i > from ? t - 1 : NULL;
        uint64_t expected = data_start;
        if (before != NULL) {
            uint64_t end = before->offset + before->bytes;
            if (t->offset < end || t->offset == before->offset) {
                return wts_fail_overlap(err, before, t);
            }
            /* fits: `end` is in the file, and files are below 2^63 */
            expected =
                before->type == DTYPE_COUNT ? t->offset : data_start + base_round_up(end - data_start, alignment);
        }
        if (t->offset != expected) {
            return wts_fail_tensor(err, t, "offset %llu, expected %llu", (ull)(t->offset - data_start),
                                   (ull)(expected - data_start));
        }
    }
    return CHOIR_OK;
}

choir_status gguf_read_tensors(struct wts_set *set, struct gguf_cursor *c, uint64_t n, uint64_t alignment,
                               choir_error *err)
{
    size_t from = set->n_tensors;
    if (n > gguf_left(c) / MIN_TENSOR_BYTES) {
        return wts_fail(err, c->file, "header: %llu tensors cannot fit in %llu remaining bytes", (ull)n,
                        (ull)gguf_left(c));
    }
    choir_status status = wts_reserve_tensors(set, from + (size_t)n, err);
    for (uint64_t i = 0; i < n && status == CHOIR_OK; i++) {
        status = take_tensor(set, c, i, alignment, err);
    }
    uint64_t data_start = base_round_up(c->pos, alignment); /* fits: as in check_layout */
    for (size_t i = from; i < set->n_tensors && status == CHOIR_OK; i++) {
        status = place(&set->tensors[i], data_start, err);
    }
    if (status == CHOIR_OK) {
        wts_sort_by_offset(set, from);
        status = check_layout(set, from, data_start, alignment, err);
    }
    return status;
}
