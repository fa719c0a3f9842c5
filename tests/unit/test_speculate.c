/* Guesses at the next tokens: whoever guesses, the text is the one without. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ngrams.h"
#include "engine/speculate.h"
#include "tests/support/golden.h"
#include "tests/support/plain_sampler.h"
#include "tests/support/tiny.h"

/* ---- the index of n-grams ---- */

/* The same by looking at every position: the most equal tokens, from 2 to 32. */
static int32_t longest_by_looking(const int32_t *ids, int32_t n)
{
    int32_t best = 1;
    for (int32_t pos = 2; pos < n; pos++) {
        int32_t same = 0;
        while (same < pos && same < 32 && ids[pos - 1 - same] == ids[n - 1 - same]) {
            same++;
        }
        best = same > best ? same : best;
    }
    return best;
}

/* Few positions a hash: all candidates are looked at, so the longest is found. */
static void test_ngrams_longest(void **state)
{
    (void)state;
    uint64_t random = 5;
    int32_t ids[300];
    struct eng_ngrams x;
    for (int round = 0; round < 20; round++) {
        assert_int_equal(eng_ngrams_open(&x, 300, NULL), CHOIR_OK);
        for (int32_t n = 0; n < 300;) {
            if (n > 60 && plain_random(&random, 4) == 0) { /* quote */
                int32_t from = (int32_t)plain_random(&random, (uint32_t)n - 40);
                for (int32_t k = 0; k < 40 && n < 300; k++) {
                    ids[n++] = ids[from + k];
                }
            } else {
                ids[n++] = (int32_t)plain_random(&random, 60);
            }
            int32_t length;
            int32_t pos = eng_ngrams_find(&x, ids, n, &length);
            int32_t expected = longest_by_looking(ids, n);
            assert_int_equal(pos >= 0, expected >= 2);
            if (pos >= 0) {
                assert_int_equal(length, expected);
                assert_true(pos < n);
                assert_memory_equal(ids + pos - length, ids + n - length, (size_t)length * sizeof *ids);
            }
        }
        eng_ngrams_close(&x);
    }
}

/* ---- how many ---- */

static void test_pace(void **state)
{
    (void)state;
    static const double likely[PACE_KINDS] = {0.3, 0.5, 0.7, 0.85, 0.95};
    struct eng_pace p;
    eng_pace_open(&p, likely);
    assert_int_equal(eng_pace_choose(&p, 4, 15), 0); /* nothing is known of the steps */
    eng_pace_step(&p, 0, 1000000);
    eng_pace_step(&p, 1, 1050000);
    int guessed = 0;
    for (int i = 0; i < 10000; i++) { /* always wrong */
        int32_t n = eng_pace_choose(&p, 4, 15);
        guessed += n;
        if (n > 0) {
            eng_pace_result(&p, 4, n, 0);
        }
    }
    assert_in_range(guessed, 20, 250);
    int32_t n = 0;
    for (int i = 0; i < 600; i++) { /* always right */
        n = eng_pace_choose(&p, 4, 15);
        if (n > 0) {
            eng_pace_result(&p, 4, n, n);
        }
    }
    assert_int_equal(n, 15);
    eng_pace_step(&p, 15, 60000000); /* and not worth it any more: a token costs as much as a step */
    eng_pace_step(&p, 15, 60000000);
    eng_pace_step(&p, 15, 60000000);
    for (int i = 0; i < 100; i++) {
        eng_pace_step(&p, 15, 60000000);
    }
    assert_int_equal(eng_pace_choose(&p, 4, 15), 0);
}

/* Guesses that are always right and cost as much as the token that they save: after a few trials there are none; when they cost
 * less, they go on. */
static void test_dear(void **state)
{
    (void)state;
    static const double likely[PACE_KINDS] = {0.75};
    for (int dear = 0; dear < 2; dear++) {
        struct eng_pace p;
        int guesses = 0;
        eng_pace_open(&p, likely);
        eng_pace_step(&p, 0, 1000000);
        for (int i = 0; i < 4000; i++) {
            int32_t n = eng_pace_choose(&p, 0, 4);
            eng_pace_step(&p, n, 1000000 + 1000 * (uint64_t)i + 100000 * (uint64_t)n); /* a text that gets longer */
            if (n > 0) {
                eng_pace_guess(&p, n, (dear ? 1000000 + 1000 * (uint64_t)i : 100000) * (uint64_t)n);
                eng_pace_result(&p, 0, n, n);
                guesses += n;
            }
        }
        assert_in_range(guesses, dear ? 1 : 12000, dear ? 20 : 16000);
    }
}

/* ---- the text ---- */

enum { VOCAB_MOST = 96, CTX = 128, N_PROMPT = 24 };

struct fixture {
    struct golden golden;
    char dir[TINY_PATH];
    choir_model *model;
    int32_t vocab;
    int32_t prompt[N_PROMPT];
};

