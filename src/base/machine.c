/* What this process may use, read from where Linux tells it: the affinity mask, /sys topology, the control groups
 * (v1, v2, or both mounted), /proc/meminfo, resource limits.  Whatever is missing sets no limit.
 *
 * A control group counts with all its ancestors.  Inside a container the path in /proc/self/cgroup may be that of the
 * host, while /sys/fs/cgroup shows the container's own group as the root: the walk up ends at the root in either
 * case, and levels that do not exist are passed over. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_getaffinity */
#endif

#include "base/machine.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__linux__)
#include <sched.h>
#endif

enum { TEXT_CAP = 8192, PATH_CAP = 1024 };

/* ---- reading small files ------------------------------------------------------------------------------ */

/* The file's first bytes, terminated; false (and an empty text) when it cannot be read. */
static bool read_text(char text[TEXT_CAP], const char *path)
{
    size_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t got;
        while (n < TEXT_CAP - 1 && (got = read(fd, text + n, TEXT_CAP - 1 - n)) > 0) {
            n += (size_t)got;
        }
        close(fd);
    }
    text[n] = '\0';
    return n > 0;
}

/* A decimal number at s; UINT64_MAX for anything else ("max", "-1"). */
static uint64_t parse_number(const char *s)
{
    if (*s < '0' || *s > '9') {
        return UINT64_MAX;
    }
    return strtoull(s, NULL, 10);
}

/* The number behind "key" at the beginning of a line, or `missing`. */
static uint64_t field(const char *text, const char *key, uint64_t missing)
{
    size_t n = strlen(key);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) == 0 && (line[n] == ' ' || line[n] == ':')) {
            const char *s = line + n + 1;
            return parse_number(s + strspn(s, " \t"));
        }
    }
    return missing;
}

/* The number in file `name` of a group's folder. */
static uint64_t read_number(const char *folder, const char *name)
{
    char path[PATH_CAP + 64];
    char text[TEXT_CAP];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return read_text(text, path) ? parse_number(text) : UINT64_MAX;
}

/* ---- one group --------------------------------------------------------------------------------------- */

/* Processors the group's quota is worth, rounded up. */
static uint64_t group_quota(const char *folder)
{
    char path[PATH_CAP + 64];
    char text[TEXT_CAP];
    uint64_t quota = read_number(folder, "cpu.cfs_quota_us"); /* v1 */
    uint64_t period = read_number(folder, "cpu.cfs_period_us");
    (void)snprintf(path, sizeof path, "%s/cpu.max", folder);
    if (read_text(text, path)) { /* v2: "QUOTA PERIOD" or "max PERIOD" */
        const char *space = strchr(text, ' ');
        quota = parse_number(text);
        period = space != NULL ? parse_number(space + 1) : 100000;
    }
    if (quota == UINT64_MAX || period == UINT64_MAX || period == 0) {
        return UINT64_MAX;
    }
    return quota / period + (quota % period != 0);
}

/* Bytes the group may still take: its limit less what it uses, but for cached file pages, which the kernel gives up
 * without swapping. */
static uint64_t group_room(const char *folder)
{
    char path[PATH_CAP + 64];
    char text[TEXT_CAP];
    uint64_t limit = read_number(folder, "memory.max"); /* v2 */
    uint64_t high = read_number(folder, "memory.high"); /* v2: above it the group is slowed down to a crawl */
    uint64_t v1 = read_number(folder, "memory.limit_in_bytes");
    limit = high < limit ? high : limit;
    limit = v1 < limit ? v1 : limit;
    if (limit >= UINT64_C(1) << 62) { /* v1 writes "none" as a number near 2^63 */
        return UINT64_MAX;
    }
    uint64_t used = read_number(folder, "memory.current");
    used = used == UINT64_MAX ? read_number(folder, "memory.usage_in_bytes") : used;
    used = used == UINT64_MAX ? 0 : used;
    uint64_t cached = 0;
    (void)snprintf(path, sizeof path, "%s/memory.stat", folder);
    if (read_text(text, path)) { /* v1 has totals over the children beside its own */
        cached = field(text, "total_inactive_file", field(text, "inactive_file", 0)) +
                 field(text, "total_active_file", field(text, "active_file", 0));
    }
    used -= cached < used ? cached : used;
    return limit > used ? limit - used : 0;
}

