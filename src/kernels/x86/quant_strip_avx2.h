/* Strips of quantized weights, 256-bit vectors: a stretch of a panel is spread into bytes and f32 scales in the L1 cache
 * once, and then meets tokens in groups of a few.  Integer sums of a block are registers, float sums lie in memory
 * between blocks. */
#ifndef KERN_QUANT_STRIP_AVX2_H
#define KERN_QUANT_STRIP_AVX2_H

#include "kernels/x86/quant_one_avx2.h"

enum {
    GROUP_TOKENS = VNNI ? 6 : 5,
    STRIP_PAIRS = 8, /* longest strip: 512 columns */
    STRIP_BLOCKS = 2 * STRIP_PAIRS,
    TILE_TOKENS = AVX2_TILE_Q8 /* the tokens of a tile that are prepared at a time */
};

/* An i32 of that many is the bits of the float 3 * 2^22 + i, for |i| < 2^22: the integer sum of a block starts there,
 * and a subtraction makes it a float.  Where additions have a port that multiplications have not, that is cheaper than
 * a conversion. */
#define MAGIC_BITS  0x4b400000
#define MAGIC_FLOAT 0x1.8p23f

/* A strip of one panel, spread. */
struct strip {
    _Alignas(64) uint8_t bytes[STRIP_BLOCKS][8][64]; /* as quant_step gives them; |w| where there is no room */
#ifndef __AVXVNNI__
    uint8_t negative[STRIP_BLOCKS][8][64]; /* 255 where w < 0 */
    int32_t correction[STRIP_BLOCKS][16];  /* sum of |w| over the negative w */
#endif
    float dw[STRIP_BLOCKS][2][16]; /* [block][run][row] */
    float mw[STRIP_BLOCKS][2][16];
};

/* A strip as the multiplication sees it. */
struct strip_view {
    const uint8_t *bytes; /* [pair][2][8][64], pairs pair_stride apart */
    size_t pair_stride;
    const struct strip *strip;
    int n_pairs;
};

/* What each block and run of a strip needs of each token of a tile. */
union per_token {
    int32_t start[STRIP_BLOCKS][2][TILE_TOKENS]; /* S forms: where the integer sum starts */
    float dsum[STRIP_BLOCKS][2][TILE_TOKENS];    /* M forms: what the minimum is multiplied by */
};

/* Tokens of a tile against a strip. */
struct tile_view {
    const int8_t *q; /* of the strip's first block */
    const float *d;
    size_t block_bytes; /* from block to block, both */
    const union per_token *per_token;
};

#ifndef __AVXVNNI__
/* Bytes of w + 128 become |w| and a mask; x ^ 255 = -x - 1 is cheaper than vpsignb, and the 1 times |w| is what the
 * correction puts back. */
static inline void split_sign(struct strip *to, int block, int group, int at, __m256i u)
{
    const __m256i w = _mm256_xor_si256(u, _mm256_set1_epi8((char)0x80)), magnitude = _mm256_abs_epi8(w);
    const __m256i negative = _mm256_cmpgt_epi8(_mm256_setzero_si256(), w);
    _mm256_store_si256((__m256i *)(void *)(to->bytes[block][group] + at), magnitude);
    _mm256_store_si256((__m256i *)(void *)(to->negative[block][group] + at), negative);
}

static inline void sum_negative(struct strip *to, int block)
{
    const __m256i one8 = _mm256_set1_epi8(1), one16 = _mm256_set1_epi16(1);
    for (int half = 0; half < 2; half++) {
        __m256i below = _mm256_setzero_si256();
        for (int g = 0; g < 8; g++) {
            const __m256i negative = avx2_load_i32(to->negative[block][g] + 32 * half);
            const __m256i counted = _mm256_and_si256(avx2_load_i32(to->bytes[block][g] + 32 * half), negative);
            below = _mm256_add_epi16(below, _mm256_maddubs_epi16(counted, one8));
        }
        _mm256_store_si256((__m256i *)(void *)(to->correction[block] + 8 * half), _mm256_madd_epi16(below, one16));
    }
}
#endif

