/* Files of logits: a header, then a window's rows and their sum after another. */
#include "cli/perplexity/logits_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"
#include "base/file.h"
#include "base/new_file.h"
#include "cli/options/options.h"
#include "cli/terminal.h"

#define HEADER_BYTES 48
#define PIECE_BYTES  ((size_t)1 << 20)
#define VERSION      1

static const char magic[8] = {'c', 'h', 'o', 'i', 'r', 'l', 'g', 't'};

/* Fields that the header holds from byte 12 on. */
static void header_numbers(uint32_t n[5], const logits_shape *s)
{
    n[0] = (uint32_t)s->vocab_size;
    n[1] = (uint32_t)s->ctx;
    n[2] = (uint32_t)s->stride;
    n[3] = (uint32_t)s->n_windows;
    n[4] = (uint32_t)s->n_scored;
}

static uint64_t row_bytes(const logits_shape *s)
{
    return (uint64_t)s->vocab_size * sizeof(float);
}

/* Of a window with its sum. */
static uint64_t window_bytes(const logits_shape *s)
{
    /* fits: (2^31 - 1)^2 values of 4 bytes, and 8, are below 2^64 */
    return (uint64_t)s->n_scored * row_bytes(s) + 8;
}

/* The file's; false when that is no size. */
static bool file_bytes(uint64_t *out, const logits_shape *s)
{
    uint64_t windows;
    *out = UINT64_MAX;
    return !__builtin_mul_overflow(window_bytes(s), (uint64_t)s->n_windows, &windows) &&
           !__builtin_add_overflow(windows, (uint64_t)HEADER_BYTES, out) && *out <= INT64_MAX;
}

uint64_t logits_text_hash(int32_t bos, const int32_t *ids, size_t n)
{
    XXH64_state_t state;
    XXH64_reset(&state, 0);
    XXH64_update(&state, &bos, sizeof bos);
    XXH64_update(&state, ids, n * sizeof *ids);
    return XXH64_digest(&state);
}

static choir_status refuse(choir_error *err, const char *path, choir_status code, const char *what)
{
    char name[BASE_ESCAPE_CAP];
    return base_fail(err, code, "%s: %s", base_escape_str(name, path), what);
}

/* ---- writing ---- */

struct logits_writer {
    struct base_new_file file;
    logits_shape shape;
    XXH64_state_t sum; /* of the window at hand */
    int32_t n_rows;    /* in it so far */
};

static choir_status write_header(logits_writer *w, choir_error *err)
{
    unsigned char header[HEADER_BYTES];
    uint32_t numbers[5], version = VERSION;
    header_numbers(numbers, &w->shape);
    memcpy(header, magic, 8);
    memcpy(header + 8, &version, 4);
    memcpy(header + 12, numbers, 20);
    memcpy(header + 32, &w->shape.text_hash, 8);
    uint64_t sum = XXH64(header, 40, 0);
    memcpy(header + 40, &sum, 8);
    return base_new_file_write(&w->file, header, sizeof header, err);
}

/* A whole run for nothing is worse than a question that comes too early. */
static choir_status check_room(const logits_writer *w, choir_error *err)
{
    uint64_t need;
    choir_error why;
    if (!file_bytes(&need, &w->shape)) {
        return refuse(err, w->file.named, CHOIR_IO, "more bytes than a file can have; lower --chunks");
    }
    return base_new_file_room(&w->file, need, &why) == CHOIR_OK
               ? CHOIR_OK
               : base_fail(err, why.code, "%s; lower --chunks", why.msg);
}

choir_status logits_writer_open(logits_writer **out, const char *path, const logits_shape *shape, choir_error *err)
{
    logits_writer *w = calloc(1, sizeof *w);
    *out = w;
    if (!w) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory");
    }
    w->shape = *shape;
    XXH64_reset(&w->sum, 0);
    choir_status status = base_new_file_open(&w->file, path, err);
    status = status ? status : check_room(w, err);
    return status ? status : write_header(w, err);
}

choir_status logits_writer_add(logits_writer *w, const float *rows, int32_t n, choir_error *err)
{
    size_t bytes = (size_t)n * row_bytes(&w->shape); /* fits: what `rows` has */
    choir_status status = base_new_file_write(&w->file, rows, bytes, err);
    XXH64_update(&w->sum, rows, bytes);
    w->n_rows += n;
    if (!status && w->n_rows == w->shape.n_scored) {
        uint64_t sum = XXH64_digest(&w->sum);
        status = base_new_file_write(&w->file, &sum, sizeof sum, err);
        XXH64_reset(&w->sum, 0);
        w->n_rows = 0;
    }
    return status;
}

choir_status logits_writer_finish(logits_writer *w, choir_error *err)
{
    return base_new_file_finish(&w->file, err);
}

void logits_writer_close(logits_writer *w)
{
    if (w) {
        base_new_file_close(&w->file);
        free(w);
    }
}

/* ---- reading ---- */