/* The state is the name of a golden model; it becomes a fixture. */
static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    golden_load(&f->golden, *state);
    f->vocab = f->golden.vocab_size;
    assert_true(f->vocab <= VOCAB_MOST);
    tiny_dir_make(f->dir);
    golden_write_hf(&f->golden, f->dir, DTYPE_F16);
    choir_model_options opt;
    choir_model_options_default(&opt);
    opt.path = f->dir;
    opt.text_optional = true;
    assert_int_equal(choir_model_open(&f->model, &opt, NULL), CHOIR_OK);
    for (int i = 0; i < N_PROMPT; i++) {
        f->prompt[i] = i * 7 % 11;
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    choir_model_close(f->model);
    golden_free(&f->golden);
    tiny_dir_remove(f->dir);
    free(f);
    return 0;
}

/* An engine's settings, what is drawn and when it ends. */
struct setting {
    int threads;
    int32_t block, max_logits, batch;
    const char *kv_type;
    float temp, repeat_penalty;
    uint64_t seed;
    int32_t max_tokens;
    int32_t stop_after; /* tokens after which the callback wants no more; 0: never */
};

/* A text: its tokens with their log-probabilities, and what the sequence is afterwards. */
struct text {
    int n;
    int32_t ids[CTX];
    double log_probs[CTX];
    int32_t top[CTX][3];
    int32_t length, computed;
    bool has_logits;
    float logits[VOCAB_MOST];
    choir_result result;
    int32_t stop_after;
};

static int on_token(void *user, const choir_token *t)
{
    struct text *x = user;
    assert_int_equal(t->n_top, 3);
    assert_int_equal(t->pos, N_PROMPT + x->n);
    x->ids[x->n] = t->id;
    x->log_probs[x->n] = t->log_prob;
    for (int i = 0; i < 3; i++) {
        x->top[x->n][i] = t->top[i].id;
        assert_true(i == 0 || t->top[i].log_prob <= t->top[i - 1].log_prob);
    }
    assert_true(t->log_prob <= t->top[0].log_prob);
    x->n++;
    return x->n == x->stop_after;
}

static choir_engine *open_engine(const struct fixture *f, const struct setting *o)
{
    choir_engine_options eo;
    choir_engine *e;
    choir_engine_options_default(&eo);
    eo.n_threads = o->threads;
    eo.kv_block = o->block;
    eo.kv_type = o->kv_type;
    eo.max_logits = o->max_logits;
    eo.batch = o->batch;
    eo.ctx_size = CTX;
    assert_int_equal(choir_engine_open(&e, f->model, &eo, NULL), CHOIR_OK);
    return e;
}

static choir_sequence *open_sequence(const struct fixture *f, choir_engine *e, const struct setting *o)
{
    choir_sampling sampling;
    choir_sequence *s;
    choir_sampling_default(&sampling);
    sampling.temp = o->temp;
    sampling.seed = o->seed;
    sampling.repeat_penalty = o->repeat_penalty;
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(s, f->prompt, N_PROMPT, NULL), CHOIR_OK);
    return s;
}

static void generation(choir_generation *g, struct text *x, const struct setting *o)
{
    memset(x, 0, sizeof *x);
    x->stop_after = o->stop_after;
    choir_generation_default(g);
    g->max_tokens = o->max_tokens;
    g->token = on_token;
    g->n_top = 3;
    g->user = x;
}

static void look_back(struct text *x, const choir_sequence *s, int32_t vocab)
{
    x->length = choir_sequence_length(s);
    x->computed = choir_sequence_computed(s);
    const float *logits = choir_sequence_logits(s);
    x->has_logits = logits != NULL;
    if (logits != NULL) {
        memcpy(x->logits, logits, (size_t)vocab * sizeof *logits);
    }
}

static void check_same(const struct text *a, const struct text *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->ids, b->ids, sizeof a->ids);
    assert_memory_equal(a->log_probs, b->log_probs, sizeof a->log_probs);
    assert_memory_equal(a->top, b->top, sizeof a->top);
    assert_int_equal(a->length, b->length);
    assert_int_equal(a->computed, b->computed);
    assert_int_equal(a->has_logits, b->has_logits);
    assert_memory_equal(a->logits, b->logits, sizeof a->logits);
    assert_int_equal(a->result.finish, b->result.finish);
    assert_int_equal(a->result.n_generated, b->result.n_generated);
    assert_int_equal(a->result.n_prompt, b->result.n_prompt);
    assert_int_equal(a->result.context_full, b->result.context_full);
}

