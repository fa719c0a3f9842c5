/* How likely a model holds a text, token by token; the most surprising of several texts has the highest number of bits.
 *   score TEXT... */
#include <choir.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints each token behind the first with its bits (-log2 of its probability), then the text's mean. */
static choir_status score(choir_engine *engine, const choir_model *model, const char *text, choir_error *err)
{
    const double bits_a_nat = 1.4426950408889634;
    choir_sampling sampling;
    choir_sampling_default(&sampling); /* nothing is drawn */
    choir_sequence *seq = NULL;
    int32_t *ids = NULL;
    size_t n = 0;
    double sum = 0;
    choir_status status = choir_tokenize(&ids, &n, model, text, strlen(text), true, err);
    status = status ? status : choir_sequence_open(&seq, engine, &sampling, err);
    if (!status) {
        choir_sequence_want_logits(seq, 0); /* after every token, not only after the last */
        status = choir_sequence_append(seq, ids, n, err);
    }
    while (!status && choir_sequence_computed(seq) < choir_sequence_length(seq)) {
        const int32_t from = choir_sequence_computed(seq);
        status = choir_engine_step(engine, &seq, 1, err);
        /* The row after position i says how likely ids[i + 1] was. */
        for (int32_t i = from; !status && i < choir_sequence_computed(seq) && (size_t)i + 1 < n; i++) {
            choir_score row;
            size_t bytes = 0;
            status = choir_sequence_score(&row, seq, i, 1, &ids[i + 1], NULL, err);
            const char *piece = choir_piece(model, ids[i + 1], &bytes);
            if (!status) {
                printf("%8.3f  %.*s\n", -row.log_prob * bits_a_nat, (int)bytes, piece);
                sum -= row.log_prob * bits_a_nat;
            }
        }
    }
    if (!status) {
        printf("%8.3f  bits a token: %s\n", n > 1 ? sum / (double)(n - 1) : 0, text);
    }
    choir_sequence_close(seq);
    free(ids);
    return status;
}

int main(int argc, char **argv)
{
    choir_error err;
    choir_model_options model_options;
    choir_engine_options options;
    choir_model_options_default(&model_options); /* the built-in model */
    choir_engine_options_default(&options);
    options.max_logits = 64; /* rows of logits in a step */
    choir_model *model = NULL;
    choir_engine *engine = NULL;
    int failed = choir_model_open(&model, &model_options, &err) || choir_engine_open(&engine, model, &options, &err);
    for (int i = 1; i < argc && !failed; i++) {
        failed = score(engine, model, argv[i], &err) != CHOIR_OK;
    }
    if (failed) {
        fprintf(stderr, "%s\n", err.msg);
    }
    choir_engine_close(engine);
    choir_model_close(model);
    return failed;
}
