/* Processor levels; cores and memory, on this machine and on made-up trees of /proc and /sys. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cpu.h"
#include "base/machine.h"

static void test_level_names(void **state)
{
    (void)state;
    for (int l = 0; l < BASE_CPU_COUNT; l++) {
        assert_int_equal(base_cpu_level_by_name(base_cpu_level_name((base_cpu_level)l)), l);
    }
    assert_string_equal(base_cpu_level_name(BASE_CPU_AVX2), "avx2");
    assert_int_equal(base_cpu_level_by_name("AVX2"), BASE_CPU_COUNT);
    assert_int_equal(base_cpu_level_by_name(""), BASE_CPU_COUNT);
    assert_int_equal(base_cpu_level_by_name("avx"), BASE_CPU_COUNT);
}

static void test_cap(void **state)
{
    (void)state;
    base_cpu_level best = base_cpu_detect();
    assert_int_equal(base_cpu_cap(best), best);
    assert_int_equal(base_cpu_cap(BASE_CPU_REFERENCE), BASE_CPU_REFERENCE);
    for (int l = 0; l < BASE_CPU_COUNT; l++) {
        base_cpu_level got = base_cpu_cap((base_cpu_level)l);
        assert_true((int)got <= l && (got <= best || got == BASE_CPU_AVX512BF16));
    }
#if defined(__x86_64__)
    assert_int_equal(base_cpu_cap(BASE_CPU_I8MM), BASE_CPU_REFERENCE);
    __builtin_cpu_init();
    base_cpu_level most = base_cpu_cap(BASE_CPU_AVX512BF16);
    bool slow = most == BASE_CPU_AVX512BF16 && !__builtin_cpu_is("amd"); /* left out unless asked for */
    assert_true(best == (slow ? BASE_CPU_AVX512 : most));
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    assert_int_equal(base_cpu_cap(BASE_CPU_AVX2) == BASE_CPU_AVX2, avx2);
    bool avx512 = __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw");
    assert_int_equal(base_cpu_cap(BASE_CPU_AVX512) == BASE_CPU_AVX512, avx512);
#elif defined(__aarch64__)
    assert_int_equal(base_cpu_cap(BASE_CPU_AVX512), BASE_CPU_REFERENCE);
    assert_true(best >= BASE_CPU_NEON);
#endif
}

static void test_model_name(void **state)
{
    (void)state;
    char name[64];
    base_cpu_model_name(name, (int)sizeof name);
    size_t n = strlen(name);
    assert_in_range(n, 1, 63);
    assert_true(name[0] != ' ' && name[n - 1] != ' ');
    char small[4] = {'x', 'x', 'x', 'x'};
    base_cpu_model_name(small, 3);
    assert_true(strlen(small) <= 2);
    assert_int_equal(small[3], 'x');
    base_cpu_model_name(small, 0);
}

static void test_this_machine(void **state)
{
    (void)state;
    assert_in_range(base_machine_cores(), 1, sysconf(_SC_NPROCESSORS_CONF));
    uint64_t room = base_machine_free_memory();
    uint64_t total = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    assert_true(room > 0 && room <= total);
    assert_in_range(base_machine_peak_memory(), 100000, total);
}

/* A folder of made-up files; every path is made below it. */
static char tree[] = "/tmp/choir-test-cpu-XXXXXX";

static int make_tree(void **state)
{
    (void)state;
    memcpy(tree + sizeof tree - 7, "XXXXXX", 6);
    return mkdtemp(tree) == NULL;
}

static int drop_tree(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", tree);
    return system(command);
}

