/* What /undo and /redo go back to: a fork of the sequence for each state, whose blocks are shared with the states around it and
 * written by none, so that nothing is computed again.  When the block pool runs short, or there are many, forks are given up
 * and the state is its text alone, which is computed again (but for what the prefix cache still has). */
#include "cli/complete/complete.h"

enum { HELD_MOST = 32 }; /* each costs a row of logits and its list of ids */

void writer_make_room(writer *w, int64_t n)
{
    choir_engine_info e;
    do {
        choir_engine_describe(w->s->engine, &e);
    } while (n / e.kv_block + 2 > e.n_free_blocks && story_let_go(&w->story));
}

static size_t count_held(const story *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        n += s->states[i].held != NULL;
    }
    return n;
}

void writer_hold(writer *w)
{
    choir_error ignored;
    story_state *now = &w->story.states[w->story.at];
    if (!w->exact || now->held) {
        return;
    }
    if (count_held(&w->story) >= HELD_MOST) {
        story_let_go(&w->story);
    }
    choir_sequence_fork(&now->held, w->seq, NULL, &ignored);
}

choir_status writer_return(writer *w, choir_error *err)
{
    const story_state *now = story_now(&w->story);
    choir_sequence *fork;
    w->exact = false;
    if (!now->held) {
        return CHOIR_OK;
    }
    choir_status status = choir_sequence_fork(&fork, now->held, NULL, err);
    if (!status) {
        choir_sequence_close(w->seq);
        w->seq = fork;
        w->exact = true;
    }
    return status;
}
