#include "tests/support/sp_bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer/tokenizer.h"

void sp_bytes_put(struct sp_bytes *b, const void *src, size_t n)
{
    if (b->n + n > b->cap) {
        b->cap = 2 * b->cap + n + 64;
        b->data = realloc(b->data, b->cap);
        assert(b->data);
    }
    memcpy(b->data + b->n, src, n);
    b->n += n;
}

void sp_bytes_number(struct sp_bytes *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) {
        sp_bytes_put(b, &(uint8_t){(uint8_t)(v | 0x80)}, 1);
    }
    sp_bytes_put(b, &(uint8_t){(uint8_t)v}, 1);
}

void sp_bytes_field(struct sp_bytes *b, unsigned number, const void *src, size_t n)
{
    sp_bytes_number(b, number << 3 | 2);
    sp_bytes_number(b, n);
    sp_bytes_put(b, src, n);
}

void sp_bytes_piece(struct sp_bytes *b, const char *text, size_t n, float score, unsigned type)
{
    struct sp_bytes p = {0};
    sp_bytes_field(&p, 1, text, n);
    sp_bytes_number(&p, 2 << 3 | 5);
    sp_bytes_put(&p, &score, 4);
    sp_bytes_number(&p, 3 << 3);
    sp_bytes_number(&p, type);
    sp_bytes_field(b, 1, p.data, p.n);
    free(p.data);
}

void sp_bytes_word(struct sp_bytes *b, const char *text)
{
    sp_bytes_piece(b, text, strlen(text), -1.0f, TOK_NORMAL);
}

void sp_bytes_setting(struct sp_bytes *b, unsigned message, unsigned field, uint64_t value)
{
    struct sp_bytes p = {0};
    sp_bytes_number(&p, field << 3);
    sp_bytes_number(&p, value);
    sp_bytes_field(b, message, p.data, p.n);
    free(p.data);
}

struct sp_bytes sp_bytes_begin(void)
{
    struct sp_bytes b = {0};
    sp_bytes_piece(&b, "<unk>", 5, 0.0f, TOK_UNKNOWN);
    sp_bytes_piece(&b, "<s>", 3, 0.0f, TOK_CONTROL);
    sp_bytes_piece(&b, "</s>", 4, 0.0f, TOK_CONTROL);
    sp_bytes_word(&b, "a");
    sp_bytes_word(&b, "b");
    sp_bytes_word(&b, "ab");
    sp_bytes_setting(&b, 2, 3, 2);
    return b;
}

uint32_t sp_unit(uint32_t at, uint32_t base, uint32_t label, bool leaf)
{
    return (at ^ base) << 10 | (uint32_t)leaf << 8 | label;
}

struct sp_charsmap sp_good_map(void)
{
    struct sp_charsmap m = {.trie_bytes = SP_N_UNITS * 4, .texts = "b"};
    for (int i = 0; i < SP_N_UNITS; i++) {
        m.units[i] = SP_NO_UNIT;
    }
    m.units[0] = sp_unit(0, 256, 0, false);
    m.units[256 ^ 'A'] = sp_unit(256 ^ 'A', 512, 'A', true);
    m.units[512] = 0x80000000u;
    m.units[512 ^ 'B'] = sp_unit(512 ^ 'B', 768, 'B', true);
    m.units[768] = 0x80000001u;
    return m;
}