static void write_plain(struct text *x, const struct fixture *f, const struct setting *o)
{
    choir_generation g;
    choir_engine *e = open_engine(f, o);
    choir_sequence *s = open_sequence(f, e, o);
    generation(&g, x, o);
    assert_int_equal(choir_generate(&x->result, s, &g, NULL), CHOIR_OK);
    look_back(x, s, f->vocab);
    choir_sequence_close(s);
    choir_engine_close(e);
}

/* Says what it is told to, with some of it spoilt. */
struct spoiler {
    const struct text *truth;
    uint64_t random;
    uint32_t spoilt; /* of 8 guesses */
    int32_t vocab;
};

static int32_t spoiler_look(void *ctx, const int32_t *ids, int32_t n_ids, int32_t most, int *kind)
{
    struct spoiler *x = ctx;
    (void)ids;
    (void)n_ids;
    *kind = (int)plain_random(&x->random, PACE_KINDS);
    return most;
}

static int32_t spoiler_guess(void *ctx, const int32_t *ids, int32_t n_ids, int32_t *out, int32_t n,
                             struct eng_pace *pace)
{
    struct spoiler *x = ctx;
    (void)ids;
    for (int i = 0; i < PACE_KINDS; i++) { /* always as many as there are */
        pace->kinds[i] = (struct eng_pace_kind){.kept = 1, .tried = 1};
    }
    pace->more_ns = pace->plain_ns / 1000;
    for (int32_t i = 0; i < n; i++) {
        int32_t at = n_ids - N_PROMPT + i;
        bool spoilt = at >= x->truth->n || plain_random(&x->random, 8) < x->spoilt;
        out[i] = spoilt ? (int32_t)plain_random(&x->random, (uint32_t)x->vocab) : x->truth->ids[at];
        if (spoilt && plain_random(&x->random, 50) == 0) {
            out[i] = x->vocab + 3; /* no id at all */
        }
    }
    return n;
}

/* The loop of choir_generate with this guesser. */
static void write_guessed(struct text *x, const struct fixture *f, const struct setting *o, struct spoiler *spoiler)
{
    struct eng_guesser guesser = {.ctx = spoiler, .look = spoiler_look, .guess = spoiler_guess};
    struct eng_speculation spec;
    struct eng_writer w;
    choir_generation g;
    choir_engine *e = open_engine(f, o);
    choir_sequence *s = open_sequence(f, e, o);
    generation(&g, x, o);
    for (int i = 0; i < PACE_KINDS; i++) {
        guesser.likely[i] = 0.99;
    }
    assert_int_equal(eng_writer_open(&w, s, &g, NULL), CHOIR_OK);
    eng_speculation_open(&spec, s, &guesser, 7);
    bool ended = false;
    while (!ended) {
        eng_speculation_guess(&spec, &w);
        while (choir_sequence_computed(s) < (spec.n_guesses > 0 ? spec.n_base + 1 : choir_sequence_length(s))) {
            assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
        }
        if (!w.prompt_ended) {
            eng_writer_prompt_end(&w);
        }
        assert_int_equal(eng_speculation_check(&spec, &w, 1000000, &ended, NULL), CHOIR_OK);
    }
    eng_writer_end(&w, CHOIR_OK);
    x->result = w.result;
    look_back(x, s, f->vocab);
    eng_speculation_close(&spec);
    eng_writer_close(&w);
    choir_sequence_close(s);
    choir_engine_close(e);
}

static const struct setting settings[] = {
    {1, 16, 8, 512, "f16", 0, 1, 1, 60, 0},      {2, 16, 8, 512, "f16", 0.8f, 1, 2, 60, 0},
    {2, 1, 8, 512, "f32", 0.8f, 1.3f, 3, 60, 0}, {3, 64, 5, 512, "q8_0", 1.5f, 1, 4, 33, 0},
    {2, 16, 8, 3, "f16", 0, 1.2f, 5, -1, 0},     {2, 4, 2, 512, "q8_0", 0.7f, 1, 6, -1, 0},
    {1, 16, 8, 512, "f16", 0.8f, 1, 7, 60, 13},  {1, 16, 8, 512, "f16", 0, 1, 8, 1, 0},
};

/* Right, wrong, and mixed guesses, on every kind of cache: text, log-probabilities and the sequence left behind are the same to
 * the bit. */
static void test_any_guesser(void **state)
{
    const struct fixture *f = *state;
    static struct text plain, guessed;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        write_plain(&plain, f, &settings[i]);
        assert_true(plain.n > 0);
        for (uint32_t spoilt = 0; spoilt <= 8; spoilt += 2) {
            struct spoiler spoiler = {.truth = &plain, .random = 77 + i, .spoilt = spoilt, .vocab = f->vocab};
            write_guessed(&guessed, f, &settings[i], &spoiler);
            check_same(&plain, &guessed);
            if (spoilt == 0 && plain.n > 20) {
                assert_true(guessed.result.n_guesses_kept > plain.n / 3);
                assert_in_range(guessed.result.n_guesses_kept, guessed.result.n_guessed - 7, guessed.result.n_guessed);
            }
        }
    }
}

