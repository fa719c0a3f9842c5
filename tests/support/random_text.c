#include "tests/support/random_text.h"

#include <string.h>

#include "base/utf8.h"

/* splitmix64 */
uint64_t random_next(struct random_text *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t random_below(struct random_text *r, uint32_t n)
{
    return (uint32_t)((random_next(r) >> 32) * n >> 32);
}

static const char *const words[] = {
    "the ", "Once upon a time", " girl",    "ing",   "Hello", ", ",  ". ", "\n", "\n\n", "don't", " U.S.", "queue",
    "'s",   "http://",          "  return", "{\n\t", "ABC",   "zzz", "\"", "-",  "_",    "@",     "#",
};
static const char *const spaces[] = {
    " ",        "  ",           "   ",          "\t",           "\n",           "\r\n",
    "\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\x8b", "\xe2\x96\x81", "\xe2\x80\xa8", "\xe2\x80\x89",
    "\x0b",     "\x0c",         "\xc2\x85",
};
static const char *const odd[] = {
    "<s>",        "</s>",         "<unk>",        "<pad>",        "<0x0A>",       "<0x00>",       "<0xE2>",
    "<|im_end|>", "<|im_start|>", "\xef\xbf\xbd", "\xef\xac\x81", "\xe2\x91\xa0", "\xef\xbc\xa1", "\xef\xb7\xba",
    "e\xcc\x81",  "\xc3\xa9",     "\xc3\x9f",     "\xc7\x84",     "\xef\xbb\xbf", "\xcc\x81",     "\xf0\x9d\x95\x8f",
    "\xc2\xbd",   "\xe2\x81\x87", "[UNK]",        "\xe3\x88\xb1", "\xef\xbe\x9f",
};
static const char *const emoji[] = {
    "\xf0\x9f\x98\x80",
    "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",
    "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd",
    "\xe2\x9d\xa4\xef\xb8\x8f",
    "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa",
    "\xe2\x80\x8d",
    "\xef\xb8\x8f",
};

static const char *pick(struct random_text *r, const char *const *list, size_t n)
{
    return list[random_below(r, (uint32_t)n)];
}

#define PICK(r, list) pick(r, list, sizeof(list) / sizeof *(list))

/* A code point between low and high. */
static size_t code_point(struct random_text *r, char *dst, uint32_t low, uint32_t high)
{
    uint32_t c = low + random_below(r, high - low + 1);
    c = c >= 0xd800 && c <= 0xdfff ? 0xe000 : c;
    return (size_t)base_utf8_encode(dst, c);
}

/* One part of at most 64 bytes. */
static size_t make_part(struct random_text *r, char *dst)
{
    static const uint32_t ranges[][2] = {
        {0x20, 0x7e},       {0x61, 0x7a},       {0x30, 0x39},     {0x00, 0x1f},       {0xa0, 0x24f},
        {0x300, 0x36f},     {0x370, 0x5ff},     {0xe00, 0xe7f},   {0x2000, 0x27bf},   {0x3040, 0x30ff},
        {0x4e00, 0x9fff},   {0xac00, 0xd7a3},   {0xf900, 0xffff}, {0x1d400, 0x1d7ff}, {0x1f300, 0x1faff},
        {0x20000, 0x2a6df}, {0x0000, 0x10ffff}, {0x00, 0xff},     {0xe0000, 0xe01ff},
    };
    uint32_t kind = random_below(r, 10);
    const char *fixed = NULL;
    if (kind < 3) {
        fixed = PICK(r, words);
    } else if (kind == 3) {
        fixed = PICK(r, spaces);
    } else if (kind == 4) {
        fixed = PICK(r, odd);
    } else if (kind == 5) {
        fixed = PICK(r, emoji);
    }
    if (fixed) {
        memcpy(dst, fixed, strlen(fixed));
        return strlen(fixed);
    }
    const uint32_t *range = ranges[random_below(r, sizeof ranges / sizeof *ranges)];
    uint32_t count = 1 + random_below(r, 6);
    size_t n = 0;
    if (kind == 6) { /* the same one again and again */
        n = code_point(r, dst, range[0], range[1]);
        for (size_t len = n; --count > 0; n += len) {
            memcpy(dst + n, dst, len);
        }
    } else {
        while (count-- > 0) {
            n += code_point(r, dst + n, range[0], range[1]);
        }
    }
    return n;
}

size_t random_text_make(struct random_text *r, char *dst, size_t cap)
{
    uint32_t parts = random_below(r, 7);
    size_t n = 0;
    for (uint32_t i = 0; i < parts; i++) {
        char part[64];
        size_t len = make_part(r, part);
        if (n + len > cap) {
            break;
        }
        memcpy(dst + n, part, len);
        n += len;
    }
    return n;
}
