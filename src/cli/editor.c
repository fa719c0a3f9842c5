/* libedit behind four functions.  Its own signal handling stays off (it would pass a signal on to the whole process group):
 * bytes are read here, so that EINTR ends a line. */
#include "cli/editor.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "cli/signals.h"
#include "cli/stream.h"

#define HISTORY_LINES 1000

struct editor {
    const terminal *term;
    EditLine *el; /* NULL: plain reading */
    History *history;
    char history_path[PATH_MAX]; /* "" : nowhere to save */
    const char *prompt;
    text_buffer line; /* plain reading: the line */
    char ahead[4096]; /* plain reading: bytes read but not used */
    size_t at, n_ahead;
};

/* ---- history ----------------------------------------------------------------------------------------- */

/* Makes every missing folder of the path, for its owner only. */
static void make_folders(char *path)
{
    for (char *c = path + 1; *c; c++) {
        if (*c == '/') {
            *c = '\0';
            mkdir(path, 0700);
            *c = '/';
        }
    }
}

static void find_history(editor *e)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    size_t cap = sizeof e->history_path;
    int n = -1;
    if (state && *state == '/') { /* the specification: a relative path is to be ignored */
        n = snprintf(e->history_path, cap, "%s/choir/history", state);
    } else if (home && *home == '/') {
        n = snprintf(e->history_path, cap, "%s/.local/state/choir/history", home);
    }
    if (n < 0 || (size_t)n >= cap) {
        e->history_path[0] = '\0';
        return;
    }
    make_folders(e->history_path);
}

/* Under a name of its own, then renamed: a second choir never sees half a file. */
static void save_history(editor *e)
{
    HistEvent event;
    char temporary[PATH_MAX + 32];
    if (!e->history_path[0]) {
        return;
    }
    snprintf(temporary, sizeof temporary, "%s.%ld", e->history_path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return;
    }
    close(fd);
    if (history(e->history, &event, H_SAVE, temporary) < 0 || rename(temporary, e->history_path) != 0) {
        unlink(temporary);
    }
}

/* After a read that failed: whether nothing was wrong but the moment.  A stdin without bytes that somebody made
 * non-blocking is waited for. */
static bool try_again(void)
{
    if (errno != EINTR && errno != EAGAIN) {
        return false;
    }
    if (errno == EAGAIN) {
        stream_wait(STDIN_FILENO, false);
    }
    return signals_pending() == 0;
}

/* ---- libedit ----------------------------------------------------------------------------------------- */

static const char *on_prompt(EditLine *el)
{
    void *data = NULL;
    el_get(el, EL_CLIENTDATA, &data);
    const editor *e = data;
    return e->prompt;
}

/* One character from the terminal; 0 at the end, -1 when a signal came. */
static int on_getc(EditLine *el, wchar_t *out)
{
    char bytes[MB_LEN_MAX];
    size_t n = 0;
    (void)el;
    for (;;) {
        ssize_t got = read(STDIN_FILENO, bytes + n, 1);
        if (got < 0 && try_again()) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? 0 : -1;
        }
        n++;
        mbstate_t state = {0};
        size_t used = mbrtowc(out, bytes, n, &state);
        if (used != (size_t)-2) {
            if (used == (size_t)-1) {
                *out = L'\xfffd';
            }
            return 1;
        }
        if (n == sizeof bytes) {
            n = 0;
        }
    }
}

static void open_libedit(editor *e)
{
    HistEvent event;
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        setlocale(LC_CTYPE, "C.UTF-8");
    }
    e->el = el_init("choir", stdin, stdout, stderr);
    e->history = history_init();
    if (!e->el || !e->history) {
        return;
    }
    history(e->history, &event, H_SETSIZE, HISTORY_LINES);
    history(e->history, &event, H_SETUNIQUE, 1);
    el_set(e->el, EL_CLIENTDATA, (void *)e);
    el_set(e->el, EL_PROMPT, on_prompt);
    el_set(e->el, EL_EDITOR, "emacs");
    el_set(e->el, EL_HIST, history, e->history);
    el_set(e->el, EL_GETCFN, on_getc);
    el_source(e->el, NULL);
    find_history(e);
    if (e->history_path[0]) {
        history(e->history, &event, H_LOAD, e->history_path);
    }
}

static editor_event read_edited(editor *e, bool remember, const char **line, size_t *n)
{
    int count = 0;
    HistEvent event;
    el_resize(e->el);
    errno = 0;
    const char *text = el_gets(e->el, &count);
    if (signals_pending()) {
        el_reset(e->el);
        return EDITOR_SIGNAL;
    }
    if (!text || count <= 0) {
        return errno && errno != EINTR && count < 0 ? EDITOR_ERROR : EDITOR_END;
    }
    size_t bytes = (size_t)count;
    if (remember && text[strspn(text, " \t\n")]) {
        history(e->history, &event, H_ENTER, text);
    }
    bytes -= text[bytes - 1] == '\n';
    *line = text;
    *n = bytes;
    return EDITOR_LINE;
}

/* ---- plain ------------------------------------------------------------------------------------------- */

static editor_event read_plain(editor *e, const char **line, size_t *n)
{
    e->line.n = 0;
    for (;;) {
        if (e->at == e->n_ahead) {
            ssize_t got = read(STDIN_FILENO, e->ahead, sizeof e->ahead);
            if (got < 0 && try_again()) {
                continue;
            }
            if (got < 0) {
                return signals_pending() ? EDITOR_SIGNAL : EDITOR_ERROR;
            }
            if (got == 0 && e->line.n == 0) {
                return EDITOR_END;
            }
            if (got == 0) {
                break;
            }
            e->at = 0;
            e->n_ahead = (size_t)got;
        }
        const char *from = e->ahead + e->at;
        const char *end = memchr(from, '\n', e->n_ahead - e->at);
        size_t bytes = end ? (size_t)(end - from) : e->n_ahead - e->at;
        if (text_append(&e->line, from, bytes)) {
            errno = ENOMEM;
            return EDITOR_ERROR;
        }
        e->at += bytes + (end != NULL);
        if (end) {
            break;
        }
    }
    *line = e->line.n ? e->line.at : "";
    *n = e->line.n;
    return EDITOR_LINE;
}

/* ---- both -------------------------------------------------------------------------------------------- */

editor *editor_open(const terminal *t)
{
    editor *e = calloc(1, sizeof *e);
    if (!e) {
        return NULL;
    }
    e->term = t;
    if (t->in && t->out && t->escapes) {
        open_libedit(e);
    }
    return e;
}

void editor_close(editor *e)
{
    if (!e) {
        return;
    }
    if (e->el && e->history) {
        save_history(e);
    }
    if (e->history) {
        history_end(e->history);
    }
    if (e->el) {
        el_end(e->el); /* gives the terminal back as it was */
    }
    free(e->line.at);
    free(e);
}

editor_event editor_read(editor *e, const char *prompt, bool remember, const char **line, size_t *n)
{
    e->prompt = prompt;
    if (e->el && e->history) {
        return read_edited(e, remember, line, n);
    }
    int fd = e->term->out ? STDOUT_FILENO : STDERR_FILENO;
    if (e->term->in && (e->term->out || e->term->err) && write(fd, prompt, strlen(prompt)) < 0) {
        return EDITOR_ERROR;
    }
    return read_plain(e, line, n);
}
