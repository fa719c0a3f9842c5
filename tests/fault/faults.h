/* System calls and allocations that fail on demand.  The linker turns the calls of this program's own objects (libchoir's
 * and the commands' among them) into the __wrap_ functions of faults.c (-Wl,--wrap, see mk/checks.mk); jansson's memory goes
 * through them too.  SentencePiece's and libgomp's does not: neither survives it. */
#ifndef TEST_FAULTS_H
#define TEST_FAULTS_H

#include <stdbool.h>

/* name, what fails: error number */
#define FAULT_KINDS(X)                                                                                                 \
    X(MEMORY, "memory", ENOMEM)                                                                                        \
    X(OPEN, "open", EMFILE)                                                                                            \
    X(STAT, "fstat", EIO)                                                                                              \
    X(READ, "read", EIO)                                                                                               \
    X(WRITE, "write", ENOSPC)                                                                                          \
    X(SYNC, "fsync", EIO)                                                                                              \
    X(NAME, "rename or link", EIO)                                                                                     \
    X(CLOSE, "close", EIO)

enum fault_kind {
#define X(name, text, code) FAULT_##name,
    FAULT_KINDS(X)
#undef X
        FAULT_KINDS_COUNT,
    FAULT_NONE = FAULT_KINDS_COUNT
};

enum fault_mode {
    FAULT_ONCE, /* call k fails */
    FAULT_EVER, /* call k and all after it */
    FAULT_KILL, /* SIGKILL when call k is to be made; in the middle of it, if it writes */
    FAULT_SHORT /* every other call of any kind is interrupted, the others move one byte (reads, writes) */
};

const char *fault_kind_name(enum fault_kind kind);

/* From now on calls are counted, and fail as said (k from 1).  FAULT_NONE: they are counted only. */
void faults_arm(enum fault_kind kind, enum fault_mode mode, long k);
/* Stops; calls of each kind since. */
void faults_disarm(long n_calls[FAULT_KINDS_COUNT]);

/* At most n threads besides the first; those after them cannot be made (EAGAIN).  Negative: no limit. */
void faults_limit_threads(int n);

#endif
