/* Maps for programs: JSON, CSV, a picture. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/heads/heads.h"

/* ["Once", " upon", ...] */
static bool print_tokens(paper *p, const heads_text *t)
{
    bool ok = true;
    for (int32_t i = 0; ok && i < t->n_ids; i++) {
        json_t *value = heads_token_json(t->s->model, t->ids[i]);
        char *line = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
        ok = line != NULL;
        paper_print(p, "%s", i > 0 ? ", " : "");
        paper_write(p, ok ? line : "", ok ? strlen(line) : 0);
        free(line);
        json_decref(value);
    }
    return ok;
}

static void print_map(paper *p, const heads_maps *m, int32_t i, int32_t j)
{
    paper_print(p, "%s{\"head\": %d, \"weights\": [", j > 0 ? ", " : "", (int)m->choice.heads[j]);
    for (int32_t t = m->from; t < m->n_tokens; t++) {
        const float *row = heads_row(m, i, j, t);
        for (int32_t k = 0; k <= t; k++) {
            paper_print(p, "%s%.7g", k > 0 ? ", " : t > m->from ? ", [" : "[", (double)row[k]);
        }
        paper_print(p, "]");
    }
    paper_print(p, "]}");
}

choir_status heads_map_json(const heads_maps *m, const heads_text *t, choir_error *err)
{
    paper p = paper_open(t->s);
    paper_print(&p, "{\"tokens\": [");
    bool ok = print_tokens(&p, t);
    paper_print(&p, "], \"ids\": [");
    for (int32_t i = 0; i < t->n_ids; i++) {
        paper_print(&p, "%s%d", i > 0 ? ", " : "", (int)t->ids[i]);
    }
    paper_print(&p, "], \"n_prompt\": %d, \"from\": %d, \"layers\": [", (int)t->n_prompt, (int)m->from);
    for (int32_t i = 0; i < m->choice.n_layers; i++) {
        paper_print(&p, "%s{\"layer\": %d, \"heads\": [", i > 0 ? ", " : "", (int)m->choice.layers[i]);
        for (int32_t j = 0; j < m->choice.n_heads; j++) {
            print_map(&p, m, i, j);
        }
        paper_print(&p, "]}");
    }
    paper_print(&p, "]}\n");
    paper_close(&p);
    return ok ? CHOIR_OK : base_fail(err, CHOIR_RESOURCE, "out of memory for JSON");
}

void heads_map_csv(const heads_maps *m, const heads_text *t)
{
    paper p = paper_open(t->s);
    paper_print(&p, "layer,head,query,key,weight\n");
    for (int32_t i = 0; i < m->choice.n_layers; i++) {
        for (int32_t j = 0; j < m->choice.n_heads; j++) {
            for (int32_t q = m->from; q < m->n_tokens; q++) {
                const float *row = heads_row(m, i, j, q);
                for (int32_t k = 0; k <= q; k++) {
                    paper_print(&p, "%d,%d,%d,%d,%.7g\n", (int)m->choice.layers[i], (int)m->choice.heads[j], (int)q,
                                (int)k, (double)row[k]);
                }
            }
        }
    }
    paper_close(&p);
}

/* A pixel of the sheet on which maps lie side by side, a row a layer, with lines of a pixel between them. */
static int pixel(const heads_maps *m, size_t x, size_t y)
{
    const size_t columns = (size_t)m->n_tokens + 1, rows = columns - (size_t)m->from;
    const int32_t q = m->from + (int32_t)(y % rows), k = (int32_t)(x % columns);
    if (q == m->n_tokens || k == m->n_tokens) {
        return 96;
    }
    return k > q ? 0 : (int)(heads_row(m, (int32_t)(y / rows), (int32_t)(x / columns), q)[k] * 255.0f + 0.5f);
}

choir_status heads_map_pgm(const heads_maps *m, session *s, choir_error *err)
{
    char head[64];
    const size_t columns = (size_t)m->n_tokens + 1, rows = columns - (size_t)m->from;
    const size_t width = (size_t)m->choice.n_heads * columns - 1, height = (size_t)m->choice.n_layers * rows - 1;
    const size_t n_head =
        (size_t)snprintf(head, sizeof head, "P5\n%zu %zu\n255\n", width, height); /* numbers of 20 digits fit */
    char *picture = width <= (SIZE_MAX - sizeof head) / height ? malloc(n_head + width * height) : NULL;
    if (!picture) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory for a picture of %zu x %zu", width, height);
    }
    memcpy(picture, head, n_head);
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            picture[n_head + y * width + x] = (char)pixel(m, x, y);
        }
    }
    choir_status status = heads_file_write(s, s->opt->pgm, picture, n_head + width * height, err);
    free(picture);
    return status;
}
