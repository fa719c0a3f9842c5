/* --sandbox: once model and engine are open, the process may do no more than compute, read and write what is open. */
#ifndef CHOIR_CLI_SANDBOX_H
#define CHOIR_CLI_SANDBOX_H

#include "cli/session.h"

/* Does nothing without --sandbox.  From then on, for all threads, a seccomp filter answers EPERM to every system call that is
 * not on its list: opening and making files, new processes, sockets, signals to others, executable memory.  Where the kernel
 * has Landlock, that shuts the file system a second time; where it has none, the filter is all (-v tells).  It cannot be
 * undone.  CHOIR_RESOURCE when the kernel has no such filters: what was asked for would not be. */
choir_status sandbox_enter(const session *s, choir_error *err);

/* CHOIR_USAGE when the options also ask for a file that is written or read when the sandbox is shut. */
choir_status sandbox_check(const options *o, choir_error *err);

#endif
