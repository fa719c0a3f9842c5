/* The ladder of 64-bit ARM: each level overwrites what it does better than the one below. */
#include "kernels/arm/kernels_neon.h"
#include "kernels/kernels.h"

static void init_neon(struct choir_kernels *k)
{
    k->level = BASE_CPU_NEON;
    k->act_tile[DTYPE_ACT_F32] = kern_act_tile_f32_neon;
    k->act_tile[DTYPE_ACT_Q8] = kern_act_tile_q8_neon;
    k->act_pack[DTYPE_ACT_F32] = kern_act_pack_f32_neon;
    k->act_pack[DTYPE_ACT_Q8] = kern_act_pack_q8_neon;
    k->matmul[DTYPE_F32] = kern_matmul_f32_neon;
    k->matmul[DTYPE_F16] = kern_matmul_f16_neon;
    k->matmul[DTYPE_BF16] = kern_matmul_bf16_neon;
    kern_init_quant_neon(k);
    k->rmsnorm = kern_rmsnorm_neon;
    k->rope_interleaved = kern_rope_interleaved_neon;
    k->rope_half = kern_rope_half_neon;
    k->layernorm = kern_layernorm_neon;
    k->activate[KERN_SILU] = kern_activate_silu_neon;
    k->activate[KERN_GELU] = kern_activate_gelu_neon;
    k->activate[KERN_GELU_TANH] = kern_activate_gelu_tanh_neon;
    k->softcap = kern_softcap_neon;
    k->add = kern_add_neon;
    k->scale = kern_scale_neon;
    k->kv_put_k[KERN_KV_F16] = kern_kv_put_k_f16_neon;
    k->kv_put_v[KERN_KV_F16] = kern_kv_put_v_f16_neon;
    k->attn_span[KERN_KV_F32] = kern_attn_span_f32_neon;
    k->attn_span[KERN_KV_F16] = kern_attn_span_f16_neon;
    k->attn_span[KERN_KV_Q8_0] = kern_attn_span_q8_0_neon;
    k->attn_merge = kern_attn_merge_neon;
    k->all_finite = kern_all_finite_neon;
}

static void init_dotprod(struct choir_kernels *k)
{
    k->level = BASE_CPU_DOTPROD;
    kern_init_quant_dotprod(k);
}

static void init_i8mm(struct choir_kernels *k)
{
    k->level = BASE_CPU_I8MM;
    kern_init_quant_i8mm(k);
}

void kern_init_arch(struct choir_kernels *k, base_cpu_level level)
{
    if (level < BASE_CPU_NEON || level > BASE_CPU_I8MM) {
        return;
    }
    init_neon(k);
    if (level >= BASE_CPU_DOTPROD) {
        init_dotprod(k);
    }
    if (level >= BASE_CPU_I8MM) {
        init_i8mm(k);
    }
}
