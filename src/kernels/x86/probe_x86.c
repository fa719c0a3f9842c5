/* Which probe loops belong to which level of x86. */
#include "kernels/probe_loops.h"
#include "kernels/x86/probe_avx2.h"
#include "kernels/x86/probe_avx512.h"
#include "kernels/x86/probe_avxvnni.h"

void probe_init_arch(struct probe_loops *loops, base_cpu_level level)
{
    if (level < BASE_CPU_AVX2 || level > BASE_CPU_AVX512BF16) {
        return;
    }
    loops->read = probe_read_avx2;
    loops->peak[DTYPE_ACT_F32] = probe_peak_f32_avx2;
    loops->peak[DTYPE_ACT_Q8] = probe_peak_q8_avx2;
    loops->round_ops[DTYPE_ACT_F32] = PROBE_F32_ROUND_OPS_AVX2;
    loops->round_ops[DTYPE_ACT_Q8] = PROBE_Q8_ROUND_OPS_AVX2;
    if (level >= BASE_CPU_AVXVNNI && base_cpu_cap(BASE_CPU_AVXVNNI) == BASE_CPU_AVXVNNI) {
        loops->peak[DTYPE_ACT_Q8] = probe_peak_q8_avxvnni;
        loops->round_ops[DTYPE_ACT_Q8] = PROBE_Q8_ROUND_OPS_AVXVNNI;
    }
    if (level < BASE_CPU_AVX512) {
        return;
    }
    loops->read = probe_read_avx512;
    loops->peak[DTYPE_ACT_F32] = probe_peak_f32_avx512;
    loops->peak[DTYPE_ACT_Q8] = probe_peak_q8_avx512;
    loops->round_ops[DTYPE_ACT_F32] = PROBE_F32_ROUND_OPS_AVX512;
    loops->round_ops[DTYPE_ACT_Q8] = PROBE_Q8_ROUND_OPS_AVX512;
    if (level >= BASE_CPU_AVX512BF16) {
        loops->peak[DTYPE_ACT_BF16] = probe_peak_bf16_avx512bf16;
        loops->round_ops[DTYPE_ACT_BF16] = PROBE_BF16_ROUND_OPS;
    }
}
