/* Prints a text as it is made.   stream [PROMPT [MODEL]] */
#include <choir.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int show(void *user, const char *text, size_t n)
{
    (void)user;
    return fwrite(text, 1, n, stdout) < n || fflush(stdout) != 0; /* non-zero ends the text */
}

int main(int argc, char **argv)
{
    const char *prompt = argc > 1 ? argv[1] : "Once upon a time";
    choir_error err;
    choir_model_options model_options;
    choir_engine_options engine_options;
    choir_sampling sampling;
    choir_generation generation;
    choir_model_options_default(&model_options);
    choir_engine_options_default(&engine_options);
    choir_sampling_default(&sampling);
    choir_generation_default(&generation);
    model_options.path = argc > 2 ? argv[2] : NULL; /* NULL: the built-in model */
    generation.max_tokens = 100;
    generation.stream = show;

    choir_model *model = NULL;
    choir_engine *engine = NULL;
    choir_sequence *seq = NULL;
    int32_t *ids = NULL;
    size_t n_ids;
    choir_result result;
    const int failed = choir_model_open(&model, &model_options, &err) ||
                       choir_engine_open(&engine, model, &engine_options, &err) ||
                       choir_sequence_open(&seq, engine, &sampling, &err) ||
                       choir_tokenize(&ids, &n_ids, model, prompt, strlen(prompt), true, &err) ||
                       choir_sequence_append(seq, ids, n_ids, &err) || choir_generate(&result, seq, &generation, &err);
    if (failed) {
        fprintf(stderr, "%s\n", err.msg);
    } else {
        printf("\n");
    }
    free(ids);
    choir_sequence_close(seq);
    choir_engine_close(engine);
    choir_model_close(model);
    return failed;
}
