/* One step: which pending tokens of which sequences run together, and what becomes of them.
 *
 * Tokens that the prefix cache has are adopted, not computed.  A step that fails or is cancelled leaves no trace: what it
 * adopted is given back, and nothing of it is published. */
#include <string.h>

#include "base/error.h"
#include "engine/engine.h"

struct step {
    struct mdl_batch batch;
    int32_t n_logits;
};

/* How many of s's next n tokens the step has room for, with the rows of logits that they give (*rows).  The last token of
 * a sequence always gives one; a token whose row finds no room waits, and so do those after it. */
static int32_t fit(const struct choir_engine *e, const struct step *st, const struct choir_sequence *s, int32_t n,
                   int32_t *rows)
{
    int32_t pos = s->table.n_tokens;
    int32_t first = s->want_from < s->n_ids - 1 ? s->want_from : s->n_ids - 1; /* position of the first row */
    int32_t silent = first > pos ? first - pos : 0;
    int32_t room = e->max_logits - st->n_logits;
    n = n - silent > room ? silent + room : n;
    *rows = n > silent ? n - silent : 0;
    return n;
}

/* Up to which position s's tokens may come from the cache: the last one gives logits, and so do those whose rows are wanted. */
static int32_t adoptable(const struct choir_sequence *s)
{
    return s->want_from < s->n_ids - 1 ? s->want_from : s->n_ids - 1;
}

void eng_adopt(struct choir_sequence *s)
{
    struct choir_engine *e = s->engine;
    if (s->table.n_tokens == 0) {
        s->n_cached = s->n_adopted = 0; /* what it had was taken from it */
    }
    /* Where blocks are released, those of the past that s goes on from would be missing after an undo. */
    if (!e->opt.prefix_cache || (e->window > 0 && s->table.n_tokens > 0)) {
        return;
    }
    s->n_adopted += kv_table_adopt(&s->table, e->pool, s->ids, adoptable(s));
    eng_release_passed(s);
}

/* The run of the next n tokens of s, whose blocks are there. */
static void put_run(struct choir_engine *e, struct step *st, struct choir_sequence *s, int32_t before, int32_t n,
                    int32_t rows)
{
    int32_t pos = s->table.n_tokens - n;
    memcpy(e->ids + st->batch.n_tokens, s->ids + pos, (size_t)n * sizeof *e->ids);
    int32_t r = st->batch.n_runs++;
    e->run_seqs[r] = s;
    e->run_before[r] = before;
    e->runs[r] = (struct mdl_run){
        .table = &s->table,
        .first = st->batch.n_tokens,
        .n = n,
        .pos = pos,
        .n_logits = rows,
        .cut = s->cut,
    };
    st->batch.n_tokens += n;
    st->n_logits += rows;
}

/* Back to the first n tokens; n_adopted of those that go were adopted in this step. */
static void take_back(struct choir_sequence *s, int32_t n, int32_t n_adopted)
{
    kv_table_truncate(&s->table, s->engine->pool, n);
    s->n_adopted -= n_adopted;
}

/* Adds as many pending tokens of s, at most `most`, as the step still has room for.  False, with nothing added, when the
 * pool has too few blocks for them. */
static bool add_run(struct choir_engine *e, struct step *st, struct choir_sequence *s, int32_t most)
{
    if (e->opt.infinite) {
        eng_sequence_slide(s);
    }
    const int32_t before = s->table.n_tokens;
    const int32_t left = e->opt.batch - st->batch.n_tokens;
    const int32_t room = most < left ? most : left;
    if (room == 0 || before == s->n_ids) {
        return true;
    }
    eng_adopt(s);
    const int32_t pos = s->table.n_tokens;
    int32_t pending = s->n_ids - pos;
    int32_t rows;
    int32_t n = fit(e, st, s, pending < room ? pending : room, &rows);
    struct kv_copy copy;
    if (n <= 0 || !kv_table_extend(&s->table, e->pool, n, &copy)) {
        take_back(s, before, pos - before);
        return n <= 0;
    }
    if (copy.src >= 0) {
        kv_store_copy(&e->store, copy);
    }
    put_run(e, st, s, before, n, rows);
    return true;
}

