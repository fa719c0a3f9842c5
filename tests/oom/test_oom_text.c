/* Memory runs out (oom.h) while a tokenizer of each kind is opened, used, written as a GGUF file's vocabulary and opened
 * again from that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/oom/oom.h"
#include "tokenizer/tokenizer.h"

#define FOLDER "tests/golden/tokenizers/"

/* What each kind has a way of its own for: words, white space, digits, marks that are composed, bytes, an added token. */
static const char text[] =
    "It's  THE caf\x65\xcc\x81 of 1234 words,\n\tnot <user>one! \xef\xac\x81ve \xe4\xb8\xad\xe6\x96\x87"
    " \xf0\x9f\x98\x80\x01 <s></s><|endoftext|> ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab ";

struct kind {
    const char *path;
    bool exported; /* GGUF files can hold it */
};

static choir_status there_and_back(const struct tokenizer *t, choir_error *err)
{
    int32_t *ids = (int32_t *)err;
    char *back = (char *)err;
    size_t n_ids, n;
    choir_status status = tok_encode(t, text, sizeof text - 1, &ids, &n_ids, err);
    if (status != CHOIR_OK) {
        return status;
    }
    assert_true(n_ids > 20);
    status = tok_decode(t, ids, n_ids, &back, &n, err);
    if (status == CHOIR_OK) {
        assert_int_equal(strlen(back), n);
        free(back);
    }
    free(ids);
    return status;
}

static choir_status as_vocabulary(const struct tokenizer *t, choir_error *err)
{
    struct tok_export e;
    struct tokenizer *again = (struct tokenizer *)err;
    choir_status status = tok_export(&e, t, err);
    if (status != CHOIR_OK) {
        return status;
    }
    e.vocab.file = "again";
    status = tok_open_vocab(&again, &e.vocab, -1, err);
    tok_export_free(&e);
    assert_true((again != NULL) == (status == CHOIR_OK));
    if (status == CHOIR_OK) {
        assert_int_equal(tok_n_pieces(again), tok_n_pieces(t));
        status = there_and_back(again, err);
    }
    tok_close(again);
    return status;
}

static choir_status run(void *user, choir_error *err)
{
    const struct kind *kind = user;
    struct tokenizer *t = (struct tokenizer *)err;
    choir_status status = tok_open_file(&t, kind->path, -1, err);
    assert_true((t != NULL) == (status == CHOIR_OK));
    status = status == CHOIR_OK ? there_and_back(t, err) : status;
    status = status == CHOIR_OK && kind->exported ? as_vocabulary(t, err) : status;
    tok_close(t);
    return status;
}

static void run_all(const struct kind *kinds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct kind kind = kinds[i];
        oom_run(run, &kind, kind.path, NULL);
    }
}

static void byte_level(void **state)
{
    static const struct kind kinds[] = {
        {FOLDER "mixed.json", false}, {FOLDER "deepseek-v3.json", true}, {FOLDER "olmo.json", true}};
    (void)state;
    run_all(kinds, sizeof kinds / sizeof kinds[0]);
}

static void marked(void **state)
{
    static const struct kind kinds[] = {{FOLDER "sp-llama.json", true},
                                        {FOLDER "sp-gemma.json", true},
                                        {FOLDER "sp-t5.json", true},
                                        {FOLDER "sp-xlmr.json", true}};
    (void)state;
    run_all(kinds, sizeof kinds / sizeof kinds[0]);
}

static void sentencepiece(void **state)
{
    static const struct kind kinds[] = {{FOLDER "added/tokenizer.model", false},
                                        {FOLDER "added-legacy/tokenizer.model", false}};
    (void)state;
    run_all(kinds, sizeof kinds / sizeof kinds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_level),
        cmocka_unit_test(marked),
        cmocka_unit_test(sentencepiece),
    };
    return cmocka_run_group_tests_name("memory for tokenizers", tests, NULL, NULL);
}
