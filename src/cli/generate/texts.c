/* Texts made at the same time come out one after another: the first that is not done is printed as it is made, those behind it
 * are kept until it is their turn. */
#include <stdlib.h>

#include "base/error.h"
#include "cli/completion.h"
#include "cli/generate/generate.h"

static void fail_all(generate_texts *x, choir_status status, const char *message)
{
    if (!x->status) {
        x->status = base_fail(&x->err, status, "%s", message);
    }
}

static bool is_printed(const generate_text *t)
{
    return !t->job->s->opt->json && t == t->job->texts.first && !t->job->texts.cut;
}

/* It is the first now. */
static void print_kept(generate_text *t)
{
    if (is_printed(t)) {
        stream *out = &t->job->s->out;
        if (t->index > 0) {
            stream_write(out, "\n", 1);
        }
        stream_write(out, t->text.at, t->text.n);
        t->text.n = 0;
    }
}

static void free_text(generate_text *t)
{
    free(t->text.at);
    token_log_close(&t->log);
    free(t);
}

generate_text *generate_text_begin(generate_job *j, choir_error *err)
{
    generate_texts *x = &j->texts;
    generate_text *t = calloc(1, sizeof *t);
    if (!t) {
        base_fail(err, CHOIR_RESOURCE, "out of memory for a text");
        return NULL;
    }
    t->job = j;
    t->index = x->n_begun++;
    if (j->s->opt->logprobs >= 0) {
        token_log_fork(&t->log, &j->prompt_log);
    }
    x->last = x->first ? x->last : &x->first;
    *x->last = t;
    x->last = &t->next;
    x->n_open++;
    if (t == x->first) {
        print_kept(t);
    }
    if (j->s->opt->echo) {
        generate_text_add(t, j->prompt.text, j->prompt.n);
    }
    return t;
}

int generate_text_add(generate_text *t, const char *text, size_t n)
{
    return is_printed(t) ? stream_write(&t->job->s->out, text, n) : text_append(&t->text, text, n);
}

int generate_text_token(generate_text *t, const choir_token *token)
{
    return token_log_add(&t->log, token->id, &token->log_prob, token->top, token->n_top);
}

static void add_choice(generate_text *t)
{
    generate_job *j = t->job;
    json_t *log = j->s->opt->logprobs >= 0 ? token_log_take(&t->log) : json_null();
    json_t *choice = completion_choice(t->index, &t->text, log, t->finish);
    if (!choice || json_array_append_new(j->choices, choice)) {
        fail_all(&j->texts, CHOIR_RESOURCE, "out of memory for JSON");
    }
}

/* Those in front that have ended are done with. */
static void advance(generate_job *j)
{
    generate_texts *x = &j->texts;
    while (x->first && x->first->ended) {
        generate_text *t = x->first;
        if (j->s->opt->json) {
            add_choice(t);
        }
        x->first = t->next;
        x->n_open--;
        free_text(t);
        if (x->first) {
            print_kept(x->first);
        }
    }
}

void generate_text_end(generate_text *t, const choir_result *result, choir_status status, const choir_error *err)
{
    generate_job *j = t->job;
    generate_texts *x = &j->texts;
    const bool whole = !status && result->finish != CHOIR_FINISH_CALLER;
    if (status && status != CHOIR_CANCELLED) {
        fail_all(x, status, err->msg);
    } else if (t->text.failed || t->log.failed) {
        fail_all(x, CHOIR_RESOURCE, "out of memory for the text");
    }
    t->finish = whole ? completion_finish(result->finish) : NULL;
    t->ended = true;
    x->cut = x->cut || status;
    j->total.context_full |= result->context_full;
    j->total.n_cached += result->n_cached;
    j->total.n_generated += result->n_generated;
    j->total.n_guessed += result->n_guessed;
    j->total.n_guesses_kept += result->n_guesses_kept;
    advance(j);
}

choir_status generate_texts_failed(const generate_texts *texts, choir_error *err)
{
    if (texts->status) {
        *err = texts->err;
    }
    return texts->status;
}

void generate_texts_close(generate_texts *texts)
{
    while (texts->first) {
        generate_text *next = texts->first->next;
        free_text(texts->first);
        texts->first = next;
    }
}
