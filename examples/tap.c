/* What each head looks at most, at the end of a text: a tap on the attention weights.   tap TEXT */
#include <choir.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct view {
    const choir_model *model;
    const int32_t *ids;
} view;

/* weights [n]: what the head gives to each of the n tokens so far. */
static void on_attention(void *user, choir_seen seen, int32_t head, const float *weights, int32_t n)
{
    const view *v = user;
    int32_t best = 0;
    for (int32_t i = 1; i < n; i++) {
        best = weights[i] > weights[best] ? i : best;
    }
    size_t bytes;
    const char *piece = choir_piece(v->model, v->ids[best], &bytes);
    printf("layer %d head %d: %3.0f %% to token %d, %.*s\n", seen.layer, head, 100 * (double)weights[best], best,
           (int)bytes, piece);
}

int main(int argc, char **argv)
{
    const char *text = argc > 1 ? argv[1] : "Once upon a time";
    choir_error err;
    choir_model_options model_options; /* by default, the built-in model */
    choir_engine_options options;
    choir_sampling sampling;
    choir_tap tap;
    choir_model_options_default(&model_options);
    choir_engine_options_default(&options);
    choir_sampling_default(&sampling);
    choir_tap_default(&tap);
    options.prefix_cache = false; /* a tap sees what is computed */
    choir_model *model = NULL;
    choir_engine *engine = NULL;
    choir_sequence *seq = NULL;
    int32_t *ids = NULL;
    size_t n = 0;
    int failed = choir_model_open(&model, &model_options, &err) || choir_engine_open(&engine, model, &options, &err) ||
                 choir_sequence_open(&seq, engine, &sampling, &err) ||
                 choir_tokenize(&ids, &n, model, text, strlen(text), true, &err) ||
                 choir_sequence_append(seq, ids, n, &err);
    if (!failed) {
        view v = {model, ids};
        tap.from = (int32_t)n - 1; /* only the last token */
        tap.attention = on_attention;
        tap.user = &v;
        failed = choir_engine_tap(engine, &tap, &err) != CHOIR_OK;
        while (!failed && choir_sequence_computed(seq) < choir_sequence_length(seq)) {
            failed = choir_engine_step(engine, &seq, 1, &err) != CHOIR_OK;
        }
    }
    if (failed) {
        fprintf(stderr, "%s\n", err.msg);
    }
    free(ids);
    choir_sequence_close(seq);
    choir_engine_close(engine);
    choir_model_close(model);
    return failed;
}
