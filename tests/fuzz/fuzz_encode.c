/* Texts of any bytes to ids and back, by vocabularies of every kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/tiny_vocab.h"
#include "tokenizer/tok_json.h"

/* Exact: what was encoded is what decodes. */
static const struct {
    const char *json; /* of tests/golden/tokenizers; NULL: support/tiny_vocab.h's */
    bool unigram, bytes, exact;
} kinds[] = {
    {NULL, false, true, false},       {NULL, true, true, false},          {NULL, false, false, false},
    {NULL, true, false, false},       {"gpt-2", false, true, true},       {"llama-bpe", false, true, true},
    {"qwen2", false, true, false},    {"deepseek-v3", false, true, true}, {"falcon", false, true, true},
    {"sp-llama", false, true, false}, {"sp-gemma", false, true, false},   {"sp-t5", true, false, false},
    {"smollm", false, true, true},    {"gpt-4o", false, true, true},      {"olmo", false, true, false},
    {"mixed", false, true, false},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static struct tokenizer *open_kind(int kind)
{
    struct tokenizer *t;
    choir_error err;
    if (kinds[kind].json == NULL) {
        static struct tiny_vocab v;
        tiny_vocab_init(&v, kinds[kind].unigram, kinds[kind].bytes);
        FUZZ_CHECK(tok_open_vocab(&t, &v.vocab, -1, &err) == CHOIR_OK);
        return t;
    }
    char path[96], *text;
    size_t n;
    snprintf(path, sizeof path, "tests/golden/tokenizers/%s.json", kinds[kind].json);
    FUZZ_CHECK(base_file_slurp(path, 1 << 20, &text, &n, &err) == CHOIR_OK);
    FUZZ_CHECK(tok_open_json(&t, path, text, n, -1, &err) == CHOIR_OK);
    free(text);
    return t;
}

static void check_exact(const struct tokenizer *t, const char *text, size_t n)
{
    int32_t *ids;
    size_t n_ids, n_back;
    char *back;
    FUZZ_CHECK(tok_encode(t, text, n, &ids, &n_ids, NULL) == CHOIR_OK);
    FUZZ_CHECK(tok_decode(t, ids, n_ids, &back, &n_back, NULL) == CHOIR_OK);
    FUZZ_CHECK(n_back == n && memcmp(back, text, n) == 0);
    free(back);
    free(ids);
}

void fuzz_encode(const uint8_t *data, size_t size)
{
    static struct tokenizer *open[KINDS];
    if (size == 0) {
        return;
    }
    const int kind = data[0] % KINDS;
    if (open[kind] == NULL) {
        open[kind] = open_kind(kind);
    }
    const char *text = (const char *)data + 1;
    fuzz_use_text(open[kind], text, size - 1);
    if (kinds[kind].exact && base_utf8_valid(text, size - 1) == size - 1) {
        check_exact(open[kind], text, size - 1);
    }
}
