/* Working with a vocabulary that opened; see fuzz.h. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "tokenizer/tokenizer.h"

/* The ids streamed one by one give whole sequences, each within the bound. */
static void stream(const struct tokenizer *t, const int32_t *ids, size_t n)
{
    struct tok_detok d;
    char *dst = malloc(tok_detok_bound(t));
    FUZZ_CHECK(dst != NULL);
    tok_detok_init(&d, t, true);
    for (size_t i = 0; i <= n; i++) {
        size_t got = i < n ? tok_detok_push(&d, ids[i], dst) : tok_detok_flush(&d, dst);
        FUZZ_CHECK(got <= tok_detok_bound(t) && base_utf8_valid(dst, got) == got);
    }
    free(dst);
}

void fuzz_use_text(const struct tokenizer *t, const char *text, size_t n)
{
    int32_t *ids = NULL;
    size_t n_ids = 0, n_back;
    char *back;
    if (base_utf8_valid(text, n) < n) { /* not what tok_encode takes: its callers check */
        return;
    }
    FUZZ_CHECK(tok_encode(t, text, n, &ids, &n_ids, NULL) == CHOIR_OK);
    for (size_t i = 0; i < n_ids; i++) {
        FUZZ_CHECK(ids[i] >= 0 && ids[i] < tok_n_pieces(t));
        FUZZ_CHECK(tok_piece_type(t, ids[i]) != TOK_CONTROL ||
                   ids[i] == tok_unk(t)); /* a file may say that one is both */
    }
    FUZZ_CHECK(tok_decode(t, ids, n_ids, &back, &n_back, NULL) == CHOIR_OK);
    FUZZ_CHECK(base_utf8_valid(back, n_back) == n_back && back[n_back] == '\0');
    stream(t, ids, n_ids);
    free(back);
    free(ids);
}

void fuzz_use_tokenizer(const struct tokenizer *t)
{
    static const char text[] = "hello  world <user> AB\n\0\xc3\xa9\xe4\xb8\xad</s>\xe2\x96\x81wo \xef\xb7\xba 12 'll";
    const int32_t n = tok_n_pieces(t);
    FUZZ_CHECK(n > 0 && tok_bos(t) < n && tok_eos(t) < n && tok_unk(t) < n);
    FUZZ_CHECK(tok_piece(t, n, &(size_t){0}) == NULL && tok_piece(t, -1, &(size_t){0}) == NULL);
    int32_t ids[16];
    for (int32_t i = 0; i < 16; i++) {
        size_t bytes;
        ids[i] = i < 8 ? i % n : n - 1 - i % n;
        FUZZ_CHECK(tok_piece(t, ids[i], &bytes) != NULL);
    }
    char *back;
    size_t n_back;
    FUZZ_CHECK(tok_decode(t, ids, 16, &back, &n_back, NULL) == CHOIR_OK);
    FUZZ_CHECK(base_utf8_valid(back, n_back) == n_back);
    free(back);
    stream(t, ids, 16);
    fuzz_use_text(t, text, sizeof text - 1);
    fuzz_use_text(t, text, 0);
}
