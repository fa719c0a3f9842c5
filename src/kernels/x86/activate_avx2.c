/* Activations, soft cap, sum and layer norm for AVX2. */
#include "kernels/x86/vec_avx2.h"

#include "kernels/ops_template.h"

void kern_activate_silu_avx2(float *x, const float *gated, int n)
{
    activate(KERN_SILU, x, gated, n);
}

void kern_activate_gelu_avx2(float *x, const float *gated, int n)
{
    activate(KERN_GELU, x, gated, n);
}

void kern_activate_gelu_tanh_avx2(float *x, const float *gated, int n)
{
    activate(KERN_GELU_TANH, x, gated, n);
}

void kern_softcap_avx2(float *x, float cap, int n)
{
    cap_numbers(x, cap, n);
}

void kern_add_avx2(float *y, const float *x, int n)
{
    add_numbers(y, x, n);
}

void kern_layernorm_avx2(float *y, const float *x, const float *w, const float *bias, int n, float eps)
{
    norm_layer(y, x, w, bias, n, eps);
}
