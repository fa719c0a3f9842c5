/* libedit.  Its own signal handling stays off (it would pass a signal on to the whole process group): bytes are read here, so
 * that a signal ends a line, Ctrl-Z gives the terminal back, and a resize draws the line anew. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <unistd.h>
#include <utf8proc.h>
#include <wchar.h>

#include "cli/complete/editor_parts.h"
#include "cli/signals.h"

/* Bracketed paste: the terminal says where pasted text begins and ends. */
#define PASTE_ON  "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
static const char leave_screen[] = "\033[0m" PASTE_OFF, back_screen[] = PASTE_ON;
static const char back_painted[] = PASTE_ON QUIET_COLOR;
static const char paste_end[] = "\033[201~";

static editor *self(EditLine *el)
{
    void *data = NULL;
    el_get(el, EL_CLIENTDATA, &data);
    return data;
}

void editor_draw(const char *codes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, codes, n);
        if (done < 0 && errno != EINTR) {
            return;
        }
        codes += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
}

static const char *on_prompt(EditLine *el)
{
    return self(el)->prompt;
}

/* ---- the screen -------------------------------------------------------------------------------------- */

static struct winsize screen_size(void)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        size = (struct winsize){.ws_col = 80, .ws_row = 24};
    }
    return size;
}

int editor_rows(void)
{
    return screen_size().ws_row;
}

cells editor_cursor(editor *e, bool lazy)
{
    const LineInfoW *line = el_wline(e->el);
    cells c = {.columns = screen_size().ws_col, .lazy = lazy};
    cells_put_text(&c, e->prompt, strlen(e->prompt));
    for (const wchar_t *at = line->buffer; at < line->cursor; at++) {
        cells_put(&c, (int32_t)*at);
    }
    return c;
}

/* The terminal has wrapped the rows anew (most do): from where the prompt now begins everything is drawn again. */
static void draw_resized(editor *e)
{
    char codes[32];
    int above = editor_cursor(e, true).row, rows = editor_rows();
    above = above < rows ? above : rows - 1;
    int n = above > 0 ? snprintf(codes, sizeof codes, "\r\033[%dA\033[J", above)
                      : snprintf(codes, sizeof codes, "\r\033[J");
    editor_draw(codes, (size_t)n);
    el_resize(e->el);
    el_set(e->el, EL_REFRESH);
}

/* Ctrl-Z: the shell finds the terminal as it was. */
static void stop(editor *e)
{
    el_set(e->el, EL_PREP_TERM, 0);
    editor_draw(leave_screen, sizeof leave_screen - 1);
    signals_stop();
}

static void go_on(editor *e)
{
    el_set(e->el, EL_PREP_TERM, 0); /* libedit believes that its modes are still set */
    el_set(e->el, EL_PREP_TERM, 1);
    editor_draw(back_screen, sizeof back_screen - 1);
    editor_draw("\r\033[J", 4);
    el_resize(e->el);
    el_set(e->el, EL_REFRESH);
}

static void handle(editor *e, unsigned happened)
{
    editor_drop_offer(e);
    if (happened & SIGNALS_STOPPED) {
        stop(e);
    }
    if (happened & (SIGNALS_STOPPED | SIGNALS_CONTINUED)) {
        go_on(e);
    } else {
        draw_resized(e);
    }
}

/* ---- keys -------------------------------------------------------------------------------------------- */

/* A byte from the terminal: 1; 0 at the end, -1 when a signal came or reading failed. */
static int next_byte(editor *e, char *out)
{
    if (e->n_pushed > 0) {
        *out = e->pushed[0];
        memmove(e->pushed, e->pushed + 1, --e->n_pushed);
        return 1;
    }
    for (;;) {
        unsigned happened = signals_await_input();
        if (signals_pending()) {
            return -1;
        }
        if (happened) {
            handle(e, happened);
            continue;
        }
        ssize_t got = read(STDIN_FILENO, out, 1);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN)) {
            return (int)got;
        }
    }
}

