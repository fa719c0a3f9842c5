/* The ladder of x86: each level overwrites what it does better than the one below. */
#include "kernels/kernels.h"
#include "kernels/x86/kernels_avx2.h"
#include "kernels/x86/kernels_avx512.h"
#include "kernels/x86/kernels_avxvnni.h"

static void init_avx2(struct choir_kernels *k)
{
    k->level = BASE_CPU_AVX2;
    k->act_tile[DTYPE_ACT_F32] = kern_act_tile_f32_avx2;
    k->act_tile[DTYPE_ACT_Q8] = kern_act_tile_q8_avx2;
    k->act_pack[DTYPE_ACT_F32] = kern_act_pack_f32_avx2;
    k->act_pack[DTYPE_ACT_Q8] = kern_act_pack_q8_avx2;
    k->matmul[DTYPE_F32] = kern_matmul_f32_avx2;
    k->matmul[DTYPE_F16] = kern_matmul_f16_avx2;
    k->matmul[DTYPE_BF16] = kern_matmul_bf16_avx2;
    k->matmul[DTYPE_Q8_0] = kern_matmul_q8_0_avx2;
    k->matmul[DTYPE_Q4_0] = kern_matmul_q4_0_avx2;
    k->matmul[DTYPE_Q4_1] = kern_matmul_q4_1_avx2;
    k->matmul[DTYPE_Q5_0] = kern_matmul_q5_0_avx2;
    k->matmul[DTYPE_Q5_1] = kern_matmul_q5_1_avx2;
    k->matmul[DTYPE_IQ4_NL] = kern_matmul_iq4_nl_avx2;
    k->matmul[DTYPE_Q2_K] = kern_matmul_q2_K_avx2;
    k->matmul[DTYPE_Q3_K] = kern_matmul_q3_K_avx2;
    k->matmul[DTYPE_Q4_K] = kern_matmul_q4_K_avx2;
    k->matmul[DTYPE_Q5_K] = kern_matmul_q5_K_avx2;
    k->matmul[DTYPE_Q6_K] = kern_matmul_q6_K_avx2;
    k->matmul[DTYPE_IQ4_XS] = kern_matmul_iq4_xs_avx2;
    k->rmsnorm = kern_rmsnorm_avx2;
    k->rope_interleaved = kern_rope_interleaved_avx2;
    k->rope_half = kern_rope_half_avx2;
    k->layernorm = kern_layernorm_avx2;
    k->activate[KERN_SILU] = kern_activate_silu_avx2;
    k->activate[KERN_GELU] = kern_activate_gelu_avx2;
    k->activate[KERN_GELU_TANH] = kern_activate_gelu_tanh_avx2;
    k->softcap = kern_softcap_avx2;
    k->add = kern_add_avx2;
    k->scale = kern_scale_avx2;
    k->kv_put_k[KERN_KV_F16] = kern_kv_put_k_f16_avx2;
    k->kv_put_v[KERN_KV_F16] = kern_kv_put_v_f16_avx2;
    k->attn_span[KERN_KV_F32] = kern_attn_span_f32_avx2;
    k->attn_span[KERN_KV_F16] = kern_attn_span_f16_avx2;
    k->attn_span[KERN_KV_Q8_0] = kern_attn_span_q8_0_avx2;
    k->attn_merge = kern_attn_merge_avx2;
    k->all_finite = kern_all_finite_avx2;
}

static void init_avxvnni(struct choir_kernels *k)
{
    k->level = BASE_CPU_AVXVNNI;
    k->matmul[DTYPE_Q8_0] = kern_matmul_q8_0_avxvnni;
    k->matmul[DTYPE_Q4_0] = kern_matmul_q4_0_avxvnni;
    k->matmul[DTYPE_Q4_1] = kern_matmul_q4_1_avxvnni;
    k->matmul[DTYPE_Q5_0] = kern_matmul_q5_0_avxvnni;
    k->matmul[DTYPE_Q5_1] = kern_matmul_q5_1_avxvnni;
    k->matmul[DTYPE_IQ4_NL] = kern_matmul_iq4_nl_avxvnni;
    k->matmul[DTYPE_Q2_K] = kern_matmul_q2_K_avxvnni;
    k->matmul[DTYPE_Q3_K] = kern_matmul_q3_K_avxvnni;
    k->matmul[DTYPE_Q4_K] = kern_matmul_q4_K_avxvnni;
    k->matmul[DTYPE_Q5_K] = kern_matmul_q5_K_avxvnni;
    k->matmul[DTYPE_Q6_K] = kern_matmul_q6_K_avxvnni;
    k->matmul[DTYPE_IQ4_XS] = kern_matmul_iq4_xs_avxvnni;
}

