/* Conversions between f32 and the 16-bit float types, bit-exact IEEE (round to nearest even), in plain C: the
 * same result as F16C, NEON fcvt and AVX512-BF16's vcvtneps2bf16 on every finite value and infinity. */
#ifndef BASE_HALF_H
#define BASE_HALF_H

#include <stdint.h>
#include <string.h>

static inline float base_f32_from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static inline uint32_t base_f32_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static inline float base_f32_from_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t exp = (h >> 10) & 0x1fu;
    uint32_t frac = h & 0x3ffu;
    if (exp == 0) { /* zero or subnormal: frac * 2^-24, exact in f32 */
        float f = (float)frac * 0x1p-24f;
        return base_f32_from_bits(base_f32_bits(f) | sign);
    }
    if (exp == 31) { /* a NaN becomes quiet, as the hardware makes it */
        return base_f32_from_bits(sign | 0x7f800000u | frac << 13 | (frac ? 0x400000u : 0));
    }
    return base_f32_from_bits(sign | (exp + 112) << 23 | frac << 13);
}

static inline uint16_t base_f16_from_f32(float f)
{
    uint32_t u = base_f32_bits(f);
    uint32_t sign = u >> 16 & 0x8000u;
    uint32_t a = u & 0x7fffffffu;
    if (a > 0x7f800000u) { /* NaN: quiet, top bits of the payload kept */
        return (uint16_t)(sign | 0x7e00u | (a >> 13 & 0x3ffu));
    }
    if (a >= 0x477ff000u) { /* 65520 and above rounds to infinity */
        return (uint16_t)(sign | 0x7c00u);
    }
    if (a < 0x38800000u) { /* below 2^-14: subnormal; adding 0.5 lets the FPU round at bit 2^-24 */
        float t = base_f32_from_bits(a) + 0.5f;
        return (uint16_t)(sign | (base_f32_bits(t) - 0x3f000000u));
    }
    uint32_t odd = a >> 13 & 1;
    return (uint16_t)(sign | ((a - 0x38000000u + 0xfffu + odd) >> 13));
}

static inline float base_f32_from_bf16(uint16_t h)
{
    return base_f32_from_bits((uint32_t)h << 16);
}

static inline uint16_t base_bf16_from_f32(float f)
{
    uint32_t u = base_f32_bits(f);
    if ((u & 0x7fffffffu) > 0x7f800000u) {
        return (uint16_t)(u >> 16 | 0x40u);
    }
    return (uint16_t)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

#endif
