/* The loop: compute what is pending, draw, show, append, until done.  It allocates before the first token and not after. */
#include "engine/engine.h"
#include "engine/writer.h"

void choir_generation_default(choir_generation *g)
{
    *g = (choir_generation){.max_tokens = 256};
}

/* Computes everything pending; the logits of the last token are there afterwards. */
static choir_status compute(choir_sequence *s, choir_error *err)
{
    while (s->table.n_tokens < s->n_ids) {
        choir_status status = choir_engine_step(s->engine, &s, 1, err);
        if (status != CHOIR_OK) {
            return status;
        }
    }
    return CHOIR_OK;
}

static choir_status write_text(struct eng_writer *w, choir_error *err)
{
    choir_status status = compute(w->seq, err);
    if (status != CHOIR_OK) {
        return status;
    }
    eng_writer_prompt_end(w);
    bool ended = eng_writer_is_full(w);
    while (!ended && status == CHOIR_OK) {
        status = compute(w->seq, err);
        if (status == CHOIR_OK) {
            status = eng_writer_next(w, &ended, err);
        }
    }
    return status;
}

choir_status choir_generate(choir_result *result, choir_sequence *seq, const choir_generation *g, choir_error *err)
{
    struct eng_writer w;
    choir_status status = eng_writer_open(&w, seq, g, err);
    if (status == CHOIR_OK) {
        status = write_text(&w, err);
        eng_writer_end(&w, status);
    }
    *result = w.result;
    eng_writer_close(&w);
    return status;
}
