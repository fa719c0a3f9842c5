/* See tiny_text.h. */
#include "tests/support/tiny_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/sp_bytes.h"
#include "tests/support/tiny_vocab.h"

static void set(struct tiny_gguf *g, const char *without, const char *key, const char *type, const char *value)
{
    char full[64];
    snprintf(full, sizeof full, "tokenizer.ggml.%s", key);
    if (without == NULL || strcmp(full, without) != 0) {
        tiny_gguf_set(g, full, type, value);
    }
}

struct list {
    char text[TINY_TEXT_PIECES * 24];
    size_t n;
};

static void add(struct list *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    l->n += (size_t)vsnprintf(l->text + l->n, sizeof l->text - l->n, format, args);
    va_end(args);
}

void tiny_text_gguf(struct tiny_gguf *g, const char *without)
{
    struct tiny_vocab v;
    struct list pieces = {.n = 0}, scores = {.n = 0}, types = {.n = 0};
    tiny_vocab_init(&v, false, false);
    for (int32_t i = 0; i < v.vocab.n_pieces; i++) {
        const char *comma = i > 0 ? "," : "";
        add(&pieces, "%s%s", comma, v.pieces[i]);
        add(&scores, "%s%g", comma, (double)v.scores[i]);
        add(&types, "%s%d", comma, (int)v.types[i]);
    }
    set(g, without, "model", "string", "llama");
    set(g, without, "tokens", "array:string", pieces.text);
    set(g, without, "scores", "array:f32", scores.text);
    set(g, without, "token_type", "array:i32", types.text);
    set(g, without, "bos_token_id", "u32", "1");
    set(g, without, "eos_token_id", "u32", "2");
    set(g, without, "unknown_token_id", "u32", "0");
}

void tiny_text_sp(const char *dir, const char *name)
{
    struct sp_bytes b = sp_bytes_begin();
    tiny_write(dir, name, b.data, b.n);
    free(b.data);
}
