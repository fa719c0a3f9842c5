/* Matrices of the types with super-blocks of 256 columns, for AVX-512 with VNNI. */
#include "kernels/x86/matmul_quant_avx512.h"

/* How far ahead of the multiplication the weights of one token are fetched, bytes. */
enum { FETCH = 4096 };

static void unpack_q2_k(struct avx512_strip *to, const uint8_t *unit, size_t stride, int n_panels, int n_blocks)
{
    avx512_unpack(DTYPE_Q2_K, to, unit, stride, n_panels, n_blocks);
}

void kern_matmul_q2_k_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add)
{
    static const struct avx512_quant type = {8, 1344, unpack_q2_k, avx512_add_m16};
    if (n_tokens == 1) {
        avx512_multiply_vector(DTYPE_Q2_K, FETCH, y, W, n_rows, n_cols, act, add);
        return;
    }
    avx512_multiply_strips(&type, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void unpack_q3_k(struct avx512_strip *to, const uint8_t *unit, size_t stride, int n_panels, int n_blocks)
{
    avx512_unpack(DTYPE_Q3_K, to, unit, stride, n_panels, n_blocks);
}

void kern_matmul_q3_k_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add)
{
    static const struct avx512_quant type = {8, 1856, unpack_q3_k, avx512_add_s16};
    if (n_tokens == 1) {
        avx512_multiply_vector(DTYPE_Q3_K, FETCH, y, W, n_rows, n_cols, act, add);
        return;
    }
    avx512_multiply_strips(&type, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void unpack_q4_k(struct avx512_strip *to, const uint8_t *unit, size_t stride, int n_panels, int n_blocks)
{
    avx512_unpack(DTYPE_Q4_K, to, unit, stride, n_panels, n_blocks);
}

void kern_matmul_q4_k_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add)
{
    static const struct avx512_quant type = {8, 2368, unpack_q4_k, avx512_add_m32};
    if (n_tokens == 1) {
        avx512_multiply_vector(DTYPE_Q4_K, FETCH, y, W, n_rows, n_cols, act, add);
        return;
    }
    avx512_multiply_strips(&type, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void unpack_q5_k(struct avx512_strip *to, const uint8_t *unit, size_t stride, int n_panels, int n_blocks)
{
    avx512_unpack(DTYPE_Q5_K, to, unit, stride, n_panels, n_blocks);
}

void kern_matmul_q5_k_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add)
{
    static const struct avx512_quant type = {8, 2880, unpack_q5_k, avx512_add_m32};
    if (n_tokens == 1) {
        avx512_multiply_vector(DTYPE_Q5_K, FETCH, y, W, n_rows, n_cols, act, add);
        return;
    }
    avx512_multiply_strips(&type, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void unpack_q6_k(struct avx512_strip *to, const uint8_t *unit, size_t stride, int n_panels, int n_blocks)
{
    avx512_unpack(DTYPE_Q6_K, to, unit, stride, n_panels, n_blocks);
}

void kern_matmul_q6_k_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add)
{
    static const struct avx512_quant type = {8, 3392, unpack_q6_k, avx512_add_s16};
    if (n_tokens == 1) {
        avx512_multiply_vector(DTYPE_Q6_K, FETCH, y, W, n_rows, n_cols, act, add);
        return;
    }
    avx512_multiply_strips(&type, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void unpack_iq4_xs(struct avx512_strip *to, const uint8_t *unit, size_t stride, int n_panels, int n_blocks)
{
    avx512_unpack(DTYPE_IQ4_XS, to, unit, stride, n_panels, n_blocks);
}

void kern_matmul_iq4_xs_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                               int n_tokens, int tile, bool add)
{
    static const struct avx512_quant type = {8, 2240, unpack_iq4_xs, avx512_add_s32};
    if (n_tokens == 1) {
        avx512_multiply_vector(DTYPE_IQ4_XS, FETCH, y, W, n_rows, n_cols, act, add);
        return;
    }
    avx512_multiply_strips(&type, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}
