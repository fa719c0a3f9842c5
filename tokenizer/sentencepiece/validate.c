/* The library aborts, or reads and writes out of bounds, on hostile models; what is refused here cannot reach it.
 *
 * Two rules of our own on top:  text never makes a special id, and a GGUF vocabulary may hold unused and control pieces
 * twice.  The library keeps two name tables, one for normal, user-defined and unused pieces (what text can match) and
 * one for the rest, and looks in the second one first: a control piece spelled like a normal piece, or of one character,
 * would be made by text.  Such a piece is hidden: the library knows it under a name that no text contains. */
#include "tokenizer/sentencepiece/validate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/utf8.h"
#include "tokenizer/sentencepiece/charsmap.h"
#include "tokenizer/tokenizer.h"

/* The library's room for user-defined pieces that begin the same text. */
enum { MAX_NESTED = 64 };

struct name {
    struct sp_text text;
    int32_t id;
};

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int sp_byte_of(struct sp_text t)
{
    if (t.n != 6 || memcmp(t.s, "<0x", 3) != 0 || t.s[5] != '>') {
        return -1;
    }
    int high = hex_digit(t.s[3]);
    int low = hex_digit(t.s[4]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* The library builds tries (unigram, user-defined) and takes unused pieces apart by recursion. */
static bool recursed_over(const struct sp_model *m, const struct sp_piece *p)
{
    return m->unigram || p->type == TOK_USER_DEFINED || p->type == TOK_UNUSED;
}

static choir_status check_piece(const struct sp_model *m, int32_t id, choir_error *err)
{
    const struct sp_piece *p = &m->pieces[id];
    char shown[BASE_ESCAPE_CAP];
    const char *what = NULL;
    if (p->text.n == 0) {
        what = "empty";
    } else if (p->text.n > SP_MAX_PIECE_BYTES) {
        what = "longer than 4096 bytes";
    } else if (p->text.n > SP_MAX_NESTED_BYTES && recursed_over(m, p)) {
        what = "longer than 1024 bytes";
    } else if (base_utf8_valid(p->text.s, p->text.n) != p->text.n) {
        what = "not valid UTF-8";
    } else if (!isfinite(p->score)) {
        what = "score is not finite";
    }
    if (what) {
        return base_fail(err, CHOIR_FILE, "%s: %s %d: %s", m->file, m->noun, (int)id, what);
    }
    if (p->type < TOK_NORMAL || p->type > TOK_BYTE) {
        return base_fail(err, CHOIR_FILE, "%s: %s %d: type %d not known", m->file, m->noun, (int)id, (int)p->type);
    }
    if (p->type == TOK_BYTE && sp_byte_of(p->text) < 0) {
        return base_fail(err, CHOIR_FILE, "%s: %s %d: bad byte %s \"%s\"", m->file, m->noun, (int)id, m->noun,
                         base_escape(shown, p->text.s, p->text.n));
    }
    if (p->type == TOK_BYTE && !m->byte_fallback) {
        return base_fail(err, CHOIR_FILE, "%s: %s %d: a byte piece, but byte_fallback is not set", m->file, m->noun,
                         (int)id);
    }
    return CHOIR_OK;
}

static choir_status check_bytes(const struct sp_model *m, choir_error *err)
{
    bool found[256] = {false};
    for (int32_t i = 0; i < m->n_pieces; i++) {
        if (m->pieces[i].type == TOK_BYTE) {
            found[sp_byte_of(m->pieces[i].text)] = true;
        }
    }
    for (unsigned b = 0; b < 256 && m->byte_fallback; b++) {
        if (!found[b]) {
            return base_fail(err, CHOIR_FILE, "%s: byte_fallback set, %s <0x%02X> missing", m->file, m->noun, b);
        }
    }
    return CHOIR_OK;
}

/* The library needs exactly one unknown piece.  A GGUF vocabulary may have several (one is taken, the rest become
 * control pieces to the library) or, if it has all bytes, none (sp_build adds one). */
static choir_status choose_unknown(struct sp_model *m, choir_error *err)
{
    int32_t wanted = m->unk_id >= 0 && m->unk_id < m->n_pieces ? m->unk_id : -1;
    int32_t chosen = -1;
    for (int32_t i = 0; i < m->n_pieces; i++) {
        if (m->pieces[i].type != TOK_UNKNOWN) {
            continue;
        }
        if (chosen >= 0 && !m->lenient) {
            return base_fail(err, CHOIR_FILE, "%s: %ss %d and %d are both the unknown piece", m->file, m->noun,
                             (int)chosen, (int)i);
        }
        m->pieces[i].lib_type = TOK_CONTROL;
        chosen = chosen < 0 || i == wanted ? i : chosen;
    }
    if (chosen < 0 && wanted >= 0 && m->pieces[wanted].type != TOK_BYTE) {
        chosen = wanted;
    }
    if (chosen < 0 && !(m->lenient && m->byte_fallback)) {
        return base_fail(err, CHOIR_FILE, "%s: no unknown piece", m->file);
    }
    if (chosen >= 0) {
        m->pieces[chosen].lib_type = TOK_UNKNOWN;
    }
    m->unk_id = chosen;
    return CHOIR_OK;
}

static void hide(struct sp_piece *p)
{
    p->hidden = true;
    p->lib_type = p->lib_type == TOK_UNKNOWN ? TOK_UNKNOWN : TOK_CONTROL;
}

/* Which of several pieces of one spelling keeps it: the lowest rank, then the lowest id. */
static int rank(const struct sp_piece *p)
{
    static const int ranks[] = {
        [TOK_BYTE] = 0,   [TOK_NORMAL] = 1,  [TOK_USER_DEFINED] = 1,
        [TOK_UNUSED] = 2, [TOK_UNKNOWN] = 3, [TOK_CONTROL] = 4,
    };
    return ranks[p->lib_type];
}

/* names[0 .. n) are spelled the same, in order of id. */
static choir_status settle_name(struct sp_model *m, const struct name *names, size_t n, choir_error *err)
{
    size_t keeper = 0;
    for (size_t i = 1; i < n; i++) {
        int a = rank(&m->pieces[names[keeper].id]);
        int b = rank(&m->pieces[names[i].id]);
        if (a == b && a < 2) {
            char shown[BASE_ESCAPE_CAP];
            return base_fail(err, CHOIR_FILE, "%s: %ss %d and %d are both \"%s\"", m->file, m->noun,
                             (int)names[keeper].id, (int)names[i].id,
                             base_escape(shown, names[i].text.s, names[i].text.n));
        }
        keeper = b < a ? i : keeper;
    }
    for (size_t i = 0; i < n; i++) {
        struct sp_piece *p = &m->pieces[names[i].id];
        bool one_char = (size_t)base_utf8_sequence(p->text.s, p->text.n) == p->text.n;
        bool special = p->lib_type == TOK_CONTROL || p->lib_type == TOK_UNKNOWN;
        if (i != keeper || (special && one_char)) {
            hide(p);
        }
    }
    return CHOIR_OK;
}

static int compare_names(const void *left, const void *right)
{
    const struct name *a = left;
    const struct name *b = right;
    int c = memcmp(a->text.s, b->text.s, a->text.n < b->text.n ? a->text.n : b->text.n);
    if (c == 0) {
        c = (a->text.n > b->text.n) - (a->text.n < b->text.n);
    }
    return c ? c : (a->id > b->id) - (a->id < b->id);
}

/* User-defined pieces that begin each other stand one after the other in `names`. */
static choir_status check_nesting(const struct sp_model *m, const struct name *names, choir_error *err)
{
    struct sp_text chain[MAX_NESTED];
    size_t depth = 0;
    for (int32_t i = 0; i < m->n_pieces; i++) {
        const struct sp_piece *p = &m->pieces[names[i].id];
        if (p->lib_type != TOK_USER_DEFINED) {
            continue;
        }
        while (depth > 0 &&
               (chain[depth - 1].n > p->text.n || memcmp(chain[depth - 1].s, p->text.s, chain[depth - 1].n) != 0)) {
            depth--;
        }
        if (depth == MAX_NESTED) {
            return base_fail(err, CHOIR_FILE, "%s: %s %d: more than %d user-defined pieces begin like it", m->file,
                             m->noun, (int)names[i].id, MAX_NESTED);
        }
        chain[depth++] = p->text;
    }
    return CHOIR_OK;
}

static choir_status settle_names(struct sp_model *m, choir_error *err)
{
    size_t n = (size_t)m->n_pieces;
    struct name *names = base_array(n, sizeof *names);
    if (names == NULL) {
        return base_fail_memory(err, n * sizeof *names, "checking the vocabulary");
    }
    for (size_t i = 0; i < n; i++) {
        names[i] = (struct name){m->pieces[i].text, (int32_t)i};
    }
    qsort(names, n, sizeof *names, compare_names);
    choir_status s = CHOIR_OK;
    for (size_t i = 0, end; i < n && s == CHOIR_OK; i = end) {
        for (end = i + 1; end < n && sp_text_is(names[i].text, names[end].text); end++) {
        }
        s = settle_name(m, names + i, end - i, err);
    }
    if (s == CHOIR_OK) {
        s = check_nesting(m, names, err);
    }
    free(names);
    return s;
}

/* The library builds its tries from C strings: a piece with a NUL in it would be taken for its beginning. */
static void settle_nul(const struct sp_model *m, struct sp_piece *p)
{
    if (memchr(p->text.s, '\0', p->text.n) == NULL) {
        return;
    }
    if (m->unigram && p->lib_type != TOK_CONTROL && p->lib_type != TOK_UNKNOWN) {
        hide(p);
    } else if (p->lib_type == TOK_USER_DEFINED) {
        p->lib_type = TOK_NORMAL;
    }
}

/* Pieces that text can give, of which the library needs one in a unigram model. */
static choir_status check_any_visible(const struct sp_model *m, choir_error *err)
{
    for (int32_t i = 0; i < m->n_pieces; i++) {
        uint8_t type = m->pieces[i].lib_type;
        if (type == TOK_NORMAL || type == TOK_USER_DEFINED || type == TOK_UNUSED) {
            return CHOIR_OK;
        }
    }
    return base_fail(err, CHOIR_FILE, "%s: no %s that text could give", m->file, m->noun);
}

static choir_status check_count(const struct sp_model *m, int64_t vocab_rows, choir_error *err)
{
    assert(m->n_pieces >= 1 && m->n_pieces <= SP_MAX_PIECES);
    if (vocab_rows >= 0 && m->n_pieces > vocab_rows) {
        return base_fail(err, CHOIR_FILE, "%s: %d %ss, the model has %lld embedding rows", m->file, (int)m->n_pieces,
                         m->noun, (long long)vocab_rows);
    }
    return CHOIR_OK;
}

choir_status sp_validate(struct sp_model *m, int64_t vocab_rows, choir_error *err)
{
    choir_status s = check_count(m, vocab_rows, err);
    for (int32_t i = 0; i < m->n_pieces && s == CHOIR_OK; i++) {
        s = check_piece(m, i, err);
        m->pieces[i].lib_type = (uint8_t)m->pieces[i].type;
        m->byte_names |= sp_byte_of(m->pieces[i].text) >= 0;
    }
    if (s == CHOIR_OK) {
        s = check_bytes(m, err);
    }
    if (s == CHOIR_OK) {
        s = choose_unknown(m, err);
    }
    if (s == CHOIR_OK) {
        s = settle_names(m, err);
    }
    for (int32_t i = 0; i < m->n_pieces && s == CHOIR_OK; i++) {
        settle_nul(m, &m->pieces[i]);
    }
    if (s == CHOIR_OK && m->unigram) {
        s = check_any_visible(m, err);
    }
    if (s == CHOIR_OK) {
        size_t rule_bytes;
        s = sp_charsmap_check(m->file, m->charsmap, &rule_bytes, err);
        m->max_expansion = rule_bytes > 3 ? rule_bytes : 3; /* a space becomes U+2581, three bytes */
    }
    return s;
}
