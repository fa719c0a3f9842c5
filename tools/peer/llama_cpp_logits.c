/* llama_cpp_logits MODEL CTX_SIZE [ROWS STEP] < ids: see choir_logits.c.  A model without a tokenizer is loaded all the same.
 * llama_cpp_logits MODEL tokenize < text: the text's ids, BOS included where the model wants one. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "llama.h"

enum { CHUNK = 512, TEXT_CAP = 1 << 24 };

static void quiet(enum ggml_log_level level, const char *text, void *user)
{
    (void)user;
    if (level == GGML_LOG_LEVEL_ERROR) {
        fputs(text, stderr);
    }
}

static struct llama_model *open_model(const char *path, bool no_vocabulary)
{
    struct llama_model_kv_override over[2];
    memset(over, 0, sizeof over);
    over[0].tag = LLAMA_KV_OVERRIDE_TYPE_STR;
    strcpy(over[0].key, "tokenizer.ggml.model");
    strcpy(over[0].val_str, "no_vocab");
    struct llama_model_params mp = llama_model_default_params();
    mp.kv_overrides = no_vocabulary ? over : NULL;
    return llama_model_load_from_file(path, mp);
}

static int tokenize(const struct llama_model *m)
{
    char *text = malloc(TEXT_CAP);
    int32_t *ids = malloc(TEXT_CAP * sizeof *ids);
    size_t n = fread(text, 1, TEXT_CAP, stdin);
    int n_ids = llama_tokenize(llama_model_get_vocab(m), text, (int32_t)n, ids, TEXT_CAP, true, false);
    for (int i = 0; i < n_ids; i++) {
        printf("%d\n", ids[i]);
    }
    return n_ids < 0;
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
        fprintf(stderr, "usage: llama_cpp_logits MODEL CTX_SIZE [ROWS STEP] < ids | MODEL tokenize < text\n");
        return 2;
    }
    llama_log_set(quiet, NULL);
    llama_backend_init();
    struct llama_model *m = open_model(argv[1], false);
    m = m != NULL ? m : open_model(argv[1], true);
    if (m == NULL) {
        return 1;
    }
    if (strcmp(argv[2], "tokenize") == 0) {
        return tokenize(m);
    }
    FILE *rows = argc == 5 ? fopen(argv[3], "wb") : NULL;
    int step = argc == 5 ? atoi(argv[4]) : 1, vocab = llama_vocab_n_tokens(llama_model_get_vocab(m));
    struct llama_context_params cp = llama_context_default_params();
    cp.n_ctx = (uint32_t)atoi(argv[2]);
    cp.n_batch = CHUNK;
    cp.type_k = cp.type_v = GGML_TYPE_F32;
    cp.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    cp.n_threads = cp.n_threads_batch = 2;
    struct llama_context *c = llama_init_from_model(m, cp);
    if (c == NULL) {
        return 1;
    }
    struct llama_batch b = llama_batch_init(CHUNK, 0, 1);
    for (int n = 0, id;;) {
        for (b.n_tokens = 0; b.n_tokens < CHUNK && scanf("%d", &id) == 1; b.n_tokens++) {
            int i = b.n_tokens;
            b.token[i] = id;
            b.pos[i] = n + i;
            b.n_seq_id[i] = 1;
            b.seq_id[i][0] = 0;
            b.logits[i] = 1;
        }
        if (b.n_tokens == 0) {
            break;
        }
        if (llama_decode(c, b) != 0) {
            return 1;
        }
        for (int i = 0; i < b.n_tokens; i++) {
            const float *row = llama_get_logits_ith(c, i);
            printf("%d\n", best(row, vocab));
            n++;
            if (rows != NULL && n % step == 0) {
                fwrite(row, sizeof *row, (size_t)vocab, rows);
            }
        }
    }
    return rows != NULL && fclose(rows) != 0;
}
