/* choir heads explain: the shares of the next token's logit, and the logit lens. */
#include "cli/heads/page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { TOP = 3 };

/* What the tap tells of the last token. */
typedef struct catch
{
    const choir_model_info *m;
    float *streams;      /* [n_layers + 1, dim] */
    float *heads;        /* [n_layers, n_heads, dim] */
    float *feed_forward; /* [n_layers, dim] */
    float *bias;         /* [dim] of all layers */
}
catch;

static void on_stream(void *user, choir_seen seen, const float *x, int32_t dim)
{
    const catch *c = user;
    memcpy(c->streams + (size_t)(seen.layer + 1) * (size_t)dim, x, (size_t)dim * sizeof *x);
}

static void on_part(void *user, choir_seen seen, choir_part part, int32_t head, const float *y, int32_t dim)
{
    const catch *c = user;
    const size_t n = (size_t)dim, layer = (size_t)seen.layer;
    if (part == CHOIR_PART_HEAD) {
        memcpy(c->heads + (layer * (size_t)c->m->n_heads + (size_t)head) * n, y, n * sizeof *y);
    } else if (part == CHOIR_PART_FEED_FORWARD) {
        memcpy(c->feed_forward + layer * n, y, n * sizeof *y);
    } else {
        for (size_t i = 0; i < n; i++) {
            c->bias[i] += y[i];
        }
    }
}

static void free_catch(catch *c)
{
    free(c->streams);
    free(c->heads);
    free(c->feed_forward);
    free(c->bias);
}

static choir_status open_catch(catch *c, choir_error *err)
{
    const choir_model_info *m = c->m;
    const size_t dim = (size_t)m->dim, layers = (size_t)m->n_layers;
    c->streams = calloc((layers + 1) * dim, sizeof(float));
    c->heads = calloc(layers * (size_t)m->n_heads * dim, sizeof(float));
    c->feed_forward = calloc(layers * dim, sizeof(float));
    c->bias = calloc(dim, sizeof(float));
    return c->streams && c->heads && c->feed_forward && c->bias
               ? CHOIR_OK
               : base_fail(err, CHOIR_RESOURCE, "out of memory for the parts of %d layers", (int)m->n_layers);
}

/* Log-probabilities of a row of logits; the best ids, and the place of one. */
static void read_row(lens *y, const float *logits, int32_t n, int32_t id, int32_t n_top)
{
    double most = -INFINITY, sum = 0;
    int n_found = 0;
    y->rank = 1;
    for (int32_t i = 0; i < n; i++) {
        most = (double)logits[i] > most ? (double)logits[i] : most;
        y->rank += logits[i] > logits[id] || (logits[i] == logits[id] && i < id);
        int at = n_found < n_top ? n_found++ : n_top;
        for (; at > 0 && logits[y->top[at - 1].id] < logits[i]; at--) {
            if (at < n_top) {
                y->top[at] = y->top[at - 1];
            }
        }
        if (at < n_top) {
            y->top[at].id = i;
        }
    }
    for (int32_t i = 0; i < n; i++) {
        sum += exp((double)logits[i] - most);
    }
    const double all = most + log(sum);
    y->log_prob = (double)logits[id] - all;
    for (int i = 0; i < n_top; i++) {
        y->top[i].log_prob = (double)logits[y->top[i].id] - all;
    }
}

static double dot(const double *direction, const float *y, int32_t dim)
{
    double sum = 0;
    for (int32_t i = 0; i < dim; i++) {
        sum += direction[i] * (double)y[i];
    }
    return sum;
}

/* The logit before the cap c tanh(x / c); where it is not known to be capped, as it is. */
static double uncap(double logit, double cap)
{
    return cap > 0 ? cap * atanh(logit / cap) : logit;
}

static choir_status share_out(explanation *x, const catch *c, choir_error *err)
{
    const choir_model_info *m = c->m;
    const size_t dim = (size_t)m->dim;
    const float *last = c->streams + (size_t)m->n_layers * dim;
    double *direction = malloc(dim * sizeof *direction);
    if (!direction) {
        return base_fail(err, CHOIR_RESOURCE, "out of memory");
    }
    choir_status status = choir_engine_readout(direction, &x->constant, x->text.s->engine, last, x->id, err);
    double sum = x->constant;
    if (!status) {
        sum += x->embedding = dot(direction, c->streams, m->dim);
        sum += x->bias = dot(direction, c->bias, m->dim);
    }
    for (int32_t i = 0; !status && i < m->n_layers * m->n_heads; i++) {
        sum += x->heads[i] = dot(direction, c->heads + (size_t)i * dim, m->dim);
    }
    for (int32_t l = 0; !status && l < m->n_layers; l++) {
        sum += x->feed_forward[l] = dot(direction, c->feed_forward + (size_t)l * dim, m->dim);
    }
    x->uncapped = uncap(x->logit, m->logit_cap);
    if (!status) {
        const double exact = x->constant + dot(direction, last, m->dim);
        x->activations = x->uncapped - exact;
        x->rounding = exact - sum;
    }
    free(direction);
    return status;
}

