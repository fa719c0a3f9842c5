/* choir heads map: the attention weights of a text. */
#include <stdlib.h>
#include <string.h>

#include "cli/heads_page.h"

/* Numbers of a triangle of n rows. */
static size_t triangle(int32_t n)
{
    return (size_t)n * ((size_t)n + 1) / 2;
}

static float *row_at(const heads_maps *m, int32_t i, int32_t j, int32_t t)
{
    const size_t map = (size_t)i * (size_t)m->choice.n_heads + (size_t)j;
    return m->weights + map * triangle(m->n_tokens) + triangle(t);
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

/* Maps stand beside model and engine, under the same limit. */
static choir_status check_room(const heads_text *t, size_t n_maps, choir_error *err)
{
    const double bytes = (double)n_maps * (double)triangle(t->n_ids) * sizeof(float), mib = 1048576;
    choir_engine_options opt;
    choir_engine_info engine;
    choir_memory need;
    choir_engine_describe(t->s->engine, &engine);
    session_engine_options(t->s, &opt);
    opt.ctx_size = engine.ctx_size;
    choir_status status = choir_memory_account(&need, t->s->model, &opt, err);
    if (status) {
        return status;
    }
    uint64_t left = need.free;
    if (opt.mem_limit > 0) {
        const uint64_t under_limit = opt.mem_limit > need.total ? opt.mem_limit - need.total : 0;
        left = under_limit < left ? under_limit : left;
    }
    return bytes <= (double)left
               ? CHOIR_OK
               : fail(err, CHOIR_RESOURCE,
                      "%zu maps of %d tokens take %.0f MiB, %.0f MiB are left: choose fewer with --layer and --head",
                      n_maps, (int)t->n_ids, bytes / mib, (double)left / mib);
}

choir_status heads_maps_make(heads_maps *m, heads_text *t, choir_error *err)
{
    choir_tap tap;
    *m = (heads_maps){.n_tokens = t->n_ids};
    choir_status status = heads_choose(&m->choice, t->s, err);
    if (status) {
        return status;
    }
    if (t->s->opt->html) {
        status = heads_page_map_fits(&m->choice, t->n_ids, err);
    }
    const size_t n_maps = (size_t)m->choice.n_layers * (size_t)m->choice.n_heads;
    status = status ? status : check_room(t, n_maps, err);
    if (status) {
        return status;
    }
    m->weights = triangle(t->n_ids) <= SIZE_MAX / sizeof(float) / n_maps
                     ? calloc(n_maps * triangle(t->n_ids), sizeof(float))
                     : NULL;
    if (!m->weights) {
        return fail(err, CHOIR_RESOURCE,
                    "out of memory for %zu maps of %d tokens: choose fewer with --layer and --head", n_maps,
                    (int)t->n_ids);
    }
    choir_tap_default(&tap);
    tap.attention = on_attention;
    tap.user = m;
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
    if (o->json && o->csv) {
        return fail(err, CHOIR_USAGE, "--json and --csv exclude each other");
    }
    choir_status status = heads_page_check(s, err);
    status = status ? status : heads_text_open(&t, s, err);
    status = status ? status : heads_maps_make(&m, &t, err);
    if (!status && o->html) {
        status = heads_page_map(&m, &t, err);
    }
    if (!status && o->pgm) {
        status = heads_map_pgm(&m, &t, err);
    }
    if (!status && o->json) {
        status = heads_map_json(&m, &t, err);
    } else if (!status && o->csv) {
        heads_map_csv(&m, &t);
    } else if (!status && !o->pgm && !o->html) {
        heads_map_draw(&m, &t);
    }
    heads_maps_free(&m);
    heads_text_close(&t);
    return status;
}
