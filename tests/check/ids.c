/* Ids of many texts, for tools that compare tokenizers (tools/compare_tokenizers.py):
 *     ids FILE <texts >ids          FILE: tokenizer.json, tokenizer.model or a GGUF file
 * Texts: u32 bytes, then those; ids: u32 count, then u32 each, u32 bytes of the ids' text, then those.  Little-endian. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"

static void *need(void *p)
{
    if (p == NULL) {
        fputs("ids: out of memory\n", stderr);
        exit(5);
    }
    return p;
}

/* From the file itself, or from what it carries. */
static const struct tokenizer *open_any(const char *path)
{
    choir_error err = {0};
    struct tokenizer *t = NULL;
    choir_model *model = NULL;
    size_t n = strlen(path);
    choir_status status;
    if (n > 5 && strcmp(path + n - 5, ".gguf") == 0) {
        choir_model_options opt = {.path = path, .headers_only = true};
        status = choir_model_open(&model, &opt, &err);
        t = status == CHOIR_OK ? model->tokenizer : NULL;
        if (status == CHOIR_OK && t == NULL) {
            fprintf(stderr, "ids: %s\n", model->no_text);
            exit(CHOIR_FILE);
        }
    } else {
        status = tok_open_file(&t, path, -1, &err);
    }
    if (status != CHOIR_OK) {
        fprintf(stderr, "ids: %s\n", err.msg);
        exit((int)status);
    }
    return t;
}

static void answer(const struct tokenizer *t, const char *text, uint32_t n)
{
    choir_error err = {0};
    int32_t *ids;
    size_t n_ids, n_back;
    char *back;
    if (tok_encode(t, text, n, &ids, &n_ids, &err) != CHOIR_OK ||
        tok_decode(t, ids, n_ids, &back, &n_back, &err) != CHOIR_OK) {
        fprintf(stderr, "ids: %s\n", err.msg);
        exit(1);
    }
    uint32_t counts[2] = {(uint32_t)n_ids, (uint32_t)n_back};
    fwrite(&counts[0], sizeof counts[0], 1, stdout);
    fwrite(ids, sizeof *ids, n_ids, stdout);
    fwrite(&counts[1], sizeof counts[1], 1, stdout);
    fwrite(back, 1, n_back, stdout);
    free(ids);
    free(back);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: ids FILE <texts >ids\n", stderr);
        return 2;
    }
    const struct tokenizer *t = open_any(argv[1]);
    uint32_t n;
    while (fread(&n, sizeof n, 1, stdin) == 1) {
        char *text = need(malloc((size_t)n + 1));
        if (fread(text, 1, n, stdin) != n) {
            fputs("ids: a text is cut off\n", stderr);
            return 3;
        }
        answer(t, text, n);
        free(text);
    }
    return fflush(stdout) == 0 ? 0 : 4;
}