/* The complement of the throttled periods: the least of these belongs to the group that was throttled most, be it an
 * ancestor whose quota it shares. */
static uint64_t group_unthrottled(const char *folder)
{
    char path[PATH_CAP + 64];
    char text[TEXT_CAP];
    (void)snprintf(path, sizeof path, "%s/cpu.stat", folder);
    return read_text(text, path) ? UINT64_MAX - field(text, "nr_throttled", 0) : UINT64_MAX;
}

/* ---- a group and its ancestors ----------------------------------------------------------------------- */

typedef uint64_t group_fn(const char *folder);

/* The smallest limit from the group `path` ("/a/b") up to the root of the hierarchy mounted at root + mount. */
static uint64_t hierarchy_least(const char *root, const char *mount, const char *path, group_fn *limit)
{
    char folder[PATH_CAP];
    int n = snprintf(folder, sizeof folder, "%s/sys/fs/cgroup%s", root, mount);
    int m = snprintf(folder + n, n < PATH_CAP ? sizeof folder - (size_t)n : 0, "%s", path);
    if (n >= PATH_CAP || n + m >= PATH_CAP) {
        return UINT64_MAX;
    }
    uint64_t least = limit(folder);
    for (int end = n + m - 1; end >= n; end--) {
        if (folder[end] == '/') {
            folder[end] = '\0';
            uint64_t here = limit(folder);
            least = here < least ? here : least;
        }
    }
    return least;
}

/* True when the comma-separated list [s, end) holds `name`. */
static bool list_has(const char *s, const char *end, const char *name)
{
    size_t n = strlen(name);
    while (s < end) {
        const char *comma = memchr(s, ',', (size_t)(end - s));
        const char *stop = comma != NULL ? comma : end;
        if ((size_t)(stop - s) == n && memcmp(s, name, n) == 0) {
            return true;
        }
        s = stop + 1;
    }
    return false;
}

/* The smallest limit over every hierarchy that can hold `controller` ("cpu", "memory").  A line of /proc/self/cgroup is
 * ID:CONTROLLERS:PATH; v2 has no controllers, and lies at the top or (beside v1) in "unified". */
static uint64_t groups_least(const char *root, const char *controller, group_fn *limit)
{
    char path[PATH_CAP];
    char text[TEXT_CAP];
    char mount[64];
    uint64_t least = UINT64_MAX;
    (void)snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    (void)read_text(text, path);
    char *next;
    for (char *line = text; *line != '\0'; line = next) {
        char *end = line + strcspn(line, "\n");
        next = *end == '\0' ? end : end + 1;
        *end = '\0';
        char *list = strchr(line, ':');
        char *group = list != NULL ? strchr(list + 1, ':') : NULL;
        if (group == NULL) {
            continue;
        }
        uint64_t here = UINT64_MAX;
        if (group == list + 1) {
            uint64_t unified = hierarchy_least(root, "/unified", group + 1, limit);
            here = hierarchy_least(root, "", group + 1, limit);
            here = unified < here ? unified : here;
        } else if (list_has(list + 1, group, controller)) {
            (void)snprintf(mount, sizeof mount, "/%s", controller);
            here = hierarchy_least(root, mount, group + 1, limit);
        }
        least = here < least ? here : least;
    }
    return least;
}

int base_machine_quota_cores(const char *root)
{
    uint64_t n = groups_least(root, "cpu", group_quota);
    return n > INT_MAX ? INT_MAX : (int)n;
}

