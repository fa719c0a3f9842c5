/* The scheduler's edges: what it refuses, what is cancelled when, callbacks that submit and cancel, a text that fails, blocks
 * that others hold, an interrupted step. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"
#include "tests/support/tiny_text.h"

enum { CTX = 64, BAD_ID = 77, CAP = 8 };

/* BAD_ID's embedding is not a number: prompts that have it fail. */
struct fixture {
    char dir[TINY_PATH];
    choir_model *model;
    choir_engine *engine;
    choir_scheduler *s;
};

/* What callbacks see, and what they do about it. */
struct heard {
    choir_scheduler *s;
    int n_done[CAP], n_pieces[CAP];
    choir_status status[CAP];
    choir_result result[CAP];
    char err[400];
    uint64_t cancel_in_stream, cancel_in_done;
    int submit_in_done; /* so many more */
    int refuse_at;      /* number of the piece that the stream refuses; 0: none */
};

static const choir_logit_bias never_bad[] = {{BAD_ID, -INFINITY}};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct golden g;
    char path[TINY_PATH];
    golden_load(&g, "quant");
    g.bad_tensor = "token_embd.weight";
    g.bad_at = (size_t)BAD_ID * (size_t)g.dim + 3;
    g.bad_value = 3e38f; /* its square is none */
    struct tiny_gguf file = golden_gguf(&g, DTYPE_F32);
    tiny_text_gguf(&file, NULL);
    tiny_dir_make(f->dir);
    tiny_gguf_write(&file, f->dir, "m.gguf");
    golden_free(&g);
    choir_model_options mo;
    choir_engine_options eo;
    choir_model_options_default(&mo);
    choir_engine_options_default(&eo);
    mo.path = tiny_path(path, f->dir, "m.gguf");
    assert_int_equal(choir_model_open(&f->model, &mo, NULL), CHOIR_OK);
    eo.ctx_size = CTX;
    eo.n_seqs = 2;
    eo.max_logits = 6;
    eo.kv_block = 4;
    eo.n_threads = 2;
    assert_int_equal(choir_engine_open(&f->engine, f->model, &eo, NULL), CHOIR_OK);
    assert_int_equal(choir_scheduler_open(&f->s, f->engine, NULL), CHOIR_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    choir_engine_info info;
    choir_scheduler_close(f->s);
    choir_engine_describe(f->engine, &info);
    assert_int_equal(info.n_free_blocks, info.n_blocks);
    choir_engine_close(f->engine);
    choir_model_close(f->model);
    tiny_dir_remove(f->dir);
    free(f);
    return 0;
}

static const int32_t prompt[] = {1, 9, 20, 31, 12, 40, 7, 15, 22, 13};

static int on_text(void *user, int32_t sample, const char *text, size_t n)
{
    struct heard *h = user;
    (void)text;
    assert_true(n > 0);
    h->n_pieces[sample]++;
    if (h->cancel_in_stream > 0) {
        assert_true(choir_scheduler_cancel(h->s, h->cancel_in_stream));
        h->cancel_in_stream = 0;
    }
    return h->n_pieces[sample] == h->refuse_at;
}

static void on_done(void *user, int32_t sample, const choir_result *result, choir_status status,
                    const choir_error *err);

static choir_request_options request_of(struct heard *h, int max_tokens)
{
    choir_request_options r;
    choir_request_options_default(&r);
    r.ids = prompt;
    r.n_ids = sizeof prompt / sizeof *prompt;
    r.sampling.ignore_eos = true;
    r.sampling.logit_bias = never_bad;
    r.sampling.n_logit_bias = 1;
    r.generation.max_tokens = max_tokens;
    r.stream = on_text;
    r.done = on_done;
    r.user = h;
    return r;
}

static uint64_t submit(struct heard *h, const choir_request_options *r)
{
    uint64_t id;
    assert_int_equal(choir_scheduler_submit(&id, h->s, r, NULL), CHOIR_OK);
    assert_true(id > 0);
    return id;
}

