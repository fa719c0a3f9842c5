/* The real commands while allocations and system calls fail: once or from then on, for every call (or a sample of them).  The
 * exit code says what it was, one line tells it, stdout holds a beginning of what it would have been, and the file to be
 * written is the old one or the whole new one, with no other beside it.  The same when the process is killed at a call.
 * (The address sanitizer's build looks for leaks in every run.)
 *
 * CHOIR_FAULTS: most calls of a kind that are tried in a command (16); those are drawn with a fixed seed. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rng.h"
#include "tests/fault/faults.h"
#include "tests/support/golden.h"
#include "tests/support/tiny.h"
#include "tests/support/tiny_text.h"

int choir_main(int argc, char **argv);

enum { WORDS = 24, TEXT_CAP = 1 << 20, TIMEOUT_S = 120 };

enum {
    VARIES = 1,  /* what is printed has times in it, or says itself that it is not whole */
    ANSWERS = 2, /* --jsonl: a request may be refused by itself, with exit code 3 */
    GOES_ON = 4, /* complete: tells what failed, and takes the next line; without memory for a fork of the cache it
                  * computes the text again, from ids that need not be those that were drawn */
};

/* A command: words of `line` (models are ../m.gguf, ...), its stdin, and the file that it writes into its folder. */
struct scenario {
    const char *line, *in, *target;
    int flags;
};

static const struct scenario scenarios[] = {
    {"generate -m ../m.gguf -p hello -n 5 -s 1 -t 1 --stop zz --logit-bias 30=1", "", NULL, 0},
    {"generate -m ../folder -p 5 -n 3 -s 1 -t 1", "", NULL, 0},
    {"generate -m ../folder --tokenizer ../tokenizer.model --quant q8_0 -q -n 3 -s 1 -t 1", "ab", NULL, 0},
    {"generate -m ../m.bin --tokenizer ../tokenizer.model -n 3 -s 1 -t 1 --json --logprobs 2", "ab", NULL, VARIES},
    {"generate -m ../m.gguf --mmap -p hello -n 4 -s 1 -t 1 --n-samples 2 --speculate ngram", "", NULL, 0},
    {"generate -m ../m.gguf -p hello -n 4 -t 1 --beams 2", "", NULL, 0},
    {"generate -m ../m.gguf --draft ../m.gguf -p hello -n 4 -s 1 -t 1", "", NULL, 0},
    {"generate -m ../m.gguf --jsonl -s 1 -t 1 -n 3 --n-seqs 2",
     "{\"prompt\": \"hello\", \"id\": 1}\n{\"prompt\": \"he\", \"n\": 2, \"stop\": [\"x\"]}\n{\"prompt\": [3, 4], "
     "\"stream\": true, \"echo\": true, \"logprobs\": 1}\n",
     NULL, ANSWERS},
    {"generate -m ../m.gguf -f ../prompt -n 3 -s 1 -t 1 --kv-save out", "", "out", 0},
    {"generate -m ../m.gguf -p lo -n 3 -s 1 -t 1 --kv-load ../kept.kv", "", NULL, 0},
    {"heads map -m ../m.gguf -p hello -t 1 --html out", "", "out", 0},
    {"heads explain -m ../m.gguf -p hello -t 1 --html out", "", "out", 0},
    {"quantize ../folder out q8_0 -q -t 1", "", "out", 0},
    {"quantize ../m.gguf out q4_0 -q -t 1 --tokenizer ../tokenizer.model", "", "out", 0},
    {"perplexity -m ../m.gguf -f ../prompt -c 8 -t 1 --save-logits out", "", "out", 0},
    {"perplexity -m ../m.gguf -f ../prompt -c 8 -t 1 --kl ../kept.logits", "", NULL, 0},
    {"tokenize -m ../m.gguf --json", "hello hello", NULL, 0},
    {"tokenize -m ../folder --tokenizer ../tokenizer.model --decode", "3 4 5", NULL, 0},
    {"complete -m ../m.gguf -n 3 -s 1 -t 1", "hello\n/undo\n/redo\n/alt 2\n1\n/blocks\nhe\n", NULL, GOES_ON},
    {"bench -m ../m.gguf -p 4 -n 2 -r 1 -t 1 -q -o json", "", NULL, VARIES},
    {"info -m ../folder --json", "", NULL, VARIES},
};