/* n-grams of the text itself, through the public call. */
static void test_ngrams(void **state)
{
    const struct fixture *f = *state;
    static struct text plain, guessed;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        write_plain(&plain, f, &settings[i]);
        choir_generation g;
        choir_engine *e = open_engine(f, &settings[i]);
        choir_sequence *s = open_sequence(f, e, &settings[i]);
        generation(&g, &guessed, &settings[i]);
        g.speculate = 7;
        assert_int_equal(choir_generate(&guessed.result, s, &g, NULL), CHOIR_OK);
        look_back(&guessed, s, f->vocab);
        check_same(&plain, &guessed);
        choir_sequence_close(s);
        choir_engine_close(e);
    }
}

/* A model without a tokenizer cannot be compared; one with the same tokens can, and guesses all that it would say itself. */
static void test_draft(void **state)
{
    const struct fixture *f = *state;
    static struct text x;
    choir_model_options mo;
    choir_model *model;
    choir_engine *e, *draft;
    choir_engine_options eo;
    choir_sequence *s;
    choir_sampling sampling;
    choir_generation g;
    choir_error err;
    choir_engine *without = open_engine(f, &settings[0]);
    choir_model_options_default(&mo);
    choir_engine_options_default(&eo);
    choir_sampling_default(&sampling);
    assert_int_equal(choir_model_open(&model, &mo, NULL), CHOIR_OK); /* the built-in one */
    eo.ctx_size = CTX;
    eo.max_logits = 9;
    assert_int_equal(choir_engine_open(&e, model, &eo, NULL), CHOIR_OK);
    assert_int_equal(choir_engine_open(&draft, model, &eo, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(s, f->prompt, N_PROMPT, NULL), CHOIR_OK);
    choir_generation_default(&g);
    g.speculate = 8;
    g.draft = without;
    assert_int_equal(choir_generate(&x.result, s, &g, &err), CHOIR_USAGE);
    assert_non_null(strstr(err.msg, "has no tokenizer to compare"));
    g.draft = draft;
    g.max_tokens = 80;
    assert_int_equal(choir_generate(&x.result, s, &g, &err), CHOIR_OK);
    assert_true(x.result.n_guessed > 0);
    assert_int_equal(x.result.n_guesses_kept, x.result.n_guessed);
    choir_sequence_close(s);
    choir_engine_close(draft);
    choir_engine_close(e);
    choir_engine_close(without);
    choir_model_close(model);
}

/* Log-probabilities of a prompt: rows of the steps that compute it, whatever their size. */
static void test_likely(void **state)
{
    const struct fixture *f = *state;
    choir_token_prob top[4];
    double sum, log_prob;
    struct setting o = settings[0];
    choir_engine *e = open_engine(f, &o);
    choir_sequence *s = open_sequence(f, e, &o);
    choir_error err;
    assert_int_equal(choir_sequence_likely(top, 4, s, 0, 0, NULL, &err), CHOIR_USAGE);
    assert_string_equal(err.msg, "there are no logits for position 0");
    while (choir_sequence_computed(s) < N_PROMPT) {
        assert_int_equal(choir_engine_step(e, &s, 1, NULL), CHOIR_OK);
    }
    const float *logits = choir_sequence_logits(s);
    sum = 0;
    for (int32_t id = 0; id < f->vocab; id++) {
        assert_int_equal(choir_sequence_likely(top, 4, s, N_PROMPT - 1, id, &log_prob, NULL), CHOIR_OK);
        sum += exp(log_prob);
        int better = 0; /* of the first four, by counting */
        for (int32_t other = 0; other < f->vocab; other++) {
            better += logits[other] > logits[id] || (logits[other] == logits[id] && other < id) ? 1 : 0;
        }
        if (better < 4) {
            assert_int_equal(top[better].id, id);
            assert_true(top[better].log_prob == log_prob);
        }
    }
    assert_true(fabs(sum - 1) < 1e-6);
    assert_int_equal(choir_sequence_likely(top, 4, s, N_PROMPT - 1, f->vocab, NULL, &err), CHOIR_USAGE);
    choir_sequence_close(s);
    choir_engine_close(e);
}

int main(void)
{
    static char whole_past[] = "gqa_wide", windows[] = "window";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ngrams_longest),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_dear),
        {"any_guesser", test_any_guesser, set_up, tear_down, whole_past},
        {"any_guesser in windows", test_any_guesser, set_up, tear_down, windows},
        {"ngrams", test_ngrams, set_up, tear_down, whole_past},
        {"ngrams in windows", test_ngrams, set_up, tear_down, windows},
        {"draft", test_draft, set_up, tear_down, whole_past},
        {"likely", test_likely, set_up, tear_down, whole_past},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
