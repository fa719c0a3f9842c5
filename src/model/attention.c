/* Attention over the paged cache: online softmax over spans of the past, never an [n, n] matrix.
 *
 * A task is (run, key/value head, part of its query heads, tile of query tokens): the query rows of a task share every K and V
 * vector that is loaded (grouped-query attention, arXiv:2305.13245).  A task walks over the spans of the past, KERN_ATTN_SPAN
 * positions each, aligned to absolute position, and merges their partial results in order.
 *
 * A stream (StreamingLLM, arXiv:2309.17453) keeps the first tokens, its sinks, and a window of the last ones; to a token that
 * no longer sees all before it, positions are those inside what it sees: the sinks first, then, right behind them, the
 * window.  A score depends on the difference of two positions alone.  So keys stay as they were stored, turned by their place
 * in the text, and it is the query that is turned twice: by its own place for the window, and by the last place there is
 * (max_seq_len - 1) for the sinks, which are a span of their own, before all others.  Until a text is longer than
 * max_seq_len all is as without a stream.
 *
 * When all runs decode and their few tasks would not load the threads alike (few heads, sequences of different lengths),
 * the spans of each task become items of their own: first all spans in any order into `partial`, then the same merges in
 * the same order.  Either way gives the same bits. */
#include <string.h>

#include "model/state.h"

struct task {
    int32_t run;
    int32_t kv_head;
    int32_t head0, n_heads;   /* query heads: kv_head * group + head0 .. */
    int32_t token0, n_tokens; /* query tokens, in the run */
    int32_t n_rows;           /* n_heads * n_tokens; row = token * n_heads + head */
    int32_t span0, span1;     /* spans of the past that any row sees; with sinks, span0 stands for them */
    bool sinks;               /* of a stream, which some row sees as such */
    int32_t first;            /* the first position in the table that any row sees, the sinks aside */
};

/* Counts that turn a task's number into a task. */
struct layout {
    int32_t group;       /* query heads per key/value head */
    int32_t part_heads;  /* heads of a part */
    int32_t n_parts;     /* parts of a group */
    int32_t tile_tokens; /* query tokens of a tile */
    int32_t window;      /* of the layer */
};

static struct layout make_layout(const struct mdl_config *c)
{
    struct layout y = {.group = c->n_heads / c->n_kv_heads};
    y.n_parts = (y.group + KERN_ATTN_ROWS - 1) / KERN_ATTN_ROWS;
    y.part_heads = (y.group + y.n_parts - 1) / y.n_parts;
    y.tile_tokens = KERN_ATTN_ROWS / y.part_heads;
    return y;
}

static int32_t run_tasks(const struct layout *y, const struct mdl_config *c, const struct mdl_run *r)
{
    return (r->n + y->tile_tokens - 1) / y->tile_tokens * c->n_kv_heads * y->n_parts;
}

static int32_t min32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t max32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* How far the spans are shifted against the table: they lie at multiples of KERN_ATTN_SPAN in the text. */
static int32_t span_shift(const struct mdl_run *r)
{
    return (int32_t)(r->cut % KERN_ATTN_SPAN);
}

int32_t mdl_first_seen(const struct mdl_state *s, const struct mdl_run *r, int32_t window, int32_t pos)
{
    if (s->opt.stream && r->cut + pos >= s->opt.max_seq_len) {
        int32_t rest = s->opt.max_seq_len - s->opt.n_sinks;
        window = window > 0 ? min32(window, rest) : rest;
    }
    return window > 0 ? max32(0, pos - window + 1) : 0;
}

int32_t mdl_first_sink(const struct mdl_state *s, int32_t window)
{
    return window > 0 ? min32(max32(0, s->opt.max_seq_len - window), s->opt.n_sinks) : 0;
}

static struct task make_task(const struct mdl_state *s, const struct layout *y, int32_t run, int32_t i)
{
    const struct mdl_config *c = &s->model->config;
    const struct mdl_run *r = &s->batch->runs[run];
    struct task t = {.run = run};
    t.kv_head = i % c->n_kv_heads;
    i /= c->n_kv_heads;
    t.head0 = i % y->n_parts * y->part_heads;
    t.n_heads = min32(y->part_heads, y->group - t.head0);
    t.token0 = i / y->n_parts * y->tile_tokens;
    t.n_tokens = min32(y->tile_tokens, r->n - t.token0);
    t.n_rows = t.n_heads * t.n_tokens;
    const int32_t last = r->pos + t.token0 + t.n_tokens - 1;
    t.first = mdl_first_seen(s, r, y->window, r->pos + t.token0);
    t.sinks = mdl_sees_sinks(s, r->cut + last) && mdl_first_sink(s, y->window) < s->opt.n_sinks;
    t.span0 = (t.first + span_shift(r)) / KERN_ATTN_SPAN - t.sinks;
    t.span1 = (last + span_shift(r)) / KERN_ATTN_SPAN + 1;
    return t;
}