enum { N_SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

struct text {
    char *at; /* NUL behind it */
    size_t n;
};

/* What a child tells besides its output. */
struct told {
    long calls[FAULT_KINDS_COUNT];
    bool returned; /* from choir_main */
};

struct fixture {
    char dir[TINY_PATH], folder[TINY_PATH + 8], work[TINY_PATH + 8];
    struct told *told; /* shared with the child */
    long most;
    int threads; /* that can be had besides the first; -1: any */
};

/* ---- files ---- */

static struct text slurp(const char *path)
{
    struct text t = {.at = calloc(1, TEXT_CAP)};
    int fd = open(path, O_RDONLY);
    assert_non_null(t.at);
    ssize_t got = fd >= 0 ? read(fd, t.at, TEXT_CAP - 1) : -1;
    if (got < 0) {
        free(t.at);
        t.at = NULL;
    }
    t.n = got > 0 ? (size_t)got : 0;
    if (fd >= 0) {
        close(fd);
    }
    return t;
}

static bool same(const struct text *a, const struct text *b)
{
    return (a->at == NULL) == (b->at == NULL) && a->n == b->n && (a->n == 0 || memcmp(a->at, b->at, a->n) == 0);
}

static void in_folder(char path[512], const char *dir, const char *name)
{
    snprintf(path, 512, "%s/%s", dir, name);
}

static void empty_folder(const char *path)
{
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] != '.') {
            assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
        }
    }
    closedir(d);
}

/* Names in the folder besides `but`; the first of them in `name`. */
static int others(const char *path, const char *but, char name[256])
{
    DIR *d = opendir(path);
    int n = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            (but == NULL || strcmp(e->d_name, but) != 0)) {
            snprintf(name, 256, "%s", e->d_name);
            n++;
        }
    }
    closedir(d);
    return n;
}

/* ---- running ---- */

struct run {
    int code, signal; /* exit code, or what it was killed by */
    struct text out, err, target;
};

static void run_free(struct run *r)
{
    free(r->out.at);
    free(r->err.at);
    free(r->target.at);
}

static void redirect(const char *dir, const char *name, int flags, int fd)
{
    char path[512];
    in_folder(path, dir, name);
    int from = open(path, flags, 0600);
    if (from < 0 || dup2(from, fd) != fd) {
        _exit(99);
    }
    close(from);
}