static int next_character(editor *e, wchar_t *out)
{
    char bytes[MB_LEN_MAX];
    size_t n = 0;
    for (;;) {
        int got = next_byte(e, bytes + n);
        if (got <= 0) {
            return got;
        }
        mbstate_t state = {0};
        size_t used = mbrtowc(out, bytes, ++n, &state);
        if (used != (size_t)-2) {
            *out = used == (size_t)-1 ? L'\xfffd' : *out;
            return 1;
        }
        n = n == sizeof bytes ? 0 : n;
    }
}

/* A base and a mark that combines with it as the one character that is both; 0: there is none.  libedit has a cell for each
 * character and shows no mark on another one. */
static wchar_t compose(wchar_t base, wchar_t mark)
{
    utf8proc_int32_t pair[2] = {(utf8proc_int32_t)base, (utf8proc_int32_t)mark};
    if (base < 0x20 || mark < 0x300 || utf8proc_get_property(pair[1])->combining_class == 0) {
        return 0;
    }
    return utf8proc_normalize_utf32(pair, 2, UTF8PROC_COMPOSE) == 1 ? (wchar_t)pair[0] : 0;
}

static unsigned char on_compose(EditLine *el, int key)
{
    editor *e = self(el);
    const LineInfoW *line = el_wline(el);
    wchar_t whole[2] = {e->mark, L'\0'};
    (void)key;
    wchar_t joined = line->cursor > line->buffer ? compose(line->cursor[-1], e->mark) : 0;
    if (joined) {
        whole[0] = joined;
        el_deletestr(el, 1);
    }
    el_winsertstr(el, whole);
    return CC_REFRESH;
}

static bool comes_soon(void)
{
    fd_set input;
    struct timeval wait = {.tv_usec = 100000};
    FD_ZERO(&input);
    FD_SET(STDIN_FILENO, &input);
    return select(STDIN_FILENO + 1, &input, NULL, NULL, &wait) > 0;
}

/* After ESC: whether the rest of Right's code follows, which is taken then; else it is read again. */
static bool is_right(editor *e)
{
    while (e->n_pushed < 2 && comes_soon() && read(STDIN_FILENO, e->pushed + e->n_pushed, 1) == 1) {
        e->n_pushed++;
    }
    if (e->n_pushed == 2 && (e->pushed[0] == '[' || e->pushed[0] == 'O') && e->pushed[1] == 'C') {
        e->n_pushed = 0;
        return true;
    }
    return false;
}

/* While something is offered, Tab and Right take it, any other key drops it first. */
static int on_getc(EditLine *el, wchar_t *out)
{
    enum { ESC = 0x1b, CTRL_D = 0x04, CTRL_F = 0x06, COMPOSE = 0x1f };
    editor *e = self(el);
    int got = next_character(e, out);
    if (got == 1 && *out == L'\0') {
        *out = CTRL_D; /* typed while the terminal read lines, which leaves a NUL */
    }
    if (got == 1 && *out >= 0x300 && utf8proc_get_property((utf8proc_int32_t)*out)->combining_class > 0) {
        e->mark = *out;
        *out = COMPOSE;
    }
    if (e->offer.n == 0) {
        return got;
    }
    if (got == 1 && (*out == '\t' || *out == CTRL_F || (*out == ESC && is_right(e)))) {
        *out = '\t';
        return 1;
    }
    editor_drop_offer(e);
    return got;
}

/* Newlines and tabs stay, other control characters are left out. */
static void insert_pasted(EditLine *el, const char *text, size_t n)
{
    wchar_t *line = calloc(n + 1, sizeof *line);
    size_t length = 0;
    mbstate_t state = {0};
    for (size_t i = 0; line && i < n;) {
        wchar_t c;
        size_t used = mbrtowc(&c, text + i, n - i, &state);
        bool valid = used != (size_t)-1 && used != (size_t)-2 && used != 0;
        i += valid ? used : 1;
        wchar_t joined = valid && length > 0 ? compose(line[length - 1], c) : 0;
        if (!valid) {
            state = (mbstate_t){0};
        } else if (joined) {
            line[length - 1] = joined;
        } else if (c == L'\n' || c == L'\t' || (c >= 0x20 && (c < 0x7f || c >= 0xa0))) {
            line[length++] = c;
        }
    }
    if (length > 0) {
        el_winsertstr(el, line);
    }
    free(line);
}

