/* Threads: every thread runs, barriers part the phases, shares cover everything once; also with far more threads than
 * cores, where barriers must sleep instead of spin. */
#define _DEFAULT_SOURCE /* usleep */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "kernels/parallel.h"
#include "kernels/probe.h"

enum { MAX_THREADS = 1024 };

struct meet {
    int n_phases;
    int n_seen[MAX_THREADS]; /* plain memory: only the barrier makes it visible */
    int value[MAX_THREADS];  /* written in one phase, read by the neighbour in the next */
    atomic_int n_wrong;
    atomic_int n_started;
    int team;
};

static void meet_often(struct par_thread *me, void *ctx)
{
    struct meet *m = ctx;
    atomic_fetch_add(&m->n_started, 1);
    m->n_seen[me->id]++;
    if (me->id == 0) {
        m->team = me->n;
    }
    for (int phase = 0; phase < m->n_phases; phase++) {
        m->value[me->id] = phase * 7 + me->id;
        par_barrier(me);
        int other = (me->id + 1 + phase) % me->n;
        if (m->value[other] != phase * 7 + other) {
            atomic_fetch_add(&m->n_wrong, 1);
        }
        par_barrier(me);
    }
    if (me->phase != 2 * (unsigned)m->n_phases) {
        atomic_fetch_add(&m->n_wrong, 1);
    }
}

static void check_meeting(int n_threads, int n_phases)
{
    static struct meet m;
    m = (struct meet){.n_phases = n_phases};
    par_run(n_threads, meet_often, &m);
    assert_in_range(m.team, 1, n_threads > 1 ? n_threads : 1);
    assert_int_equal(m.n_started, m.team);
    assert_int_equal(m.n_wrong, 0);
    for (int i = 0; i < MAX_THREADS; i++) {
        assert_int_equal(m.n_seen[i], i < m.team ? 1 : 0);
    }
}

static void test_barrier_parts_phases(void **state)
{
    (void)state;
    for (int n = 1; n <= 9; n++) {
        check_meeting(n, 200);
    }
}

static void test_many_regions(void **state)
{
    (void)state;
    for (int i = 0; i < 500; i++) {
        check_meeting(1 + i % 3, 2);
    }
}

static void test_more_threads_than_cores(void **state)
{
    (void)state;
    uint64_t begin = base_clock_ns();
    check_meeting(64, 50);
    check_meeting(MAX_THREADS, 2);
    assert_true(base_clock_ns() - begin < UINT64_C(60000000000));
}

static void test_sleepers_wake(void **state)
{
    (void)state;
    check_meeting(0, 1);
    check_meeting(-1, 1);
    check_meeting(4, 1000); /* on two cores this goes through the kernel most of the time */
}

static void test_share_covers_once(void **state)
{
    (void)state;
    static const int units[] = {1, 16, 32, 64};
    for (int n = 0; n < 300; n++) {
        for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
            for (int team = 1; team <= 17; team++) {
                int unit = units[u];
                int at = 0;
                int least = n + 1;
                int most = 0;
                for (int id = 0; id < team; id++) {
                    struct par_thread me = {.id = id, .n = team};
                    int begin;
                    int end;
                    par_share(&me, n, unit, &begin, &end);
                    assert_int_equal(begin, at);
                    assert_true(begin == n || begin % unit == 0);
                    assert_true(end >= begin);
                    int n_groups = (end - begin + unit - 1) / unit;
                    least = n_groups < least ? n_groups : least;
                    most = n_groups > most ? n_groups : most;
                    at = end;
                }
                assert_int_equal(at, n);
                assert_true(most - least <= 1);
            }
        }
    }
    struct par_thread last = {.id = 1023, .n = 1024};
    int begin;
    int end;
    par_share(&last, INT32_MAX, 16, &begin, &end);
    assert_int_equal(end, INT32_MAX);
    assert_int_equal(begin % 16, 0);
}

/* ---- loops ---- */

enum { MAX_ITEMS = 5000 };

struct sweep {
    int n_loops, n, unit, grain;
    int lazy;             /* a thread that sleeps before it begins, or -1 */
    int value[MAX_ITEMS]; /* plain memory: the loop's end makes it visible */
    atomic_int n_wrong;
    atomic_int n_late; /* loops that the lazy thread found nothing to do in */
};

/* Each loop adds 1 to every item, and checks that the loop before has added its own to another one's. */
static void sweep_often(struct par_thread *me, void *ctx)
{
    struct sweep *w = ctx;
    if (me->id == w->lazy) {
        (void)usleep(20000);
    }
    for (int loop = 0; loop < w->n_loops; loop++) {
        int begin, end, claimed = 0;
        par_loop_begin(me, w->n, w->unit, w->grain);
        while (par_loop_next(me, &begin, &end)) {
            claimed += end - begin;
            bool wrong = begin % w->unit != 0 || (end % w->unit != 0 && end != w->n) || begin >= end || end > w->n;
            for (int i = begin; i < end; i++) {
                wrong = wrong || w->value[i] != loop;
                w->value[i]++;
            }
            atomic_fetch_add(&w->n_wrong, wrong);
        }
        par_loop_end(me);
        atomic_fetch_add(&w->n_late, me->id == w->lazy && claimed == 0);
    }
}