static _Noreturn void be_choir(const struct fixture *f, const struct scenario *s, enum fault_kind kind,
                               enum fault_mode mode, long k)
{
    static const int caught[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGABRT}; /* by cmocka */
    static char line[512];
    char *words[WORDS + 2] = {"choir"}, *rest;
    int n = 1;
    snprintf(line, sizeof line, "%s", s->line);
    for (char *w = strtok_r(line, " ", &rest); w != NULL && n < WORDS; w = strtok_r(NULL, " ", &rest)) {
        words[n++] = w;
    }
    redirect(f->dir, "stdin", O_RDONLY, STDIN_FILENO);
    redirect(f->dir, "stdout", O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
    redirect(f->dir, "stderr", O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
    if (chdir(f->work) != 0) {
        _exit(99);
    }
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) {
        signal(caught[i], SIG_DFL);
    }
    alarm(TIMEOUT_S);
    faults_limit_threads(f->threads);
    faults_arm(kind, mode, k);
    int code = choir_main(n, words);
    faults_disarm(f->told->calls);
    f->told->returned = true;
    exit(code);
}

static struct run run_once(const struct fixture *f, const struct scenario *s, enum fault_kind kind,
                           enum fault_mode mode, long k)
{
    struct run r = {.code = -1};
    char path[512];
    int status = 0;
    tiny_write(f->dir, "stdin", s->in, strlen(s->in));
    *f->told = (struct told){.returned = false};
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        be_choir(f, s, kind, mode, k);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    r.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    r.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    in_folder(path, f->dir, "stdout");
    r.out = slurp(path);
    in_folder(path, f->dir, "stderr");
    r.err = slurp(path);
    if (s->target != NULL) {
        in_folder(path, f->work, s->target);
        r.target = slurp(path);
    }
    return r;
}

static const char old_text[] = "what stood there before";

static void put_old(const struct fixture *f, const struct scenario *s)
{
    empty_folder(f->work);
    if (s->target != NULL) {
        tiny_write(f->work, s->target, old_text, sizeof old_text - 1);
    }
}

/* ---- judging ---- */

static bool one_line(const struct text *t)
{
    return t->n > 7 && memcmp(t->at, "choir: ", 7) == 0 && strchr(t->at, '\n') == t->at + t->n - 1;
}

/* What is wrong with the run, or NULL. */
static const char *judge(const struct fixture *f, const struct scenario *s, enum fault_kind kind, const struct run *r,
                         const struct run *whole)
{
    static char what[512];
    char name[256];
    const struct text old = {(char *)(uintptr_t)old_text, sizeof old_text - 1};
    const int wanted = kind == FAULT_MEMORY ? 5 : 4;
    const bool answers = (s->flags & ANSWERS) != 0, varies = (s->flags & VARIES) != 0;
    if (r->signal != 0) {
        return "killed by a signal";
    }
    if (r->code != 0 && r->code != wanted && !(answers && r->code == 3)) {
        return "a wrong exit code";
    }
    if (s->target != NULL && !same(&r->target, r->code == 0 ? &whole->target : &old) &&
        !same(&r->target, &whole->target)) {
        return "a wrong file written";
    }
    if (others(f->work, s->target, name) > 0) {
        snprintf(what, sizeof what, "%s left behind", name);
        return what;
    }
    if (r->code == 0 && !varies && !same(&r->out, &whole->out) &&
        !((s->flags & GOES_ON) != 0 && (r->err.n > 0 || kind == FAULT_MEMORY))) {
        return "another text on stdout";
    }
    if (r->code == wanted && !answers && !varies && (s->flags & GOES_ON) == 0 &&
        (r->out.n > whole->out.n || memcmp(r->out.at, whole->out.at, r->out.n) != 0)) {
        return "stdout holds no beginning of the text";
    }
    if (r->code == 3 && strstr(r->out.at, "\"error\"") == NULL) {
        return "no request refused, and yet 3";
    }
    return r->code == wanted && !one_line(&r->err) ? "stderr is not one line" : NULL;
}

static int n_wrong; /* a test goes on to its end: what is wrong with one call is often wrong with several */

static void complain(const struct scenario *s, enum fault_kind kind, enum fault_mode mode, long k, const struct run *r,
                     const char *what)
{
    static const char *const modes[] = {"", " and all after it", ", killed there", " (all, in parts)"};
    n_wrong++;
    print_error("choir %s\n%s call %ld%s: %s\nexit code %d, signal %d, stdout \"%.300s\", stderr \"%.2000s\"\n",
                s->line, fault_kind_name(kind), k, modes[mode], what, r->code, r->signal, r->out.at, r->err.at);
}

/* ---- which calls ---- */

/* The i-th of the calls to be tried of n; the sample has one in each of `most` equal parts. */
static long pick(long i, long n, long most, uint64_t seed)
{
    if (n <= most) {
        return i + 1;
    }
    const long begin = n * i / most, end = n * (i + 1) / most;
    return begin + 1 + (long)(base_rng_uniform(seed, 0, (uint64_t)i) * (double)(end - begin));
}

static long try_all(const struct fixture *f, const struct scenario *s, enum fault_kind kind, enum fault_mode mode,
                    long n, const struct run *whole)
{
    const long tries = n < f->most ? n : f->most;
    for (long i = 0; i < tries; i++) {
        const long k = pick(i, n, f->most, (uint64_t)kind * 16 + (uint64_t)mode);
        put_old(f, s);
        struct run r = run_once(f, s, kind, mode, k);
        const char *what = judge(f, s, kind, &r, whole);
        if (what != NULL) {
            complain(s, kind, mode, k, &r, what);
        }
        run_free(&r);
    }
    return tries;
}

/* Runs without a fault; `calls`: how many it made. */
static struct run run_whole(const struct fixture *f, const struct scenario *s, long calls[FAULT_KINDS_COUNT])
{
    put_old(f, s);
    struct run r = run_once(f, s, FAULT_NONE, FAULT_ONCE, 0);
    memcpy(calls, f->told->calls, sizeof f->told->calls);
    if (r.code != 0 || r.err.n > 0) {
        complain(s, FAULT_NONE, FAULT_ONCE, 0, &r, "fails by itself");
    }
    return r;
}

/* ---- tests ---- */

static void test_faults(void **state)
{
    const struct fixture *f = *state;
    long calls[FAULT_KINDS_COUNT], n = 0, all = 0;
    n_wrong = 0;
    for (int i = 0; i < N_SCENARIOS; i++) {
        const struct scenario *s = &scenarios[i];
        struct run whole = run_whole(f, s, calls);
        assert_true(calls[FAULT_MEMORY] > 10);
        for (int kind = 0; kind < FAULT_KINDS_COUNT; kind++) {
            n += try_all(f, s, (enum fault_kind)kind, FAULT_ONCE, calls[kind], &whole);
            n += try_all(f, s, (enum fault_kind)kind, FAULT_EVER, calls[kind], &whole);
            all += 2 * calls[kind];
        }
        run_free(&whole);
    }
    assert_int_equal(n_wrong, 0);
    print_message("# %ld of %ld faults in %d commands\n", n, all, (int)N_SCENARIOS);
}

/* Reads and writes that are interrupted or move a part: nobody sees a difference. */
static void test_in_parts(void **state)
{
    const struct fixture *f = *state;
    long calls[FAULT_KINDS_COUNT];
    n_wrong = 0;
    for (int i = 0; i < N_SCENARIOS; i++) {
        const struct scenario *s = &scenarios[i];
        struct run whole = run_whole(f, s, calls);
        put_old(f, s);
        struct run r = run_once(f, s, FAULT_NONE, FAULT_SHORT, 0);
        const char *what = r.code != 0 ? "fails" : judge(f, s, FAULT_READ, &r, &whole);
        if (what != NULL) {
            complain(s, FAULT_NONE, FAULT_SHORT, 0, &r, what);
        }
        run_free(&r);
        run_free(&whole);
    }
    assert_int_equal(n_wrong, 0);
}

/* kill -9 at every call that could matter: the file is the old or the new one, and the next run leaves it alone in its
 * folder, whatever the killed one left there. */
static void check_kill(const struct fixture *f, const struct scenario *s, enum fault_kind kind, long k,
                       const struct run *whole)
{
    const struct text old = {(char *)(uintptr_t)old_text, sizeof old_text - 1};
    put_old(f, s);
    struct run r = run_once(f, s, kind, FAULT_KILL, k);
    if (r.signal != SIGKILL) {
        complain(s, kind, FAULT_KILL, k, &r, "not killed");
    }
    if (!same(&r.target, &old) && !same(&r.target, &whole->target)) {
        complain(s, kind, FAULT_KILL, k, &r, "neither the old file nor the new one");
    }
    struct run next = run_once(f, s, FAULT_NONE, FAULT_ONCE, 0);
    const char *what = next.code != 0 ? "the next run fails" : judge(f, s, FAULT_NONE, &next, whole);
    if (what != NULL) {
        complain(s, kind, FAULT_KILL, k, &next, what);
    }
    run_free(&r);
    run_free(&next);
}

static void test_kills(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_OPEN, FAULT_STAT, FAULT_WRITE, FAULT_SYNC, FAULT_NAME, FAULT_CLOSE};
    const struct fixture *f = *state;
    long calls[FAULT_KINDS_COUNT];
    n_wrong = 0;
    for (int i = 0; i < N_SCENARIOS; i++) {
        const struct scenario *s = &scenarios[i];
        if (s->target == NULL) {
            continue;
        }
        struct run whole = run_whole(f, s, calls);
        assert_true(whole.target.n > 1000 && calls[FAULT_SYNC] > 0 && calls[FAULT_NAME] > 0);
        for (size_t x = 0; x < sizeof kinds / sizeof kinds[0]; x++) {
            for (long k = 1; k <= calls[kinds[x]]; k++) {
                check_kill(f, s, kinds[x], k, &whole);
            }
        }
        run_free(&whole);
    }
    assert_int_equal(n_wrong, 0);
}