static void on_done(void *user, int32_t sample, const choir_result *result, choir_status status, const choir_error *err)
{
    struct heard *h = user;
    choir_error own;
    h->n_done[sample]++;
    h->status[sample] = status;
    h->result[sample] = *result;
    if (err != NULL) {
        assert_int_equal(err->code, status);
        snprintf(h->err, sizeof h->err, "%s", err->msg);
    }
    assert_int_equal(choir_scheduler_step(h->s, &own), CHOIR_USAGE);
    if (h->cancel_in_done > 0) {
        assert_true(choir_scheduler_cancel(h->s, h->cancel_in_done));
        h->cancel_in_done = 0;
    }
    if (h->submit_in_done-- > 0) {
        choir_request_options r = request_of(h, 3);
        submit(h, &r);
    }
}

static choir_scheduler_info info_of(const struct fixture *f)
{
    choir_scheduler_info info;
    choir_scheduler_describe(f->s, &info);
    return info;
}

static void step(const struct fixture *f, int n)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(choir_scheduler_step(f->s, NULL), CHOIR_OK);
    }
}

static void run_out(const struct fixture *f)
{
    while (info_of(f).n_running + info_of(f).n_waiting > 0) {
        step(f, 1);
    }
}

static void expect_refused(const struct fixture *f, const choir_request_options *r, choir_status status,
                           const char *message)
{
    uint64_t id = 7;
    choir_error err;
    assert_int_equal(choir_scheduler_submit(&id, f->s, r, &err), status);
    assert_int_equal(id, 0);
    assert_string_equal(err.msg, message);
    assert_int_equal(info_of(f).n_waiting, 0);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    struct heard h = {.s = f->s};
    int32_t ids[CTX + 1] = {0};
    choir_request_options r = request_of(&h, 5), x = r;
    x.ids = ids;
    x.n_ids = CTX + 1;
    expect_refused(f, &x, CHOIR_PROMPT, "prompt is 65 tokens, context is 64; raise --ctx-size to 66");
    x.n_ids = 0;
    expect_refused(f, &x, CHOIR_PROMPT, "prompt is empty, and the model has no token that begins a text");
    x.n_ids = 2;
    ids[1] = 96;
    expect_refused(f, &x, CHOIR_USAGE, "id 96 is not in the vocabulary (0 to 95)");
    x = r;
    x.n_samples = 0;
    expect_refused(f, &x, CHOIR_USAGE, "n_samples: 0 (1 to 65536 allowed)");
    x = r;
    x.generation.user = &h;
    expect_refused(f, &x, CHOIR_USAGE,
                   "generation.stream, generation.token and generation.user of a request: its own are meant");
    choir_sequence *seq;
    assert_int_equal(choir_sequence_open(&seq, f->engine, &r.sampling, NULL), CHOIR_OK);
    x = r;
    x.from = seq;
    expect_refused(f, &x, CHOIR_USAGE, "a request goes on from ids or from a sequence, not from both");
    x.ids = NULL;
    x.n_ids = 0;
    expect_refused(f, &x, CHOIR_PROMPT, "prompt is empty, and the model has no token that begins a text");
    choir_sequence_close(seq);
    x = r;
    x.sampling.top_p = 2;
    uint64_t id;
    assert_int_equal(choir_scheduler_submit(&id, f->s, &x, NULL), CHOIR_USAGE);
    step(f, 1); /* nothing to do */
    assert_false(choir_scheduler_cancel(f->s, 1));
    assert_int_equal(h.n_done[0], 0);
}

struct told {
    int n[CAP];
    int32_t ids[CAP][40];
    double log_prob[CAP][40];
    int end_at; /* tokens of a text after which it is refused; 0: none */
};