/* What stands between the codes of a paste. */
static unsigned char on_paste(EditLine *el, int key)
{
    editor *e = self(el);
    text_buffer text = {0};
    char c;
    (void)key;
    while (next_byte(e, &c) == 1) {
        c = c == '\r' ? '\n' : c;
        text_append(&text, &c, 1);
        const size_t end = sizeof paste_end - 1;
        if (text.failed || (text.n >= end && memcmp(text.at + text.n - end, paste_end, end) == 0)) {
            text.n -= text.failed ? 0 : end;
            break;
        }
    }
    insert_pasted(el, text.at ? text.at : "", text.n);
    free(text.at);
    return CC_REFRESH;
}

/* ---- lines ------------------------------------------------------------------------------------------- */

void editor_open_line(editor *e)
{
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        setlocale(LC_CTYPE, "C.UTF-8");
    }
    history_open(&e->history);
    e->el = e->history.lines ? el_init("choir", stdin, stdout, stderr) : NULL;
    if (!e->el) {
        return;
    }
    el_set(e->el, EL_CLIENTDATA, (void *)e);
    el_set(e->el, EL_PROMPT, on_prompt);
    el_set(e->el, EL_EDITOR, "emacs");
    el_set(e->el, EL_HIST, history, e->history.lines);
    el_set(e->el, EL_GETCFN, on_getc);
    el_wset(e->el, EL_ADDFN, L"choir-tab", L"what could follow", editor_on_tab);
    el_wset(e->el, EL_ADDFN, L"choir-paste", L"text that is pasted", on_paste);
    el_set(e->el, EL_BIND, "\\t", "choir-tab", NULL);
    el_set(e->el, EL_BIND, "\\e[200~", "choir-paste", NULL);
    el_wset(e->el, EL_ADDFN, L"choir-compose", L"a mark on the character before it", on_compose);
    el_set(e->el, EL_BIND, "^_", "choir-compose", NULL);
    el_source(e->el, NULL);
    signals_screen(leave_screen, back_screen);
    editor_draw(back_screen, sizeof back_screen - 1); /* also what is pasted while the model writes comes whole */
}

void editor_paint(const editor *e, bool on)
{
    if (e->el) {
        signals_screen(leave_screen, on ? back_painted : back_screen);
    } else {
        signals_screen(on ? "\033[0m" : NULL, on ? QUIET_COLOR : NULL);
    }
}

void editor_close_line(editor *e)
{
    if (e->el) {
        el_end(e->el); /* gives the terminal back as it was */
        editor_draw(leave_screen, sizeof leave_screen - 1);
        signals_screen(NULL, NULL);
    }
    history_close(&e->history);
}

editor_event editor_read_line(editor *e, const char **line, size_t *n)
{
    int count = 0;
    signals_editing(true);
    el_resize(e->el);
    el_set(e->el, EL_PREP_TERM, 1); /* before the prompt is seen, and answered */
    errno = 0;
    const char *text = el_gets(e->el, &count);
    signals_editing(false);
    if (signals_pending()) {
        el_reset(e->el);
        return EDITOR_SIGNAL;
    }
    if (!text || count <= 0) {
        return errno && errno != EINTR && count < 0 ? EDITOR_ERROR : EDITOR_END;
    }
    size_t bytes = (size_t)count;
    if (e->remember) {
        history_add(&e->history, text);
    }
    bytes -= text[bytes - 1] == '\n';
    *line = text;
    *n = bytes;
    return EDITOR_LINE;
}