/* ---- threads ---- */

/* The system gives fewer threads than are asked for: a warning, the same text. */
static void test_threads(void **state)
{
    struct fixture *f = *state;
    static const struct scenario four = {"generate -p Once -n 8 -s 1 -t 4", "", NULL, 0};
    static const struct scenario quantize = {"quantize ../m.gguf out q8_0 -q -t 3", "", "out", 0};
    struct run whole = run_once(f, &four, FAULT_NONE, FAULT_ONCE, 0);
    assert_int_equal(whole.code, 0);
    assert_int_equal(whole.err.n, 0);
    for (int n = 0; n <= 3; n++) {
        char line[96];
        f->threads = n;
        struct run r = run_once(f, &four, FAULT_NONE, FAULT_ONCE, 0);
        snprintf(line, sizeof line, "choir: warning: cannot start thread %d of 4; continuing with %d\n", n + 2, n + 1);
        if (r.code != 0 || !same(&r.out, &whole.out) || strcmp(r.err.at, n < 3 ? line : "") != 0) {
            complain(&four, FAULT_NONE, FAULT_ONCE, n, &r, "threads are not to be had");
        }
        run_free(&r);
    }
    f->threads = 1;
    put_old(f, &quantize);
    struct run r = run_once(f, &quantize, FAULT_NONE, FAULT_ONCE, 0);
    assert_int_equal(r.code, 0);
    run_free(&r);
    run_free(&whole);
    f->threads = -1;
    assert_int_equal(n_wrong, 0);
}

