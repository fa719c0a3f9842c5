/* One table of typed pointers: every hot loop of Choir, with its contract.
 *
 * Bits.  Each kernel gives the same bits at every level (reference C, AVX2, AVX-512, NEON), for any number of tokens
 * in a call and any split of rows or tokens over calls.  What makes it so: lanes are outputs; a sum runs in the order
 * of k as one chain of explicit fused multiply-adds; integer sums inside a block of 32 are exact; the few true
 * reductions use 16 virtual lanes and one fixed tree (kern_reduce16 in reduce.h); exp is fmath_exp's sequence.
 * Files are compiled with -ffp-contract=off.  One exception: bf16 weights at levels that multiply pairs of bf16
 * (ACT_BF16) have sums of their own.
 *
 * Unless said otherwise: pointers to f32 need 4-byte alignment only, outputs do not overlap inputs, nothing is read
 * or written past the stated shapes.
 *
 * NaN and infinity pass through as IEEE says and are never lost: what depends on one ends as NaN or infinity, up to the
 * logits, where it is found.  Five places see to that: packed int8 activations (a NaN scale), stored keys and values
 * (infinity becomes NaN), norms (a sum that overflowed makes NaN), soft caps (infinity becomes NaN), softmax (exp of NaN is NaN; a span that was seen has
 * l != 0).  Levels agree on which numbers are NaN; sign and payload of one may differ, except where the bits are given.
 * One thing may go unnoticed: a score of finite numbers that overflows to -infinity (p is 0). */
#ifndef KERN_KERNELS_H
#define KERN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/dtype.h"

/* Types a KV cache can have, in the order of kernel tables. */
enum kern_kv { KERN_KV_F32, KERN_KV_F16, KERN_KV_Q8_0, KERN_KV_COUNT };

enum kern_activation { KERN_SILU, KERN_GELU, KERN_GELU_TANH, KERN_ACTIVATION_COUNT };

/* Bits that kernels write and look for.  An f16 with KERN_F16_QUIET set in addition to all of KERN_F16_INF is a NaN. */
#define KERN_F32_INF   0x7f800000u
#define KERN_F32_NAN   0x7fc00000u
#define KERN_F16_INF   0x7c00
#define KERN_F16_QUIET 0x0200

static inline uint16_t kern_f16_no_infinity(uint16_t h)
{
    return (h & KERN_F16_INF) == KERN_F16_INF ? (uint16_t)(h | KERN_F16_QUIET) : h;
}

/* ---- activations ----
 * Before they meet a matrix, the activations of a step are packed once, in tiles of tokens:
 * tile i holds tokens i*T .. i*T+t-1 (t = T, less in the last one) and starts at byte i * T * kern_act_token_bytes(),
 * a multiple of 4 and of nothing more.
 *   ACT_F32  [n_cols][t] f32
 *   ACT_Q8   per block of 32 columns (n_cols rounded up to 64, zeros behind):
 *              [t][32] int8 q, [t] f32 d, [t] i32 bias, [t] i32 bias_lo, [t] f32 dsum    (struct kern_act_q8)
 *            d = max|x| / 127 (true division); q = rint(x * (1 / d)), ties to even; a d below 2^-126 is made 0,
 *            d = 0 gives q = 0.  A NaN or infinity anywhere in a block of x: d is NaN (KERN_F32_NAN), q and sums are 0;
 *            so every row's result for that token is NaN.
 *            bias = -128 sum(q): what a sum of (w + 128) q starts from to be that of w q (other offsets are powers
 *            of two: shift it); bias_lo: the same of the first 16 columns; dsum = d * (float)(-sum(q)): what the
 *            minimum of a block of weights is multiplied by.
 *   ACT_BF16 [n_cols/2][t][2] bf16, rounded to nearest even, subnormals made 0; an odd n_cols has a zero behind.  Only
 *            levels with a bf16 dot instruction take it.
 * T belongs to the level and depends on the number of tokens; only act_pack, matmul and who splits the work by tile
 * need it. */
