#include "engine/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/score.h"

enum { MAX_SAMPLES = 65536 };

void choir_request_options_default(choir_request_options *request)
{
    *request = (choir_request_options){.n_samples = 1};
    choir_sampling_default(&request->sampling);
    choir_generation_default(&request->generation);
}

static choir_status check(const choir_request_options *o, const struct choir_engine *e, choir_error *err)
{
    if (o->n_samples < 1 || o->n_samples > MAX_SAMPLES) {
        return base_fail(err, CHOIR_USAGE, "n_samples: %d (1 to %d allowed)", (int)o->n_samples, MAX_SAMPLES);
    }
    if (o->generation.stream != NULL || o->generation.token != NULL || o->generation.user != NULL) {
        return base_fail(err, CHOIR_USAGE,
                         "generation.stream, generation.token and generation.user of a request: its own are meant");
    }
    if (o->from != NULL && (o->ids != NULL || o->n_ids > 0 || o->from->engine != e)) {
        return base_fail(err, CHOIR_USAGE, "a request goes on from %s",
                         o->from->engine != e ? "a sequence of its own engine"
                                              : "ids or from a sequence, not from both");
    }
    if (o->prompt != NULL && (o->token == NULL || o->from != NULL)) {
        return base_fail(err, CHOIR_USAGE, "the tokens of a prompt are not told %s",
                         o->from != NULL ? "where the request goes on from a sequence" : "without those of the texts");
    }
    return CHOIR_OK;
}

static choir_status copy_stops(struct eng_request *r, const choir_generation *g, choir_error *err)
{
    size_t n = g->n_stops > 0 ? g->n_stops : 1, sum = n * (sizeof *r->stops + sizeof *r->stop_bytes);
    r->stops = calloc(n, sizeof *r->stops);
    r->stop_bytes = calloc(n, sizeof *r->stop_bytes);
    bool ok = r->stops != NULL && r->stop_bytes != NULL;
    for (size_t i = 0; ok && i < g->n_stops; i++) {
        size_t bytes = g->stop_bytes != NULL ? g->stop_bytes[i] : strlen(g->stops[i]);
        sum += bytes;
        r->stop_bytes[i] = bytes;
        r->stops[i] = malloc(bytes > 0 ? bytes : 1);
        ok = r->stops[i] != NULL;
        if (ok && bytes > 0) {
            memcpy(r->stops[i], g->stops[i], bytes);
        }
        r->n_stops++;
    }
    return ok ? CHOIR_OK : base_fail_memory(err, sum, "stop strings");
}

static int stream_sample(void *user, const char *text, size_t n)
{
    const struct eng_task *t = user;
    return t->request->stream(t->request->user, t->sample, text, n);
}

static int tell_sample(void *user, const choir_token *token)
{
    const struct eng_task *t = user;
    return t->request->token(t->request->user, t->sample, token);
}

/* From where on rows of the prompt are wanted: each tells of the token behind it. */
static int32_t wanted_rows(const struct eng_request *r)
{
    return r->n_told < r->n_prompt ? r->n_told - 1 : INT32_MAX;
}

/* Most tokens that its sequence will ever have. */
static int32_t most_tokens(const struct eng_task *t)
{
    int32_t ctx = t->seq->engine->opt.ctx_size, n = t->writer.g.max_tokens;
    return n >= 0 && n < ctx - t->seq->n_ids ? t->seq->n_ids + n : ctx;
}

/* A fork with its last token pending: whoever runs has something to compute. */
static choir_status fork_pending(struct choir_sequence **out, const struct choir_sequence *from,
                                 const choir_sampling *sampling, choir_error *err)
{
    choir_status status = choir_sequence_fork(out, from, sampling, err);
    struct choir_sequence *s = *out;
    if (status == CHOIR_OK) {
        s->want_from = INT32_MAX;
        s->n_cached = 0; /* what of it the cache had is not this text's to tell */
        if (s->n_ids > 0 && s->table.n_tokens == s->n_ids) {
            eng_sequence_cut(s, s->n_ids, s->n_ids - 1);
        }
    }
    return status;
}

/* The prompt: the first text's is a fork where the request goes on from a sequence, the others come to it by following. */
static choir_status open_prompt(struct eng_task *t, struct choir_engine *e, const choir_request_options *o,
                                const choir_sampling *sampling, choir_error *err)
{
    const struct choir_sequence *from = o->from;
    if (from != NULL && t->sample == 0) {
        return fork_pending(&t->seq, from, sampling, err);
    }
    choir_status status = choir_sequence_open(&t->seq, e, sampling, err);
    if (status != CHOIR_OK) {
        return status;
    }
    return from != NULL ? choir_sequence_append(t->seq, from->ids, (size_t)from->n_ids, err)
                        : choir_sequence_append(t->seq, o->ids, o->n_ids, err);
}

