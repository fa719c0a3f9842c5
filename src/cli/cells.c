/* Widths are those of utf8proc (Unicode's East Asian Width). */
#include "cli/cells.h"

#include <utf8proc.h>

enum { TAB = 8 };

static int width(int32_t character)
{
    if (character < 0x20 || character == 0x7f) {
        return 2;
    }
    return utf8proc_charwidth(character);
}

void cells_put(cells *c, int32_t character)
{
    if (character == '\n') {
        c->row++;
        c->column = 0;
        return;
    }
    int n = character == '\t' ? TAB - c->column % TAB : width(character);
    if (c->column + n > c->columns) {
        c->row++;
        c->column = 0;
    }
    c->column += n;
    if (c->column >= c->columns && !c->lazy) {
        c->row++;
        c->column = 0;
    }
}

void cells_put_text(cells *c, const char *text, size_t n)
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    size_t i = 0;
    while (i < n) {
        utf8proc_int32_t character;
        utf8proc_ssize_t used = utf8proc_iterate(at + i, (utf8proc_ssize_t)(n - i), &character);
        cells_put(c, used > 0 ? character : 0xfffd);
        i += used > 0 ? (size_t)used : 1;
    }
}
