/* The layout of the map stands in tokenizer/sentencepiece/charsmap.c. */
#include "tokenizer/normalizer/charsmap.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <utf8proc.h>

#include "base/utf8.h"

enum { WHOLE_BELOW = 6 }; /* bytes of a cluster that is looked up as one */

static uint32_t number_at(const char *map, size_t at)
{
    const uint8_t *p = (const uint8_t *)map + at;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t unit_at(const char *map, uint32_t i)
{
    return number_at(map, 4 + 4 * (size_t)i);
}

static uint32_t offset_of(uint32_t unit)
{
    return (unit >> 10) << ((unit & 0x200) >> 6); /* fits: by 0 or 8 */
}

/* What the shortest rule that the n bytes begin with puts in, or NULL. */
static const char *find_rule(const char *map, const char *text, size_t n)
{
    uint32_t at = offset_of(unit_at(map, 0));
    for (size_t i = 0; i < n && text[i] != '\0'; i++) {
        at ^= (uint8_t)text[i];
        uint32_t unit = unit_at(map, at);
        if ((unit & 0x800000ff) != (uint8_t)text[i]) {
            return NULL;
        }
        at ^= offset_of(unit);
        if (unit >> 8 & 1) {
            return map + 4 + number_at(map, 0) + (unit_at(map, at) & 0x7fffffff);
        }
    }
    return NULL;
}

/* Bytes of the grapheme cluster that the n bytes begin with. */
static size_t cluster(const char *text, size_t n)
{
    bool plain = (signed char)text[0] >= 0 && text[0] != '\r';
    if (n == 1 || (plain && (signed char)text[1] >= 0)) {
        return 1;
    }
    utf8proc_int32_t state = 0, last = 0;
    size_t at = 0;
    while (at < n) {
        utf8proc_int32_t c;
        utf8proc_ssize_t used =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, n - at < 4 ? (int)(n - at) : 4, &c);
        if (used <= 0 || (at > 0 && utf8proc_grapheme_break_stateful(last, c, &state))) {
            break;
        }
        last = c;
        at += (size_t)used;
    }
    return at > 0 ? at : 1;
}

static choir_status put_characters(struct norm_buffer *out, const char *map, const char *text, size_t n,
                                   choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < n && status == CHOIR_OK;) {
        int len = base_utf8_sequence(text + i, n - i);
        size_t bytes = len > 0 ? (size_t)len : 1;
        const char *rule = find_rule(map, text + i, bytes);
        status = rule != NULL ? norm_put(out, rule, strlen(rule), err) : norm_put(out, text + i, bytes, err);
        i += bytes;
    }
    return status;
}

choir_status norm_charsmap(struct norm_buffer *out, const char *map, const char *text, size_t n, choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < n && status == CHOIR_OK;) {
        size_t bytes = cluster(text + i, n - i);
        const char *rule = bytes < WHOLE_BELOW ? find_rule(map, text + i, bytes) : NULL;
        status = rule != NULL ? norm_put(out, rule, strlen(rule), err) : put_characters(out, map, text + i, bytes, err);
        i += bytes;
    }
    return status;
}
