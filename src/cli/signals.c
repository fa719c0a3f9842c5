/* Signals: the handler does only what POSIX allows there: it stores into lock-free atomics, calls choir_engine_cancel
 * (which is documented to be safe), write or _exit. */
#include "cli/signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

static atomic_int pending_signal;
static atomic_int current_mode; /* a signals_mode */
static _Atomic(choir_engine *) current_engine;
static _Atomic(const char *) farewell;
static _Atomic(const char *) mapped_line;
static atomic_int n_ending; /* signals that end the program, since one was pending */

/* The terminal.  usual_modes is written before have_modes is set, and never again. */
static struct termios usual_modes;
static atomic_bool have_modes, editing, stopping;
static atomic_uint happened; /* SIGNALS_RESIZED and so on */
static _Atomic(const char *) screen_leave;
static _Atomic(const char *) screen_back;

static void say(int fd, const char *text)
{
    ssize_t done = text ? write(fd, text, strlen(text)) : 0;
    (void)done; /* there is nowhere left to report a failure */
}

/* Changing modes from the background would stop the program. */
static void set_modes(const struct termios *modes)
{
    if (atomic_load(&have_modes) && tcgetpgrp(STDIN_FILENO) == getpgrp()) {
        tcsetattr(STDIN_FILENO, TCSANOW, modes);
    }
}

static _Noreturn void leave(int number)
{
    set_modes(&usual_modes);
    say(STDOUT_FILENO, atomic_load(&screen_leave));
    say(STDERR_FILENO, atomic_load(&farewell));
    _exit(128 + number);
}

/* A page of the mapped file has no bytes behind it any more.  Any other SIGBUS is a defect and ends the program
 * as ever. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code == BUS_ADRERR) {
        set_modes(&usual_modes);
        say(STDOUT_FILENO, atomic_load(&screen_leave));
        say(STDERR_FILENO, atomic_load(&farewell));
        say(STDERR_FILENO, atomic_load(&mapped_line));
        _exit(CHOIR_IO);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void on_signal(int number)
{
    int mode = atomic_load(&current_mode);
    int before = atomic_load(&pending_signal);
    /* A service manager sends SIGTERM and SIGHUP at once: that is one wish, not two. */
    bool patient =
        mode == SIGNALS_INTERACTIVE && (number == SIGINT || before == SIGINT || atomic_fetch_add(&n_ending, 1) < 2);
    if (mode == SIGNALS_EXIT || (before != 0 && !patient)) {
        leave(number);
    }
    if (before == 0 || number != SIGINT) {
        atomic_store(&pending_signal, number);
    }
    choir_engine *engine = atomic_load(&current_engine);
    if (engine) {
        choir_engine_cancel(engine);
    }
}

void signals_install(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction old, action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
            /* No SA_RESTART: a write to a reader that is asleep shall end. */
            sigaction(numbers[i], &action, NULL);
        }
    }
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
#ifdef SIGXFSZ
    sigaction(SIGXFSZ, &action, NULL);
#endif
}

/* ---- the terminal ------------------------------------------------------------------------------------ */

static void on_stop(int number);

static void catch_stop(void)
{
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTSTP, &action, NULL);
}

void signals_stop(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t stop, before;
    sigemptyset(&action.sa_mask);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    sigaction(SIGTSTP, &action, NULL);
    atomic_store(&stopping, true);
    raise(SIGTSTP);
    pthread_sigmask(SIG_UNBLOCK, &stop, &before); /* here it stops, and goes on */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    catch_stop();
}

/* The shell shall find the terminal as it was, and the program as it left it.  While a line is edited the editor sees to
 * that. */
static void on_stop(int number)
{
    struct termios own;
    (void)number;
    if (atomic_load(&editing)) {
        atomic_fetch_or(&happened, SIGNALS_STOPPED);
        return;
    }
    bool known = tcgetattr(STDIN_FILENO, &own) == 0;
    say(STDOUT_FILENO, atomic_load(&screen_leave));
    set_modes(&usual_modes);
    signals_stop();
    if (known) {
        set_modes(&own);
    }
    say(STDOUT_FILENO, atomic_load(&screen_back));
}

static void on_resize(int number)
{
    (void)number;
    atomic_fetch_or(&happened, SIGNALS_RESIZED);
}

/* The SIGCONT after signals_stop is expected there; another one follows a SIGSTOP. */
static void on_continue(int number)
{
    (void)number;
    if (!atomic_exchange(&stopping, false)) {
        atomic_fetch_or(&happened, SIGNALS_CONTINUED);
    }
}

void signals_terminal(void)
{
    struct sigaction old, action = {.sa_handler = on_resize, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (!atomic_load(&have_modes)) {
        atomic_store(&have_modes, tcgetattr(STDIN_FILENO, &usual_modes) == 0);
    }
    sigaction(SIGWINCH, &action, NULL);
    action.sa_handler = on_continue;
    sigaction(SIGCONT, &action, NULL);
    if (sigaction(SIGTSTP, NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
        catch_stop();
    }
}

void signals_screen(const char *leave_text, const char *back_text)
{
    atomic_store(&screen_leave, leave_text);
    atomic_store(&screen_back, back_text);
}

void signals_editing(bool on)
{
    atomic_store(&editing, on);
}

bool signals_waiting(void)
{
    return atomic_load(&happened) || atomic_load(&pending_signal);
}

unsigned signals_await_input(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH};
    sigset_t watched, before;
    sigemptyset(&watched);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaddset(&watched, numbers[i]);
    }
    pthread_sigmask(SIG_BLOCK, &watched, &before); /* none may come between the look and the sleep */
    if (!signals_waiting()) {
        fd_set input;
        FD_ZERO(&input);
        FD_SET(STDIN_FILENO, &input);
        pselect(STDIN_FILENO + 1, &input, NULL, NULL, NULL, &before);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return atomic_exchange(&happened, 0);
}

/* ------------------------------------------------------------------------------------------------------ */

void signals_set(signals_mode mode, choir_engine *engine)
{
    atomic_store(&current_engine, engine);
    atomic_store(&current_mode, (int)mode);
    if (engine && atomic_load(&pending_signal)) {
        choir_engine_cancel(engine);
    }
}

void signals_farewell(const char *text)
{
    atomic_store(&farewell, text);
}

void signals_mapped(const char *line)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    atomic_store(&mapped_line, line);
    sigaction(SIGBUS, &action, NULL);
}

int signals_pending(void)
{
    return atomic_load(&pending_signal);
}

void signals_clear(void)
{
    int expected = SIGINT;
    if (atomic_compare_exchange_strong(&pending_signal, &expected, 0) || expected == 0) {
        choir_engine *engine = atomic_load(&current_engine);
        if (engine) {
            choir_engine_uncancel(engine);
            if (atomic_load(&pending_signal)) {
                choir_engine_cancel(engine); /* one more came in between */
            }
        }
    }
}