static int on_token(void *user, int32_t sample, const choir_token *token)
{
    struct told *x = user;
    int n = x->n[sample]++;
    x->ids[sample][n] = token->id;
    x->log_prob[sample][n] = token->log_prob;
    assert_int_equal(token->n_top, 2);
    assert_true(token->top[0].log_prob >= token->log_prob && token->top[0].log_prob >= token->top[1].log_prob);
    assert_int_equal(token->pos, (int)(sizeof prompt / sizeof *prompt) + n);
    return x->n[sample] == x->end_at;
}

/* Each text's tokens come with its own number, as choir_generate tells them; a refusal ends one text. */
static void test_tokens(void **state)
{
    struct fixture *f = *state;
    struct told together = {.n = {0}}, alone = {.n = {0}}, few = {.end_at = 4};
    choir_request_options r = request_of(NULL, 12);
    r.stream = NULL;
    r.done = NULL;
    r.token = on_token;
    r.generation.n_top = 2;
    r.n_samples = 3;
    r.user = &together;
    assert_int_equal(choir_scheduler_submit(&(uint64_t){0}, f->s, &r, NULL), CHOIR_OK);
    r.user = &few;
    assert_int_equal(choir_scheduler_submit(&(uint64_t){0}, f->s, &r, NULL), CHOIR_OK);
    run_out(f);
    r.n_samples = 1;
    for (int i = 0; i < 3; i++) {
        alone.n[0] = 0;
        r.user = &alone;
        r.sampling.choice = (uint64_t)i;
        assert_int_equal(choir_scheduler_submit(&(uint64_t){0}, f->s, &r, NULL), CHOIR_OK);
        run_out(f);
        assert_int_equal(together.n[i], 12);
        assert_int_equal(few.n[i], 4);
        assert_memory_equal(together.ids[i], alone.ids[0], 12 * sizeof(int32_t));
        assert_memory_equal(together.log_prob[i], alone.log_prob[0], 12 * sizeof(double));
        assert_memory_equal(few.ids[i], alone.ids[0], 4 * sizeof(int32_t));
    }
}

/* What is told of a prompt. */
struct prompt_told {
    const int32_t *ids;
    double log_prob[CTX];
    int n, end_at, n_done; /* tokens told, after which it is enough (0: never), texts that have ended */
    choir_status status;
};

static int on_prompt(void *user, const choir_token *token)
{
    struct prompt_told *x = user;
    x->n++;
    assert_int_equal(token->pos, x->n); /* in order, and once */
    assert_int_equal(token->id, x->ids[x->n]);
    assert_int_equal(token->n_top, 2);
    assert_true(token->top[0].log_prob >= token->log_prob && token->top[0].log_prob >= token->top[1].log_prob);
    x->log_prob[x->n] = token->log_prob;
    return x->n == x->end_at;
}

static int after_prompt(void *user, int32_t sample, const choir_token *token)
{
    const struct prompt_told *x = user;
    (void)sample;
    assert_int_equal(x->n, 49);
    assert_true(token->pos >= 50);
    return 0;
}

static void on_prompt_done(void *user, int32_t sample, const choir_result *result, choir_status status,
                           const choir_error *err)
{
    struct prompt_told *x = user;
    (void)sample, (void)result, (void)err;
    x->n_done++;
    x->status = status;
}

/* A prompt of 50 ids, told of. */
static choir_request_options told_request(struct prompt_told *x, int32_t ids[50])
{
    choir_request_options r = request_of(NULL, 5);
    for (int i = 0; i < 50; i++) {
        ids[i] = (i * 7 + 3) % BAD_ID;
    }
    *x = (struct prompt_told){.ids = ids};
    r.ids = ids;
    r.n_ids = 50;
    r.generation.n_top = 2;
    r.n_samples = 3;
    r.stream = NULL;
    r.token = after_prompt;
    r.prompt = on_prompt;
    r.done = on_prompt_done;
    r.user = x;
    return r;
}

