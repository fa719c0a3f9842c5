/* Where text ends on a terminal: wide characters take two cells, combining ones none. */
#ifndef CHOIR_CLI_CELLS_H
#define CHOIR_CLI_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cells {
    int columns; /* of the terminal; 1 or more */
    int row, column;
    bool
        lazy; /* a full row ends only when a character comes that finds no room: so a terminal does; a line editor puts its cursor
                * on the next row at once */
} cells;

/* One character: a newline begins a row, a tab goes to the next multiple of 8, another control character is two cells (^X). */
void cells_put(cells *c, int32_t character);
/* n bytes of UTF-8. */
void cells_put_text(cells *c, const char *text, size_t n);

#endif