/* One pair of blocks goes to blocks `to_block` and the next of a strip. */
AVX2_TEMPLATE void spread_pair(const choir_dtype type, struct strip *to, int to_block, const uint8_t *unit, int h,
                               const int parity)
{
    const bool in_place = VNNI && type == DTYPE_Q8_0;
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
#pragma GCC unroll 8
        for (int s = 0; s < 8; s++) {
            if (in_place) {
                break;
            }
            __m256i u[2];
            quant_step(type, u, unit, h, parity, half, s);
#pragma GCC unroll 2
            for (int v = 0; v < 2; v++) {
                const int block = to_block + quant_block(type, s, v), group = quant_group(type, s, v);
#ifndef __AVXVNNI__
                if (quant_room(type) == 0) {
                    split_sign(to, block, group, 32 * half, u[v]);
                    continue;
                }
#endif
                _mm256_store_si256((__m256i *)(void *)(to->bytes[block][group] + 32 * half), u[v]);
            }
        }
#pragma GCC unroll 2
        for (int b = 0; b < 2; b++) {
#pragma GCC unroll 2
            for (int run = 0; run < quant_runs(quant_form(type)); run++) {
                __m256 dw, mw = _mm256_setzero_ps();
                quant_scale(type, &dw, &mw, unit, 2 * h + parity, half, b, run);
                _mm256_store_ps(to->dw[to_block + b][run] + 8 * half, dw);
                if (quant_has_min(quant_form(type))) {
                    _mm256_store_ps(to->mw[to_block + b][run] + 8 * half, mw);
                }
            }
        }
    }
#ifndef __AVXVNNI__
    if (quant_room(type) == 0) {
        sum_negative(to, to_block);
        sum_negative(to, to_block + 1);
    }
#endif
}

/* Pairs [first, first + n) of a panel, and the fetch of those `distance` bytes further on. */
AVX2_TEMPLATE struct strip_view spread(const choir_dtype type, struct strip *to, const uint8_t *panel, int first, int n,
                                       int distance)
{
    const int unit_bytes = quant_unit_bytes(type);
    for (int i = 0; i < n; i++) {
        const int pair = first + i;
        if (!quant_is_super(type)) {
            const uint8_t *unit = panel + (size_t)pair * (size_t)unit_bytes;
            fetch_pair(type, unit, 0, 0, distance);
            spread_pair(type, to, 2 * i, unit, 0, 0);
            continue;
        }
        const uint8_t *unit = panel + (size_t)(pair / 4) * (size_t)unit_bytes;
        const int h = pair / 2 % 2;
        if (pair % 2 == 0) {
            fetch_pair(type, unit, h, 0, distance);
            spread_pair(type, to, 2 * i, unit, h, 0);
        } else {
            fetch_pair(type, unit, h, 1, distance);
            spread_pair(type, to, 2 * i, unit, h, 1);
        }
    }
    struct strip_view view = {.bytes = to->bytes[0][0], .pair_stride = 1024, .strip = to, .n_pairs = n};
    if (VNNI && type == DTYPE_Q8_0) { /* its panel is what vpdpbusd wants */
        view.bytes = panel + (size_t)first * (size_t)unit_bytes + 64;
        view.pair_stride = (size_t)unit_bytes;
    }
    return view;
}

