/* choir: finds the command, reads its options, runs it, closes stdout and gives the exit code. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/options/help.h"
#include "cli/options/suggest.h"
#include "cli/session.h"
#include "cli/signals.h"

/* Descriptors 0 to 2 must exist before any file is opened, or a model file could become stdout.  A missing one becomes /dev/null
 * opened the wrong way round, so that using it still reports EBADF. */
static bool fill_standard_descriptors(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", modes[fd]) != fd) {
            return false;
        }
    }
    return true;
}

static int run(session *s)
{
    switch (s->opt->command->command) {
    case CMD_COMPLETE:
        return cmd_complete(s);
    case CMD_GENERATE:
        return cmd_generate(s);
    case CMD_BENCH:
        return cmd_bench(s);
    case CMD_TOKENIZE:
        return cmd_tokenize(s);
    case CMD_INFO:
        return cmd_info(s);
    case CMD_QUANTIZE:
        return cmd_quantize(s);
    case CMD_PERPLEXITY:
        return cmd_perplexity(s);
    case CMD_HEADS:
        return cmd_heads(s);
    }
    return CHOIR_INTERNAL;
}

static int unknown_command(session *s, const char *name)
{
    char text[BASE_ESCAPE_CAP];
    suggestion near;
    suggest_begin(&near, name);
    for (const command_row *row = command_rows; row->name; row++) {
        suggest_add(&near, row->name);
    }
    suggest_add(&near, "help");
    suggest_add(&near, "version");
    base_escape_str(text, name);
    if (near.best) {
        message(&s->term, "unknown command %s; did you mean %s? (see choir --help)", text, near.best);
    } else {
        message(&s->term, "unknown command %s (see choir --help)", text);
    }
    return CHOIR_USAGE;
}

static int help_command(session *s, int argc, char **argv)
{
    const command_row *row = argc > 0 ? command_find(argv[0]) : NULL;
    if (argc > 1) {
        message(&s->term, "help takes one command");
        return CHOIR_USAGE;
    }
    if (argc == 1 && !row && strcmp(argv[0], "help") != 0) {
        return unknown_command(s, argv[0]);
    }
    help_print(&s->out, row, true);
    return CHOIR_OK;
}

static int run_command(session *s, options *o, int argc, char **argv)
{
    choir_error err;
    choir_status status = options_parse(o, argc, argv, &err);
    terminal_open(&s->term, o->color, o->quiet, o->verbose);
    if (status) {
        return session_end(s, status, &err);
    }
    if (o->help) {
        help_print(&s->out, o->command, false);
        return CHOIR_OK;
    }
    int code = run(s);
    session_close(s);
    return code;
}

static int dispatch(session *s, options *o, int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    if (name && (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0 || strcmp(name, "version") == 0)) {
        stream_print(&s->out, "choir %s\n", choir_version());
        return CHOIR_OK;
    }
    if (name && (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0)) {
        return help_command(s, 0, NULL);
    }
    if (name && strcmp(name, "help") == 0) {
        return help_command(s, argc - 2, argv + 2);
    }
    if (name && name[0] != '-') {
        o->command = command_find(name);
        return o->command ? run_command(s, o, argc - 2, argv + 2) : unknown_command(s, name);
    }
    o->command = command_find(s->term.in && s->term.out ? "complete" : "generate");
    return run_command(s, o, argc > 0 ? argc - 1 : 0, argv + 1);
}

enum { STACK_BYTES = 512 * 1024 };

static __attribute__((noinline)) void touch_stack(void)
{
    volatile char space[STACK_BYTES];
    space[0] = 0;
    (void)space[0];
}

/* The stack takes its address space as it grows.  Where that is limited (ulimit -v) there may be none left by then, and a
 * signal instead of a message; so it grows now, if it may and there is room. */
static void reserve_stack(void)
{
    struct rlimit most;
    void *room = mmap(NULL, 2 * STACK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) {
        return;
    }
    munmap(room, 2 * STACK_BYTES);
    if (getrlimit(RLIMIT_STACK, &most) == 0 && most.rlim_cur / 2 >= STACK_BYTES) { /* no limit is a large number */
        touch_stack();
    }
}

int main(int argc, char **argv)
{
    options opt;
    session s = {.opt = &opt};
    reserve_stack();
    if (!fill_standard_descriptors()) {
        return CHOIR_IO;
    }
    setlocale(LC_CTYPE, ""); /* for the line editor; numbers stay as they are written in C */
    signals_install();
    options_default(&opt);
    terminal_open(&s.term, opt.color, false, false);
    int code = dispatch(&s, &opt, argc, argv);
    options_free(&opt);
    if (code && !s.out.error) {
        return code; /* told already */
    }
    int closed = stream_close(&s.out, &s.term);
    return closed ? closed : code;
}