/* The rows of logits as a sequence of one's own has them, whoever else runs, also when the prompt is put back on its way. */
static void test_prompt(void **state)
{
    struct fixture *f = *state;
    struct prompt_told told;
    int32_t ids[50];
    struct heard h = {.s = f->s};
    choir_request_options other = request_of(&h, 50), r = told_request(&told, ids);
    for (int i = 0; i < 5; i++) {
        other.sampling.choice = (uint64_t)i;
        submit(&h, &other);
    }
    submit(&h, &r);
    run_out(f);
    assert_true(info_of(f).n_preempted > 0);
    assert_int_equal(told.n, 49);
    assert_int_equal(told.n_done, 3);
    assert_int_equal(told.status, CHOIR_OK);

    choir_sequence *seq;
    assert_int_equal(choir_sequence_open(&seq, f->engine, &r.sampling, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(seq, ids, 50, NULL), CHOIR_OK);
    choir_sequence_want_logits(seq, 0);
    while (choir_sequence_computed(seq) < 49) {
        int32_t pos = choir_sequence_computed(seq);
        choir_token_prob top[2];
        double log_prob;
        assert_int_equal(choir_engine_step(f->engine, &seq, 1, NULL), CHOIR_OK);
        for (; pos < choir_sequence_computed(seq) && pos < 49; pos++) {
            assert_int_equal(choir_sequence_likely(top, 2, seq, pos, ids[pos + 1], &log_prob, NULL), CHOIR_OK);
            assert_true(log_prob == told.log_prob[pos + 1]);
        }
    }
    choir_sequence_close(seq);
}

/* Where the caller has heard enough, all its texts end; where the prompt fails, each of them tries it, but tells nothing twice. */
static void test_prompt_ends(void **state)
{
    struct fixture *f = *state;
    struct prompt_told told;
    int32_t ids[50];
    struct heard h = {.s = f->s};
    choir_request_options r = told_request(&told, ids);
    told.end_at = 8;
    submit(&h, &r);
    run_out(f);
    assert_int_equal(told.n, 8);
    assert_int_equal(told.n_done, 3);
    assert_int_equal(told.status, CHOIR_CANCELLED);
    r = told_request(&told, ids);
    ids[30] = BAD_ID;
    submit(&h, &r);
    run_out(f);
    assert_in_range(told.n, 20, 30);
    assert_int_equal(told.n_done, 3);
    assert_int_equal(told.status, CHOIR_FILE);
    r = told_request(&told, ids);
    r.token = NULL;
    expect_refused(f, &r, CHOIR_USAGE, "the tokens of a prompt are not told without those of the texts");
}

/* Everything that a request points to may go when submit returns. */
static void test_copies(void **state)
{
    struct fixture *f = *state;
    struct heard h = {.s = f->s};
    choir_request_options r = request_of(&h, 4);
    int32_t ids[] = {1, 5, 6};
    char stop[] = "zzzz";
    const char *stops[] = {stop};
    choir_logit_bias bias[] = {{BAD_ID, -INFINITY}};
    char samplers[] = "top_k;temperature";
    r.ids = ids;
    r.n_ids = 3;
    r.generation.stops = stops;
    r.generation.n_stops = 1;
    r.sampling.logit_bias = bias;
    r.sampling.samplers = samplers;
    submit(&h, &r);
    ids[1] = BAD_ID;
    stop[0] = '\0';
    stops[0] = NULL;
    bias[0] = (choir_logit_bias){BAD_ID, INFINITY};
    memset(samplers, 'x', sizeof samplers);
    run_out(f);
    assert_int_equal(h.n_done[0], 1);
    assert_int_equal(h.status[0], CHOIR_OK);
    assert_int_equal(h.result[0].n_generated, 4);
    assert_int_equal(h.result[0].finish, CHOIR_FINISH_LENGTH);
    assert_true(h.result[0].first_token_ns >= h.result[0].prompt_ns && h.result[0].prompt_ns > 0);
}

/* No token asked for; a context that fills up; nobody who listens. */
static void test_lengths(void **state)
{
    struct fixture *f = *state;
    struct heard none = {.s = f->s}, full = {.s = f->s};
    choir_request_options r = request_of(&none, 0), x = request_of(&full, -1), deaf = request_of(NULL, 6);
    deaf.stream = NULL;
    deaf.done = NULL;
    submit(&none, &r);
    submit(&full, &x);
    submit(&full, &deaf);
    run_out(f);
    assert_int_equal(none.n_done[0], 1);
    assert_int_equal(none.result[0].n_generated, 0);
    assert_int_equal(none.result[0].finish, CHOIR_FINISH_LENGTH);
    assert_false(none.result[0].context_full);
    assert_int_equal(full.n_done[0], 1);
    assert_int_equal(full.result[0].n_generated, CTX - (int)r.n_ids);
    assert_true(full.result[0].context_full);
}

static void test_cancel(void **state)
{
    struct fixture *f = *state;
    struct heard running = {.s = f->s}, waiting = {.s = f->s}, other = {.s = f->s};
    choir_request_options r = request_of(&running, 40), w = request_of(&waiting, 40), o = request_of(&other, 5);
    r.n_samples = w.n_samples = 4;
    uint64_t id = submit(&running, &r);
    step(f, 6);
    uint64_t id_waiting = submit(&waiting, &w);
    uint64_t id_other = submit(&other, &o);
    step(f, 1);
    assert_true(info_of(f).n_running > 0 && info_of(f).n_waiting > 0);
    assert_true(choir_scheduler_cancel(f->s, id_waiting));
    assert_true(choir_scheduler_cancel(f->s, id));
    assert_int_equal(running.n_done[0], 0); /* not before the next step */
    step(f, 1);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(running.n_done[i], 1);
        assert_int_equal(running.status[i], CHOIR_CANCELLED);
        assert_int_equal(running.result[i].finish, CHOIR_FINISH_CALLER);
        assert_true(running.result[i].n_generated >= 6);
        assert_int_equal(waiting.n_done[i], 1);
        assert_int_equal(waiting.status[i], CHOIR_CANCELLED);
    }
    assert_string_equal(running.err, "cancelled");
    assert_false(choir_scheduler_cancel(f->s, id));
    run_out(f);
    assert_int_equal(other.status[0], CHOIR_OK);
    assert_int_equal(other.result[0].n_generated, 5);
    assert_false(choir_scheduler_cancel(f->s, id_other));
}