AVX2_NOINLINE struct strip_view spread_of(choir_dtype type, struct strip *to, const uint8_t *panel, int first, int n,
                                          int distance)
{
    switch (type) {
    case DTYPE_Q4_0:
        return spread(DTYPE_Q4_0, to, panel, first, n, distance);
    case DTYPE_Q4_1:
        return spread(DTYPE_Q4_1, to, panel, first, n, distance);
    case DTYPE_Q5_0:
        return spread(DTYPE_Q5_0, to, panel, first, n, distance);
    case DTYPE_Q5_1:
        return spread(DTYPE_Q5_1, to, panel, first, n, distance);
    case DTYPE_IQ4_NL:
        return spread(DTYPE_IQ4_NL, to, panel, first, n, distance);
    case DTYPE_Q2_K:
        return spread(DTYPE_Q2_K, to, panel, first, n, distance);
    case DTYPE_Q3_K:
        return spread(DTYPE_Q3_K, to, panel, first, n, distance);
    case DTYPE_Q4_K:
        return spread(DTYPE_Q4_K, to, panel, first, n, distance);
    case DTYPE_Q5_K:
        return spread(DTYPE_Q5_K, to, panel, first, n, distance);
    case DTYPE_Q6_K:
        return spread(DTYPE_Q6_K, to, panel, first, n, distance);
    case DTYPE_IQ4_XS:
        return spread(DTYPE_IQ4_XS, to, panel, first, n, distance);
    default:
        return spread(DTYPE_Q8_0, to, panel, first, n, distance);
    }
}

/* dot [half][token] = the integer sums of one run of a block (groups g0 to g1) with T tokens; those of S forms are
 * MAGIC_BITS more.  bytes: the block's groups; q: [T][32]. */
AVX2_TEMPLATE void dot_run(const enum dtype_form form, const int room, const int T, __m256i dot[2][GROUP_TOKENS],
                           const uint8_t *bytes, const struct strip *strip, int block, const int run, const int8_t *q,
                           const int32_t *start)
{
    const int groups = 8 / quant_runs(form), g0 = run * groups;
    const bool has_min = quant_has_min(form);
#ifdef __AVXVNNI__
    (void)room;
    (void)strip;
    (void)block;
#pragma GCC unroll 6
    for (int t = 0; t < T; t++) {
        dot[0][t] = dot[1][t] = _mm256_set1_epi32(has_min ? MAGIC_BITS : start[t]);
    }
#pragma GCC unroll 8
    for (int g = g0; g < g0 + groups; g++) {
        const __m256i lo = avx2_load_i32(bytes + 64 * g), hi = avx2_load_i32(bytes + 64 * g + 32);
#pragma GCC unroll 6
        for (int t = 0; t < T; t++) {
            const __m256i x = avx2_broadcast_4x8(q + 32 * t + 4 * g);
            dot[0][t] = _mm256_dpbusd_avx_epi32(dot[0][t], lo, x);
            dot[1][t] = _mm256_dpbusd_avx_epi32(dot[1][t], hi, x);
        }
    }
#else
    const __m256i ones = _mm256_set1_epi16(1);
    if (room == 0) {
        (void)start;
#pragma GCC unroll 6
        for (int t = 0; t < T; t++) {
            dot[0][t] = avx2_load_i32(strip->correction[block]);
            dot[1][t] = avx2_load_i32(strip->correction[block] + 8);
        }
#pragma GCC unroll 1
        for (int g = 0; g < 8; g++) {
            const uint8_t *negative = strip->negative[block][g];
            const __m256i lo = avx2_load_i32(bytes + 64 * g), hi = avx2_load_i32(bytes + 64 * g + 32);
#pragma GCC unroll 6
            for (int t = 0; t < T; t++) {
                const __m256i x = avx2_broadcast_4x8(q + 32 * t + 4 * g);
                __m256i pairs = _mm256_maddubs_epi16(lo, _mm256_xor_si256(x, avx2_load_i32(negative)));
                dot[0][t] = _mm256_add_epi32(dot[0][t], _mm256_madd_epi16(pairs, ones));
                pairs = _mm256_maddubs_epi16(hi, _mm256_xor_si256(x, avx2_load_i32(negative + 32)));
                dot[1][t] = _mm256_add_epi32(dot[1][t], _mm256_madd_epi16(pairs, ones));
            }
        }
        return;
    }
    const int steps = room < groups ? room : groups;
#pragma GCC unroll 4
    for (int s = g0; s < g0 + groups; s += steps) {
        __m256i sum16[2][GROUP_TOKENS];
#pragma GCC unroll 8
        for (int g = s; g < s + steps; g++) {
            const __m256i lo = avx2_load_i32(bytes + 64 * g), hi = avx2_load_i32(bytes + 64 * g + 32);
#pragma GCC unroll 6
            for (int t = 0; t < T; t++) {
                const __m256i x = avx2_broadcast_4x8(q + 32 * t + 4 * g);
                const __m256i pairs_lo = _mm256_maddubs_epi16(lo, x), pairs_hi = _mm256_maddubs_epi16(hi, x);
                sum16[0][t] = g == s ? pairs_lo : _mm256_add_epi16(sum16[0][t], pairs_lo);
                sum16[1][t] = g == s ? pairs_hi : _mm256_add_epi16(sum16[1][t], pairs_hi);
            }
        }
#pragma GCC unroll 6
        for (int t = 0; t < T; t++) {
            const __m256i lo = _mm256_madd_epi16(sum16[0][t], ones), hi = _mm256_madd_epi16(sum16[1][t], ones);
            dot[0][t] = s == g0 ? lo : _mm256_add_epi32(dot[0][t], lo);
            dot[1][t] = s == g0 ? hi : _mm256_add_epi32(dot[1][t], hi);
        }
    }
    if (has_min) {
        return;
    }
#pragma GCC unroll 6
    for (int t = 0; t < T; t++) {
        const __m256i from = _mm256_set1_epi32(start[t]);
        dot[0][t] = _mm256_add_epi32(dot[0][t], from);
        dot[1][t] = _mm256_add_epi32(dot[1][t], from);
    }
#endif
}