/* ---- the folder of models ---- */

static void write_models(const struct fixture *f)
{
    struct golden g;
    golden_load(&g, "mha_tied");
    struct tiny_gguf file = golden_gguf(&g, DTYPE_F32);
    tiny_text_gguf(&file, NULL);
    tiny_gguf_write(&file, f->dir, "m.gguf");
    golden_write_llama2c(&g, f->dir, "m.bin", 1);
    golden_free(&g);
    golden_load(&g, "llama3");
    golden_write_hf(&g, f->folder, DTYPE_BF16);
    golden_free(&g);
    tiny_text_sp(f->folder, "tokenizer.model");
    tiny_text_sp(f->dir, "tokenizer.model");
    static const char prompt[] = "hello he lo hello hello lo he he lo lo hello hello he";
    tiny_write(f->dir, "prompt", prompt, sizeof prompt - 1);
}

static void keep(const struct fixture *f, const char *line, const char *name)
{
    const struct scenario s = {line, "", NULL, 0};
    char from[512], to[512];
    struct run r = run_once(f, &s, FAULT_NONE, FAULT_ONCE, 0);
    if (r.code != 0) {
        complain(&s, FAULT_NONE, FAULT_ONCE, 0, &r, "fails by itself");
    }
    run_free(&r);
    in_folder(from, f->work, name);
    in_folder(to, f->dir, name);
    assert_int_equal(rename(from, to), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const char *most = getenv("CHOIR_FAULTS");
    assert_non_null(f);
    f->threads = -1;
    f->most = most != NULL ? atol(most) : 16;
    f->told = mmap(NULL, sizeof *f->told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(f->told != MAP_FAILED);
    tiny_dir_make(f->dir);
    snprintf(f->folder, sizeof f->folder, "%s/folder", f->dir);
    snprintf(f->work, sizeof f->work, "%s/work", f->dir);
    assert_int_equal(mkdir(f->folder, 0700), 0);
    assert_int_equal(mkdir(f->work, 0700), 0);
    write_models(f);
    keep(f, "generate -m ../m.gguf -p hello -n 3 -s 1 -t 1 --kv-save kept.kv", "kept.kv");
    keep(f, "perplexity -m ../m.gguf -f ../prompt -c 8 -t 1 --save-logits kept.logits", "kept.logits");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    empty_folder(f->work);
    empty_folder(f->folder);
    rmdir(f->work);
    rmdir(f->folder);
    tiny_dir_remove(f->dir);
    munmap(f->told, sizeof *f->told);
    free(f);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_in_parts),
        cmocka_unit_test(test_kills),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
