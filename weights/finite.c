/* Number by number, scale by scale: for rows on their way into a file, and to say which one it was. */
#include "weights/finite.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "weights/quants_blocks.h"

/* The lowest bit of the exponent. */
enum { F16_ONE = 0x0400, BF16_ONE = 0x0080, F32_ONE = 0x00800000 };

/* Where a block has its f16 scale, and how many stand there: a minimum follows it, or none. */
static const struct {
    uint8_t offset, n;
} scales[DTYPE_COUNT] = {
    [DTYPE_Q8_0] = {0, 1}, [DTYPE_Q4_0] = {0, 1},   [DTYPE_Q4_1] = {0, 2},   [DTYPE_Q5_0] = {0, 1},
    [DTYPE_Q5_1] = {0, 2}, [DTYPE_IQ4_NL] = {0, 1}, [DTYPE_Q2_K] = {80, 2},  [DTYPE_Q3_K] = {108, 1},
    [DTYPE_Q4_K] = {0, 2}, [DTYPE_Q5_K] = {0, 2},   [DTYPE_Q6_K] = {208, 1}, [DTYPE_IQ4_XS] = {0, 1},
};

/* The bits of a number that is not finite, by the lowest bit of its exponent. */
static const char *text_of(int kind, uint32_t bits, uint32_t one)
{
    static const char *const texts[3][3] = {{"nan", "inf", "-inf"},
                                            {"scale nan", "scale inf", "scale -inf"},
                                            {"minimum nan", "minimum inf", "minimum -inf"}};
    const uint32_t sign = one == F32_ONE ? 0x80000000u : 0x8000u;
    return texts[kind][(bits & (one - 1)) != 0 ? 0 : (bits & sign) != 0 ? 2 : 1];
}

/* NULL when the f16 or bf16 is finite. */
static const char *half_text(int kind, uint32_t h, uint32_t one)
{
    const uint32_t exponent = 0x8000u - one;
    return (h & exponent) != exponent ? NULL : text_of(kind, h, one);
}

/* What spoils a block, NULL where nothing does. */
static const char *spoils(choir_dtype type, const unsigned char *block)
{
    if (type == DTYPE_F32) {
        uint32_t u;
        memcpy(&u, block, sizeof u);
        return (u & 0x7f800000u) != 0x7f800000u ? NULL : text_of(0, u, F32_ONE);
    }
    if (type == DTYPE_F16 || type == DTYPE_BF16) {
        return half_text(0, wts_load_16(block), type == DTYPE_F16 ? F16_ONE : BF16_ONE);
    }
    assert(scales[type].n > 0);
    const char *text = NULL;
    for (int i = 0; i < scales[type].n && text == NULL; i++) {
        text = half_text(1 + i, wts_load_16(block + scales[type].offset + 2 * i), F16_ONE);
    }
    return text;
}

bool wts_all_finite(choir_dtype type, const void *rows, size_t n, struct wts_nonfinite *found)
{
    const size_t len = (size_t)dtype_table[type].block_len;
    assert(n % len == 0);
    const unsigned char *block = rows;
    for (size_t i = 0; i < n; i += len, block += dtype_table[type].block_bytes) {
        const char *text = spoils(type, block);
        if (text != NULL) {
            *found = (struct wts_nonfinite){i, text};
            return false;
        }
    }
    return true;
}

choir_status wts_refuse_nonfinite(const char *path, const char *name, uint64_t row, uint64_t col,
                                  const struct wts_nonfinite *found, const char *as, choir_error *err)
{
    char file[BASE_ESCAPE_CAP];
    return base_fail(err, CHOIR_FILE, "%s: tensor %s: row %" PRIu64 ", column %" PRIu64 ": %s%s%s",
                     base_escape_str(file, path), name, row, col, found->text, as != NULL ? " as " : "",
                     as != NULL ? as : "");
}
