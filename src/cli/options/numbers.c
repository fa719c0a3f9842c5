/* Numbers from the command line.  strtol and strtod accept too much (spaces, "+", "0x10", "nan"), so the characters are
 * checked here first. */
#include "cli/options/numbers.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool number_u64(uint64_t *out, const char *text)
{
    uint64_t value = 0;
    if (!*text) {
        return false;
    }
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(*c - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool number_int(int64_t *out, const char *text, int64_t min, int64_t max)
{
    uint64_t value;
    bool negative = *text == '-';
    if (!number_u64(&value, text + negative) || value > INT64_MAX) {
        return false;
    }
    *out = negative ? -(int64_t)value : (int64_t)value;
    return *out >= min && *out <= max;
}

bool number_bytes(uint64_t *out, const char *text)
{
    static const char units[] = "KMGT";
    char digits[24];
    size_t n = strlen(text);
    int shift = 0;
    if (n == 0 || n >= sizeof digits) {
        return false;
    }
    memcpy(digits, text, n + 1);
    const char *unit = strchr(units, digits[n - 1]);
    if (unit) {
        shift = 10 * (int)(unit - units + 1);
        digits[n - 1] = '\0';
    }
    if (!number_u64(out, digits) || *out > UINT64_MAX >> shift) {
        return false;
    }
    *out <<= shift;
    return true;
}

bool number_real(double *out, const char *text)
{
    char *end;
    if (strspn(text, "0123456789.eE+-") != strlen(text) || !strpbrk(text, "0123456789") || *text == '+') {
        return false;
    }
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}
