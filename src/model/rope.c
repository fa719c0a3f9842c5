/* Angle tables in double with our own sine, cosine and power, so that they are the same on every machine. */
#include "model/rope.h"

#include "base/fmath.h"
#include "model/config/read.h"

static const double two_pi = 0x1.921fb54442d18p+2;

static bool same_rope(const struct mdl_rope *a, const struct mdl_rope *b)
{
    return a->theta == b->theta && a->scaling == b->scaling && a->factor == b->factor && a->low_freq == b->low_freq &&
           a->high_freq == b->high_freq && a->beta_fast == b->beta_fast && a->beta_slow == b->beta_slow &&
           a->magnitude == b->magnitude && a->original_len == b->original_len;
}

int mdl_rope_tables(int kinds[MDL_ROPE_KINDS], const struct mdl_config *c)
{
    bool occurs[MDL_ROPE_KINDS] = {false, false};
    for (int32_t l = 0; l < c->n_layers; l++) {
        occurs[mdl_is_windowed(c, l) ? 1 : 0] = true;
    }
    kinds[0] = occurs[0] ? 0 : 1;
    kinds[1] = 1;
    return occurs[0] && occurs[1] && !same_rope(&c->rope[0], &c->rope[1]) ? 2 : 1;
}

/* Llama 3.1: long wavelengths are stretched by the factor, short ones are left, and between the two bounds the
 * frequency is blended. */
static double llama3_freq(double f, const struct mdl_rope *r)
{
    double wavelength = two_pi / f;
    double len = r->original_len;
    if (wavelength < len / r->high_freq) {
        return f;
    }
    if (wavelength > len / r->low_freq) {
        return f / r->factor;
    }
    double smooth = (len / wavelength - r->low_freq) / (r->high_freq - r->low_freq);
    return (1.0 - smooth) * (f / r->factor) + smooth * f;
}

/* The pair (a real number) that turns `turns` times over the original length. */
static double pair_of_turns(double turns, const struct mdl_rope *r, int32_t rope_dim)
{
    return rope_dim * fmath_log(r->original_len / (turns * two_pi)) / (2.0 * fmath_log(r->theta));
}

/* YaRN: pairs that turn more than beta_fast times over the original length are left, those that turn less than
 * beta_slow times are stretched by the factor, and in between both are blended, by the pair's number. */
static double yarn_freq(double f, int32_t i, const struct mdl_rope *r, int32_t rope_dim)
{
    double low = floor(pair_of_turns(r->beta_fast, r, rope_dim));
    double high = ceil(pair_of_turns(r->beta_slow, r, rope_dim));
    low = low > 0 ? low : 0;
    high = high < rope_dim - 1 ? high : rope_dim - 1;
    double stretched = (i - low) / (high > low ? high - low : 0.001);
    stretched = stretched < 0 ? 0 : stretched > 1 ? 1 : stretched;
    return f / r->factor * stretched + f * (1.0 - stretched);
}

/* Dynamic NTK: theta grows with what the text is longer than the model was made for. */
static double theta_for(const struct mdl_rope *r, int32_t rope_dim, int32_t rope_len)
{
    if (r->scaling != MDL_SCALING_DYNAMIC || rope_len <= r->original_len || rope_dim <= 2) {
        return r->theta;
    }
    double grown = r->factor * rope_len / r->original_len - (r->factor - 1.0);
    return r->theta * fmath_pow(grown, rope_dim / (rope_dim - 2.0));
}

static double scaled_freq(double f, int32_t i, const struct mdl_config *c, const struct mdl_rope *r, int32_t rope_len)
{
    switch (r->scaling) {
    case MDL_SCALING_LINEAR:
        return f / r->factor;
    case MDL_SCALING_YARN:
        return yarn_freq(f, i, r, c->rope_dim);
    case MDL_SCALING_LLAMA3:
        return llama3_freq(f, r);
    case MDL_SCALING_LONGROPE:
        return f / (double)(rope_len > r->original_len ? c->rope_long : c->rope_short)[i];
    case MDL_SCALING_NONE:
    case MDL_SCALING_DYNAMIC:
        break;
    }
    return f;
}

void mdl_rope_inv_freq(double *inv_freq, const struct mdl_config *c, int kind, int32_t rope_len, const float *freqs)
{
    const struct mdl_rope *r = &c->rope[kind];
    const double theta = theta_for(r, c->rope_dim, rope_len);
    for (int32_t i = 0; i < c->rope_dim / 2; i++) {
        double f = scaled_freq(fmath_pow(theta, -2.0 * i / c->rope_dim), i, c, r, rope_len);
        inv_freq[i] = freqs != NULL ? f / (double)freqs[i] : f;
    }
}

bool mdl_rope_in_range(const double *inv_freq, const struct mdl_config *c, int32_t n_positions)
{
    for (int32_t i = 0; i < c->rope_dim / 2; i++) {
        if (!(inv_freq[i] * n_positions <= FMATH_SINCOS_MAX)) {
            return false;
        }
    }
    return true;
}

/* What one kind of layer bears. */
static int32_t longest_of(const struct mdl_rope *r, int32_t max_seq_len)
{
    double len = max_seq_len; /* which is at most MDL_SEQ_MAX */
    if (r->scaling == MDL_SCALING_DYNAMIC) {
        len = MDL_SEQ_MAX;
    } else if (r->scaling == MDL_SCALING_YARN) {
        len = r->factor * r->original_len;
    }
    return len >= MDL_SEQ_MAX ? MDL_SEQ_MAX : len > max_seq_len ? (int32_t)len : max_seq_len;
}

int32_t mdl_rope_longest(const struct mdl_config *c)
{
    int kinds[MDL_ROPE_KINDS];
    const int n = mdl_rope_tables(kinds, c);
    int32_t longest = c->position == MDL_POSITION_ROPE ? MDL_SEQ_MAX : c->max_seq_len;
    for (int i = 0; i < n; i++) {
        const int32_t len = longest_of(&c->rope[kinds[i]], c->max_seq_len);
        longest = len < longest ? len : longest;
    }
    return longest;
}

/* The angle that pos steps of `step` make, without its whole turns: turns are counted in units of 2^-64, so those that are
 * whole fall out of the product by themselves. */
static double far_angle(double step, int64_t pos)
{
    const double unit = 0x1p64;
    double turns = step / two_pi;
    uint64_t each = (uint64_t)((turns - floor(turns)) * unit);
    return (double)(each * (uint64_t)pos) / unit * two_pi;
}

void mdl_rope_angles(float *cosine, float *sine, const double *inv_freq, double magnitude, int32_t n, int64_t pos)
{
    for (int32_t i = 0; i < n; i++) {
        double s, c;
        double angle = (double)pos * inv_freq[i];
        fmath_sincos(angle <= FMATH_SINCOS_MAX ? angle : far_angle(inv_freq[i], pos), &s, &c);
        cosine[i] = (float)(c * magnitude);
        sine[i] = (float)(s * magnitude);
    }
}