static bool is_sinks(const struct task *t, int32_t span)
{
    return t->sinks && span == t->span0;
}

/* Whether the task's queries for this span are others than for the one before. */
static bool new_queries(const struct task *t, int32_t span)
{
    return span == t->span0 || (t->sinks && span == t->span0 + 1);
}

/* The task's queries for a span, scaled, as rows. */
static void load_queries(const struct mdl_state *s, const struct task *t, int32_t span, float *dst)
{
    const float *q = is_sinks(t, span) ? s->q_sink : s->q;
    const struct mdl_config *c = &s->model->config;
    const struct mdl_run *r = &s->batch->runs[t->run];
    size_t hd = (size_t)c->head_dim;
    size_t q_dim = (size_t)mdl_q_dim(c);
    size_t head = (size_t)(t->kv_head * (c->n_heads / c->n_kv_heads) + t->head0);
    size_t n = (size_t)t->n_heads * hd;
    for (int32_t i = 0; i < t->n_tokens; i++) {
        memcpy(dst, q + (size_t)(r->first + t->token0 + i) * q_dim + head * hd, n * sizeof *dst);
        s->kernels->scale(dst, c->attn_scale, (int)n);
        dst += n;
    }
}

/* Token `lane` of a tile of n_lanes tokens into the whole tile's: n_rows rows of bytes, each of n_lanes numbers. */
static void gather_lanes(uint8_t *dst, const uint8_t *src, size_t n_rows, size_t n_lanes, size_t lane, size_t bytes)
{
    for (size_t i = 0; i < n_rows; i++) {
        memcpy(dst + (i * KERN_ATTN_TILE + lane) * bytes, src + i * n_lanes * bytes, n_lanes * bytes);
    }
}

/* Blocks smaller than a tile: lanes are collected into whole tiles.  Same numbers, another address.  Lanes that hold
 * anything: those of blocks before `first`, which may be gone, and those past n of the last block, which fits. */
static void gather_tile(const struct mdl_state *s, struct mdl_scratch *x, const struct kv_table *table, int32_t l,
                        int32_t kv_head, int32_t first, int32_t pos0, int32_t n, int32_t tile)
{
    const struct kv_store *kv = s->kv;
    size_t hd = (size_t)kv->shape.head_dim;
    size_t number = kv->shape.type == KV_F32 ? 4 : kv->shape.type == KV_F16 ? 2 : 1;
    size_t n_scales = kv->shape.type == KV_Q8_0 ? (hd + KERN_KV_BLOCK - 1) / KERN_KV_BLOCK : 0;
    size_t bs = (size_t)kv->shape.block_size;
    size_t tile_bytes = kv->tile_bytes / bs * KERN_ATTN_TILE;
    uint8_t *k_dst = x->k_gather + (size_t)tile * tile_bytes;
    uint8_t *v_dst = x->v_gather + (size_t)tile * tile_bytes;
    for (size_t lane = (size_t)max32(0, first - pos0) / bs * bs; lane < (size_t)n; lane += bs) {
        int32_t block = table->blocks[(pos0 + (int32_t)lane) / (int32_t)bs];
        const uint8_t *k = kv_store_k(kv, l, block, kv_head);
        const uint8_t *v = kv_store_v(kv, l, block, kv_head);
        size_t numbers = hd * number;
        gather_lanes(k_dst, k, hd, bs, lane, number);
        memcpy(v_dst + lane * numbers, v, bs * numbers);
        gather_lanes(k_dst + KERN_ATTN_TILE * numbers, k + bs * numbers, n_scales, bs, lane, sizeof(uint16_t));
        gather_lanes(v_dst + KERN_ATTN_TILE * numbers, v + bs * numbers, n_scales, bs, lane, sizeof(uint16_t));
    }
    x->k_tiles[tile] = k_dst;
    x->v_tiles[tile] = v_dst;
}

/* Addresses of the K and V tiles of positions pos0 .. pos0 + n - 1, of which those before `first` are not seen, and may not
 * be there: instead of a tile of such ones stands that of `first`. */