/* The integer sum as a float. */
AVX2_TEMPLATE __m256 float_of(const bool magic, __m256i dot)
{
    return magic ? _mm256_sub_ps(_mm256_castsi256_ps(dot), _mm256_set1_ps(MAGIC_FLOAT)) : _mm256_cvtepi32_ps(dot);
}

/* sum [T][16] += one strip times tokens t0 .. t0 + T of a tile. */
AVX2_TEMPLATE void add_strip(const enum dtype_form form, const int room, const int T, float (*sum)[16],
                             const struct strip_view *w, const struct tile_view *x, int t0)
{
    const bool magic = VNNI || (room > 0 && !quant_has_min(form));
    const uint8_t *bytes = w->bytes;
    const int8_t *q = x->q + 32 * t0;
    const char *d = (const char *)(x->d + t0);
#pragma GCC unroll 1
    for (int block = 0; block < 2 * w->n_pairs; block++) {
#pragma GCC unroll 2
        for (int run = 0; run < quant_runs(form); run++) {
            __m256i dot[2][GROUP_TOKENS];
            dot_run(form, room, T, dot, bytes, w->strip, block, run, q, x->per_token->start[block][run] + t0);
            const float *dw = w->strip->dw[block][run], *mw = w->strip->mw[block][run];
            const float *dsum = x->per_token->dsum[block][run] + t0;
#pragma GCC unroll 6
            for (int t = 0; t < T; t++) {
                const __m256 dx = _mm256_broadcast_ss((const float *)(const void *)d + t);
                avx2_pair acc = avx2_pair_load(sum[t]);
                acc.lo = _mm256_fmadd_ps(float_of(magic, dot[0][t]), _mm256_mul_ps(dx, _mm256_load_ps(dw)), acc.lo);
                acc.hi = _mm256_fmadd_ps(float_of(magic, dot[1][t]), _mm256_mul_ps(dx, _mm256_load_ps(dw + 8)), acc.hi);
                if (quant_has_min(form)) {
                    const __m256 less = _mm256_broadcast_ss(dsum + t);
                    acc.lo = _mm256_fmadd_ps(less, _mm256_load_ps(mw), acc.lo);
                    acc.hi = _mm256_fmadd_ps(less, _mm256_load_ps(mw + 8), acc.hi);
                }
                avx2_pair_store(sum[t], acc);
            }
        }
        /* The next group's: a few tokens of every block are no stream that the hardware would see. */
#pragma GCC unroll 6
        for (int t = T; t < 2 * T; t += 2) {
            _mm_prefetch((const char *)(q + 32 * t), _MM_HINT_T0);
        }
        /* The sums stay in memory: as registers they would push the integer ones out. */
        __asm__ volatile("" : : : "memory");
        bytes += block % 2 == 0 ? 512 : w->pair_stride - 512;
        q += x->block_bytes;
        d += x->block_bytes;
    }
}

