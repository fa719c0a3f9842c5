/* UTF-8 against its definition: code points put together from their bits, then judged. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

/* Bytes of the valid sequence at s, 0 when there is none. */
static size_t plain_sequence(const uint8_t *s, size_t n)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = s[0] < 0x80             ? 1
                 : (s[0] & 0xe0) == 0xc0 ? 2
                 : (s[0] & 0xf0) == 0xe0 ? 3
                 : (s[0] & 0xf8) == 0xf0 ? 4
                                         : 0;
    if (len == 0 || len > n) {
        return 0;
    }
    uint32_t c = len == 1 ? s[0] : s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (s[i] & 0x3f);
    }
    char back[4];
    if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        return 0;
    }
    FUZZ_CHECK(base_utf8_encode(back, c) == (int)len && memcmp(back, s, len) == 0);
    return len;
}

static void check_repair(const char *s, size_t n, size_t valid)
{
    const size_t bytes = base_utf8_repair(NULL, 0, s, n);
    FUZZ_CHECK(bytes <= 3 * n && (valid < n || bytes == n));
    char *once = malloc(bytes + 1), *twice = malloc(bytes + 1);
    FUZZ_CHECK(once != NULL && twice != NULL);
    FUZZ_CHECK(base_utf8_repair(once, bytes, s, n) == bytes);
    FUZZ_CHECK(base_utf8_valid(once, bytes) == bytes && memcmp(once, s, valid) == 0);
    FUZZ_CHECK(base_utf8_repair(twice, bytes, once, bytes) == bytes && memcmp(once, twice, bytes) == 0);
    /* In two pieces, cut where base_utf8_whole says, it is the same. */
    const size_t whole = base_utf8_whole(s, n);
    FUZZ_CHECK(whole <= n && n - whole <= 3);
    const size_t first = base_utf8_repair(twice, bytes, s, whole);
    FUZZ_CHECK(first <= bytes);
    FUZZ_CHECK(base_utf8_repair(twice + first, bytes - first, s + whole, n - whole) == bytes - first);
    FUZZ_CHECK(memcmp(once, twice, bytes) == 0);
    free(once);
    free(twice);
}

void fuzz_utf8(const uint8_t *data, size_t size)
{
    const char *s = (const char *)data;
    size_t valid = 0;
    for (size_t len = 1; len > 0 && valid < size; valid += len) {
        len = plain_sequence(data + valid, size - valid);
        const int said = base_utf8_sequence(s + valid, size - valid);
        FUZZ_CHECK(len > 0 ? said == (int)len : said <= 0);
    }
    FUZZ_CHECK(base_utf8_valid(s, size) == valid);
    check_repair(s, size, valid);
    char shown[BASE_ESCAPE_CAP];
    base_escape(shown, data, size);
    const size_t n = strlen(shown);
    FUZZ_CHECK(n < BASE_ESCAPE_CAP && base_utf8_valid(shown, n) == n);
    for (size_t i = 0; i < n; i++) {
        FUZZ_CHECK((unsigned char)shown[i] >= ' ' && shown[i] != 0x7f);
    }
}