/* Takes the step's tokens back out of the tables. */
static void undo(struct choir_engine *e, const struct step *st)
{
    for (int32_t r = 0; r < st->batch.n_runs; r++) {
        take_back(e->run_seqs[r], e->run_before[r], e->runs[r].pos - e->run_before[r]);
    }
}

/* What was computed can be found by others from now on. */
static void keep(struct choir_engine *e, const struct step *st)
{
    for (int32_t r = 0; r < st->batch.n_runs; r++) {
        struct choir_sequence *s = e->run_seqs[r];
        const int32_t before = e->runs[r].pos - s->n_adopted;
        if (e->opt.prefix_cache) {
            if (s->n_guesses == 0) { /* most of them nobody will ever say */
                kv_table_publish(&s->table, e->pool, s->ids);
            }
            const int32_t most = adoptable(s) < s->table.n_tokens ? adoptable(s) : s->table.n_tokens;
            e->prefix_lookup_tokens += most > before ? (uint64_t)(most - before) : 0;
            e->prefix_hit_tokens += (uint64_t)s->n_adopted;
            s->n_cached += s->n_adopted;
            s->n_adopted = 0;
        }
        eng_release_passed(s);
    }
}

void eng_hand_out_logits(struct choir_engine *e, const struct mdl_batch *batch)
{
    size_t bytes = (size_t)e->model->config.vocab_size * sizeof(float);
    int32_t row = 0;
    for (int32_t r = 0; r < batch->n_runs; r++) {
        const struct mdl_run *run = &e->runs[r];
        struct choir_sequence *s = e->run_seqs[r];
        s->rows_step = e->n_steps;
        s->rows_pos = run->pos + run->n - run->n_logits;
        s->rows_at = row;
        s->n_rows = run->n_logits;
        row += run->n_logits;
        if (run->pos + run->n == s->n_ids) {
            memcpy(s->logits, mdl_logits(e->state, row - 1), bytes);
            s->has_logits = true;
        }
    }
}

choir_status eng_step(choir_engine *e, choir_sequence *const *seqs, const int32_t *most, int32_t n_seqs,
                      choir_error *err)
{
    struct step st = {.batch = {.ids = e->ids, .runs = e->runs}};
    for (int32_t i = 0; i < n_seqs; i++) {
        if (!add_run(e, &st, seqs[i], most != NULL ? most[i] : INT32_MAX)) {
            undo(e, &st);
            return base_fail(err, CHOIR_RESOURCE,
                             "no free block: the KV cache has %d blocks of %d tokens, for %d sequences of %d",
                             kv_pool_n_blocks(e->pool), e->opt.kv_block, e->opt.n_seqs, e->opt.ctx_size);
        }
    }
    if (st.batch.n_tokens == 0) {
        return CHOIR_OK;
    }
    e->last.n_runs = 0;
    e->n_steps++; /* rows of the step before are gone, whatever becomes of this one */
    choir_error cause;
    choir_status status = mdl_forward(e->state, &st.batch, &e->cancel, &cause);
    if (status != CHOIR_OK) {
        undo(e, &st);
        return status == CHOIR_FILE ? base_fail(err, status, "%s: %s", e->model->path, cause.msg)
                                    : base_fail(err, status, "%s", cause.msg);
    }
    eng_hand_out_logits(e, &st.batch);
    e->last = st.batch;
    keep(e, &st);
    return CHOIR_OK;
}

choir_status choir_engine_step(choir_engine *e, choir_sequence *const *seqs, int32_t n_seqs, choir_error *err)
{
    return eng_step(e, seqs, NULL, n_seqs, err);
}
