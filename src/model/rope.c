/* Angle tables in double with our own sine, cosine and power, so that they are the same on every machine. */
#include "model/rope.h"

#include "base/fmath.h"

/* Llama 3.1: long wavelengths are stretched by the factor, short ones are left, and between the two bounds the
 * frequency is blended. */
static double llama3_freq(double f, const struct mdl_config *c)
{
    const double two_pi = 0x1.921fb54442d18p+2;
    double wavelength = two_pi / f;
    double len = c->rope[0].original_len;
    if (wavelength < len / c->rope[0].high_freq) {
        return f;
    }
    if (wavelength > len / c->rope[0].low_freq) {
        return f / c->rope[0].factor;
    }
    double smooth = (len / wavelength - c->rope[0].low_freq) / (c->rope[0].high_freq - c->rope[0].low_freq);
    return (1.0 - smooth) * (f / c->rope[0].factor) + smooth * f;
}

void mdl_rope_inv_freq(double *inv_freq, const struct mdl_config *c, const float *freqs)
{
    int32_t n = c->rope_dim / 2;
    for (int32_t i = 0; i < n; i++) {
        double f = fmath_pow(c->rope[0].theta, -2.0 * i / c->rope_dim);
        if (c->rope[0].scaling == MDL_SCALING_LINEAR) {
            f /= c->rope[0].factor;
        } else if (c->rope[0].scaling == MDL_SCALING_LLAMA3) {
            f = llama3_freq(f, c);
        }
        inv_freq[i] = freqs != NULL ? f / (double)freqs[i] : f;
    }
}

bool mdl_rope_in_range(const double *inv_freq, const struct mdl_config *c)
{
    for (int32_t i = 0; i < c->rope_dim / 2; i++) {
        if (!(inv_freq[i] * c->max_seq_len <= FMATH_SINCOS_MAX)) {
            return false;
        }
    }
    return true;
}

void mdl_rope_angles(float *cosine, float *sine, const double *inv_freq, int32_t n, int32_t pos)
{
    for (int32_t i = 0; i < n; i++) {
        double s, c;
        fmath_sincos(pos * inv_freq[i], &s, &c);
        cosine[i] = (float)c;
        sine[i] = (float)s;
    }
}
