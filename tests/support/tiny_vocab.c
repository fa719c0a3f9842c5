#include "tests/support/tiny_vocab.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

int32_t tiny_vocab_add(struct tiny_vocab *v, const char *piece, size_t bytes, float score, enum tok_type type)
{
    int32_t id = v->vocab.n_pieces++;
    assert(id < TINY_CAP);
    v->pieces[id] = piece;
    v->bytes[id] = bytes;
    v->scores[id] = score;
    v->types[id] = (int32_t)type;
    return id;
}

int32_t tiny_vocab_word(struct tiny_vocab *v, const char *piece)
{
    return tiny_vocab_add(v, piece, strlen(piece), -0.5f * (float)v->vocab.n_pieces, TOK_NORMAL);
}

void tiny_vocab_init(struct tiny_vocab *v, bool unigram, bool with_bytes)
{
    /* Every merge of a word is there, left to right, before the word itself. */
    static const char *const words[] = {"he",
                                        "ll",
                                        "llo",
                                        "hello",
                                        "\xe2\x96\x81h",
                                        "\xe2\x96\x81he",
                                        "\xe2\x96\x81hello",
                                        "wo",
                                        "wor",
                                        "worl",
                                        "world",
                                        "\xe2\x96\x81w",
                                        "\xe2\x96\x81world",
                                        "\xe2\x96\x81\xe2\x96\x81",
                                        "th",
                                        "\xe2\x96\x81the",
                                        "AA",
                                        "AAAA",
                                        "\xc3\xa9",
                                        "\xe4\xb8\xad",
                                        "\xe2\x96\x81",
                                        "a",
                                        "b",
                                        "c",
                                        "d",
                                        "e",
                                        "h",
                                        "l",
                                        "o",
                                        "r",
                                        "s",
                                        "t",
                                        "w",
                                        "A",
                                        "<",
                                        ">",
                                        "/",
                                        "0",
                                        "x",
                                        "|",
                                        "i",
                                        "m",
                                        "_",
                                        "n",
                                        "k",
                                        "u",
                                        "."};
    memset(v, 0, sizeof *v);
    v->vocab = (struct tok_vocab){
        .file = "tiny",
        .pieces = v->pieces,
        .piece_bytes = v->bytes,
        .scores = v->scores,
        .types = v->types,
        .bos_id = TINY_BOS,
        .eos_id = TINY_EOS,
        .unk_id = TINY_UNK,
        .add_dummy_prefix = true,
        .unigram = unigram,
    };
    tiny_vocab_add(v, "<unk>", 5, 0.0f, TOK_UNKNOWN);
    tiny_vocab_add(v, "<s>", 3, 0.0f, TOK_CONTROL);
    tiny_vocab_add(v, "</s>", 4, 0.0f, TOK_CONTROL);
    for (unsigned b = 0; b < 256 && with_bytes; b++) {
        snprintf(v->byte_names[b], sizeof v->byte_names[b], "<0x%02X>", b & 0xff);
        tiny_vocab_add(v, v->byte_names[b], 6, 0.0f, TOK_BYTE);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        tiny_vocab_word(v, words[i]);
    }
}
