/* GGUF, versions 2 and 3, little-endian.  https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 *   "GGUF"  u32 version  u64 n_tensors  u64 n_kv   settings   tensor table   padding   data
 *
 * A model may be split over files NAME-00001-of-00003.gguf ...: each is a whole GGUF file, the first one has the
 * settings, and all say split.no, split.count and split.tensors.count. */
#include "weights/gguf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { HEADER_BYTES = 24, DEFAULT_ALIGNMENT = 32 };

typedef unsigned long long ull;

static choir_status take_start(struct gguf_cursor *c, uint64_t *n_tensors, uint64_t *n_kv, choir_error *err)
{
    const struct base_file *file = c->file;
    char magic[4] = "";
    uint32_t version = 0;
    choir_status status = CHOIR_OK;
    if (file->size >= sizeof magic) {
        status = base_file_read(file, 0, magic, sizeof magic, err);
    }
    if (status != CHOIR_OK) {
        return status;
    }
    if (file->size == 0 || (file->size >= sizeof magic && memcmp(magic, "GGUF", sizeof magic) != 0)) {
        return wts_fail_magic(err, file, "a GGUF file");
    }
    if (file->size < HEADER_BYTES) {
        return wts_fail(err, file, "truncated: %llu bytes, a GGUF header needs %d", (ull)file->size, HEADER_BYTES);
    }
    status = gguf_take(c, magic, sizeof magic, err);
    if (status == CHOIR_OK) {
        status = gguf_take_u32(c, &version, err);
    }
    if (status == CHOIR_OK && version != 2 && version != 3) {
        if (version != 0 && (version & 0xffffff) == 0) {
            return wts_fail(err, file, "big-endian GGUF not supported");
        }
        return wts_fail(err, file, "GGUF version %u not supported (2 and 3 are)", version);
    }
    if (status == CHOIR_OK) {
        status = gguf_take_u64(c, n_tensors, err);
    }
    return status == CHOIR_OK ? gguf_take_u64(c, n_kv, err) : status;
}

static choir_status read_alignment(uint64_t *alignment, const struct wts_set *set, const struct base_file *file,
                                   choir_error *err)
{
    *alignment = DEFAULT_ALIGNMENT;
    const struct wts_meta *m = wts_meta_find(set, "general.alignment");
    if (m == NULL) {
        return CHOIR_OK;
    }
    if (m->type != WTS_U32) {
        return wts_fail(err, file, "general.alignment: has type %s, must be u32", gguf_type_name(m->type));
    }
    uint64_t a = m->v.u;
    if (a == 0 || a > WTS_MAX_ALIGNMENT || (a & (a - 1)) != 0) {
        return wts_fail(err, file, "general.alignment: %llu is not a power of two up to %d", (ull)a, WTS_MAX_ALIGNMENT);
    }
    *alignment = a;
    return CHOIR_OK;
}

/* The header of the set's first file. */
static choir_status load_header(struct wts_set *set, choir_error *err)
{
    struct gguf_cursor *c = malloc(sizeof *c);
    if (c == NULL) {
        return base_fail_memory(err, sizeof *c, "a read buffer");
    }
    c->file = set->priv->files[0];
    c->pos = 0;
    c->at = c->have = 0;
    uint64_t n_tensors, n_kv, alignment;
    choir_status status = take_start(c, &n_tensors, &n_kv, err);
    if (status == CHOIR_OK && n_tensors > gguf_left(c)) { /* before anything is made of the settings */
        status = wts_fail(err, c->file, "header: %llu tensors cannot fit in %llu remaining bytes", (ull)n_tensors,
                          (ull)gguf_left(c));
    }
    if (status == CHOIR_OK) {
        status = gguf_read_meta(set, c, n_kv, err);
    }
    if (status == CHOIR_OK) {
        status = read_alignment(&alignment, set, c->file, err);
    }
    if (status == CHOIR_OK) {
        status = gguf_read_tensors(set, c, n_tensors, alignment, err);
    }
    free(c);
    return status;
}

/* ---- split models ------------------------------------------------------------------------------------ */

/* Room for "-00001-of-00003.gguf". */
enum { SPLIT_ENDING_CAP = 48 };

static void split_ending(char dst[SPLIT_ENDING_CAP], uint64_t index, uint64_t count)
{
    snprintf(dst, SPLIT_ENDING_CAP, "-%05llu-of-%05llu.gguf", (ull)(index + 1), (ull)count);
}

/* Everything of `part` that tensors need goes to `set`. */
static choir_status absorb(struct wts_set *set, struct wts_set *part, choir_error *err)
{
    choir_status status = wts_reserve_tensors(set, set->n_tensors + part->n_tensors, err);
    struct base_file *file = status == CHOIR_OK ? wts_add_file(set) : NULL;
    if (status != CHOIR_OK || file == NULL) {
        return status != CHOIR_OK ? status : base_fail_memory(err, sizeof *file, "a table of files");
    }
    *file = *part->priv->files[0];
    *part->priv->files[0] = (struct base_file){.fd = -1};
    for (size_t i = 0; i < part->n_tensors; i++) {
        struct wts_tensor *t = &set->tensors[set->n_tensors];
        *t = part->tensors[i];
        t->file = file;
        t->name = wts_keep(set, t->name, strlen(t->name));
        if (t->name == NULL) {
            return base_fail_memory(err, WTS_MAX_NAME, "a tensor name");
        }
        set->n_tensors++;
    }
    return CHOIR_OK;
}