static void find_tiles(const struct mdl_state *s, struct mdl_scratch *x, const struct kv_table *table, int32_t l,
                       int32_t kv_head, int32_t first, int32_t pos0, int32_t n)
{
    const struct kv_store *kv = s->kv;
    int32_t bs = kv->shape.block_size;
    for (int32_t i = 0; i < n; i += KERN_ATTN_TILE) {
        int32_t tile = i / KERN_ATTN_TILE;
        if (bs < KERN_ATTN_TILE) {
            gather_tile(s, x, table, l, kv_head, first, pos0 + i, min32(KERN_ATTN_TILE, n - i), tile);
            continue;
        }
        int32_t pos = max32(pos0 + i, first);
        int32_t block = table->blocks[pos / bs];
        size_t offset = (size_t)(pos % bs / KERN_ATTN_TILE) * kv->tile_bytes;
        x->k_tiles[tile] = kv_store_k(kv, l, block, kv_head) + offset;
        x->v_tiles[tile] = kv_store_v(kv, l, block, kv_head) + offset;
    }
}

/* Addresses of the K tiles of the chunk at pos0, to be fetched ahead; NULL unless `n_left` positions there fill it. */
static const void *const *find_next(const struct mdl_state *s, struct mdl_scratch *x, const struct kv_table *table,
                                    int32_t l, int32_t kv_head, int32_t pos0, int32_t n_left)
{
    const struct kv_store *kv = s->kv;
    int32_t bs = kv->shape.block_size;
    if (n_left < KERN_ATTN_CHUNK || bs < KERN_ATTN_TILE) {
        return NULL;
    }
    for (int32_t i = 0; i < KERN_ATTN_CHUNK; i += KERN_ATTN_TILE) {
        size_t offset = (size_t)((pos0 + i) % bs / KERN_ATTN_TILE) * kv->tile_bytes;
        x->next_tiles[i / KERN_ATTN_TILE] = kv_store_k(kv, l, table->blocks[(pos0 + i) / bs], kv_head) + offset;
    }
    return x->next_tiles;
}

/* The sinks as a span: all tokens that are one, and who sees which.  Returns their number. */
static int32_t find_sinks(const struct mdl_state *s, struct mdl_scratch *x, const struct task *t, int32_t layer)
{
    const struct mdl_run *r = &s->batch->runs[t->run];
    const int32_t from = mdl_first_sink(s, s->model->layers[layer].window);
    find_tiles(s, x, r->table, layer, t->kv_head, 0, 0, s->opt.n_sinks);
    for (int32_t i = 0; i < t->n_rows; i++) {
        bool sees = mdl_sees_sinks(s, r->cut + r->pos + t->token0 + i / t->n_heads);
        x->from[i] = from;
        x->to[i] = sees ? s->opt.n_sinks : from;
    }
    return s->opt.n_sinks;
}

/* Any other span, from position `begin` of the table on, which may lie before it; *next: tiles that will be wanted then. */
static int32_t find_span(const struct mdl_state *s, struct mdl_scratch *x, const struct task *t, int32_t layer,
                         int32_t begin, const void *const **next)
{
    const struct mdl_run *r = &s->batch->runs[t->run];
    const int32_t window = s->model->layers[layer].window;
    int32_t end = r->pos + t->token0 + t->n_tokens; /* behind the last query */
    int32_t n = min32(KERN_ATTN_SPAN, end - begin);
    find_tiles(s, x, r->table, layer, t->kv_head, t->first, begin, n);
    for (int32_t i = 0; i < t->n_rows; i++) {
        int32_t pos = r->pos + t->token0 + i / t->n_heads;
        x->from[i] = max32(0, mdl_first_seen(s, r, window, pos) - begin);
        x->to[i] = min32(n, pos + 1 - begin);
    }
    *next = find_next(s, x, r->table, layer, t->kv_head, begin + n, end - begin - n);
    return n;
}

