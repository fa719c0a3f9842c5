/* A search knows its texts only when it is over, so nothing is streamed. */
#include "cli/generate_beams.h"

#include <stdlib.h>

choir_status generate_beams_check(const options *o, choir_error *err)
{
    if (o->n_samples > o->beams) {
        return fail(err, CHOIR_USAGE, "--n-samples %d: --beams %d finds at most %d texts", (int)o->n_samples,
                    (int)o->beams, (int)o->beams);
    }
    if (o->logprobs >= 0 || o->speculate > 0 || o->draft) {
        return fail(err, CHOIR_USAGE, "%s: not with --beams",
                    o->logprobs >= 0 ? "--logprobs"
                    : o->draft       ? "--draft"
                                     : "--speculate");
    }
    return CHOIR_OK;
}

static const char *finish_name(choir_finish finish)
{
    return finish == CHOIR_FINISH_STOP ? "stop" : finish == CHOIR_FINISH_LENGTH ? "length" : NULL;
}

static choir_status add_choice(session *s, json_t *choices, int32_t index, const prompt *before, const choir_beam *b,
                               choir_error *err)
{
    text_buffer text = {0};
    json_t *choice = NULL;
    if (!(s->opt->echo && text_append(&text, before->text, before->n)) && !text_append(&text, b->text, b->n_text)) {
        choice = json_pack("{s:i, s:o, s:n, s:s?, s:f, s:f, s:i}", "index", (int)index, "text",
                           json_text(text.at, text.n), "logprobs", "finish_reason", finish_name(b->finish), "score",
                           b->score, "log_prob", b->log_prob, "tokens", (int)b->length);
    }
    free(text.at);
    return choice && json_array_append_new(choices, choice) == 0 ? CHOIR_OK
                                                                 : fail(err, CHOIR_RESOURCE, "out of memory for JSON");
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

static choir_status show(session *s, const choir_beam *beams, int32_t n, const prompt *before, json_t *choices,
                         choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (int32_t i = 0; i < n && i < s->opt->n_samples && !status; i++) {
        if (s->opt->json) {
            status = add_choice(s, choices, i, before, &beams[i], err);
        } else {
            print_text(s, i, before, &beams[i]);
        }
    }
    stream_end_line(&s->out, &s->term);
    for (int32_t i = 0; i < n && s->term.verbose; i++) {
        note(&s->term, "beam %d: score %.6f, log-probability %.6f, %d tokens", (int)i, beams[i].score,
             beams[i].log_prob, (int)beams[i].length);
    }
    return status;
}

choir_status generate_beams(session *s, choir_sequence *seq, const prompt *before, json_t *choices, choir_result *total,
                            choir_error *err)
{
    choir_generation g;
    choir_beam_options opt;
    choir_beam *beams;
    choir_error other;
    int32_t n;
    generation_options(&g, s, s->opt, NULL, NULL);
    g.at_start = before->n == 0 || s->chat;
    choir_beam_options_default(&opt);
    opt.n_beams = s->opt->beams;
    opt.length_penalty = (double)s->opt->length_penalty;
    choir_status status = choir_beam_search(&beams, &n, total, seq, &g, &opt, err);
    s->out.interrupted = false;
    choir_status shown = show(s, beams, n, before, choices, status ? &other : err);
    choir_beams_free(beams, n);
    return status ? status : shown;
}