static choir_status look_through(explanation *x, const catch *c, float *logits, choir_error *err)
{
    const choir_model_info *m = c->m;
    choir_status status = CHOIR_OK;
    for (int32_t l = 0; !status && l <= m->n_layers; l++) {
        x->lenses[l].layer = l - 1;
        status = choir_engine_unembed(x->text.s->engine, c->streams + (size_t)l * (size_t)m->dim, logits, err);
        if (!status) {
            read_row(&x->lenses[l], logits, m->vocab_size, x->id, x->n_top);
        }
    }
    return status;
}

/* The logits after the text, and which token is to be explained. */
static choir_status take_logits(explanation *x, float *logits, choir_error *err)
{
    const choir_model_info *m = &x->text.s->info;
    const int32_t wanted = x->text.s->opt->token;
    const float *row = choir_sequence_logits(x->text.seq);
    if (wanted >= m->vocab_size) {
        return base_fail(err, CHOIR_USAGE, "--token: %d is not in the vocabulary (0 to %d)", (int)wanted,
                         (int)m->vocab_size - 1);
    }
    memcpy(logits, row, (size_t)m->vocab_size * sizeof *logits);
    for (int32_t i = 0; i < m->vocab_size; i++) {
        x->id = logits[i] > logits[x->id] ? i : x->id;
        x->most = fabs((double)logits[i]) > x->most ? fabs((double)logits[i]) : x->most;
    }
    x->id = wanted >= 0 ? wanted : x->id;
    x->logit = (double)logits[x->id];
    return CHOIR_OK;
}

static choir_status open_explanation(explanation *x, choir_error *err)
{
    const choir_model_info *m = &x->text.s->info;
    const int32_t wanted = x->text.s->opt->top > 0 ? x->text.s->opt->top : TOP;
    x->n_top = wanted < LENS_TOP_MOST ? wanted : LENS_TOP_MOST;
    x->n_top = x->n_top < m->vocab_size ? x->n_top : m->vocab_size;
    x->lenses = calloc((size_t)m->n_layers + 1, sizeof *x->lenses);
    x->heads = calloc((size_t)m->n_layers * (size_t)m->n_heads, sizeof *x->heads);
    x->feed_forward = calloc((size_t)m->n_layers, sizeof *x->feed_forward);
    return x->lenses && x->heads && x->feed_forward ? CHOIR_OK : base_fail(err, CHOIR_RESOURCE, "out of memory");
}

/* All but the last token first, without the tap: heads are told apart for one token only. */
static choir_status replay(explanation *x, catch *c, choir_error *err)
{
    heads_text *t = &x->text;
    const choir_tap tap = {.from = t->n_ids - 1, .stream = on_stream, .part = on_part, .user = c};
    const double rows = (double)c->m->n_layers * (c->m->n_heads + 2) + 2;
    choir_status status = heads_room(t, &tap, rows * c->m->dim * sizeof(float), "the parts of the model take",
                                     "use a smaller --batch or a larger --mem-limit", err);
    status = status ? status : open_catch(c, err);
    status = status ? status : heads_replay(t, t->ids, t->n_ids - 1, NULL, err);
    status = status ? status : choir_engine_tap(t->s->engine, &tap, err);
    status = status ? status : choir_sequence_append(t->seq, t->ids + t->n_ids - 1, 1, err);
    return status ? status : choir_engine_step(t->s->engine, &t->seq, 1, err);
}

choir_status heads_explanation_make(explanation *x, session *s, choir_error *err)
{
    catch c = {.m = &s->info};
    float *logits = NULL;
    *x = (explanation){.id = 0};
    choir_status status = heads_text_open(&x->text, s, err);
    status = status ? status : open_explanation(x, err);
    if (!status) {
        logits = malloc((size_t)s->info.vocab_size * sizeof *logits);
        status = logits ? replay(x, &c, err) : base_fail(err, CHOIR_RESOURCE, "out of memory for logits");
    }
    status = status ? status : take_logits(x, logits, err);
    status = status ? status : share_out(x, &c, err);
    status = status ? status : look_through(x, &c, logits, err);
    if (!status) {
        x->log_prob = x->lenses[s->info.n_layers].log_prob;
    }
    free(logits);
    free_catch(&c);
    return status;
}

void heads_explanation_free(explanation *x)
{
    free(x->lenses);
    free(x->heads);
    free(x->feed_forward);
    heads_text_close(&x->text);
}

choir_status heads_explain(session *s, choir_error *err)
{
    explanation x = {.text.s = s};
    choir_status status = heads_files_check(s, err);
    status = status ? status : heads_explanation_make(&x, s, err);
    if (!status && s->opt->html) {
        status = heads_page_explain(&x, err);
    }
    if (!status && s->opt->json) {
        status = heads_explanation_json(&x, err);
    } else if (!status && !s->opt->html) {
        status = heads_explanation_table(&x, err);
    }
    heads_explanation_free(&x);
    return status;
}