/* One span of a task: partial results of its rows into m, l, acc. */
static void run_span(const struct mdl_state *s, struct mdl_scratch *x, const struct task *t, int32_t layer,
                     int32_t span, float *m, float *l, float *acc)
{
    const struct mdl_config *c = &s->model->config;
    const int32_t begin = span * KERN_ATTN_SPAN - span_shift(&s->batch->runs[t->run]);
    const void *const *next = NULL;
    int32_t n = is_sinks(t, span) ? find_sinks(s, x, t, layer) : find_span(s, x, t, layer, begin, &next);
    struct kern_attn_span a = {
        .q = x->q,
        .n_q = t->n_rows,
        .head_dim = c->head_dim,
        .n_tokens = n,
        .k_tiles = x->k_tiles,
        .v_tiles = x->v_tiles,
        .next_tiles = next,
        .from = x->from,
        .to = x->to,
        .softcap = c->attn_softcap,
        .m = m,
        .l = l,
        .acc = acc,
        .scratch = x->kernel,
    };
    s->kernels->attn_span[s->kv->shape.type](&a);
}

static void merge_rows(const struct mdl_state *s, const struct task *t, struct mdl_scratch *x, const float *m2,
                       const float *l2, const float *acc2)
{
    int32_t hd = s->model->config.head_dim;
    for (int32_t i = 0; i < t->n_rows; i++) {
        size_t at = (size_t)i * (size_t)hd;
        s->kernels->attn_merge(&x->m[i], &x->l[i], x->acc + at, m2[i], l2[i], acc2 + at, hd);
    }
}

/* The rows' results, divided by their sums, into att. */
static void store_rows(struct mdl_state *s, const struct task *t, struct mdl_scratch *x)
{
    const struct mdl_config *c = &s->model->config;
    const struct mdl_run *r = &s->batch->runs[t->run];
    size_t hd = (size_t)c->head_dim;
    size_t head = (size_t)(t->kv_head * (c->n_heads / c->n_kv_heads) + t->head0);
    for (int32_t i = 0; i < t->n_rows; i++) {
        float *row = x->acc + (size_t)i * hd;
        s->kernels->scale(row, 1.0f / x->l[i], (int)hd);
        size_t token = (size_t)(r->first + t->token0 + i / t->n_heads);
        memcpy(s->att + token * (size_t)mdl_q_dim(c) + (head + (size_t)(i % t->n_heads)) * hd, row, hd * sizeof *row);
    }
}

static void run_task(struct mdl_state *s, struct mdl_scratch *x, const struct task *t, int32_t layer)
{
    load_queries(s, t, t->span0, x->q);
    run_span(s, x, t, layer, t->span0, x->m, x->l, x->acc);
    for (int32_t span = t->span0 + 1; span < t->span1; span++) {
        if (new_queries(t, span)) {
            load_queries(s, t, span, x->q);
        }
        run_span(s, x, t, layer, span, x->m2, x->l2, x->acc2);
        merge_rows(s, t, x, x->m2, x->l2, x->acc2);
    }
    store_rows(s, t, x);
}

/* ---- spans as items of their own ---- */

/* A span's partial result in s->partial: m[n_rows], l[n_rows], acc[n_rows, head_dim]. */
static size_t partial_floats(const struct mdl_config *c)
{
    return (size_t)make_layout(c).part_heads * ((size_t)c->head_dim + 2);
}

/* Most tasks that are split: a thread with more than this many spreads well enough. */
static int32_t split_tasks_max(int32_t n_threads)
{
    return 4 * n_threads - 1;
}

size_t mdl_attention_partial_floats(const struct mdl_model *m, const struct mdl_state_options *opt)
{
    if (opt->n_threads == 1) {
        return 0;
    }
    size_t spans = ((size_t)opt->max_seq_len + KERN_ATTN_SPAN - 1) / KERN_ATTN_SPAN;
    spans += opt->stream ? 2 : 0; /* the sinks, and a window that begins anywhere */
    size_t tasks = (size_t)m->config.n_kv_heads * (size_t)make_layout(&m->config).n_parts * (size_t)opt->max_tokens;
    size_t most = (size_t)split_tasks_max(opt->n_threads);
    return (tasks < most ? tasks : most) * spans * partial_floats(&m->config);
}

/* Spans that the one token of run r sees. */
static int32_t run_spans(const struct mdl_state *s, const struct layout *y, int32_t r)
{
    struct task t = make_task(s, y, r, 0);
    return t.span1 - t.span0;
}

/* Number of (task, span) items when the spans are to be items of their own, 0 when the tasks are. */
static int32_t split_items(const struct par_thread *me, const struct mdl_state *s, const struct layout *y,
                           int32_t n_tasks)
{
    if (me->n == 1 || n_tasks > split_tasks_max(me->n) || s->batch->n_tokens != s->batch->n_runs) {
        return 0;
    }
    int32_t items = 0, most = 0, least = INT32_MAX;
    for (int32_t r = 0; r < s->batch->n_runs; r++) {
        int32_t n = run_spans(s, y, r);
        items += n * run_tasks(y, &s->model->config, &s->batch->runs[r]);
        most = max32(most, n);
        least = min32(least, n);
    }
    bool even = most == least && n_tasks % me->n == 0;
    return even || most == 1 ? 0 : items;
}