enum {
    KERN_ACT_Q8_BYTES = 48, /* of one token's block */
    KERN_ACT_COLS = 64      /* what columns are packed in */
};

static inline size_t kern_act_token_bytes(enum dtype_act kind, int n_cols)
{
    const size_t n = (size_t)n_cols;
    switch (kind) {
    case DTYPE_ACT_Q8:
        return (n + 63) / 64 * 2 * KERN_ACT_Q8_BYTES;
    case DTYPE_ACT_BF16:
        return (n + 1) / 2 * 4;
    default:
        return n * 4;
    }
}

/* One block of ACT_Q8 of t tokens. */
struct kern_act_q8 {
    const int8_t *q;        /* [t][32] */
    const float *d;         /* [t] */
    const int32_t *bias;    /* [t] */
    const int32_t *bias_lo; /* [t] */
    const float *dsum;      /* [t] */
};

static inline struct kern_act_q8 kern_act_q8_block(const void *block, int t)
{
    const char *p = block;
    const size_t n = (size_t)t;
    return (struct kern_act_q8){
        .q = (const int8_t *)p,
        .d = (const float *)(const void *)(p + 32 * n),
        .bias = (const int32_t *)(const void *)(p + 36 * n),
        .bias_lo = (const int32_t *)(const void *)(p + 40 * n),
        .dsum = (const float *)(const void *)(p + 44 * n),
    };
}

/* ---- keys and values ----
 * Tiles of tokens; a whole one has 16, and only those meet the attention kernels:
 *   K  [head_dim][16]   V  [16][head_dim]   f32 or f16
 *   Q8_0: the same of int8 q, then [ceil(head_dim / 32)][16] f16 d; a number is q * d, which f32 holds exactly.  One d
 *         for each token and 32 dimensions, fewer in the last block. */
enum { KERN_KV_BLOCK = 32 };

/* Bytes of one token's key (or value): a tile has 16 times that. */
static inline size_t kern_kv_token_bytes(enum kern_kv type, int head_dim)
{
    size_t n = (size_t)head_dim;
    return type == KERN_KV_F32 ? 4 * n : type == KERN_KV_F16 ? 2 * n : n + (n + KERN_KV_BLOCK - 1) / KERN_KV_BLOCK * 2;
}

/* Queries of one key/value head against one span of the past. */
struct kern_attn_span {
    const float *q;                /* [n_q, head_dim], already scaled */
    int n_q;                       /* query rows: heads of the group x tokens of the tile */
    int head_dim;                  /* even, 2 to 1024 */
    int n_tokens;                  /* tokens in the span, 1 to KERN_ATTN_SPAN */
    const void *const *k_tiles;    /* ceil(n_tokens / 16) tiles, aligned as their numbers are */
    const void *const *v_tiles;    /* as many */
    const void *const *next_tiles; /* KERN_ATTN_CHUNK / 16 tiles of K that will be wanted next, or NULL: only fetched */
    const int32_t *from;           /* [n_q] first token of the span that the row may see */
    const int32_t *to;             /* [n_q] one past the last; from >= to: it sees none */
    float softcap;                 /* scores are capped (see softcap below); 0: they are not */
    float *m;                      /* out [n_q] maximum score, -INFINITY where none is seen */
    float *l;                      /* out [n_q] sum of exp(score - m), 0 where none is seen */
    float *acc;                    /* out [n_q, head_dim] sum of exp(score - m) * v, 0 where none is seen */
    float *scratch;                /* kern_attn_scratch floats, 64-byte aligned */
};

/* Fixed by absolute position, never by block, tile or thread: a span starts at a multiple of KERN_ATTN_SPAN tokens, the
 * online softmax moves on every KERN_ATTN_CHUNK tokens (Milakov & Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022,
 * arXiv:2205.14135). */
