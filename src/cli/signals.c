/* Signals: the handler does only what POSIX allows there: it stores into lock-free atomics, calls choir_engine_cancel
 * (which is documented to be safe), write or _exit. */
#include "cli/signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static atomic_int pending_signal;
static atomic_int current_mode; /* a signals_mode */
static _Atomic(choir_engine *) current_engine;
static _Atomic(const char *) farewell;
static _Atomic(const char *) mapped_line;

static void say(const char *text)
{
    ssize_t done = text ? write(STDERR_FILENO, text, strlen(text)) : 0;
    (void)done; /* there is nowhere left to report a failure */
}

static _Noreturn void leave(int number)
{
    say(atomic_load(&farewell));
    _exit(128 + number);
}

/* A page of the mapped file has no bytes behind it any more.  Any other SIGBUS is a defect and ends the program
 * as ever. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code == BUS_ADRERR) {
        say(atomic_load(&farewell));
        say(atomic_load(&mapped_line));
        _exit(CHOIR_IO);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void on_signal(int number)
{
    int mode = atomic_load(&current_mode);
    int before = atomic_load(&pending_signal);
    bool patient = mode == SIGNALS_INTERACTIVE && (number == SIGINT || before == SIGINT);
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
