/* The list of allowed system calls, as a BPF program made at run time from a table; Landlock without any rule. */
#define _GNU_SOURCE /* syscall */

#include "cli/sandbox.h"

#include <errno.h>
#include <string.h>

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#else
#define OWN_ARCH AUDIT_ARCH_AARCH64
#endif

/* What reading, writing, computing in threads and ending need. */
static const int allowed[] = {
    SYS_read,
    SYS_readv,
    SYS_pread64,
    SYS_write,
    SYS_writev,
    SYS_lseek,
    SYS_close,
    SYS_fstat,
    SYS_newfstatat, /* glibc's fstat; it tells about files and opens none */
    SYS_fcntl,
    SYS_ppoll,
    SYS_pselect6,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_futex,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_prlimit64, /* how large a stack may be */
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_tgkill, /* raise */
    SYS_getpid,
    SYS_gettid,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_clock_gettime,
    SYS_gettimeofday,
    SYS_getrusage,
    SYS_getrandom,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
#if defined(SYS_poll)
    SYS_poll,
    SYS_select,
    SYS_time,
#endif
};

/* Calls that are allowed unless an argument has one of these bits, or lacks all of them. */
static const struct condition {
    int number, argument;
    unsigned bits;
    bool wanted;
} conditions[] = {
    {SYS_mmap, 2, PROT_EXEC, false},
    {SYS_mprotect, 2, PROT_EXEC, false},
    {SYS_clone, 0, CLONE_THREAD, true},
};

enum {
    N_ALLOWED = sizeof allowed / sizeof *allowed,
    N_CONDITIONS = sizeof conditions / sizeof *conditions,
    MOST_STEPS = 16 + 2 * N_ALLOWED + 5 * N_CONDITIONS
};

struct program {
    struct sock_filter steps[MOST_STEPS];
    unsigned short n;
};

static void add(struct program *p, unsigned code, unsigned k, unsigned yes, unsigned no)
{
    p->steps[p->n++] = (struct sock_filter){(unsigned short)code, (unsigned char)yes, (unsigned char)no, k};
}

static void load(struct program *p, size_t offset)
{
    add(p, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

static void answer(struct program *p, unsigned what)
{
    add(p, BPF_RET | BPF_K, what, 0, 0);
}

/* Goes over the next `n` steps unless the loaded number is this one. */
static void unless_is(struct program *p, unsigned number, unsigned n)
{
    add(p, BPF_JMP | BPF_JEQ | BPF_K, number, 0, n);
}

/* The low halves of arguments; both machines are little-endian. */
static size_t argument_at(int i)
{
    return offsetof(struct seccomp_data, args) + (size_t)i * sizeof(__u64);
}

static void make_program(struct program *p)
{
    const unsigned refused = SECCOMP_RET_ERRNO | EPERM;
    load(p, offsetof(struct seccomp_data, arch));
    add(p, BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 1, 0);
    answer(p, SECCOMP_RET_KILL_PROCESS); /* another machine's numbers mean other calls */
    load(p, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < N_ALLOWED; i++) {
        unless_is(p, (unsigned)allowed[i], 1);
        answer(p, SECCOMP_RET_ALLOW);
    }
    unless_is(p, SYS_clone3, 1);
    answer(p, SECCOMP_RET_ERRNO | ENOSYS); /* its flags lie in memory; the C library then takes clone */
    unless_is(p, SYS_ioctl, 4);
    load(p, argument_at(1));
    unless_is(p, TIOCSTI, 1); /* typing in the terminal's name */
    answer(p, refused);
    answer(p, SECCOMP_RET_ALLOW);
    for (int i = 0; i < N_CONDITIONS; i++) {
        const struct condition *c = &conditions[i];
        unless_is(p, (unsigned)c->number, 4);
        load(p, argument_at(c->argument));
        add(p, BPF_JMP | BPF_JSET | BPF_K, c->bits, c->wanted ? 1 : 0, c->wanted ? 0 : 1);
        answer(p, refused);
        answer(p, SECCOMP_RET_ALLOW);
    }
    answer(p, refused);
}

/* Nothing in the file system can be opened or made.  False where there is no Landlock. */
static bool shut_files(void)
{
    struct landlock_ruleset_attr rules = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    long fd = syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    bool shut = fd >= 0 && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    if (fd >= 0) {
        close((int)fd);
    }
    return shut;
}

choir_status sandbox_enter(const session *s, choir_error *err)
{
    struct program p = {.n = 0};
    if (!s->opt->sandbox) {
        return CHOIR_OK;
    }
    make_program(&p);
    const struct sock_fprog filter = {.len = p.n, .filter = p.steps};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return base_fail(err, CHOIR_RESOURCE, "--sandbox: %s", strerror(errno));
    }
    const bool landlock = shut_files();
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0) {
        return base_fail(err, CHOIR_RESOURCE, "--sandbox: this kernel takes no filter of system calls: %s",
                         strerror(errno));
    }
    if (s->term.verbose) {
        note(&s->term, "sandbox: seccomp%s", landlock ? " and Landlock" : "; this kernel has no Landlock");
    }
    return CHOIR_OK;
}

#else

choir_status sandbox_enter(const session *s, choir_error *err)
{
    return s->opt->sandbox ? base_fail(err, CHOIR_RESOURCE, "--sandbox: not on this system") : CHOIR_OK;
}

#endif

choir_status sandbox_check(const options *o, choir_error *err)
{
    const struct {
        const char *flag;
        const void *value;
    } files[] = {{"--kv-save", o->kv_save}, {"--kv-load", o->kv_load}, {"--save-logits", o->save_logits}};
    for (size_t i = 0; o->sandbox && i < sizeof files / sizeof *files; i++) {
        if (files[i].value) {
            return base_fail(err, CHOIR_USAGE, "%s and --sandbox exclude each other: no file is opened in it",
                             files[i].flag);
        }
    }
    return CHOIR_OK;
}