struct logits_reader {
    struct base_file file;
    logits_shape shape;
};

/* The numbers of a header whose sum is right; they may still be anybody's. */
static choir_status read_shape(logits_reader *r, choir_error *err)
{
    const uint64_t size = r->file.size;
    unsigned char header[HEADER_BYTES];
    char name[BASE_ESCAPE_CAP];
    uint32_t version, n[5];
    uint64_t sum, wanted;
    base_escape_str(name, r->file.path);
    size_t have = size < HEADER_BYTES ? (size_t)size : HEADER_BYTES;
    choir_status status = base_file_read(&r->file, 0, header, have, err);
    if (status) {
        return status;
    }
    if (have < 12 || memcmp(header, magic, 8) != 0) {
        return base_fail(err, CHOIR_FILE, "%s: not a file of logits (choir perplexity --save-logits writes them)",
                         name);
    }
    memcpy(&version, header + 8, 4);
    if (version != VERSION) {
        return base_fail(err, CHOIR_FILE, "%s: version %u of the format is not supported (%d is)", name, version,
                         VERSION);
    }
    if (have < HEADER_BYTES) {
        return base_fail(err, CHOIR_FILE, "%s: truncated: %zu bytes, the header has %d", name, have, HEADER_BYTES);
    }
    memcpy(n, header + 12, 20);
    memcpy(&sum, header + 40, 8);
    if (sum != XXH64(header, 40, 0)) {
        return base_fail(err, CHOIR_FILE, "%s: header: checksum mismatch", name);
    }
    logits_shape *s = &r->shape;
    for (int i = 0; i < 5; i++) {
        if (n[i] > INT32_MAX || (n[i] == 0 && i != 2)) {
            return base_fail(err, CHOIR_FILE, "%s: header: %u at byte %d (1 to 2147483647 allowed)", name, n[i],
                             12 + 4 * i);
        }
    }
    *s = (logits_shape){(int32_t)n[0], (int32_t)n[1], (int32_t)n[2], (int32_t)n[3], (int32_t)n[4], 0};
    memcpy(&s->text_hash, header + 32, 8);
    if (!file_bytes(&wanted, s) || wanted != size) {
        return base_fail(err, CHOIR_FILE, "%s: %s: %llu bytes, %d windows of %d rows need %llu", name,
                         wanted > size ? "truncated" : "too long", (unsigned long long)size, s->n_windows, s->n_scored,
                         (unsigned long long)wanted);
    }
    return CHOIR_OK;
}

choir_status logits_reader_open(logits_reader **out, const char *path, choir_error *err)
{
    logits_reader *r = calloc(1, sizeof *r);
    *out = r;
    if (!r) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory");
    }
    choir_status status = base_file_open(&r->file, path, err);
    return status ? status : read_shape(r, err);
}

const logits_shape *logits_reader_shape(const logits_reader *r)
{
    return &r->shape;
}

static uint64_t window_offset(const logits_reader *r, int32_t window)
{
    return HEADER_BYTES + (uint64_t)window * window_bytes(&r->shape); /* fits: read_shape has seen the file's size */
}

static choir_status verify_window(logits_reader *r, char *piece, int32_t window, choir_error *err)
{
    XXH64_state_t state;
    uint64_t sum, at = window_offset(r, window), left = window_bytes(&r->shape) - 8;
    choir_status status = CHOIR_OK;
    XXH64_reset(&state, 0);
    while (!status && left > 0) {
        size_t n = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        status = base_file_read(&r->file, at, piece, n, err);
        if (!status) {
            XXH64_update(&state, piece, n);
        }
        at += n;
        left -= n;
    }
    status = status ? status : base_file_read(&r->file, at, &sum, sizeof sum, err);
    if (!status && sum != XXH64_digest(&state)) {
        char what[64];
        snprintf(what, sizeof what, "chunk %d: checksum mismatch", window + 1);
        return refuse(err, r->file.path, CHOIR_FILE, what);
    }
    return status;
}

choir_status logits_reader_verify(logits_reader *r, int (*stop)(void), choir_error *err)
{
    char *piece = malloc(PIECE_BYTES);
    choir_status status = piece ? CHOIR_OK : base_fail(err, CHOIR_RESOURCE, "out of memory");
    for (int32_t i = 0; !status && i < r->shape.n_windows; i++) {
        status = stop() ? base_fail(err, CHOIR_CANCELLED, "cancelled") : verify_window(r, piece, i, err);
    }
    free(piece);
    return status;
}

choir_status logits_reader_rows(logits_reader *r, float *dst, int32_t window, int32_t row, int32_t n, choir_error *err)
{
    uint64_t bytes = row_bytes(&r->shape);
    /* fits: rows of the window, which the file has */
    return base_file_read(&r->file, window_offset(r, window) + (uint64_t)row * bytes, dst, (size_t)n * (size_t)bytes,
                          err);
}

void logits_reader_close(logits_reader *r)
{
    if (r) {
        base_file_close(&r->file);
        free(r);
    }
}