static choir_status open_task(struct eng_task *t, struct choir_engine *e, const choir_request_options *o,
                              choir_error *err)
{
    struct eng_request *r = t->request;
    choir_sampling sampling = o->sampling;
    choir_generation g = o->generation;
    sampling.choice += (uint64_t)t->sample;
    g.stops = (const char *const *)r->stops;
    g.stop_bytes = r->stop_bytes;
    g.stream = r->stream != NULL ? stream_sample : NULL;
    g.token = r->token != NULL ? tell_sample : NULL;
    g.user = t;
    choir_status status = open_prompt(t, e, o, &sampling, err);
    if (status == CHOIR_OK) {
        status = eng_writer_open(&t->writer, t->seq, &g, err);
    }
    if (status == CHOIR_OK) {
        t->line.table = &t->seq->table;
        t->line.ids = t->seq->ids;
        t->line.n_ids = t->seq->n_ids;
        t->line.n_most = most_tokens(t);
        t->line.follows = t->sample > 0 ? &r->tasks[0].line : NULL;
    }
    return status;
}

choir_status eng_request_open(struct eng_request **out, struct choir_engine *e, const choir_request_options *options,
                              choir_error *err)
{
    *out = NULL;
    choir_status status = check(options, e, err);
    if (status != CHOIR_OK) {
        return status;
    }
    size_t n = (size_t)options->n_samples;
    struct eng_request *r = calloc(1, sizeof *r);
    struct eng_task *tasks = calloc(n, sizeof *tasks);
    if (r == NULL || tasks == NULL) {
        free(r);
        free(tasks);
        return base_fail_memory(err, sizeof *r + n * sizeof *tasks, "a request");
    }
    r->stream = options->stream;
    r->token = options->token;
    r->prompt = options->prompt;
    r->done = options->done;
    r->user = options->user;
    r->tasks = tasks;
    status = copy_stops(r, &options->generation, err);
    while (status == CHOIR_OK && r->n_tasks < options->n_samples) {
        struct eng_task *t = &r->tasks[r->n_tasks];
        t->request = r;
        t->sample = r->n_tasks++;
        status = open_task(t, e, options, err);
    }
    if (status != CHOIR_OK) {
        eng_request_close(r);
        return status;
    }
    r->n_left = r->n_tasks;
    r->n_prompt = r->tasks[0].seq->n_ids;
    r->n_told = r->prompt != NULL ? 1 : r->n_prompt;
    r->tasks[0].seq->want_from = wanted_rows(r);
    *out = r;
    return CHOIR_OK;
}

void eng_request_close(struct eng_request *r)
{
    if (r == NULL) {
        return;
    }
    for (int32_t i = 0; i < r->n_tasks; i++) {
        eng_task_close(&r->tasks[i]);
    }
    for (size_t i = 0; i < r->n_stops; i++) {
        free(r->stops[i]);
    }
    free(r->stops);
    free(r->stop_bytes);
    free(r->tasks);
    free(r);
}

void eng_task_close(struct eng_task *t)
{
    eng_writer_close(&t->writer);
    choir_sequence_close(t->seq);
    t->seq = NULL;
}

bool eng_task_tell_prompt(struct eng_task *t)
{
    struct eng_request *r = t->request;
    struct choir_sequence *s = t->seq;
    const int32_t n_vocab = s->engine->model->config.vocab_size, n_top = t->writer.g.n_top;
    choir_token told = {.top = t->writer.top, .n_top = n_top < n_vocab ? n_top : n_vocab};
    if (s->want_from == INT32_MAX) {
        return true;
    }
    for (; r->n_told < r->n_prompt && r->n_told <= s->table.n_tokens; r->n_told++) {
        const float *row = choir_sequence_logits_at(s, r->n_told - 1);
        told.pos = r->n_told;
        told.id = s->ids[told.pos];
        told.log_prob = eng_row_log_probs(t->writer.top, told.n_top, row, n_vocab, told.id);
        if (r->prompt(r->user, &told) != 0) {
            return false;
        }
    }
    s->want_from = wanted_rows(r);
    return true;
}

void eng_task_hand_over(struct eng_task *t)
{
    struct eng_request *r = t->request;
    const struct pol_task *heir = NULL;
    for (int32_t i = 0; i < r->n_tasks; i++) {
        struct eng_task *other = &r->tasks[i];
        if (!other->ended && other->line.follows == &t->line) {
            other->line.follows = heir;
            if (heir == NULL) {
                heir = &other->line;
                other->seq->want_from = wanted_rows(r);
            }
        }
    }
}

void eng_task_share_prompt(struct eng_task *t)
{
    struct eng_request *r = t->request;
    for (int32_t i = 0; i < r->n_tasks; i++) {
        struct eng_task *other = &r->tasks[i];
        if (other->ended || other->line.follows != &t->line) {
            continue;
        }
        other->line.follows = NULL;
        if (other->line.running) {
            eng_sequence_share(other->seq, t->seq, NULL); /* without it the prompt is merely computed again */
        }
    }
}
