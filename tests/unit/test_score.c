/* Logits of several positions of a step, and the scores made of them: compared with a sequence that is computed a token at a
 * time, and with plain sums in long double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choir.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"

enum { N_IDS = 60, VOCAB = 70 };

struct fixture {
    struct golden golden;
    char dir[TINY_PATH];
    choir_model *model;
    int32_t ids[N_IDS];
    float want[N_IDS][VOCAB]; /* logits after each token */
};

static choir_engine *open_engine(const struct fixture *f, int n_seqs, int batch, int max_logits, int n_threads)
{
    choir_engine_options opt;
    choir_engine_options_default(&opt);
    opt.n_seqs = n_seqs;
    opt.batch = batch;
    opt.ctx_size = 64;
    opt.n_threads = n_threads;
    opt.max_logits = max_logits;
    choir_engine *e;
    assert_int_equal(choir_engine_open(&e, f->model, &opt, NULL), CHOIR_OK);
    return e;
}

static choir_sequence *open_sequence(choir_engine *e, const int32_t *ids, int n)
{
    choir_sampling sampling;
    choir_sampling_default(&sampling);
    choir_sequence *s;
    assert_int_equal(choir_sequence_open(&s, e, &sampling, NULL), CHOIR_OK);
    assert_int_equal(choir_sequence_append(s, ids, (size_t)n, NULL), CHOIR_OK);
    return s;
}

static void step(choir_engine *e, choir_sequence *const *seqs, int n)
{
    assert_int_equal(choir_engine_step(e, seqs, n, NULL), CHOIR_OK);
}

