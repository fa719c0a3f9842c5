/* The AVX2 kernels, by name; their contracts are in kernels.h. */
#ifndef KERN_KERNELS_AVX2_H
#define KERN_KERNELS_AVX2_H

#include "kernels/kernels.h"

int kern_act_tile_f32_avx2(int n_tokens);
int kern_act_tile_q8_avx2(int n_tokens);
void kern_act_pack_f32_avx2(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                            int col1);
void kern_act_pack_q8_avx2(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                           int col1);

void kern_matmul_f32_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                          int tile, bool add);
void kern_matmul_f16_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                          int tile, bool add);
void kern_matmul_bf16_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add);
void kern_matmul_q8_0_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add);
void kern_matmul_q4_0_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add);
void kern_matmul_q4_1_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add);
void kern_matmul_q5_0_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add);
void kern_matmul_q5_1_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add);
void kern_matmul_iq4_nl_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add);
void kern_matmul_q2_K_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add);
void kern_matmul_q3_K_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add);
void kern_matmul_q4_K_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add);
void kern_matmul_q5_K_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add);
void kern_matmul_q6_K_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add);
void kern_matmul_iq4_xs_avx2(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                             int tile, bool add);

void kern_rmsnorm_avx2(float *y, const float *x, const float *w, int n, float eps);
void kern_rope_interleaved_avx2(float *x, const float *cosine, const float *sine, int n_heads, int head_dim,
                                int rope_dim);
void kern_rope_half_avx2(float *x, const float *cosine, const float *sine, int n_heads, int head_dim, int rope_dim);
void kern_activate_silu_avx2(float *x, const float *gated, int n);
void kern_activate_gelu_avx2(float *x, const float *gated, int n);
void kern_activate_gelu_tanh_avx2(float *x, const float *gated, int n);
void kern_softcap_avx2(float *x, float cap, int n);
void kern_add_avx2(float *y, const float *x, int n);
void kern_layernorm_avx2(float *y, const float *x, const float *w, const float *bias, int n, float eps);
void kern_scale_avx2(float *x, float s, int n);
bool kern_all_finite_avx2(const float *x, int n);

void kern_kv_put_k_f16_avx2(void *tile, int n_lanes, int lane, const float *k, int head_dim);
void kern_kv_put_v_f16_avx2(void *tile, int n_lanes, int lane, const float *v, int head_dim);
void kern_attn_span_f32_avx2(const struct kern_attn_span *a);
void kern_attn_span_f16_avx2(const struct kern_attn_span *a);
void kern_attn_span_q8_0_avx2(const struct kern_attn_span *a);
void kern_attn_merge_avx2(float *m, float *l, float *acc, float m2, float l2, const float *acc2, int head_dim);

#endif
