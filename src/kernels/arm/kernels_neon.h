/* The NEON kernels, by name; their contracts are in kernels.h. */
#ifndef KERN_KERNELS_NEON_H
#define KERN_KERNELS_NEON_H

#include "kernels/kernels.h"

int kern_act_tile_f32_neon(int n_tokens);
int kern_act_tile_q8_neon(int n_tokens);
void kern_act_pack_f32_neon(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                            int col1);
void kern_act_pack_q8_neon(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0,
                           int col1);

void kern_matmul_f32_neon(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                          int tile, bool add);
void kern_matmul_f16_neon(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                          int tile, bool add);
void kern_matmul_bf16_neon(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add);

/* The multiplications by quantized weights that a level has, into the table. */
void kern_init_quant_neon(struct choir_kernels *k);
void kern_init_quant_dotprod(struct choir_kernels *k);
void kern_init_quant_i8mm(struct choir_kernels *k);

void kern_rmsnorm_neon(float *y, const float *x, const float *w, int n, float eps);
void kern_rope_interleaved_neon(float *x, const float *cosine, const float *sine, int n_heads, int head_dim,
                                int rope_dim);
void kern_rope_half_neon(float *x, const float *cosine, const float *sine, int n_heads, int head_dim, int rope_dim);
void kern_activate_silu_neon(float *x, const float *gated, int n);
void kern_activate_gelu_neon(float *x, const float *gated, int n);
void kern_activate_gelu_tanh_neon(float *x, const float *gated, int n);
void kern_softcap_neon(float *x, float cap, int n);
void kern_add_neon(float *y, const float *x, int n);
void kern_layernorm_neon(float *y, const float *x, const float *w, const float *bias, int n, float eps);
void kern_scale_neon(float *x, float s, int n);
bool kern_all_finite_neon(const float *x, int n);

void kern_kv_put_k_f16_neon(void *tile, int n_lanes, int lane, const float *k, int head_dim);
void kern_kv_put_v_f16_neon(void *tile, int n_lanes, int lane, const float *v, int head_dim);
void kern_attn_span_f32_neon(const struct kern_attn_span *a);
void kern_attn_span_f16_neon(const struct kern_attn_span *a);
void kern_attn_span_q8_0_neon(const struct kern_attn_span *a);
void kern_attn_merge_neon(float *m, float *l, float *acc, float m2, float l2, const float *acc2, int head_dim);

#endif
