/* The AVX-512 kernels, by name; their contracts are in kernels.h.  Each needs F, BW, VL, DQ and VNNI. */
#ifndef KERN_KERNELS_AVX512_H
#define KERN_KERNELS_AVX512_H

#include "kernels/kernels.h"

int kern_act_tile_f32_avx512(int n_tokens);
void kern_act_pack_f32_avx512(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                              int col1);

void kern_matmul_f32_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                            int tile, bool add);
void kern_matmul_f16_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                            int tile, bool add);
void kern_matmul_bf16_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add);
void kern_activate_silu_avx512(float *x, const float *gated, int n);
void kern_activate_gelu_avx512(float *x, const float *gated, int n);
void kern_activate_gelu_tanh_avx512(float *x, const float *gated, int n);
void kern_softcap_avx512(float *x, float cap, int n);
void kern_add_avx512(float *y, const float *x, int n);
void kern_layernorm_avx512(float *y, const float *x, const float *w, const float *bias, int n, float eps);

void kern_kv_put_k_f16_avx512(void *tile, int n_lanes, int lane, const float *k, int head_dim);
void kern_kv_put_v_f16_avx512(void *tile, int n_lanes, int lane, const float *v, int head_dim);
void kern_attn_span_f32_avx512(const struct kern_attn_span *a);
void kern_attn_span_f16_avx512(const struct kern_attn_span *a);
void kern_attn_span_q8_0_avx512(const struct kern_attn_span *a);
void kern_attn_merge_avx512(float *m, float *l, float *acc, float m2, float l2, const float *acc2, int head_dim);

int kern_act_tile_q8_avx512(int n_tokens);
void kern_act_pack_q8_avx512(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                             int col1);

void kern_matmul_q8_0_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add);
void kern_matmul_q4_0_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add);
void kern_matmul_q4_1_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add);
void kern_matmul_q5_0_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add);
void kern_matmul_q5_1_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add);
void kern_matmul_iq4_nl_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                               int n_tokens, int tile, bool add);
void kern_matmul_q2_k_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add);
void kern_matmul_q3_k_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add);
void kern_matmul_q4_k_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add);
void kern_matmul_q5_k_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add);
void kern_matmul_q6_k_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add);
void kern_matmul_iq4_xs_avx512(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                               int n_tokens, int tile, bool add);

/* These need AVX512-BF16 as well. */
void kern_act_pack_bf16_avx512bf16(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                                   int col1);
void kern_matmul_bf16_avx512bf16(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act,
                                 int n_tokens, int tile, bool add);

#endif
