/* What this process may use of the machine: processors and memory, control groups (v1 and v2) included. */
#ifndef BASE_MACHINE_H
#define BASE_MACHINE_H

#include <stdint.h>

/* Physical cores in the affinity mask, not more than the cgroup's CPU quota (rounded up), at least 1. */
int base_machine_cores(void);

/* Bytes that can be taken without swapping: MemAvailable, the cgroup's room, and RLIMIT_AS, the smallest. */
uint64_t base_machine_free_memory(void);

/* Resident bytes of this process at its highest so far. */
uint64_t base_machine_peak_memory(void);

/* What disturbs a measurement, counted since the machine or the process started; the difference of two readings tells. */
struct base_machine_counters {
    uint64_t ticks, stolen_ticks; /* of all processors together; those that the hypervisor gave to others */
    uint64_t waited_ns;           /* of the first thread: ready to run, but no processor for it */
    uint64_t throttled;           /* periods in which the control group's quota was used up */
    double mhz;                   /* now, of the processor that runs this; 0: not told */
};
void base_machine_count(struct base_machine_counters *out, const char *root);

/* Parts of the above, with /proc and /sys looked for under `root` ("" for this machine; tests bring trees of their
 * own): the processors that the control group's quota is worth, rounded up (INT_MAX without one), and the bytes that
 * it may still take (UINT64_MAX without a limit). */
int base_machine_quota_cores(const char *root);
uint64_t base_machine_group_room(const char *root);

#endif