uint64_t base_machine_group_room(const char *root)
{
    return groups_least(root, "memory", group_room);
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

#if defined(__linux__)

enum { MASK_SETS = 8, MAX_CPUS = MASK_SETS * CPU_SETSIZE };

/* The first hardware thread of the core that `cpu` belongs to: the core's name, so to speak. */
static int core_of(int cpu)
{
    char path[PATH_CAP];
    char text[TEXT_CAP];
    (void)snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    uint64_t first = read_text(text, path) ? parse_number(text) : UINT64_MAX;
    return first < MAX_CPUS ? (int)first : cpu;
}

static int physical_cores(void)
{
    cpu_set_t mask[MASK_SETS];
    cpu_set_t seen[MASK_SETS];
    memset(mask, 0, sizeof mask);
    memset(seen, 0, sizeof seen);
    if (sched_getaffinity(0, sizeof mask, mask) != 0) {
        return 1;
    }
    for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
        if (CPU_ISSET_S((size_t)cpu, sizeof mask, mask)) {
            CPU_SET_S((size_t)core_of(cpu), sizeof seen, seen);
        }
    }
    return CPU_COUNT_S(sizeof seen, seen);
}

#else

static int physical_cores(void)
{
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

#endif

int base_machine_cores(void)
{
    int n = physical_cores();
    int quota = base_machine_quota_cores("");
    n = quota < n ? quota : n;
    return n > 1 ? n : 1;
}

/* What the limit on address space leaves. */
static uint64_t address_room(void)
{
    struct rlimit limit;
    char text[TEXT_CAP];
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return UINT64_MAX;
    }
    uint64_t pages = read_text(text, "/proc/self/statm") ? parse_number(text) : 0;
    uint64_t used = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

uint64_t base_machine_free_memory(void)
{
    char text[TEXT_CAP];
    (void)read_text(text, "/proc/meminfo");
    uint64_t kib = field(text, "MemAvailable", UINT64_MAX);
    uint64_t least = kib > UINT64_MAX / 1024 ? UINT64_MAX : kib * 1024;
    uint64_t group = base_machine_group_room("");
    uint64_t address = address_room();
    least = group < least ? group : least;
    return address < least ? address : least;
}

uint64_t base_machine_peak_memory(void)
{
    char text[TEXT_CAP];
    (void)read_text(text, "/proc/self/status");
    return field(text, "VmHWM", 0) * 1024;
}

/* ---- what disturbs ------------------------------------------------------------------------------------ */

/* The number that is `skip` words behind the beginning of text. */
static uint64_t word_number(const char *text, int skip)
{
    for (int i = 0; i < skip; i++) {
        text += strcspn(text, " \n");
        text += strspn(text, " ");
    }
    const uint64_t n = parse_number(text);
    return n == UINT64_MAX ? 0 : n;
}

/* Where the kernel does not say what runs now, /proc/cpuinfo has a number that is at least near it. */
static double current_mhz(const char *root)
{
    char path[PATH_CAP];
    char text[TEXT_CAP];
    int cpu = 0;
#if defined(__linux__)
    cpu = sched_getcpu();
#endif
    (void)snprintf(path, sizeof path, "%s/sys/devices/system/cpu/cpu%d/cpufreq/scaling_cur_freq", root,
                   cpu < 0 ? 0 : cpu);
    if (read_text(text, path)) {
        return (double)word_number(text, 0) / 1000;
    }
    (void)snprintf(path, sizeof path, "%s/proc/cpuinfo", root);
    (void)read_text(text, path);
    return (double)field(text, "cpu MHz\t\t", 0);
}

void base_machine_count(struct base_machine_counters *out, const char *root)
{
    enum { TICK_KINDS = 8, STEAL = 8 }; /* user nice system idle iowait irq softirq steal; "cpu" is word 0 */
    char path[PATH_CAP];
    char text[TEXT_CAP];
    *out = (struct base_machine_counters){.mhz = current_mhz(root)};
    (void)snprintf(path, sizeof path, "%s/proc/stat", root);
    (void)read_text(text, path);
    for (int i = 1; i <= TICK_KINDS; i++) {
        out->ticks += word_number(text, i);
    }
    out->stolen_ticks = word_number(text, STEAL);
    (void)snprintf(path, sizeof path, "%s/proc/self/schedstat", root);
    (void)read_text(text, path);
    out->waited_ns = word_number(text, 1);
    out->throttled = UINT64_MAX - groups_least(root, "cpu", group_unthrottled);
}
