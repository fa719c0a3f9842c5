/* Ids back to text, one at a time.  For byte-level BPE see bpe/detok.c; for SentencePiece by the library's rules
 * (SentencePieceProcessor::Decode):
 *
 *   control piece   nothing
 *   unknown piece   the model's unk_surface, " U+2047 " by default
 *   byte piece      its byte; a run of them is cut into characters, a byte that belongs to none becomes U+FFFD
 *   others          the piece, with a space for each U+2581
 *
 * If encoding puts a space in front (or removes spaces there), the U+2581 that begins the first piece is dropped; with
 * remove_extra_whitespaces that goes on until there is text. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "tokenizer/sentencepiece/validate.h"
#include "tokenizer/tok_internal.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
static const char space_mark[] = "\xe2\x96\x81";  /* U+2581 */

enum { MARK_BYTES = 3 };
/* Three bytes may be waiting, each of which can turn out invalid, and a fourth arrive. */
enum { MAX_FROM_PENDING = 12 };

static bool is_byte_level(const struct tokenizer *t)
{
    return t->bpe != NULL && bpe_kind_of(t->bpe) == BPE_BYTES;
}

void tok_detok_init(struct tok_detok *d, const struct tokenizer *t, bool at_start)
{
    *d = (struct tok_detok){.t = t, .at_start = at_start && t->first_space != TOK_SPACE_KEPT};
}

size_t tok_detok_bound(const struct tokenizer *t)
{
    return is_byte_level(t) ? bpe_detok_bound(t->max_piece_bytes) : t->max_piece_bytes + MAX_FROM_PENDING;
}

/* The first `n` waiting bytes are dealt with. */
static void drop_pending(struct tok_detok *d, int n)
{
    d->n_pending -= n;
    memmove(d->pending, d->pending + n, (size_t)d->n_pending);
}

/* What can be said about the waiting bytes; all of it when nothing follows. */
static size_t settle_pending(struct tok_detok *d, bool end, char *dst)
{
    size_t n = 0;
    while (d->n_pending > 0) {
        int len = base_utf8_sequence(d->pending, (size_t)d->n_pending);
        if (len < 0 && !end) {
            break;
        }
        if (len > 0) {
            memcpy(dst + n, d->pending, (size_t)len);
            n += (size_t)len;
            drop_pending(d, len);
        } else {
            memcpy(dst + n, replacement, MARK_BYTES);
            n += MARK_BYTES;
            drop_pending(d, 1);
        }
    }
    return n;
}

static bool begins_with_mark(struct sp_text piece)
{
    return piece.n >= MARK_BYTES && memcmp(piece.s, space_mark, MARK_BYTES) == 0;
}

static size_t push_text(struct tok_detok *d, struct sp_text piece, char *dst)
{
    bool drops_all = d->at_start && d->t->first_space == TOK_SPACES_OF_FIRST;
    if (d->at_start && begins_with_mark(piece)) {
        piece.s += MARK_BYTES;
        piece.n -= MARK_BYTES;
        d->at_start = d->t->first_space == TOK_SPACES_TO_TEXT;
    }
    d->at_start = d->at_start && !drops_all;
    size_t n = 0;
    while (piece.n > 0) {
        bool mark = begins_with_mark(piece);
        size_t used = mark ? MARK_BYTES : 1;
        if (!mark || !drops_all) {
            dst[n++] = mark ? ' ' : *piece.s;
        }
        piece.s += used;
        piece.n -= used;
    }
    return n;
}

size_t tok_text(const struct tokenizer *t, int32_t id, bool at_start, char *dst)
{
    struct tok_detok d;
    struct sp_text piece;
    piece.s = tok_piece(t, id, &piece.n);
    if (piece.s == NULL) {
        return 0;
    }
    if (t->bpe != NULL) {
        return bpe_text(t, id, dst);
    }
    tok_detok_init(&d, t, at_start);
    switch (tok_piece_type(t, id)) {
    case TOK_BYTE:
        dst[0] = (char)sp_byte_of(piece);
        return 1;
    case TOK_UNKNOWN:
        memcpy(dst, t->unk_surface, t->unk_surface_bytes);
        return t->unk_surface_bytes;
    case TOK_CONTROL:
        return 0;
    default:
        return push_text(&d, piece, dst);
    }
}

size_t tok_detok_push(struct tok_detok *d, int32_t id, char *dst)
{
    if (is_byte_level(d->t)) {
        return bpe_detok_push(d, id, dst);
    }
    struct sp_text piece;
    piece.s = tok_piece(d->t, id, &piece.n);
    if (piece.s == NULL) {
        return 0;
    }
    enum tok_type type = tok_piece_type(d->t, id);
    if (d->t->bpe != NULL) {
        piece.s = bpe_shown_piece(d->t, id, &piece.n);
    }
    if (type == TOK_BYTE) {
        d->pending[d->n_pending++] = (char)sp_byte_of(piece);
        d->at_start = false;
        return settle_pending(d, false, dst);
    }
    size_t n = settle_pending(d, true, dst);
    size_t added = 0;
    if (type == TOK_UNKNOWN) {
        added = d->t->unk_surface_bytes;
        if (added > 0) {
            memcpy(dst + n, d->t->unk_surface, added);
        }
    } else if (type != TOK_CONTROL && !(type == TOK_UNUSED && d->t->bpe != NULL)) {
        added = push_text(d, piece, dst + n);
    }
    d->at_start = d->at_start && added == 0;
    return n + added;
}

size_t tok_detok_flush(struct tok_detok *d, char *dst)
{
    return is_byte_level(d->t) ? bpe_detok_flush(d, dst) : settle_pending(d, true, dst);
}

/* Makes room for `more` bytes and a NUL behind *n. */
static bool grow(char **text, size_t *cap, size_t n, size_t more)
{
    if (*cap - n > more) {
        return true;
    }
    size_t cap_new = 2 * *cap + more + 1;
    char *text_new = realloc(*text, cap_new);
    if (text_new) {
        *text = text_new;
        *cap = cap_new;
    }
    return text_new != NULL;
}

choir_status tok_decode(const struct tokenizer *t, const int32_t *ids, size_t n_ids, char **text, size_t *n,
                        choir_error *err)
{
    struct tok_detok d;
    tok_detok_init(&d, t, true);
    size_t bound = tok_detok_bound(t);
    char *out = NULL;
    size_t cap = 0;
    size_t used = 0;
    *text = NULL;
    *n = 0;
    for (size_t i = 0; i <= n_ids; i++) {
        if (i < n_ids && (ids[i] < 0 || ids[i] >= t->n_pieces)) {
            free(out);
            return base_fail(err, CHOIR_USAGE, "id %d, vocabulary has %d", (int)ids[i], (int)t->n_pieces);
        }
        if (!grow(&out, &cap, used, bound)) {
            free(out);
            return base_fail_memory(err, 2 * cap + bound, "decoded text");
        }
        used += i < n_ids ? tok_detok_push(&d, ids[i], out + used) : tok_detok_flush(&d, out + used);
    }
    out[used] = '\0';
    *text = out;
    *n = used;
    return CHOIR_OK;
}