static void init_avx512(struct choir_kernels *k)
{
    k->level = BASE_CPU_AVX512;
    k->act_tile[DTYPE_ACT_F32] = kern_act_tile_f32_avx512;
    k->act_pack[DTYPE_ACT_F32] = kern_act_pack_f32_avx512;
    k->matmul[DTYPE_F32] = kern_matmul_f32_avx512;
    k->matmul[DTYPE_F16] = kern_matmul_f16_avx512;
    k->matmul[DTYPE_BF16] = kern_matmul_bf16_avx512;
    k->layernorm = kern_layernorm_avx512;
    k->activate[KERN_SILU] = kern_activate_silu_avx512;
    k->activate[KERN_GELU] = kern_activate_gelu_avx512;
    k->activate[KERN_GELU_TANH] = kern_activate_gelu_tanh_avx512;
    k->softcap = kern_softcap_avx512;
    k->add = kern_add_avx512;
    k->kv_put_k[KERN_KV_F16] = kern_kv_put_k_f16_avx512;
    k->kv_put_v[KERN_KV_F16] = kern_kv_put_v_f16_avx512;
    k->attn_span[KERN_KV_F32] = kern_attn_span_f32_avx512;
    k->attn_span[KERN_KV_F16] = kern_attn_span_f16_avx512;
    k->attn_span[KERN_KV_Q8_0] = kern_attn_span_q8_0_avx512;
    k->attn_merge = kern_attn_merge_avx512;
    k->act_tile[DTYPE_ACT_Q8] = kern_act_tile_q8_avx512;
    k->act_pack[DTYPE_ACT_Q8] = kern_act_pack_q8_avx512;
    k->matmul[DTYPE_Q8_0] = kern_matmul_q8_0_avx512;
    k->matmul[DTYPE_Q4_0] = kern_matmul_q4_0_avx512;
    k->matmul[DTYPE_Q4_1] = kern_matmul_q4_1_avx512;
    k->matmul[DTYPE_Q5_0] = kern_matmul_q5_0_avx512;
    k->matmul[DTYPE_Q5_1] = kern_matmul_q5_1_avx512;
    k->matmul[DTYPE_IQ4_NL] = kern_matmul_iq4_nl_avx512;
    k->matmul[DTYPE_Q2_K] = kern_matmul_q2_k_avx512;
    k->matmul[DTYPE_Q3_K] = kern_matmul_q3_k_avx512;
    k->matmul[DTYPE_Q4_K] = kern_matmul_q4_k_avx512;
    k->matmul[DTYPE_Q5_K] = kern_matmul_q5_k_avx512;
    k->matmul[DTYPE_Q6_K] = kern_matmul_q6_k_avx512;
    k->matmul[DTYPE_IQ4_XS] = kern_matmul_iq4_xs_avx512;
}

static void init_avx512bf16(struct choir_kernels *k)
{
    k->level = BASE_CPU_AVX512BF16;
    k->act[DTYPE_BF16] = DTYPE_ACT_BF16;
    k->act_tile[DTYPE_ACT_BF16] = kern_act_tile_f32_avx512;
    k->act_pack[DTYPE_ACT_BF16] = kern_act_pack_bf16_avx512bf16;
    k->matmul[DTYPE_BF16] = kern_matmul_bf16_avx512bf16;
}

void kern_init_arch(struct choir_kernels *k, base_cpu_level level)
{
    if (level < BASE_CPU_AVX2 || level > BASE_CPU_AVX512BF16) {
        return;
    }
    init_avx2(k);
    if (level >= BASE_CPU_AVXVNNI && base_cpu_cap(BASE_CPU_AVXVNNI) == BASE_CPU_AVXVNNI) { /* Zen 4: AVX-512 without */
        init_avxvnni(k);
    }
    if (level >= BASE_CPU_AVX512) {
        init_avx512(k);
    }
    if (level >= BASE_CPU_AVX512BF16) {
        init_avx512bf16(k);
    }
}
