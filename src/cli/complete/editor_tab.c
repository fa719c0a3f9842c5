/* Tab: the names that a command could mean, or a text that could follow, shown dimmed behind the line.  libedit does not know
 * about the offer: it is written behind the cursor, which then goes back, and wiped before the next key is handed on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "cli/complete/editor_parts.h"
#include "cli/signals.h"

#define SAVE_CURSOR "\0337"
#define BACK_TO_IT  "\0338"
#define ROW_DOWN    "\033D" /* which scrolls at the bottom and keeps the column */
#define DIM         "\033[2m"
#define PLAIN       "\033[0m"
#define WIPE        "\033[J"

/* ---- a text that could follow ------------------------------------------------------------------------ */

void editor_drop_offer(editor *e)
{
    if (e->offer.n > 0) {
        e->offer.n = 0;
        editor_draw(WIPE, sizeof WIPE - 1);
    }
}

/* Makes room for the rows below the cursor that the text takes, then writes it from there and comes back. */
static void draw_offer(const char *text, size_t n, int rows)
{
    text_buffer out = {0};
    char up[16];
    bool failed = false;
    for (int i = 0; i < rows; i++) {
        failed |= text_append(&out, ROW_DOWN, sizeof ROW_DOWN - 1);
    }
    if (rows > 0) {
        int len = snprintf(up, sizeof up, "\033[%dA", rows);
        failed |= text_append(&out, up, (size_t)len);
    }
    failed |= text_append(&out, SAVE_CURSOR DIM, sizeof SAVE_CURSOR DIM - 1);
    failed |= text_append(&out, text, n);
    failed |= text_append(&out, PLAIN BACK_TO_IT, sizeof PLAIN BACK_TO_IT - 1);
    if (!failed) {
        editor_draw(out.at, out.n);
    }
    free(out.at);
}

int editor_offer(editor *e, const char *text, size_t n)
{
    const struct timespec now = {0};
    fd_set input;
    cells c = editor_cursor(e, false);
    const int row = c.row;
    cells_put_text(&c, text, n);
    e->offer.n = 0;
    if (c.row - row > editor_rows() - 2 || text_append(&e->offer, text, n) || text_append(&e->offer, "", 1)) {
        e->offer.n = 0;
        return 1;
    }
    e->offer.n = n; /* a NUL follows */
    draw_offer(text, n, c.row - row);
    FD_ZERO(&input);
    FD_SET(STDIN_FILENO, &input);
    return signals_waiting() || pselect(STDIN_FILENO + 1, &input, NULL, NULL, &now, NULL) > 0;
}

/* ---- names ------------------------------------------------------------------------------------------- */

struct names {
    char **at; /* [n] */
    size_t n, begin;
    char end; /* of the last one */
};

void names_begin(names *found, size_t at)
{
    found->begin = at;
}

void names_add(names *found, const char *word, char end)
{
    char **more = realloc(found->at, (found->n + 1) * sizeof *more);
    char *copy = strdup(word);
    if (more) {
        found->at = more;
    }
    if (!more || !copy) {
        free(copy);
        return;
    }
    found->at[found->n++] = copy;
    found->end = end;
}

static int by_name(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* Bytes, ending with a whole character, that all have in common. */
static size_t common(const names *found)
{
    size_t n = strlen(found->at[0]);
    for (size_t i = 1; i < found->n; i++) {
        size_t same = 0;
        while (same < n && found->at[i][same] == found->at[0][same]) {
            same++;
        }
        n = same;
    }
    while (n > 0 && ((unsigned char)found->at[0][n] & 0xc0) == 0x80) {
        n--;
    }
    return n;
}

/* Under the line, in columns; libedit draws the line anew below. */
static void list(names *found, int columns)
{
    char cell[512];
    int wide = 0;
    qsort(found->at, found->n, sizeof *found->at, by_name);
    for (size_t i = 0; i < found->n; i++) {
        cells c = {.columns = INT_MAX};
        cells_put_text(&c, found->at[i], strlen(found->at[i]));
        wide = c.column > wide ? c.column : wide;
    }
    int a_row = columns > wide + 2 ? columns / (wide + 2) : 1;
    editor_draw("\r\n", 2);
    for (size_t i = 0; i < found->n; i++) {
        cells c = {.columns = INT_MAX};
        size_t used;
        escape_text(cell, sizeof cell - 2, found->at[i], strlen(found->at[i]), &used);
        cells_put_text(&c, cell, used);
        editor_draw(cell, used);
        bool last = i + 1 == found->n || (i + 1) % (size_t)a_row == 0;
        for (int at = c.column; !last && at < wide + 2; at++) {
            editor_draw(" ", 1);
        }
        editor_draw("\r\n", last ? 2 : 0);
    }
}

static unsigned char take_name(editor *e, names *found, size_t typed)
{
    if (found->n == 0) {
        return CC_NORM;
    }
    size_t same = common(found);
    if (same > typed || found->n == 1) {
        char end[2] = {found->end, '\0'};
        found->at[0][same] = found->n == 1 ? found->at[0][same] : '\0';
        if (same > typed) {
            el_insertstr(e->el, found->at[0] + typed);
        }
        if (found->n == 1 && found->end) {
            el_insertstr(e->el, end);
        }
        return CC_REFRESH;
    }
    list(found, editor_cursor(e, false).columns);
    return CC_REDISPLAY;
}

/* ------------------------------------------------------------------------------------------------------ */

unsigned char editor_on_tab(EditLine *el, int key)
{
    void *data = NULL;
    el_get(el, EL_CLIENTDATA, &data);
    editor *e = data;
    const LineInfo *line = el_line(el);
    (void)key;
    if (e->offer.n > 0) {
        editor_draw(WIPE, sizeof WIPE - 1);
        e->offer.n = 0;
        el_insertstr(el, e->offer.at);
        return CC_REFRESH;
    }
    if (!e->remember || line->cursor != line->lastchar) {
        return CC_NORM;
    }
    size_t n = (size_t)(line->lastchar - line->buffer);
    names found = {.n = 0};
    unsigned char code = CC_NORM;
    if (e->hooks->complete(e->hooks->user, line->buffer, n, &found)) {
        code = take_name(e, &found, n - (found.begin < n ? found.begin : n));
    } else {
        e->hooks->suggest(e->hooks->user, line->buffer, n);
    }
    for (size_t i = 0; i < found.n; i++) {
        free(found.at[i]);
    }
    free(found.at);
    return code;
}
