/* The terminal: what the streams are, messages, the progress bar.  Everything here writes to stderr with write(2) in one call
 * a line, so that lines of several programs do not mix, and ignores failures: there is nowhere left to report them. */
#include "cli/terminal.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <utf8proc.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "cli/signals.h"

static const char clear_line[] = "\r\033[K";

static bool env_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

void terminal_open(terminal *t, const char *color, bool quiet, bool verbose)
{
    const char *term = getenv("TERM");
    const char *force = getenv("CLICOLOR_FORCE");
    t->in = isatty(STDIN_FILENO);
    t->out = isatty(STDOUT_FILENO);
    t->err = isatty(STDERR_FILENO);
    t->escapes = term && *term && strcmp(term, "dumb") != 0;
    t->quiet = quiet;
    t->verbose = verbose;
    bool wanted = t->escapes && !env_set("NO_COLOR");
    if (strcmp(color, "never") == 0) {
        wanted = false;
    } else if (strcmp(color, "always") == 0 || (force && *force && strcmp(force, "0") != 0)) {
        wanted = true;
    }
    t->color = wanted && t->err;
    t->color_out = wanted && t->out;
}

void terminal_echo(bool on)
{
    struct termios modes;
    if (tcgetattr(STDIN_FILENO, &modes) == 0 && tcgetpgrp(STDIN_FILENO) == getpgrp()) {
        modes.c_lflag = on ? modes.c_lflag | ECHO : modes.c_lflag & ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSANOW, &modes);
    }
}

static void write_err(const char *s, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, s, n);
        if (done <= 0) {
            return;
        }
        s += done;
        n -= (size_t)done;
    }
}

bool escape_text(char *dst, size_t cap, const char *s, size_t n, size_t *used)
{
    size_t at = 0;
    for (size_t i = 0; i < n;) {
        size_t len = base_utf8_printable(s + i, n - i);
        size_t need = len ? len : 4;
        if (at + need + 1 > cap) {
            dst[at] = '\0';
            *used = at;
            return false;
        }
        if (len) {
            memcpy(dst + at, s + i, len);
        } else {
            snprintf(dst + at, 5, "\\x%02x", (unsigned char)s[i]);
        }
        at += need;
        i += len ? len : 1;
    }
    dst[at] = '\0';
    *used = at;
    return true;
}

static void put_line(const char *color, const char *prefix, const char *text)
{
    char line[MESSAGE_MAX + 32];
    size_t used, at = 0, shown = strlen(prefix);
    if (color) {
        at = (size_t)snprintf(line, sizeof line, "%s", color);
    }
    memcpy(line + at, prefix, shown);
    at += shown;
    escape_text(line + at, MESSAGE_MAX - shown, text, strlen(text), &used);
    at += used;
    if (color) {
        memcpy(line + at, "\033[0m", 4);
        at += 4;
    }
    line[at++] = '\n';
    write_err(line, at);
}

void message(const terminal *t, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put_line(t->color ? "\033[31m" : NULL, "choir: ", text);
}

void warning(const terminal *t, const char *line)
{
    if (!t->quiet) {
        put_line(t->color ? "\033[33m" : NULL, "choir: warning: ", line);
    }
}

void note(const terminal *t, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put_line(t->color ? "\033[2m" : NULL, "", text);
}

void progress_begin(progress *p, const terminal *t, const char *label)
{
    *p = (progress){.term = t, .label = label, .begun_ns = base_clock_ns()};
}

/* Columns of the terminal that a stream is; 80 when it does not know. */
static int columns_of(int stream)
{
    struct winsize size;
    return ioctl(stream, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int terminal_columns(const terminal *t)
{
    const int least = 20, columns = t->out ? columns_of(STDOUT_FILENO) : INT_MAX;
    return columns > least ? columns : least;
}

int terminal_width(const char *text)
{
    int width = 0;
    size_t n = strlen(text);
    for (size_t i = 0; i < n;) {
        utf8proc_int32_t c = 0;
        utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &c);
        width += len > 0 ? utf8proc_charwidth(c) : 1;
        i += len > 0 ? (size_t)len : 1;
    }
    return width;
}

void terminal_break(char *text, int columns)
{
    int used = 0;
    for (char *word = text, *rest; word; word = rest) {
        rest = strchr(word, ' ');
        if (rest) {
            *rest = '\0';
        }
        const int width = terminal_width(word);
        const bool fits = used == 0 || used + 1 + width <= columns;
        if (word > text) {
            word[-1] = fits ? ' ' : '\n';
        }
        used = fits ? used + (used > 0) + width : width;
        rest = rest ? rest + 1 : NULL;
    }
}

/* Fits the terminal with its last three columns free, for a ^C that is echoed: clearing the line would leave a wrapped
 * part.  When it is narrow the bar gets shorter, then the sizes go, then the bar.  Clears what a longer number left
 * behind.  Returns the bytes; 0: too narrow for anything. */
static int format_bar(char *line, size_t cap, const char *label, const char *after, uint64_t done, uint64_t total,
                      double seconds)
{
    static const char full[] = "==============================", none[] = "                              ";
    const int longest = (int)sizeof full - 1, shortest = 5, wide = columns_of(STDERR_FILENO);
    double share = done < total ? (double)done / (double)total : 1;
    int percent = (int)(share * 100);
    char sizes[64];
    const double mib = 1048576;
    /* the room is that of the last drawing, so that the bar keeps its width */
    int sizes_n =
        snprintf(sizes, sizeof sizes, "  %.0f of %.0f MiB, 1000 MiB/s", (double)total / mib, (double)total / mib);
    snprintf(sizes, sizeof sizes, "  %.0f of %.0f MiB, %.0f MiB/s", (double)done / mib, (double)total / mib,
             (double)done / mib / seconds);
    if (after) {
        sizes_n = snprintf(sizes, sizeof sizes, "  %-*s", (int)sizeof sizes - 20, after);
    }
    int room = wide - 3 - (int)strlen(label) - (int)sizeof " [] 100 %" + 1;
    if (wide < 20) {
        return 0;
    }
    if (room - sizes_n < shortest) {
        sizes[0] = '\0';
        sizes_n = 0;
    }
    int width = room - sizes_n < longest ? room - sizes_n : longest;
    if (width < shortest) {
        return snprintf(line, cap, "\r%s %3d %%\033[K", label, percent);
    }
    int filled = (int)(share * width);
    return snprintf(line, cap, "\r%s [%.*s%.*s] %3d %%%s\033[K", label, filled, full, width - filled, none, percent,
                    sizes);
}

void progress_draw(progress *p, uint64_t done, uint64_t total)
{
    const uint64_t wait_ns = 300000000, pause_ns = 100000000;
    const terminal *t = p->term;
    if (!t->err || !t->escapes || t->quiet || total == 0) {
        return;
    }
    uint64_t now = base_clock_ns();
    if (now - p->begun_ns < wait_ns || (p->shown && now - p->drawn_ns < pause_ns)) {
        return;
    }
    char line[160];
    int n = format_bar(line, sizeof line, p->label, p->after, done, total, (double)(now - p->begun_ns) / 1e9);
    if (n == 0) {
        return;
    }
    signals_farewell(clear_line);
    write_err(line, (size_t)n);
    p->shown = true;
    p->drawn_ns = now;
}

void progress_end(progress *p)
{
    if (p->shown) {
        write_err(clear_line, sizeof clear_line - 1);
        signals_farewell(NULL);
        p->shown = false;
    }
}
