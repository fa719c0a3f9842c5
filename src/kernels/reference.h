/* The reference kernels, by name, for the table that reference.c fills. */
#ifndef KERN_REFERENCE_H
#define KERN_REFERENCE_H

#include "kernels/kernels.h"

/* Tokens in a tile of packed activations. */
enum { REF_TILE = 4 };

void ref_act_pack_f32(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0, int col1);
void ref_act_pack_bf16(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0, int col1);
void ref_act_pack_q8(void *act, const float *x, size_t ldx, int n_tokens, int tile, int n_cols, int col0, int col1);

typedef void ref_matmul_fn(float *y, size_t ldy, const void *W, int n_rows, int n_cols, const void *act, int n_tokens,
                           int tile, bool add);
ref_matmul_fn ref_matmul_f32, ref_matmul_f16, ref_matmul_bf16;
ref_matmul_fn ref_matmul_bf16_dot; /* of levels that take ACT_BF16; not in the reference table */
ref_matmul_fn ref_matmul_q8_0, ref_matmul_q4_0, ref_matmul_q4_1, ref_matmul_q5_0, ref_matmul_q5_1, ref_matmul_iq4_nl;
ref_matmul_fn ref_matmul_q2_k, ref_matmul_q3_k, ref_matmul_q4_k, ref_matmul_q5_k, ref_matmul_q6_k, ref_matmul_iq4_xs;

void ref_kv_put_k_f32(void *tile, int n_lanes, int lane, const float *k, int head_dim);
void ref_kv_put_k_f16(void *tile, int n_lanes, int lane, const float *k, int head_dim);
void ref_kv_put_k_q8_0(void *tile, int n_lanes, int lane, const float *k, int head_dim);
void ref_kv_put_v_f32(void *tile, int n_lanes, int lane, const float *v, int head_dim);
void ref_kv_put_v_f16(void *tile, int n_lanes, int lane, const float *v, int head_dim);
void ref_kv_put_v_q8_0(void *tile, int n_lanes, int lane, const float *v, int head_dim);
void ref_attn_span_f32(const struct kern_attn_span *a);
void ref_attn_span_f16(const struct kern_attn_span *a);
void ref_attn_span_q8_0(const struct kern_attn_span *a);
void ref_attn_merge(float *m, float *l, float *acc, float m2, float l2, const float *acc2, int head_dim);

#endif
