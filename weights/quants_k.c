/* Super-blocks of 256 values, read (quants.h has their layouts). */
#include "base/dtype.h"
#include "weights/quants_blocks.h"

enum { SUPER = 256, BLOCK = 32 };

/* 6-bit scale and minimum of block b of q4_K and q5_K. */
static void scale_and_min(int *scale, int *min, const unsigned char s[12], int b)
{
    if (b < 4) {
        *scale = s[b] & 63;
        *min = s[b + 4] & 63;
    } else {
        *scale = (s[b + 4] & 15) | s[b - 4] >> 6 << 4;
        *min = s[b + 4] >> 4 | s[b] >> 6 << 4;
    }
}

void wts_dequantize_q4_k(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= SUPER, src += 144, dst += SUPER) {
        for (int b = 0; b < 8; b++) {
            const unsigned char *q = src + 16 + b / 2 * BLOCK;
            int scale, min;
            scale_and_min(&scale, &min, src + 4, b);
            float d = wts_load_f16(src) * (float)scale, m = wts_load_f16(src + 2) * (float)min;
            for (int i = 0; i < BLOCK; i++) {
                dst[b * BLOCK + i] = d * (float)(q[i] >> (b % 2 * 4) & 15) - m;
            }
        }
    }
}

void wts_dequantize_q5_k(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= SUPER, src += 176, dst += SUPER) {
        for (int b = 0; b < 8; b++) {
            const unsigned char *high = src + 16, *q = src + 48 + b / 2 * BLOCK;
            int scale, min;
            scale_and_min(&scale, &min, src + 4, b);
            float d = wts_load_f16(src) * (float)scale, m = wts_load_f16(src + 2) * (float)min;
            for (int i = 0; i < BLOCK; i++) {
                int value = (q[i] >> (b % 2 * 4) & 15) | (high[i] >> b & 1) << 4;
                dst[b * BLOCK + i] = d * (float)value - m;
            }
        }
    }
}

void wts_dequantize_q6_k(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= SUPER, src += 210, dst += SUPER) {
        float d = wts_load_f16(src + 208);
        for (int i = 0; i < SUPER; i++) {
            int half = i / 128, at = i % 128;
            int low = src[half * 64 + at % 64] >> (at / 64 * 4) & 15;
            int high = src[128 + half * 32 + at % 32] >> (at / 32 * 2) & 3;
            dst[i] = d * (float)(int8_t)src[192 + i / 16] * (float)((low | high << 4) - 32);
        }
    }
}

void wts_dequantize_q3_k(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= SUPER, src += 110, dst += SUPER) {
        const unsigned char *s = src + 96;
        float d = wts_load_f16(src + 108);
        for (int b = 0; b < 16; b++) {
            int scale = (s[b % 8] >> (b / 8 * 4) & 15) | (s[8 + b % 4] >> (b / 4 * 2) & 3) << 4;
            for (int i = b * 16; i < b * 16 + 16; i++) {
                int low = src[32 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
                int high = src[i % 32] >> (i / 32) & 1;
                dst[i] = d * (float)(scale - 32) * (float)(low + 4 * high - 4);
            }
        }
    }
}

void wts_dequantize_q2_k(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= SUPER, src += 84, dst += SUPER) {
        for (int b = 0; b < 16; b++) {
            float d = wts_load_f16(src + 80) * (float)(src[b] & 15), m = wts_load_f16(src + 82) * (float)(src[b] >> 4);
            for (int i = b * 16; i < b * 16 + 16; i++) {
                dst[i] = d * (float)(src[16 + i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3) - m;
            }
        }
    }
}

void wts_dequantize_iq4_xs(float *dst, const unsigned char *src, size_t n)
{
    for (; n > 0; n -= SUPER, src += 136, dst += SUPER) {
        for (int b = 0; b < 8; b++) {
            const unsigned char *q = src + 8 + b * 16;
            int scale = (src[4 + b / 2] >> (b % 2 * 4) & 15) | (wts_load_16(src + 2) >> (2 * b) & 3) << 4;
            float d = wts_load_f16(src) * (float)(scale - 32);
            for (int i = 0; i < 16; i++) {
                dst[b * BLOCK + i] = d * (float)dtype_iq4_values[q[i] & 15];
                dst[b * BLOCK + 16 + i] = d * (float)dtype_iq4_values[q[i] >> 4];
            }
        }
    }
}