enum {
    KERN_ATTN_TILE = 16,
    KERN_ATTN_CHUNK = 64,
    KERN_ATTN_SPAN = 512,
    KERN_ATTN_ROWS = 64 /* most query rows in one call */
};

/* Floats of scratch: a chunk's scores of all rows, and its keys or values widened. */
static inline size_t kern_attn_scratch(int head_dim)
{
    return (size_t)(KERN_ATTN_ROWS + head_dim) * KERN_ATTN_CHUNK;
}

struct choir_kernels {
    base_cpu_level level; /* what the pointers below were chosen for */

    /* The form in which activations meet a matrix of a type: dtype_table's, unless the level has a better one. */
    enum dtype_act act[DTYPE_COUNT];

    /* Tile width T for a call of n_tokens tokens (1 or more). */
    int (*act_tile[DTYPE_ACT_COUNT])(int n_tokens);

    /* Packs columns [col0, col1) of n_tokens activations x [n_tokens, ldx] of n_cols columns into act (4-byte
     * aligned, n_tokens * kern_act_token_bytes()).  col0 is a multiple of 64; so is col1, unless it is n_cols.
     * To split by token, call it with a token range that starts at a tile, that tile's address, and a T fixed by
     * `tile` (= act_tile of the whole call). */
    void (*act_pack[DTYPE_ACT_COUNT])(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols,
                                      int col0, int col1);

    /* y[t][r] = sum over k of W[r][k] x[t][k], or y[t][r] += that sum (one addition of the whole sum) if `add`.
     * W: consecutive panels of n_cols columns, 64-byte aligned, n_rows rows of them valid (the last panel may be
     * partly so); act: packed activations of n_tokens tokens, tile width `tile`, 4-byte aligned;
     * y: [n_tokens, ldy] f32.
     * acc = +0 before the sum.  That of f32, f16 and bf16 weights is acc = fma(w, x, acc) over k from 0; with ACT_BF16
     * the odd column of a pair comes before the even one, and every subnormal, also of acc, counts as 0.
     * Quantized weights go block by block of 32, padding blocks included, by the form of their type (dtype.h).  i: exact
     * integer sum of w q over the block (i0, i1: over its halves of 16), w as it is in w * s - m (kern_panel_block);
     * s and m: exact products of the type's scales; x: struct kern_act_q8.
     *   S32  acc = fma((float)i, s * d, acc)
     *   S16  acc = fma((float)i0, s0 * d, acc); acc = fma((float)i1, s1 * d, acc)
     *   M32  acc = fma((float)i, s * d, acc); acc = fma(m, dsum, acc)
     *   M16  acc = fma((float)i0, s0 * d, acc); acc = fma(m0, d * (float)(bias_lo / 128), acc);
     *        acc = fma((float)i1, s1 * d, acc); acc = fma(m1, d * (float)((bias - bias_lo) / 128), acc) */
    void (*matmul[DTYPE_COUNT])(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                                int n_tokens, int tile, bool add);

    /* y[i] = (x[i] * s) * w[i], s = kern_rms_factor of the sum of x^2, which is reduce16's over
     * fma(x, x, lane).
     * x, y, w: [n]; y may be x. */
    void (*rmsnorm)(float *y, const float *x, const float *w, int n, float eps);

    /* Rotates n_heads heads of one token, x [n_heads, head_dim], by cos and sin [rope_dim / 2]: the first rope_dim
     * numbers of each head, in pairs (2i, 2i+1) or (i, i + rope_dim/2).  RoPE, arXiv:2104.09864.
     * a' = a*cos - b*sin, b' = a*sin + b*cos, each as fma(a, cos, -(b*sin)), fma(a, sin, b*cos). */
    void (*rope_interleaved)(float *x, const float *cosine, const float *sine, int n_heads, int head_dim, int rope_dim);
    void (*rope_half)(float *x, const float *cosine, const float *sine, int n_heads, int head_dim, int rope_dim);

