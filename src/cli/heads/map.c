/* choir heads map: the attention weights of a text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/heads/page.h"

size_t heads_triangle(int32_t n)
{
    return (size_t)n * ((size_t)n + 1) / 2;
}

size_t heads_map_size(const heads_maps *m)
{
    return heads_triangle(m->n_tokens) - heads_triangle(m->from);
}

const char *heads_rows_text(char dst[HEADS_ROWS_CAP], const heads_maps *m)
{
    const int n = (int)m->n_tokens;
    if (m->from > 0) {
        snprintf(dst, HEADS_ROWS_CAP, "the last %d of %d tokens", n - (int)m->from, n);
    } else {
        snprintf(dst, HEADS_ROWS_CAP, "%d token%s", n, n == 1 ? "" : "s");
    }
    return dst;
}

static float *row_at(const heads_maps *m, int32_t i, int32_t j, int32_t t)
{
    const size_t map = (size_t)i * (size_t)m->choice.n_heads + (size_t)j;
    return m->weights + map * heads_map_size(m) + (heads_triangle(t) - heads_triangle(m->from));
}

const float *heads_row(const heads_maps *m, int32_t i, int32_t j, int32_t t)
{
    return row_at(m, i, j, t);
}

static void on_attention(void *user, choir_seen seen, int32_t head, const float *weights, int32_t n)
{
    const heads_maps *m = user;
    for (int32_t i = 0; i < m->choice.n_layers; i++) {
        for (int32_t j = 0; m->choice.layers[i] == seen.layer && j < m->choice.n_heads; j++) {
            if (m->choice.heads[j] == head) {
                memcpy(row_at(m, i, j, seen.pos), weights, (size_t)n * sizeof *weights);
            }
        }
    }
}

/* Maps stand beside model and engine, under the same limit; so does a picture of them. */
static choir_status check_room(const heads_maps *m, const heads_text *t, const choir_tap *tap, size_t n_maps,
                               choir_error *err)
{
    char what[96], rows_of[HEADS_ROWS_CAP];
    const double rows = (double)(m->n_tokens - m->from), columns = (double)m->n_tokens;
    const double picture = t->s->opt->pgm ? (rows + 1) * (columns + 1) : 0;
    const double page = t->s->opt->html ? heads_page_map_room(m) : 0;
    snprintf(what, sizeof what, "%zu maps of %s take", n_maps, heads_rows_text(rows_of, m));
    return heads_room(t, tap, (double)n_maps * ((double)heads_map_size(m) * sizeof(float) + picture) + page, what,
                      "choose fewer with --layer, --head and --from", err);
}

/* --from, counted from the start. */
static choir_status choose_rows(heads_maps *m, const heads_text *t, choir_error *err)
{
    const int32_t n = t->n_ids, from = t->s->opt->from;
    *m = (heads_maps){.n_tokens = n, .from = from >= 0 ? from : from < -n ? 0 : n + from};
    return heads_from_fits(from, n, err);
}

choir_status heads_maps_make(heads_maps *m, heads_text *t, choir_error *err)
{
    choir_status status = choose_rows(m, t, err);
    const choir_tap tap = {.from = m->from, .attention = on_attention, .user = m};
    status = status ? status : heads_choose(&m->choice, t->s, err);
    if (status) {
        return status;
    }
    if (t->s->opt->html) {
        status = heads_page_map_fits(m, err);
    }
    const size_t n_maps = (size_t)m->choice.n_layers * (size_t)m->choice.n_heads;
    status = status ? status : check_room(m, t, &tap, n_maps, err);
    if (status) {
        return status;
    }
    m->weights = heads_map_size(m) <= SIZE_MAX / sizeof(float) / n_maps
                     ? calloc(n_maps * heads_map_size(m), sizeof(float))
                     : NULL;
    if (!m->weights) {
        char rows_of[HEADS_ROWS_CAP];
        return base_fail(err, CHOIR_RESOURCE,
                         "out of memory for %zu maps of %s: choose fewer with --layer, --head and --from", n_maps,
                         heads_rows_text(rows_of, m));
    }
    return heads_replay(t, t->ids, t->n_ids, &tap, err);
}

void heads_maps_free(heads_maps *m)
{
    heads_choice_free(&m->choice);
    free(m->weights);
    m->weights = NULL;
}

choir_status heads_map(session *s, choir_error *err)
{
    const options *o = s->opt;
    heads_text t = {.s = s};
    heads_maps m = {.n_tokens = 0};
    if (o->top > 0 && (o->json || o->csv || o->pgm || o->html)) {
        return base_fail(err, CHOIR_USAGE, "--top lists tokens as text: not with --json, --csv, --pgm or --html");
    }
    choir_status status = heads_files_check(s, err);
    status = status ? status : heads_text_open(&t, s, err);
    status = status ? status : heads_maps_make(&m, &t, err);
    if (!status && o->html) {
        status = heads_page_map(&m, &t, err);
    }
    if (!status && o->pgm) {
        status = heads_map_pgm(&m, s, err);
    }
    if (!status && o->json) {
        status = heads_map_json(&m, &t, err);
    } else if (!status && o->csv) {
        heads_map_csv(&m, &t);
    } else if (!status && !o->pgm && !o->html) {
        status = heads_map_draw(&m, &t, err);
    }
    heads_maps_free(&m);
    heads_text_close(&t);
    return status;
}
