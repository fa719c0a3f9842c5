/* /blocks: the block table.  A row for the text and each of its states that is held as a fork, a cell for each run of blocks that
 * are alike:
 *
 *     text        41 tokens  [0-1]x3 [2]x2 [5]       blocks 0 and 1 have three holders, 5 is this row's own
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/complete/complete.h"

enum { WIDTH = 80, INDENT = 25 };

typedef struct cells {
    stream *out;
    size_t column;
} cells;

static void put(cells *c, const char *text)
{
    size_t n = strlen(text);
    if (c->column + 1 + n > WIDTH) {
        stream_print(c->out, "\n%*s", INDENT - 1, "");
        c->column = INDENT - 1;
    }
    stream_print(c->out, " %s", text);
    c->column += 1 + n;
}

/* Blocks first to last, which follow one another and have the same number of holders. */
static void put_run(cells *c, int32_t first, int32_t last, int32_t n_holders)
{
    char range[32], text[64];
    if (first < 0) {
        put(c, "[-]"); /* a window has passed it */
        return;
    }
    snprintf(range, sizeof range, first == last ? "[%d]" : "[%d-%d]", (int)first, (int)last);
    snprintf(text, sizeof text, n_holders > 1 ? "%sx%d" : "%s", range, (int)n_holders);
    put(c, text);
}

static choir_status show_row(writer *w, const char *name, const choir_sequence *seq, choir_error *err)
{
    cells c = {.out = &w->s->out, .column = INDENT - 1};
    int32_t n = choir_sequence_blocks(seq, NULL, NULL, 0);
    int32_t *blocks = calloc((size_t)n + 1, sizeof *blocks), *holders = calloc((size_t)n + 1, sizeof *holders);
    if (!blocks || !holders) {
        free(blocks);
        free(holders);
        return base_fail(err, CHOIR_RESOURCE, "out of memory for /blocks");
    }
    choir_sequence_blocks(seq, blocks, holders, n);
    stream_print(c.out, "%-9s %7d tokens", name, (int)choir_sequence_computed(seq));
    for (int32_t i = 0, first = 0; i < n; i++) {
        bool same = i + 1 < n && holders[i + 1] == holders[first] &&
                    (blocks[i + 1] == blocks[i] + 1 || (blocks[i] < 0 && blocks[i + 1] < 0));
        if (!same) {
            put_run(&c, blocks[first], blocks[i], holders[first]);
            first = i + 1;
        }
    }
    stream_print(c.out, "\n");
    free(blocks);
    free(holders);
    return CHOIR_OK;
}

choir_status blocks_show(writer *w, choir_error *err)
{
    choir_engine_info e;
    choir_engine_describe(w->s->engine, &e);
    stream_print(&w->s->out, "%d blocks of %d tokens: %d held, %d cached, %d free; xN: N hold it\n", (int)e.n_blocks,
                 (int)e.kv_block, (int)(e.n_blocks - e.n_free_blocks), (int)e.n_cached_blocks,
                 (int)(e.n_free_blocks - e.n_cached_blocks));
    choir_status status = show_row(w, "text", w->seq, err);
    for (size_t i = 0; i < w->story.n && !status; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%zu", i == w->story.at ? "> state " : "  state ", i);
        if (w->story.states[i].held) {
            status = show_row(w, name, w->story.states[i].held, err);
        }
    }
    return status;
}
