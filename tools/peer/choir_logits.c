/* choir_logits MODEL CTX_SIZE [ROWS STEP] < ids: the most likely next id after each of the ids, a line each; ROWS gets the logits
 * (float32) of every STEP-th position.  Keys and values in f32.  llama_cpp_logits.c does the same with llama.cpp. */
#include <stdio.h>
#include <stdlib.h>

#include "choir.h"

enum { IDS_CAP = 1 << 20, ROWS_IN_A_STEP = 64 };

static void check(choir_status status, const choir_error *err)
{
    if (status != CHOIR_OK) {
        fprintf(stderr, "choir_logits: %s\n", err->msg);
        exit(1);
    }
}

static int best(const float *row, int n)
{
    int at = 0;
    for (int i = 1; i < n; i++) {
        at = row[i] > row[at] ? i : at;
    }
    return at;
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
    choir_sampling sampling;
    choir_model *m;
    choir_engine *e;
    choir_sequence *s;
    choir_model_info info;
    choir_model_options_default(&mo);
    choir_engine_options_default(&eo);
    choir_sampling_default(&sampling);
    mo.path = argv[1];
    mo.text_optional = true;
    check(choir_model_open(&m, &mo, &err), &err);
    choir_model_describe(m, &info);
    eo.ctx_size = atoi(argv[2]);
    eo.kv_type = "f32";
    eo.max_logits = ROWS_IN_A_STEP;
    check(choir_engine_open(&e, m, &eo, &err), &err);
    check(choir_sequence_open(&s, e, &sampling, &err), &err);
    static int32_t ids[IDS_CAP];
    int32_t n = 0;
    while (n < IDS_CAP && scanf("%d", &ids[n]) == 1) {
        n++;
    }
    choir_sequence_want_logits(s, 0);
    check(choir_sequence_append(s, ids, (size_t)n, &err), &err);
    for (int32_t at = 0; at < n;) {
        check(choir_engine_step(e, &s, 1, &err), &err);
        for (; at < choir_sequence_computed(s); at++) {
            const float *row = choir_sequence_logits_at(s, at);
            printf("%d\n", best(row, info.vocab_size));
            if (rows != NULL && (at + 1) % step == 0) {
                fwrite(row, sizeof *row, (size_t)info.vocab_size, rows);
            }
        }
    }
    choir_sequence_close(s);
    choir_engine_close(e);
    choir_model_close(m);
    return rows != NULL && fclose(rows) != 0;
}
