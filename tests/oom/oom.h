/* Memory that runs out: whatever allocation it is that fails, alone or with all after it, a call says CHOIR_RESOURCE, gives
 * nothing out, leaves nothing behind (the address sanitizer's build looks for leaks) and works the next time.
 *
 * The linker turns the allocations of this program's own objects, libchoir's among them, into the __wrap_ functions of oom.c
 * (-Wl,--wrap, see the Makefile); those inside shared libraries are not seen. */
#ifndef TEST_OOM_H
#define TEST_OOM_H

#include <stdbool.h>

#include "choir/status.h"

/* From now on calls are counted, and the k-th one fails (0: none), all after it too if `rest`. */
void oom_arm(long k, bool rest);
/* Calls since then. */
long oom_calls(void);
/* The same; nothing is counted and nothing fails any more. */
long oom_disarm(void);

/* Runs once; what it made is closed again. */
typedef choir_status oom_run_fn(void *user, choir_error *err);
/* Runs without failure, then with each allocation failing, alone and with all after it.  The folder has as many files as
 * before each time (NULL: there is none). */
void oom_run(oom_run_fn *run, void *user, const char *name, const char *dir);

#endif