/* Task and span of an item: runs in order, in each its tasks, in each its spans. */
static struct task find_item(const struct mdl_state *s, const struct layout *y, int32_t item, int32_t *span)
{
    const int32_t n_tasks = run_tasks(y, &s->model->config, &s->batch->runs[0]); /* of one token: all runs alike */
    int32_t run = 0, n = run_spans(s, y, 0);
    while (item >= n * n_tasks) {
        item -= n * n_tasks;
        n = run_spans(s, y, ++run);
    }
    struct task t = make_task(s, y, run, item / n);
    *span = t.span0 + item % n;
    return t;
}

static void run_items(struct par_thread *me, struct mdl_state *s, const struct layout *y, int32_t layer,
                      int32_t n_items)
{
    struct mdl_scratch *x = &s->scratch[me->id];
    const size_t each = partial_floats(&s->model->config);
    int begin, end;
    par_loop_begin(me, n_items, 1, 1);
    while (par_loop_next(me, &begin, &end)) {
        for (int i = begin; i < end; i++) {
            int32_t span;
            struct task t = find_item(s, y, i, &span);
            float *p = s->partial + (size_t)i * each;
            if (i == begin || new_queries(&t, span)) {
                load_queries(s, &t, span, x->q);
            }
            run_span(s, x, &t, layer, span, p, p + t.n_rows, p + 2 * t.n_rows);
        }
    }
    par_loop_end(me);
}

/* The spans of a task, the first of them item `first`, merged. */
static void merge_items(struct mdl_state *s, struct mdl_scratch *x, const struct task *t, int32_t first)
{
    const size_t each = partial_floats(&s->model->config), n = (size_t)t->n_rows;
    const float *p = s->partial + (size_t)first * each;
    memcpy(x->m, p, n * sizeof *p);
    memcpy(x->l, p + n, n * sizeof *p);
    memcpy(x->acc, p + 2 * n, n * (size_t)s->model->config.head_dim * sizeof *p);
    for (int32_t span = t->span0 + 1; span < t->span1; span++) {
        p += each;
        merge_rows(s, t, x, p, p + n, p + 2 * n);
    }
    store_rows(s, t, x);
}

static void split_attention(struct par_thread *me, struct mdl_state *s, const struct layout *y, int32_t layer,
                            int32_t n_tasks, int32_t n_items)
{
    int begin, end;
    run_items(me, s, y, layer, n_items);
    par_loop_begin(me, n_tasks, 1, 1);
    while (par_loop_next(me, &begin, &end)) {
        for (int32_t item = 0, i = 0; i < end; i++) {
            int32_t span;
            struct task t = find_item(s, y, item, &span);
            if (i >= begin) {
                merge_items(s, &s->scratch[me->id], &t, item);
            }
            item += t.span1 - t.span0;
        }
    }
    par_loop_end(me);
}

/* ---- whole tasks ---- */

void mdl_attention(struct par_thread *me, struct mdl_state *s, int32_t l)
{
    const struct mdl_config *c = &s->model->config;
    struct layout y = make_layout(c);
    y.window = s->model->layers[l].window;
    int32_t n_tasks = 0;
    for (int32_t r = 0; r < s->batch->n_runs; r++) {
        n_tasks += run_tasks(&y, c, &s->batch->runs[r]);
    }
    int32_t n_items = split_items(me, s, &y, n_tasks);
    if (n_items > 0) {
        split_attention(me, s, &y, l, n_tasks, n_items);
        return;
    }
    int begin, end;
    par_loop_begin(me, n_tasks, 1, 1);
    while (par_loop_next(me, &begin, &end)) {
        int32_t first = 0; /* number of the run's first task */
        for (int32_t r = 0; first < end; r++) {
            int32_t n = run_tasks(&y, c, &s->batch->runs[r]);
            for (int32_t i = max32(begin - first, 0); i < min32(end - first, n); i++) {
                struct task t = make_task(s, &y, r, i);
                run_task(s, &s->scratch[me->id], &t, l);
            }
            first += n;
        }
    }
    par_loop_end(me);
}
