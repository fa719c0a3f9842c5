/* choir_logits MODEL CTX_SIZE [ROWS STEP] < ids: the most likely next id after each of the ids, a line each; ROWS gets the logits
 * (float32) of every STEP-th position.  Keys and values in f32.  llama_cpp_logits.c does the same with llama.cpp. */
#include <stdio.h>
#include <stdlib.h>

#include "choir.h"

static void check(choir_status status, const choir_error *err)
{
    if (status != CHOIR_OK) {
        fprintf(stderr, "choir_logits: %s\n", err->msg);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 5) {
        fprintf(stderr, "usage: choir_logits MODEL CTX_SIZE [ROWS STEP] < ids\n");
        return 2;
    }
    FILE *rows = argc == 5 ? fopen(argv[3], "wb") : NULL;
    int step = argc == 5 ? atoi(argv[4]) : 1;
    choir_error err;
    choir_model_options mo;
    choir_engine_options eo;
    choir_sampling greedy;
    choir_model *m;
    choir_engine *e;
    choir_sequence *s;
    choir_model_info info;
    choir_model_options_default(&mo);
    choir_engine_options_default(&eo);
    choir_sampling_default(&greedy);
    mo.path = argv[1];
    mo.text_optional = true;
    check(choir_model_open(&m, &mo, &err), &err);
    choir_model_describe(m, &info);
    eo.ctx_size = atoi(argv[2]);
    eo.kv_type = "f32";
    check(choir_engine_open(&e, m, &eo, &err), &err);
    greedy.temp = 0;
    check(choir_sequence_open(&s, e, &greedy, &err), &err);
    int id;
    for (int n = 1; scanf("%d", &id) == 1; n++) {
        check(choir_sequence_append(s, &id, 1, &err), &err);
        check(choir_engine_step(e, &s, 1, &err), &err);
        check(choir_sequence_sample(s, &id, &err), &err);
        printf("%d\n", id);
        if (rows != NULL && n % step == 0) {
            fwrite(choir_sequence_logits(s), sizeof(float), (size_t)info.vocab_size, rows);
        }
    }
    choir_sequence_close(s);
    choir_engine_close(e);
    choir_model_close(m);
    return rows != NULL && fclose(rows) != 0;
}
