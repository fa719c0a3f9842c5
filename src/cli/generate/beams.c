/* A search knows its texts only when it is over, so nothing is streamed. */
#include <stdlib.h>

#include "base/error.h"
#include "cli/completion.h"
#include "cli/generate/generate.h"

choir_status generate_beams_check(const options *o, choir_error *err)
{
    if (o->n_samples > o->beams) {
        return base_fail(err, CHOIR_USAGE, "--n-samples %d: --beams %d finds at most %d texts", (int)o->n_samples,
                         (int)o->beams, (int)o->beams);
    }
    if (o->logprobs >= 0 || o->speculate > 0 || o->draft) {
        return base_fail(err, CHOIR_USAGE, "%s: not with --beams",
                         o->logprobs >= 0 ? "--logprobs"
                         : o->draft       ? "--draft"
                                          : "--speculate");
    }
    return CHOIR_OK;
}

static choir_status add_choice(generate_job *j, int32_t index, const choir_beam *b, choir_error *err)
{
    const char *finish = b->finish == CHOIR_FINISH_CALLER ? NULL : completion_finish(b->finish);
    text_buffer text = {0};
    json_t *choice = NULL;
    if (!(j->s->opt->echo && text_append(&text, j->prompt.text, j->prompt.n)) &&
        !text_append(&text, b->text, b->n_text)) {
        choice = completion_choice(index, &text, json_null(), finish);
    }
    free(text.at);
    json_t *scores = json_pack("{s:f, s:f, s:i}", "score", b->score, "log_prob", b->log_prob, "tokens", (int)b->length);
    bool failed = !choice || json_object_update(choice, scores) || json_array_append(j->choices, choice);
    json_decref(scores);
    json_decref(choice);
    return failed ? base_fail(err, CHOIR_RESOURCE, "out of memory for JSON") : CHOIR_OK;
}

static void print_text(session *s, int32_t index, const prompt *before, const choir_beam *b)
{
    if (index > 0) {
        stream_write(&s->out, "\n", 1);
    }
    if (s->opt->echo) {
        stream_write(&s->out, before->text, before->n);
    }
    stream_write(&s->out, b->text, b->n_text);
}

static choir_status show(generate_job *j, const choir_beam *beams, int32_t n, choir_error *err)
{
    session *s = j->s;
    choir_status status = CHOIR_OK;
    for (int32_t i = 0; i < n && i < s->opt->n_samples && !status; i++) {
        if (s->opt->json) {
            status = add_choice(j, i, &beams[i], err);
        } else {
            print_text(s, i, &j->prompt, &beams[i]);
        }
    }
    stream_end_line(&s->out, &s->term);
    for (int32_t i = 0; i < n && s->term.verbose; i++) {
        note(&s->term, "beam %d: score %.6f, log-probability %.6f, %d tokens", (int)i, beams[i].score,
             beams[i].log_prob, (int)beams[i].length);
    }
    return status;
}

choir_status generate_beams(generate_job *j, choir_error *err)
{
    session *s = j->s;
    choir_generation g;
    choir_beam_options opt;
    choir_beam *beams;
    choir_error other;
    int32_t n;
    generation_options(&g, s, s->opt, NULL, NULL);
    g.at_start = j->at_start;
    choir_beam_options_default(&opt);
    opt.n_beams = s->opt->beams;
    opt.length_penalty = (double)s->opt->length_penalty;
    choir_status status = choir_beam_search(&beams, &n, &j->total, j->seq, &g, &opt, err);
    s->out.interrupted = false;
    choir_status shown = show(j, beams, n, status ? &other : err);
    choir_beams_free(beams, n);
    return status ? status : shown;
}
