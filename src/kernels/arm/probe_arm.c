/* Which probe loops belong to which level of ARM. */
#include "kernels/arm/probe_arm.h"
#include "kernels/probe_loops.h"

void probe_init_arch(struct probe_loops *loops, base_cpu_level level)
{
    if (level < BASE_CPU_NEON || level > BASE_CPU_I8MM) {
        return;
    }
    loops->read = probe_read_neon;
    loops->peak[DTYPE_ACT_F32] = probe_peak_f32_neon;
    loops->peak[DTYPE_ACT_Q8] = probe_peak_q8_neon;
    loops->round_ops[DTYPE_ACT_F32] = PROBE_F32_ROUND_OPS_NEON;
    loops->round_ops[DTYPE_ACT_Q8] = PROBE_Q8_ROUND_OPS_NEON;
    if (level >= BASE_CPU_DOTPROD) { /* usdot goes as fast as sdot */
        loops->peak[DTYPE_ACT_Q8] = probe_peak_q8_dotprod;
        loops->round_ops[DTYPE_ACT_Q8] = PROBE_Q8_ROUND_OPS_DOTPROD;
    }
}