/* A stream callback that cancels its own request, a done callback that cancels another, one that submits more, one that has
 * heard enough. */
static void test_callbacks(void **state)
{
    struct fixture *f = *state;
    struct heard a = {.s = f->s}, b = {.s = f->s}, c = {.s = f->s, .submit_in_done = 5},
                 d = {.s = f->s, .refuse_at = 3};
    choir_request_options ra = request_of(&a, 40), rb = request_of(&b, 40), rc = request_of(&c, 3),
                          rd = request_of(&d, 40);
    ra.n_samples = 3;
    a.cancel_in_stream = submit(&a, &ra);
    uint64_t id_b = submit(&b, &rb);
    c.cancel_in_done = id_b;
    submit(&c, &rc);
    submit(&d, &rd);
    run_out(f);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(a.n_done[i], 1);
        assert_int_equal(a.status[i], CHOIR_CANCELLED);
        assert_true(a.n_pieces[i] <= 3);
    }
    assert_int_equal(b.status[0], CHOIR_CANCELLED);
    assert_int_equal(c.n_done[0], 6);
    assert_int_equal(c.status[0], CHOIR_OK);
    assert_int_equal(d.status[0], CHOIR_OK);
    assert_int_equal(d.result[0].finish, CHOIR_FINISH_CALLER);
    assert_int_equal(d.n_pieces[0], 3);
}