static choir_status check_split(const struct wts_set *part, const struct wts_set *first, uint64_t index, uint64_t count,
                                choir_error *err)
{
    const struct base_file *file = part->priv->files[0];
    uint64_t no = 0, other_count = 0, n = 0, other_n = 0;
    gguf_meta_uint(part, "split.no", &no);
    gguf_meta_uint(part, "split.count", &other_count);
    gguf_meta_uint(first, "split.tensors.count", &n);
    gguf_meta_uint(part, "split.tensors.count", &other_n);
    if (other_count != count || other_n != n) {
        return wts_fail(err, file,
                        "belongs to another model: %llu splits with %llu tensors, the first one says %llu with %llu",
                        (ull)other_count, (ull)other_n, (ull)count, (ull)n);
    }
    if (no != index) {
        return wts_fail(err, file, "split.no: %llu, expected %llu (numbers begin at 0)", (ull)no, (ull)index);
    }
    return CHOIR_OK;
}

static choir_status load_split(struct wts_set *set, const char *path, uint64_t index, uint64_t count, choir_error *err)
{
    struct wts_set *part;
    choir_status status = wts_set_new(&part, WTS_GGUF, path, err);
    if (status != CHOIR_OK) {
        return status;
    }
    struct base_file *file = wts_add_file(part);
    status = file != NULL ? base_file_open(file, path, err) : base_fail_memory(err, sizeof *file, "a table of files");
    if (status == CHOIR_OK) {
        status = load_header(part, err);
    }
    if (status == CHOIR_OK) {
        status = check_split(part, set, index, count, err);
    }
    if (status == CHOIR_OK) {
        status = absorb(set, part, err);
    }
    wts_close(part);
    return status;
}

/* "m-00001-of-00003.gguf" where a split has its usual name, else "the first one".  Returns what to free. */
static char *name_of_first(const char **words, const char *path, uint64_t no, uint64_t count)
{
    char own[SPLIT_ENDING_CAP], ending[SPLIT_ENDING_CAP];
    const char *slash = strrchr(path, '/');
    split_ending(own, no, count);
    split_ending(ending, 0, count);
    char *name = wts_show_path(slash != NULL ? slash + 1 : path);
    const size_t n = name != NULL ? strlen(name) : 0, m = strlen(own);
    *words = "the first one";
    if (n >= m && strcmp(name + n - m, own) == 0) {
        memcpy(name + n - m, ending, m);
        *words = name;
    }
    return name;
}

static choir_status fail_not_first(const struct base_file *file, uint64_t no, uint64_t count, choir_error *err)
{
    const char *words;
    char *name = name_of_first(&words, file->path, no, count);
    choir_status status =
        wts_fail(err, file, "split %llu of %llu: open it by naming %s", (ull)no + 1, (ull)count, words);
    free(name);
    return status;
}

static choir_status load_splits(struct wts_set *set, uint64_t count, choir_error *err)
{
    const struct base_file *first = set->priv->files[0];
    uint64_t no = 0, n_tensors;
    gguf_meta_uint(set, "split.no", &no);
    if (no >= count) {
        return wts_fail(err, first, "split.no: %llu, split.count is %llu (numbers begin at 0)", (ull)no, (ull)count);
    }
    if (count > WTS_MAX_SPLITS) {
        return wts_fail(err, first, "split.count: %llu (at most %d allowed)", (ull)count, WTS_MAX_SPLITS);
    }
    if (no != 0) {
        return fail_not_first(first, no, count, err);
    }
    char ending[SPLIT_ENDING_CAP];
    split_ending(ending, 0, count);
    size_t n = strlen(first->path), m = strlen(ending);
    if (first->fd < 0 || n < m || strcmp(first->path + n - m, ending) != 0) {
        return wts_fail(err, first, "split 1 of %llu, but its name does not end with %s", (ull)count, ending);
    }
    char *path = strdup(first->path);
    choir_status status = path != NULL ? CHOIR_OK : base_fail_memory(err, n + 1, "a file name");
    for (uint64_t i = 1; i < count && status == CHOIR_OK; i++) {
        split_ending(ending, i, count);
        memcpy(path + n - m, ending, m);
        status = load_split(set, path, i, count, err);
    }
    free(path);
    if (status == CHOIR_OK && gguf_meta_uint(set, "split.tensors.count", &n_tensors) && n_tensors != set->n_tensors) {
        status = wts_fail(err, first, "split.tensors.count: %llu, the %llu files have %zu tensors", (ull)n_tensors,
                          (ull)count, set->n_tensors);
    }
    return status;
}

choir_status wts_load_gguf(struct wts_set *set, choir_error *err)
{
    choir_status status = load_header(set, err);
    uint64_t count;
    if (status == CHOIR_OK && gguf_meta_uint(set, "split.count", &count) && count > 1) {
        status = load_splits(set, count, err);
    }
    return status == CHOIR_OK ? wts_finish(set, err) : status;
}
