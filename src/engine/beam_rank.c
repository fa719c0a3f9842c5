/* A list for each sequence, on as many threads as are worth it, then one merge of them. */
#include "engine/beam_rank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "kernels/parallel.h"

choir_status eng_ranking_open(struct eng_ranking *r, const struct choir_sequence *seq, int32_t n_beams, int32_t n_best,
                              choir_error *err)
{
    const size_t beams = (size_t)n_beams, best = (size_t)n_best;
    *r = (struct eng_ranking){
        .n_beams = n_beams,
        .n_best = n_best,
        .n_vocab = seq->engine->model->config.vocab_size,
        .n_threads = seq->engine->opt.n_threads,
    };
    const size_t row_bytes = smp_is_biased(seq->chain) ? beams * (size_t)r->n_vocab * sizeof *r->rows : 0;
    r->lists = calloc(beams * best, sizeof *r->lists);
    r->n_list = calloc(beams, sizeof *r->n_list);
    r->n_taken = calloc(beams, sizeof *r->n_taken);
    r->best = calloc(best, sizeof *r->best);
    r->rows = row_bytes > 0 ? malloc(row_bytes) : NULL;
    if (r->lists == NULL || r->n_list == NULL || r->n_taken == NULL || r->best == NULL ||
        (row_bytes > 0 && r->rows == NULL)) {
        eng_ranking_close(r);
        return base_fail_memory(err, (beams + 1) * best * sizeof *r->lists + row_bytes, "a beam search");
    }
    return CHOIR_OK;
}

void eng_ranking_close(struct eng_ranking *r)
{
    free(r->lists);
    free(r->n_list);
    free(r->n_taken);
    free(r->best);
    free(r->rows);
    *r = (struct eng_ranking){0};
}

/* The cap greatest of x[0..n), best first, the lower id of equals first: insertion into a short list.  -INFINITY is none. */
static int32_t top_ids(struct eng_candidate *top, int32_t cap, const float *x, int32_t n)
{
    int32_t used = 0;
    for (int32_t id = 0; id < n; id++) {
        if (used == cap ? x[id] <= x[top[cap - 1].id] : x[id] == -INFINITY) {
            continue;
        }
        int32_t at = used < cap ? used++ : cap - 1;
        for (; at > 0 && x[top[at - 1].id] < x[id]; at--) {
            top[at] = top[at - 1];
        }
        top[at].id = id;
    }
    return used;
}

struct ranking_run {
    struct eng_ranking *r;
    struct choir_sequence *const *seqs;
    const double *log_probs;
    int32_t n;
};

static void rank_one(const struct ranking_run *c, int32_t beam)
{
    struct eng_ranking *r = c->r;
    const struct choir_sequence *s = c->seqs[beam];
    const float *x = s->logits;
    if (r->rows != NULL) {
        float *biased = r->rows + (size_t)beam * (size_t)r->n_vocab;
        memcpy(biased, x, (size_t)r->n_vocab * sizeof *biased);
        smp_bias(s->chain, biased);
        x = biased;
    }
    struct eng_candidate *list = r->lists + (size_t)beam * (size_t)r->n_best;
    const double log_sum = eng_log_sum_exp(x, r->n_vocab);
    r->n_list[beam] = top_ids(list, r->n_best, x, smp_n_pieces(s->chain));
    for (int32_t i = 0; i < r->n_list[beam]; i++) {
        list[i].beam = beam;
        list[i].log_prob = c->log_probs[beam] + ((double)x[list[i].id] - log_sum);
    }
}

static void rank_beams(struct par_thread *me, void *ctx)
{
    const struct ranking_run *c = ctx;
    int begin, end;
    par_loop_begin(me, c->n, 1, 1);
    while (par_loop_next(me, &begin, &end)) {
        for (int i = begin; i < end; i++) {
            rank_one(c, i);
        }
    }
    par_loop_end(me);
}

/* Takes the best of what is left at the heads of the lists, the lower beam's of equals, till there are enough. */
static int32_t merge(struct eng_ranking *r, int32_t n)
{
    int32_t n_best = 0;
    memset(r->n_taken, 0, (size_t)n * sizeof *r->n_taken);
    while (n_best < r->n_best) {
        const struct eng_candidate *best = NULL;
        for (int32_t b = 0; b < n; b++) {
            const struct eng_candidate *head = r->lists + (size_t)b * (size_t)r->n_best + r->n_taken[b];
            if (r->n_taken[b] < r->n_list[b] && (best == NULL || head->log_prob > best->log_prob)) {
                best = head;
            }
        }
        if (best == NULL) {
            break;
        }
        r->n_taken[best->beam]++;
        r->best[n_best++] = *best;
    }
    return n_best;
}

int32_t eng_rank(struct eng_ranking *r, struct choir_sequence *const *seqs, const double *log_probs, int32_t n)
{
    struct ranking_run c = {.r = r, .seqs = seqs, .log_probs = log_probs, .n = n};
    const int64_t worth_a_thread = 1 << 15; /* numbers */
    const int64_t useful = (int64_t)n * r->n_vocab / worth_a_thread;
    par_run(useful < r->n_threads ? (int)useful : r->n_threads, rank_beams, &c);
    return merge(r, n);
}