/* Row after each token, a token at a time. */
static void fill_want(struct fixture *f)
{
    choir_engine *e = open_engine(f, 1, 1, 0, 1);
    choir_sequence *s = open_sequence(e, f->ids, 0);
    for (int i = 0; i < N_IDS; i++) {
        assert_int_equal(choir_sequence_append(s, &f->ids[i], 1, NULL), CHOIR_OK);
        step(e, &s, 1);
        memcpy(f->want[i], choir_sequence_logits(s), sizeof f->want[i]);
    }
    choir_sequence_close(s);
    choir_engine_close(e);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    golden_load(&f->golden, "gqa_wide");
    tiny_dir_make(f->dir);
    golden_write_hf(&f->golden, f->dir, DTYPE_F16);
    choir_model_options opt;
    choir_model_options_default(&opt);
    opt.path = f->dir;
    opt.text_optional = true;
    assert_int_equal(choir_model_open(&f->model, &opt, NULL), CHOIR_OK);
    for (int i = 0; i < N_IDS; i++) {
        f->ids[i] = i * 11 % VOCAB;
    }
    fill_want(f);
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

/* Steps s to its end; every row from `from` on is met once and is right, no other is there.  Returns the steps. */
static int walk(const struct fixture *f, choir_engine *e, choir_sequence *s, int from)
{
    int n_steps = 0;
    while (choir_sequence_computed(s) < choir_sequence_length(s)) {
        int before = choir_sequence_computed(s);
        step(e, &s, 1);
        int now = choir_sequence_computed(s);
        assert_true(now > before);
        for (int pos = 0; pos < N_IDS; pos++) {
            const float *row = choir_sequence_logits_at(s, pos);
            bool last = pos == N_IDS - 1 && now == N_IDS;
            bool there = pos >= before && pos < now && (pos >= from || last);
            assert_int_equal(row != NULL, there);
            if (there) {
                assert_memory_equal(row, f->want[pos], sizeof f->want[pos]);
            }
        }
        n_steps++;
    }
    assert_memory_equal(choir_sequence_logits(s), f->want[N_IDS - 1], sizeof f->want[0]);
    return n_steps;
}

static void every_wanted_row_is_met_once(void **state)
{
    const struct fixture *f = *state;
    static const int batches[] = {1, 7, 60}, rows[] = {0, 1, 5, 60}, froms[] = {0, 1, 30, 58, 59, 200};
    for (int b = 0; b < 3; b++) {
        for (int r = 0; r < 4; r++) {
            choir_engine *e = open_engine(f, 1, batches[b], rows[r], 2);
            choir_sequence *s = open_sequence(e, f->ids, N_IDS);
            for (int i = 0; i < 6; i++) {
                choir_sequence_truncate(s, 0);
                choir_sequence_want_logits(s, froms[i]);
                assert_int_equal(choir_sequence_append(s, f->ids, choir_sequence_length(s) ? 0 : N_IDS, NULL), 0);
                walk(f, e, s, froms[i]);
            }
            choir_sequence_close(s);
            choir_engine_close(e);
        }
    }
}

static void a_step_gives_all_it_has_room_for(void **state)
{
    const struct fixture *f = *state;
    choir_engine *e = open_engine(f, 1, 60, 20, 2);
    choir_engine_info info;
    choir_engine_describe(e, &info);
    assert_int_equal(info.max_logits, 20);
    choir_sequence *s = open_sequence(e, f->ids, N_IDS);
    choir_sequence_want_logits(s, 30);
    assert_int_equal(walk(f, e, s, 30), 2); /* 30 + 20, then 10 */
    choir_sequence_close(s);
    choir_engine_close(e);
}

static void rows_go_with_truncation_and_with_the_next_step(void **state)
{
    const struct fixture *f = *state;
    choir_engine *e = open_engine(f, 2, 60, 60, 2);
    choir_sequence *two[2] = {open_sequence(e, f->ids, N_IDS), open_sequence(e, f->ids, 9)};
    choir_sequence_want_logits(two[0], 10);
    step(e, two, 1);
    assert_non_null(choir_sequence_logits_at(two[0], 40));
    assert_null(choir_sequence_logits_at(two[0], 9));
    assert_null(choir_sequence_logits_at(two[0], -1));
    choir_sequence_truncate(two[0], 30);
    assert_null(choir_sequence_logits_at(two[0], 30));
    assert_memory_equal(choir_sequence_logits_at(two[0], 29), f->want[29], sizeof f->want[0]);
    assert_int_equal(choir_sequence_append(two[0], f->ids, 20, NULL), CHOIR_OK);
    assert_null(choir_sequence_logits_at(two[0], 35)); /* another token stands there now */
    step(e, &two[1], 1);
    assert_null(choir_sequence_logits_at(two[0], 29));
    assert_non_null(choir_sequence_logits_at(two[1], 8));
    choir_sequence_close(two[0]);
    choir_sequence_close(two[1]);
    choir_engine_close(e);
}

static void sequences_share_the_rows_of_a_step(void **state)
{
    const struct fixture *f = *state;
    choir_engine *e = open_engine(f, 2, 60, 8, 2);
    choir_sequence *two[2] = {open_sequence(e, f->ids, 20), open_sequence(e, f->ids, 20)};
    int met[2] = {0, 0};
    choir_sequence_want_logits(two[0], 14);
    choir_sequence_want_logits(two[1], 0);
    while (choir_sequence_computed(two[0]) < 20 || choir_sequence_computed(two[1]) < 20) {
        step(e, two, 2);
        for (int s = 0; s < 2; s++) {
            for (int pos = 0; pos < 20; pos++) {
                const float *row = choir_sequence_logits_at(two[s], pos);
                if (row != NULL) {
                    assert_memory_equal(row, f->want[pos], sizeof f->want[pos]);
                    met[s]++;
                }
            }
        }
    }
    assert_int_equal(met[0], 6);
    assert_int_equal(met[1], 20);
    choir_sequence_close(two[0]);
    choir_sequence_close(two[1]);
    choir_engine_close(e);
}

static long double plain_log_prob(const float *row, int id)
{
    long double sum = 0, max = row[0];
    for (int i = 1; i < VOCAB; i++) {
        max = row[i] > max ? (long double)row[i] : max;
    }
    for (int i = 0; i < VOCAB; i++) {
        sum += expl((long double)row[i] - max);
    }
    return (long double)row[id] - max - logl(sum);
}

static int plain_best(const float *row)
{
    int best = 0;
    for (int i = 1; i < VOCAB; i++) {
        best = row[i] > row[best] ? i : best;
    }
    return best;
}

static long double plain_divergence(const float *base, const float *row)
{
    long double sum = 0;
    for (int i = 0; i < VOCAB; i++) {
        long double b = plain_log_prob(base, i);
        sum += expl(b) * (b - plain_log_prob(row, i));
    }
    return sum;
}

static void scores_are_those_of_plain_sums(void **state)
{
    const struct fixture *f = *state;
    choir_score one[N_IDS], three[N_IDS], self[N_IDS];
    float base[N_IDS][VOCAB];
    for (int i = 0; i < N_IDS * VOCAB; i++) {
        base[i / VOCAB][i % VOCAB] = f->want[i / VOCAB][i % VOCAB] + (float)(i % 17) / 16 - (i % 5 == 0 ? 100.0f : 0);
    }
    for (int threads = 1; threads <= 3; threads += 2) {
        choir_engine *e = open_engine(f, 1, 60, 60, threads);
        choir_sequence *s = open_sequence(e, f->ids, N_IDS);
        choir_sequence_want_logits(s, 0);
        step(e, &s, 1);
        assert_int_equal(choir_sequence_score(threads == 1 ? one : three, s, 0, N_IDS, f->ids, base[0], NULL),
                         CHOIR_OK);
        assert_int_equal(choir_sequence_score(self, s, 0, N_IDS, f->ids, f->want[0], NULL), CHOIR_OK);
        choir_sequence_close(s);
        choir_engine_close(e);
    }
    assert_memory_equal(one, three, sizeof one);
    for (int i = 0; i < N_IDS; i++) {
        assert_true(fabsl(plain_log_prob(f->want[i], f->ids[i]) - one[i].log_prob) < 1e-6);
        assert_true(fabsl(plain_log_prob(base[i], f->ids[i]) - one[i].base_log_prob) < 1e-6);
        assert_true(fabsl(plain_divergence(base[i], f->want[i]) - one[i].divergence) < 1e-6);
        assert_int_equal(one[i].best, plain_best(f->want[i]));
        assert_int_equal(one[i].base_best, plain_best(base[i]));
        assert_true(self[i].divergence == 0 && self[i].best == self[i].base_best);
    }
}

static void scores_without_a_base(void **state)
{
    const struct fixture *f = *state;
    choir_engine *e = open_engine(f, 1, 60, 60, 2);
    choir_sequence *s = open_sequence(e, f->ids, N_IDS);
    choir_score score;
    choir_sequence_want_logits(s, 50);
    step(e, &s, 1);
    assert_int_equal(choir_sequence_score(&score, s, 55, 1, &f->ids[56], NULL, NULL), CHOIR_OK);
    assert_true(fabsl(plain_log_prob(f->want[55], f->ids[56]) - score.log_prob) < 1e-6);
    assert_true(score.divergence == 0 && score.base_log_prob == 0 && score.base_best == 0);
    choir_sequence_close(s);
    choir_engine_close(e);
}

static void equal_logits_go_to_the_lower_id(void **state)
{
    const struct fixture *f = *state;
    choir_engine *e = open_engine(f, 1, 60, 60, 2);
    choir_sequence *s = open_sequence(e, f->ids, 1);
    float base[VOCAB];
    for (int at = 0; at < VOCAB; at++) {
        for (int i = 0; i < VOCAB; i++) {
            base[i] = i >= at ? 3.0f : -3.0f;
        }
        choir_sequence_truncate(s, 0);
        if (choir_sequence_length(s) == 0) {
            assert_int_equal(choir_sequence_append(s, f->ids, 1, NULL), CHOIR_OK);
        }
        choir_score score;
        step(e, &s, 1);
        assert_int_equal(choir_sequence_score(&score, s, 0, 1, f->ids, base, NULL), CHOIR_OK);
        assert_int_equal(score.base_best, at);
    }
    choir_sequence_close(s);
    choir_engine_close(e);
}

static void what_cannot_be_scored_is_refused(void **state)
{
    const struct fixture *f = *state;
    choir_engine *e = open_engine(f, 1, 60, 60, 2);
    choir_sequence *s = open_sequence(e, f->ids, N_IDS);
    choir_score scores[N_IDS];
    choir_error err;
    int32_t wrong[2] = {VOCAB, -1};
    float base[VOCAB] = {0};
    choir_sequence_want_logits(s, 50);
    assert_int_equal(choir_sequence_score(scores, s, 50, 1, f->ids, NULL, &err), CHOIR_USAGE); /* not stepped */
    step(e, &s, 1);
    assert_int_equal(choir_sequence_score(scores, s, 49, 2, f->ids, NULL, &err), CHOIR_USAGE);
    assert_non_null(strstr(err.msg, "positions 49 to 50"));
    assert_int_equal(choir_sequence_score(scores, s, 59, 2, f->ids, NULL, &err), CHOIR_USAGE);
    assert_int_equal(choir_sequence_score(scores, s, 50, 1, &wrong[0], NULL, &err), CHOIR_USAGE);
    assert_int_equal(choir_sequence_score(scores, s, 50, 1, &wrong[1], NULL, &err), CHOIR_USAGE);
    base[VOCAB - 1] = NAN;
    assert_int_equal(choir_sequence_score(scores, s, 50, 1, f->ids, base, &err), CHOIR_FILE);
    assert_non_null(strstr(err.msg, "position 50"));
    assert_int_equal(choir_sequence_score(scores, s, 50, 0, f->ids, NULL, &err), CHOIR_OK);
    choir_sequence_close(s);
    choir_engine_close(e);
    choir_engine_options opt;
    choir_engine_options_default(&opt);
    opt.max_logits = -1;
    assert_int_equal(choir_engine_open(&e, f->model, &opt, &err), CHOIR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wanted_row_is_met_once),
        cmocka_unit_test(a_step_gives_all_it_has_room_for),
        cmocka_unit_test(rows_go_with_truncation_and_with_the_next_step),
        cmocka_unit_test(sequences_share_the_rows_of_a_step),
        cmocka_unit_test(scores_are_those_of_plain_sums),
        cmocka_unit_test(scores_without_a_base),
        cmocka_unit_test(equal_logits_go_to_the_lower_id),
        cmocka_unit_test(what_cannot_be_scored_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