/* Most tokens in a group: what registers hold. */
AVX2_TEMPLATE int group_tokens(const int room)
{
    return VNNI ? GROUP_TOKENS : room > 0 ? 5 : 4;
}

/* n_tokens: 1 to group_tokens. */
AVX2_TEMPLATE void add_strip_of(const enum dtype_form form, const int room, int n_tokens, float (*sum)[16],
                                const struct strip_view *w, const struct tile_view *x, int t0)
{
    switch (n_tokens) {
    case 1:
        add_strip(form, room, 1, sum, w, x, t0);
        break;
    case 2:
        add_strip(form, room, 2, sum, w, x, t0);
        break;
    case 3:
        add_strip(form, room, 3, sum, w, x, t0);
        break;
    case 4:
        add_strip(form, room, 4, sum, w, x, t0);
        break;
    case 5:
        if (VNNI || room > 0) {
            add_strip(form, room, 5, sum, w, x, t0);
        }
        break;
    default:
        if (VNNI) {
            add_strip(form, room, GROUP_TOKENS, sum, w, x, t0);
        }
        break;
    }
}

/* One function to a form and room: what the compiler would keep in registers across them, each needs for itself. */
AVX2_NOINLINE void add_s32_bytes(int n, float (*sum)[16], const struct strip_view *w, const struct tile_view *x, int t0)
{
    add_strip_of(DTYPE_FORM_S32, 0, n, sum, w, x, t0);
}

AVX2_NOINLINE void add_s16(int n, float (*sum)[16], const struct strip_view *w, const struct tile_view *x, int t0)
{
    add_strip_of(DTYPE_FORM_S16, 2, n, sum, w, x, t0);
}

AVX2_NOINLINE void add_m32(int n, float (*sum)[16], const struct strip_view *w, const struct tile_view *x, int t0)
{
    add_strip_of(DTYPE_FORM_M32, 8, n, sum, w, x, t0);
}

AVX2_NOINLINE void add_m16(int n, float (*sum)[16], const struct strip_view *w, const struct tile_view *x, int t0)
{
    add_strip_of(DTYPE_FORM_M16, 4, n, sum, w, x, t0);
}

#ifndef __AVXVNNI__
AVX2_NOINLINE void add_s32_nibbles(int n, float (*sum)[16], const struct strip_view *w, const struct tile_view *x,
                                   int t0)
{
    add_strip_of(DTYPE_FORM_S32, 8, n, sum, w, x, t0);
}

AVX2_NOINLINE void add_s32_five(int n, float (*sum)[16], const struct strip_view *w, const struct tile_view *x, int t0)
{
    add_strip_of(DTYPE_FORM_S32, 4, n, sum, w, x, t0);
}

AVX2_NOINLINE void add_m32_five(int n, float (*sum)[16], const struct strip_view *w, const struct tile_view *x, int t0)
{
    add_strip_of(DTYPE_FORM_M32, 4, n, sum, w, x, t0);
}
#endif

typedef void add_strip_fn(int n, float (*sum)[16], const struct strip_view *w, const struct tile_view *x, int t0);

static add_strip_fn *add_strip_fn_of(choir_dtype type)
{
    const int room = VNNI ? 0 : quant_room(type);
    (void)room;
    switch (quant_form(type)) {
    case DTYPE_FORM_S16:
        return add_s16;
    case DTYPE_FORM_M16:
        return add_m16;
#ifndef __AVXVNNI__
    case DTYPE_FORM_M32:
        return room == 4 ? add_m32_five : add_m32;
    default:
        return room == 4 ? add_s32_five : room == 8 ? add_s32_nibbles : add_s32_bytes;
#else
    case DTYPE_FORM_M32:
        return add_m32;
    default:
        return add_s32_bytes;
#endif
    }
}

#endif
