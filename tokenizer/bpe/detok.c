/* Pieces of the byte alphabet back to text.  Special pieces vanish; added tokens are their own text; what is no UTF-8 becomes
 * U+FFFD, one for each longest part that could have begun a character, as Rust's from_utf8_lossy has it. */
#include <string.h>

#include "base/utf8.h"
#include "tokenizer/bpe/bpe.h"
#include "tokenizer/bpe/byte_alphabet.h"
#include "tokenizer/tok_internal.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

enum { REPLACEMENT_BYTES = 3 };

/* Each byte may turn out invalid, and so may what waits from before. */
size_t bpe_detok_bound(size_t max_piece_bytes)
{
    return REPLACEMENT_BYTES * (max_piece_bytes + 1);
}

/* One more byte; what can be said now goes to dst. */
static size_t feed(struct tok_detok *d, char byte, char *dst)
{
    size_t n = 0;
    d->pending[d->n_pending++] = byte;
    int len = base_utf8_sequence(d->pending, (size_t)d->n_pending);
    if (len == 0 && d->n_pending > 1) { /* what waited is cut short; this byte begins anew */
        memcpy(dst, replacement, REPLACEMENT_BYTES);
        n = REPLACEMENT_BYTES;
        d->pending[0] = byte;
        d->n_pending = 1;
        len = base_utf8_sequence(d->pending, 1);
    }
    if (len < 0) {
        return n;
    }
    if (len == 0) {
        memcpy(dst + n, replacement, REPLACEMENT_BYTES);
        n += REPLACEMENT_BYTES;
    } else {
        memcpy(dst + n, d->pending, (size_t)len);
        n += (size_t)len;
    }
    d->n_pending = 0;
    return n;
}

/* Whether every character is one of the alphabet. */
static bool in_alphabet(const char *piece, size_t n)
{
    int used;
    for (size_t i = 0; i < n; i += (size_t)used) {
        if (byte_alphabet_get(piece + i, n - i, &used) < 0) {
            return false;
        }
    }
    return true;
}

size_t bpe_text(const struct tokenizer *t, int32_t id, char *dst)
{
    size_t n, out = 0;
    const char *piece = tok_piece(t, id, &n);
    enum tok_type type = tok_piece_type(t, id);
    if (piece == NULL || type == TOK_CONTROL || type == TOK_UNKNOWN || type == TOK_UNUSED) {
        return 0;
    }
    if (type == TOK_USER_DEFINED || !in_alphabet(piece, n)) {
        memcpy(dst, piece, n);
        return n;
    }
    int used;
    for (size_t i = 0; i < n; i += (size_t)used) {
        dst[out++] = (char)byte_alphabet_get(piece + i, n - i, &used);
    }
    return out;
}

size_t bpe_detok_push(struct tok_detok *d, int32_t id, char *dst)
{
    size_t n, out = 0;
    const char *piece = tok_piece(d->t, id, &n);
    enum tok_type type = tok_piece_type(d->t, id);
    if (piece == NULL || type == TOK_CONTROL || type == TOK_UNKNOWN || type == TOK_UNUSED) {
        return 0;
    }
    if (type == TOK_USER_DEFINED || !in_alphabet(piece, n)) {
        for (size_t i = 0; i < n; i++) {
            out += feed(d, piece[i], dst + out);
        }
        return out;
    }
    int used;
    for (size_t i = 0; i < n; i += (size_t)used) {
        out += feed(d, (char)byte_alphabet_get(piece + i, n - i, &used), dst + out);
    }
    return out;
}

size_t bpe_detok_flush(struct tok_detok *d, char *dst)
{
    bool waits = d->n_pending > 0;
    d->n_pending = 0;
    if (waits) {
        memcpy(dst, replacement, REPLACEMENT_BYTES);
    }
    return waits ? REPLACEMENT_BYTES : 0;
}
