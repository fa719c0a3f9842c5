/* See tiny_text.h. */
#include "tests/support/tiny_text.h"

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

static void add(struct list *l, const char *text)
{
    l->n += (size_t)snprintf(l->text + l->n, sizeof l->text - l->n, "%s%s", l->n > 0 ? "," : "", text);
}

static void add_number(struct list *l, double number)
{
    char text[32];
    snprintf(text, sizeof text, "%g", number);
    add(l, text);
}

void tiny_text_gguf(struct tiny_gguf *g, const char *without)
{
    struct tiny_vocab v;
    struct list pieces = {.n = 0}, scores = {.n = 0}, types = {.n = 0};
    tiny_vocab_init(&v, false, false);
    for (int32_t i = 0; i < v.vocab.n_pieces; i++) {
        add(&pieces, v.pieces[i]);
        add_number(&scores, (double)v.scores[i]);
        add_number(&types, (double)v.types[i]);
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