static void put(const char *name, const char *text)
{
    char path[512];
    int n = snprintf(path, sizeof path, "%s%s", tree, name);
    for (int i = (int)strlen(tree) + 1; i < n; i++) {
        if (path[i] == '/') {
            path[i] = '\0';
            (void)mkdir(path, 0700);
            path[i] = '/';
        }
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_no_groups(void **state)
{
    (void)state;
    assert_int_equal(base_machine_quota_cores(tree), INT_MAX);
    assert_true(base_machine_group_room(tree) == UINT64_MAX);
    put("/proc/self/cgroup", "garbage\n::\n1\n:\n0::/x\n");
    assert_int_equal(base_machine_quota_cores(tree), INT_MAX);
    assert_true(base_machine_group_room(tree) == UINT64_MAX);
}

static void test_v2_ancestors(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/a/cpu.max", "250000 100000\n");
    assert_int_equal(base_machine_quota_cores(tree), 3);
    put("/sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
    assert_int_equal(base_machine_quota_cores(tree), 1);

    put("/sys/fs/cgroup/a/b/memory.max", "max\n");
    assert_true(base_machine_group_room(tree) == UINT64_MAX);
    put("/sys/fs/cgroup/a/memory.max", "1000000\n");
    put("/sys/fs/cgroup/a/memory.current", "700000\n");
    assert_int_equal(base_machine_group_room(tree), 300000);
    put("/sys/fs/cgroup/a/memory.stat", "anon 1\ninactive_file 100000\nfile 7\nactive_file 50000\n");
    assert_int_equal(base_machine_group_room(tree), 450000);
    put("/sys/fs/cgroup/a/memory.high", "800000\n");
    assert_int_equal(base_machine_group_room(tree), 250000);
    put("/sys/fs/cgroup/a/memory.current", "2000000\n");
    assert_int_equal(base_machine_group_room(tree), 0);
}

static void test_container_root(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/host/path/that/is/not/here\n");
    put("/sys/fs/cgroup/cpu.max", "400000 100000\n");
    put("/sys/fs/cgroup/memory.max", "5000\n");
    assert_int_equal(base_machine_quota_cores(tree), 4);
    assert_int_equal(base_machine_group_room(tree), 5000);
}

static void test_v1_and_hybrid(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "4:memory:/m\n2:cpuacct,cpu:/c\n1:cpuset:/\n0::/u\n");
    put("/sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu/c/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/memory/m/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(base_machine_quota_cores(tree), INT_MAX);
    assert_true(base_machine_group_room(tree) == UINT64_MAX);
    put("/sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "150000\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9000\n");
    put("/sys/fs/cgroup/memory/memory.usage_in_bytes", "8000\n");
    put("/sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 600\ntotal_active_file 30\n");
    assert_int_equal(base_machine_quota_cores(tree), 2);
    assert_int_equal(base_machine_group_room(tree), 1630);
    put("/sys/fs/cgroup/unified/u/cpu.max", "1 100000\n");
    assert_int_equal(base_machine_quota_cores(tree), 1);
}

static void test_counters(void **state)
{
    (void)state;
    struct base_machine_counters c;
    base_machine_count(&c, tree);
    assert_true(c.ticks == 0 && c.stolen_ticks == 0 && c.waited_ns == 0 && c.throttled == 0 && c.mhz == 0);
    put("/proc/stat", "cpu  1 2 3 4 5 6 7 80 900 900\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
    put("/proc/self/schedstat", "123 4567 89\n");
    put("/proc/cpuinfo", "processor\t: 0\ncpu MHz\t\t: 2300.250\ncache size\t: 1 KB\n");
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/sys/fs/cgroup/a/b/cpu.stat", "usage_usec 5\nnr_periods 40\nnr_throttled 3\n");
    put("/sys/fs/cgroup/a/cpu.stat", "nr_periods 40\nnr_throttled 17\nthrottled_usec 9\n");
    base_machine_count(&c, tree);
    assert_int_equal(c.ticks, 108);
    assert_int_equal(c.stolen_ticks, 80);
    assert_int_equal(c.waited_ns, 4567);
    assert_int_equal(c.throttled, 17);
    assert_true(c.mhz == 2300);
    put("/proc/self/cgroup", "1:cpu,cpuacct:/\n0::/\n");
    put("/sys/fs/cgroup/cpu/cpu.stat", "nr_periods 0\nnr_throttled 2\nthrottled_time 0\n");
    base_machine_count(&c, tree);
    assert_int_equal(c.throttled, 2);
    put("/proc/stat", "nonsense");
    put("/proc/self/schedstat", "1");
    base_machine_count(&c, tree);
    assert_true(c.ticks == 0 && c.stolen_ticks == 0 && c.waited_ns == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_level_names),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_model_name),
        cmocka_unit_test(test_this_machine),
        cmocka_unit_test_setup_teardown(test_no_groups, make_tree, drop_tree),
        cmocka_unit_test_setup_teardown(test_v2_ancestors, make_tree, drop_tree),
        cmocka_unit_test_setup_teardown(test_container_root, make_tree, drop_tree),
        cmocka_unit_test_setup_teardown(test_v1_and_hybrid, make_tree, drop_tree),
        cmocka_unit_test_setup_teardown(test_counters, make_tree, drop_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
