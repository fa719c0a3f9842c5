/* Matrices of the types with blocks of 32 columns, for AVX-512 with VNNI. */
#include "kernels/x86/matmul_quant_avx512.h"

/* How far ahead of the multiplication the weights of one token are fetched, bytes. */
enum { FETCH = 4096 };

static void unpack_q8_0(struct avx512_strip *to, const uint8_t *unit, size_t stride, int n_panels, int n_blocks)
{
    avx512_unpack(DTYPE_Q8_0, to, unit, stride, n_panels, n_blocks);
}

void kern_matmul_q8_0_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add)
{
    static const struct avx512_quant type = {2, 1088, unpack_q8_0, avx512_add_s32};
    if (n_tokens == 1) {
        avx512_multiply_vector(DTYPE_Q8_0, FETCH, y, W, n_rows, n_cols, act, add);
        return;
    }
    avx512_multiply_strips(&type, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void unpack_q4_0(struct avx512_strip *to, const uint8_t *unit, size_t stride, int n_panels, int n_blocks)
{
    avx512_unpack(DTYPE_Q4_0, to, unit, stride, n_panels, n_blocks);
}

void kern_matmul_q4_0_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add)
{
    static const struct avx512_quant type = {2, 576, unpack_q4_0, avx512_add_s32};
    if (n_tokens == 1) {
        avx512_multiply_vector(DTYPE_Q4_0, FETCH, y, W, n_rows, n_cols, act, add);
        return;
    }
    avx512_multiply_strips(&type, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void unpack_q4_1(struct avx512_strip *to, const uint8_t *unit, size_t stride, int n_panels, int n_blocks)
{
    avx512_unpack(DTYPE_Q4_1, to, unit, stride, n_panels, n_blocks);
}

void kern_matmul_q4_1_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add)
{
    static const struct avx512_quant type = {2, 640, unpack_q4_1, avx512_add_m32};
    if (n_tokens == 1) {
        avx512_multiply_vector(DTYPE_Q4_1, FETCH, y, W, n_rows, n_cols, act, add);
        return;
    }
    avx512_multiply_strips(&type, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void unpack_q5_0(struct avx512_strip *to, const uint8_t *unit, size_t stride, int n_panels, int n_blocks)
{
    avx512_unpack(DTYPE_Q5_0, to, unit, stride, n_panels, n_blocks);
}

void kern_matmul_q5_0_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add)
{
    static const struct avx512_quant type = {2, 704, unpack_q5_0, avx512_add_s32};
    if (n_tokens == 1) {
        avx512_multiply_vector(DTYPE_Q5_0, FETCH, y, W, n_rows, n_cols, act, add);
        return;
    }
    avx512_multiply_strips(&type, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void unpack_q5_1(struct avx512_strip *to, const uint8_t *unit, size_t stride, int n_panels, int n_blocks)
{
    avx512_unpack(DTYPE_Q5_1, to, unit, stride, n_panels, n_blocks);
}

void kern_matmul_q5_1_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add)
{
    static const struct avx512_quant type = {2, 768, unpack_q5_1, avx512_add_m32};
    if (n_tokens == 1) {
        avx512_multiply_vector(DTYPE_Q5_1, FETCH, y, W, n_rows, n_cols, act, add);
        return;
    }
    avx512_multiply_strips(&type, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}

static void unpack_iq4_nl(struct avx512_strip *to, const uint8_t *unit, size_t stride, int n_panels, int n_blocks)
{
    avx512_unpack(DTYPE_IQ4_NL, to, unit, stride, n_panels, n_blocks);
}

void kern_matmul_iq4_nl_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                               int n_tokens, int tile, bool add)
{
    static const struct avx512_quant type = {2, 576, unpack_iq4_nl, avx512_add_s32};
    if (n_tokens == 1) {
        avx512_multiply_vector(DTYPE_IQ4_NL, FETCH, y, W, n_rows, n_cols, act, add);
        return;
    }
    avx512_multiply_strips(&type, y, ldy, W, n_rows, n_cols, act, n_tokens, tile, add);
}
