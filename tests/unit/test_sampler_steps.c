/* Each step of the sampler alone, against the plain implementation, on random candidates. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/sampler_steps.h"
#include "tests/support/plain_sampler.h"

struct pair {
    struct smp_cand cands[PLAIN_MAX], scratch[PLAIN_MAX];
    double row[PLAIN_MAX];
    float logits[PLAIN_MAX];
    struct smp_set set;
    struct plain plain;
};

/* The same random candidates for both; sorted: the set has been through top_k before. */
static void make_pair(struct pair *t, int32_t n, bool ties, bool sorted, uint64_t *state)
{
    plain_random_logits(t->logits, n, ties, state);
    t->plain.n = n;
    for (int32_t i = 0; i < n; i++) {
        t->row[i] = (double)t->logits[i];
        t->plain.id[i] = i;
        t->plain.logit[i] = t->row[i];
    }
    t->set = (struct smp_set){.cands = t->cands};
    smp_gather(&t->set, t->row, n, n);
    assert_int_equal(t->set.n, n);
    if (sorted) {
        smp_top_k(&t->set, n > 1 ? n - 1 : 1);
        plain_top_k(&t->plain, n > 1 ? n - 1 : 1);
        assert_true(t->set.sorted);
    }
}

static int by_id(const void *a, const void *b)
{
    const struct smp_cand *x = a;
    const struct smp_cand *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Same candidates with the same logits; and where the set says it is sorted, it is. */
static void same_candidates(struct pair *t)
{
    assert_int_equal(t->set.n, t->plain.n);
    plain_sort(&t->plain);
    if (t->set.sorted) {
        for (int32_t i = 0; i < t->set.n; i++) {
            assert_int_equal(t->set.cands[i].id, t->plain.id[i]);
        }
    }
    qsort(t->set.cands, (size_t)t->set.n, sizeof t->set.cands[0], by_id);
    for (int32_t i = 0; i < t->plain.n; i++) {
        struct smp_cand key = {.id = t->plain.id[i]};
        const struct smp_cand *c = bsearch(&key, t->set.cands, (size_t)t->set.n, sizeof key, by_id);
        assert_non_null(c);
        assert_true(c->logit == t->plain.logit[i]);
    }
}

typedef void (*both_fn)(struct pair *t, uint64_t *state);

static void both_top_k(struct pair *t, uint64_t *state)
{
    int32_t k = 1 + (int32_t)plain_random(state, (uint32_t)t->plain.n + 3);
    smp_top_k(&t->set, k);
    plain_top_k(&t->plain, k);
}

static void both_gather(struct pair *t, uint64_t *state)
{
    int32_t n = t->plain.n;
    int32_t k = 1 + (int32_t)plain_random(state, (uint32_t)n);
    if (t->set.sorted) {
        return; /* gather has been through */
    }
    for (int32_t i = 0; n > 3 && i < n / 4; i++) { /* ban some */
        t->row[plain_random(state, (uint32_t)n)] = -INFINITY;
    }
    int32_t n_left = 0;
    for (int32_t i = 0; i < n; i++) {
        if (t->row[i] != -INFINITY) {
            t->plain.id[n_left] = i;
            t->plain.logit[n_left++] = t->row[i];
        }
    }
    t->plain.n = n_left;
    smp_gather(&t->set, t->row, n, k);
    plain_top_k(&t->plain, k);
}

static void both_top_p(struct pair *t, uint64_t *state)
{
    const double some[] = {0, 1e-9, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999999};
    double p = plain_random(state, 2) == 0 ? some[plain_random(state, 8)] : plain_random_unit(state);
    smp_top_p(&t->set, p);
    plain_top_p(&t->plain, p);
}

static void both_min_p(struct pair *t, uint64_t *state)
{
    const double some[] = {1e-30, 0.001, 0.05, 0.5, 1};
    double p = plain_random(state, 2) == 0 ? some[plain_random(state, 5)] : plain_random_unit(state) + 1e-9;
    smp_min_p(&t->set, p);
    plain_min_p(&t->plain, p);
}

static void both_typical(struct pair *t, uint64_t *state)
{
    const double some[] = {0, 0.2, 0.5, 0.9, 0.99};
    double p = plain_random(state, 2) == 0 ? some[plain_random(state, 5)] : plain_random_unit(state);
    smp_typical(&t->set, p, t->scratch);
    plain_typical(&t->plain, p);
}

static void both_temperature(struct pair *t, uint64_t *state)
{
    double temp = 0.01 + 3 * plain_random_unit(state);
    smp_temperature(&t->set, temp);
    plain_temperature(&t->plain, temp);
}

static void both_penalties(struct pair *t, uint64_t *state)
{
    int32_t counts[PLAIN_MAX] = {0};
    int32_t history[100];
    int32_t n_history = (int32_t)plain_random(state, 100);
    uint32_t n_ids = 1 + plain_random(state, PLAIN_MAX);
    for (int32_t i = 0; i < n_history; i++) {
        history[i] = (int32_t)plain_random(state, n_ids);
        counts[history[i]]++;
    }
    const choir_sampling o = {
        .repeat_penalty = 1.3f, .frequency_penalty = 0.25f, .presence_penalty = -0.5f, .repeat_last_n = -1};
    const struct smp_penalty p = {(double)o.repeat_penalty, (double)o.presence_penalty, (double)o.frequency_penalty};
    smp_penalties(&t->set, counts, &p);
    plain_penalties(&t->plain, history, n_history, &o);
}

/* Ten sizes, with and without ties, sorted before or not. */
static void compare(both_fn both, bool ties_too)
{
    const int32_t sizes[] = {1, 2, 3, 5, 17, 64, 100, 301, 512, 800};
    struct pair *t = calloc(1, sizeof *t);
    assert_non_null(t);
    uint64_t state = 0x1234567887654321u;
    for (int round = 0; round < 40; round++) {
        for (size_t i = 0; i < 10 && (sizes[i] <= 300 || round < 8); i++) {
            for (int ties = 0; ties <= (ties_too ? 1 : 0); ties++) {
                make_pair(t, sizes[i], ties != 0, round % 2 != 0, &state);
                both(t, &state);
                same_candidates(t);
            }
        }
    }
    free(t);
}

static void step_gather(void **state)
{
    (void)state;
    compare(both_gather, true);
}

static void step_top_k(void **state)
{
    (void)state;
    compare(both_top_k, true);
}

static void step_top_p(void **state)
{
    (void)state;
    compare(both_top_p, true);
}

static void step_min_p(void **state)
{
    (void)state;
    compare(both_min_p, false); /* a tie with the border would hang on the last bit of exp */
}

static void step_typical(void **state)
{
    (void)state;
    compare(both_typical, false); /* libm's rounding decides ties between different logits */
}

static void step_temperature(void **state)
{
    (void)state;
    compare(both_temperature, true);
}

static void step_penalties(void **state)
{
    (void)state;
    compare(both_penalties, true);
}

/* Equal weights make shares exact: top_p stops when it has reached p, typical when it has passed it; ties go to the
 * lower id. */
static void exact_shares(void **state)
{
    (void)state;
    const double row[] = {1, 1, 1, 1};
    struct smp_cand cands[4];
    struct smp_cand scratch[4];
    for (int sorted = 0; sorted < 2; sorted++) {
        for (int typical = 0; typical < 2; typical++) {
            struct smp_set set = {.cands = cands};
            smp_gather(&set, row, 4, 4);
            set.sorted = sorted != 0; /* equal ones in order of their ids: it is */
            if (typical) {
                smp_typical(&set, 0.5, scratch);
            } else {
                smp_top_p(&set, 0.5);
            }
            assert_int_equal(set.n, typical ? 3 : 2);
            for (int32_t i = 0; i < set.n; i++) {
                assert_int_equal(set.cands[i].id, i);
            }
        }
    }
}

/* The running sum has to pass u, not to reach it: with two equal candidates 0.5 is the second one's. */
static void pick_passes_its_share(void **state)
{
    (void)state;
    const double row[] = {3, 3};
    const double u[] = {0, 0.49999, 0.5, 0.99999};
    const int32_t want[] = {0, 0, 1, 1};
    for (int i = 0; i < 8; i++) {
        struct smp_cand cands[2];
        struct smp_set set = {.cands = cands};
        smp_gather(&set, row, 2, 2);
        set.sorted = i >= 4;
        assert_int_equal(smp_pick(&set, u[i % 4]), want[i % 4]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_gather),    cmocka_unit_test(step_top_k),   cmocka_unit_test(step_top_p),
        cmocka_unit_test(step_min_p),     cmocka_unit_test(step_typical), cmocka_unit_test(step_temperature),
        cmocka_unit_test(step_penalties), cmocka_unit_test(exact_shares), cmocka_unit_test(pick_passes_its_share),
    };
    return cmocka_run_group_tests_name("sampler_steps", tests, NULL, NULL);
}