    /* y[i] = fma((x[i] - mean) * s, w[i], bias[i]): mean = (reduce16's sum of x) / n, s = kern_rms_factor of the sum of
     * d^2, d = x - mean, which is reduce16's over fma(d, d, lane).  Two passes, so that no variance is lost to a mean.
     * x, y, w, bias: [n]; bias may be NULL (then y[i] = (x[i] - mean) * s * w[i]); y may be x.  arXiv:1607.06450. */
    void (*layernorm)(float *y, const float *x, const float *w, const float *bias, int n, float eps);

    /* x[i] = act(x[i]) * gated[i], or act(x[i]) where gated is NULL: fmath_silu, fmath_gelu, fmath_gelu_tanh.  The products
     * are the gated linear units of arXiv:2002.05202. */
    void (*activate[KERN_ACTIVATION_COUNT])(float *x, const float *gated, int n);

    /* x[i] = fmath_softcap(x[i], cap); cap > 0. */
    void (*softcap)(float *x, float cap, int n);

    /* y[i] += x[i]. */
    void (*add)(float *y, const float *x, int n);

    /* x[i] *= s. */
    void (*scale)(float *x, float s, int n);

    /* Stores one head's key (value) as token `lane` of a tile of n_lanes tokens (1 to 16), rounded to nearest even.
     * An infinity, also one that f16 overflowed to, is stored as a NaN: an infinite key could make a score of
     * -infinity, and the token would count for nothing instead of spoiling what sees it.
     * Q8_0, per block of 32: d = max|x| / 127 (true division) rounded to f16; q = rint(x * (1 / d)), ties to even, held
     * within -127 to 127; d = 0 gives q = 0.  A NaN or infinity in the block, or as d: d is NaN, q 0. */
    void (*kv_put_k[KERN_KV_COUNT])(void *tile, int n_lanes, int lane, const float *k, int head_dim);
    void (*kv_put_v[KERN_KV_COUNT])(void *tile, int n_lanes, int lane, const float *v, int head_dim);

    /* One span of attention; keys and values are widened to f32.  Per row and chunk of 64 tokens: score[t] = fma chain over d of q[d] k[d][t] from +0;
     * with a softcap: score = fmath_softcap(score, softcap);
     * m' = max(m, scores seen); c = exp(m - m') (1 chunk: nothing to rescale: acc and l start as +0 without one);
     * p[t] = exp(score - m'), exactly 0 where not seen; l = l * c + reduce16(p) (a product, then a sum);
     * acc[d] *= c (only when m' > m), then acc[d] = fma(p[t], v[t][d], acc[d]) over the tokens seen, in order.
     * A chunk of which the row sees nothing changes nothing.
     * max passes over NaN, so m never is one; a NaN score makes p, l and all of acc NaN.  l is 0 exactly where none is
     * seen: elsewhere the largest score adds 1, or NaN. */
    void (*attn_span[KERN_KV_COUNT])(const struct kern_attn_span *a);

    /* Adds a later span's (m2, l2, acc2) to a row's running (m, l, acc): with M = max, c = exp(m - M), c2 = exp(m2 - M):
     * l = l * c + l2 * c2, acc[d] = fma(acc[d], c, acc2[d] * c2).  Where l2 is 0 nothing changes; where l is, the row
     * becomes the later one.  (m would not tell: it is -INFINITY also where all scores seen are NaN.) */
    void (*attn_merge)(float *m, float *l, float *acc, float m2, float l2, const float *acc2, int head_dim);

    /* True when all of x[n] are finite. */
    bool (*all_finite)(const float *x, int n);
};

/* Fills the table: the reference first, then the ladder up to `level` (which the caller has capped by
 * base_cpu_cap).  k->level is the highest level that has kernels in this build. */
void kern_init(struct choir_kernels *k, base_cpu_level level);

/* The steps of the ladder; each overwrites what it does better. */
void kern_init_reference(struct choir_kernels *k);
void kern_init_arch(struct choir_kernels *k, base_cpu_level level);

#endif