static void check_sweep(int n_threads, struct sweep *w)
{
    memset(w->value, 0, sizeof w->value);
    atomic_store(&w->n_wrong, 0);
    atomic_store(&w->n_late, 0);
    par_run(n_threads, sweep_often, w);
    assert_int_equal(w->n_wrong, 0);
    for (int i = 0; i < MAX_ITEMS; i++) {
        assert_int_equal(w->value[i], i < w->n ? w->n_loops : 0);
    }
}

static void test_loops_do_everything_once(void **state)
{
    (void)state;
    static const int sizes[] = {0, 1, 2, 63, 64, 65, 1000, MAX_ITEMS}, units[] = {1, 4, 64}, grains[] = {1, 7, 100000};
    static struct sweep w;
    for (int threads = 0; threads <= 5; threads++) {
        for (size_t i = 0; i < 8 * 3 * 3; i++) {
            w = (struct sweep){
                .n_loops = 20, .n = sizes[i / 9], .unit = units[i / 3 % 3], .grain = grains[i % 3], .lazy = -1};
            check_sweep(threads, &w);
        }
    }
}

/* Work, not threads, is waited for: the others do a sleeping thread's shares, and it runs through what has ended. */
static void test_loops_do_not_wait_for_threads(void **state)
{
    (void)state;
    static struct sweep w;
    w = (struct sweep){.n_loops = 50, .n = MAX_ITEMS, .unit = 1, .grain = 1, .lazy = 1};
    check_sweep(3, &w);
    assert_true(w.n_late > 10);
    w.lazy = 0;
    check_sweep(64, &w);
}

/* Barriers and loops of either kind may follow one another. */
static void mix_phases(struct par_thread *me, void *ctx)
{
    struct sweep *w = ctx;
    for (int i = 0; i < w->n_loops; i++) {
        int begin, end;
        par_loop_begin(me, w->n, 1, i % 2 == 0 ? 1 : w->n);
        while (par_loop_next(me, &begin, &end)) {
            for (int j = begin; j < end; j++) {
                w->value[j]++;
            }
        }
        par_loop_end(me);
        par_barrier(me);
        if (w->value[(i * 31 + me->id) % w->n] != i + 1) {
            atomic_fetch_add(&w->n_wrong, 1);
        }
        par_barrier(me);
    }
}

static void test_loops_and_barriers(void **state)
{
    (void)state;
    static struct sweep w;
    for (int threads = 1; threads <= 6; threads++) {
        w = (struct sweep){.n_loops = 100, .n = 300};
        par_run(threads, mix_phases, &w);
        assert_int_equal(w.n_wrong, 0);
    }
}

struct late {
    int team;
};

/* All but the caller come milliseconds late, as threads do whose processor was taken away. */
static void come_late(struct par_thread *me, void *ctx)
{
    struct late *l = ctx;
    if (me->id == 0) {
        l->team = me->n;
    } else {
        usleep(5000);
    }
    par_barrier(me);
}

static void expect_team(struct par_crew *crew, int n_threads, int n_runs, int team)
{
    for (int i = 0; i < n_runs; i++) {
        struct late l = {0};
        par_run_crew(crew, n_threads, come_late, &l);
        assert_int_equal(l.team, team);
    }
}

static void test_crew_leaves_out_who_is_late(void **state)
{
    (void)state;
    struct par_crew crew = {0};
    expect_team(&crew, 2, 2, 2);
    expect_team(&crew, 2, 8, 1);
    expect_team(&crew, 2, 2, 2);
    expect_team(&crew, 2, 32, 1);
    expect_team(&crew, 2, 2, 2);
    expect_team(&crew, 1, 5, 1); /* says nothing about two */
    expect_team(&crew, 2, 128, 1);
    crew = (struct par_crew){0};
    expect_team(&crew, 8, 2, 8);
    expect_team(&crew, 8, 2, 4);
    expect_team(&crew, 8, 2, 2);
    expect_team(&crew, 8, 128, 1);
    expect_team(&crew, 8, 2, 2);
    expect_team(&crew, 8, 512, 1);
}

/* The probes run in teams, too: any level and number of threads gives a figure, odd sizes and addresses are read. */
static void test_probes(void **state)
{
    (void)state;
    static char buffer[100003];
    for (int level = 0; level < BASE_CPU_COUNT; level++) {
        base_cpu_level l = base_cpu_cap((base_cpu_level)level);
        for (int n = 1; n <= 3; n++) {
            assert_true(kern_probe_peak(DTYPE_ACT_F32, l, n, 1) > 1e6);
            assert_true(kern_probe_peak(DTYPE_ACT_Q8, l, n, 1) > 1e6);
            assert_true(kern_probe_read(buffer + 1, sizeof buffer - 1, n, l) > 0);
            assert_true(kern_probe_read(buffer, 1, n, l) < UINT64_C(10000000000));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_barrier_parts_phases),
        cmocka_unit_test(test_many_regions),
        cmocka_unit_test(test_more_threads_than_cores),
        cmocka_unit_test(test_sleepers_wake),
        cmocka_unit_test(test_share_covers_once),
        cmocka_unit_test(test_loops_do_everything_once),
        cmocka_unit_test(test_loops_do_not_wait_for_threads),
        cmocka_unit_test(test_loops_and_barriers),
        cmocka_unit_test(test_crew_leaves_out_who_is_late),
        cmocka_unit_test(test_probes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