/* Prompts whose logits are not numbers end, those beside them go on. */
static void test_one_fails(void **state)
{
    struct fixture *f = *state;
    struct heard good[2] = {{.s = f->s}, {.s = f->s}}, alone = {.s = f->s}, bad = {.s = f->s};
    static const int32_t bad_prompt[] = {1, 9, BAD_ID, 31};
    choir_request_options r = request_of(&alone, 20), x = request_of(&bad, 20);
    submit(&alone, &r);
    run_out(f);
    x.ids = bad_prompt;
    x.n_ids = 4;
    x.n_samples = 3;
    r.user = &good[0];
    submit(&good[0], &r);
    step(f, 3);
    submit(&bad, &x);
    r.user = &good[1];
    submit(&good[1], &r);
    run_out(f);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bad.n_done[i], 1);
        assert_int_equal(bad.status[i], CHOIR_FILE);
        assert_int_equal(bad.result[i].n_generated, 0);
    }
    assert_non_null(strstr(bad.err, "not finite"));
    assert_non_null(strstr(bad.err, "m.gguf"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(good[i].status[0], CHOIR_OK);
        assert_int_equal(good[i].result[0].n_generated, 20);
        assert_int_equal(good[i].n_pieces[0], alone.n_pieces[0]);
    }
}

/* Sequences beside the scheduler hold all blocks: said, not waited for; it goes on when they are gone. */
static void test_blocks_held(void **state)
{
    struct fixture *f = *state;
    struct heard h = {.s = f->s};
    choir_request_options r = request_of(&h, 5);
    choir_sequence *seqs[2];
    choir_sampling sampling;
    choir_error err;
    int32_t ids[CTX] = {0};
    choir_sampling_default(&sampling);
    for (int i = 0; i < 2; i++) {
        ids[0] = i;
        assert_int_equal(choir_sequence_open(&seqs[i], f->engine, &sampling, NULL), CHOIR_OK);
        assert_int_equal(choir_sequence_append(seqs[i], ids, CTX, NULL), CHOIR_OK);
        assert_int_equal(choir_engine_step(f->engine, &seqs[i], 1, NULL), CHOIR_OK);
    }
    submit(&h, &r);
    assert_int_equal(choir_scheduler_step(f->s, &err), CHOIR_RESOURCE);
    assert_string_equal(err.msg,
                        "no free block for the next request: others than the scheduler's sequences hold 32 of 32");
    choir_sequence_close(seqs[0]);
    choir_sequence_close(seqs[1]);
    run_out(f);
    assert_int_equal(h.status[0], CHOIR_OK);
    assert_int_equal(h.result[0].n_generated, 5);
}

static void test_interrupted(void **state)
{
    struct fixture *f = *state;
    struct heard h = {.s = f->s};
    choir_request_options r = request_of(&h, 12);
    r.n_samples = 2;
    submit(&h, &r);
    for (int i = 0; i < 4; i++) {
        step(f, i);
        choir_engine_cancel(f->engine);
        assert_int_equal(choir_scheduler_step(f->s, NULL), CHOIR_CANCELLED);
        choir_engine_uncancel(f->engine);
    }
    assert_int_equal(info_of(f).n_running, 2);
    run_out(f);
    assert_int_equal(h.result[1].n_generated, 12);
    assert_int_equal(h.status[1], CHOIR_OK);
}

/* What is left when the scheduler closes is freed (tear_down counts blocks, the sanitizer the rest), and nobody is told. */
static void test_close(void **state)
{
    struct fixture *f = *state;
    struct heard h = {.s = f->s};
    choir_request_options r = request_of(&h, 30);
    r.n_samples = 3;
    for (int i = 0; i < 4; i++) {
        submit(&h, &r);
        step(f, 2);
    }
    assert_true(info_of(f).n_waiting > 0);
    choir_scheduler_close(f->s);
    f->s = NULL;
    assert_int_equal(h.n_done[0], 0);
    choir_scheduler_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prompt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prompt_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_copies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lengths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_callbacks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_blocks_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_interrupted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_close, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
