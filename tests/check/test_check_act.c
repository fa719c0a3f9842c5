/* Packing activations, at every level: tile widths, the reference's bits, any cut of the work, and what int8 blocks
 * lose. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/half.h"
#include "tests/support/check.h"

struct packing {
    const struct choir_kernels *k;
    enum dtype_act kind;
    int n_tokens, n_cols, tile;
    size_t ldx, act_bytes;
    struct check_buffer x;
    char name[96];
};

static void expect_same_bytes(const struct packing *p, const struct check_buffer *a, const struct check_buffer *b,
                              const char *how)
{
    for (size_t i = 0; i < a->bytes; i++) {
        if (a->data[i] != b->data[i]) {
            fail_msg("%s, %s: byte %zu of %zu is %d instead of %d", p->name, how, i, a->bytes, b->data[i], a->data[i]);
        }
    }
}

/* Piece by piece: one tile of tokens, one random range of columns at a time. */
static void pack_in_pieces(const struct packing *p, void *act, struct check_rng *r)
{
    const size_t token_bytes = kern_act_token_bytes(p->kind, p->n_cols);
    for (int t = 0; t < p->n_tokens; t += p->tile) {
        int n = p->n_tokens - t < p->tile ? p->n_tokens - t : p->tile;
        for (int c = 0; c < p->n_cols;) {
            int end = c + 64 * check_between(r, 1, 3);
            end = end < p->n_cols ? end : p->n_cols;
            p->k->act_pack[p->kind]((char *)act + (size_t)t * token_bytes,
                                    (const float *)(void *)p->x.data + (size_t)t * p->ldx, p->ldx, n, p->tile,
                                    p->n_cols, c, end);
            c = end;
        }
    }
}

/* What a block stands for is within half a step of what it was made of. */
static void expect_true_q8(const struct packing *p, const char *act)
{
    const float *x = (const float *)(void *)p->x.data;
    for (int t0 = 0; t0 < p->n_tokens; t0 += p->tile) {
        int width = p->n_tokens - t0 < p->tile ? p->n_tokens - t0 : p->tile;
        const char *tile = act + (size_t)t0 * kern_act_token_bytes(p->kind, p->n_cols);
        for (int t = 0; t < width; t++) {
            for (int c = 0; c < p->n_cols; c++) {
                const char *block = tile + (size_t)(c / 32) * (size_t)width * KERN_ACT_Q8_BYTES;
                struct kern_act_q8 a = kern_act_q8_block(block, width);
                double d = (double)a.d[t], q = (double)a.q[t * 32 + c % 32];
                /* a block below 127 * 2^-126 counts as zero */
                check_near((double)x[(size_t)(t0 + t) * p->ldx + (size_t)c], q * d, 0.50002 * d + 127 * 0x1p-126,
                           p->name);
            }
        }
    }
}

/* Rounded to 8 bits of mantissa, subnormals to 0; nothing but zeros behind an odd row. */
static void expect_true_bf16(const struct packing *p, const char *act)
{
    const float *x = (const float *)(void *)p->x.data;
    for (int t = 0; t < p->n_tokens; t++) {
        int t0 = t / p->tile * p->tile;
        int width = p->n_tokens - t0 < p->tile ? p->n_tokens - t0 : p->tile;
        const uint16_t *tile =
            (const uint16_t *)(const void *)(act + (size_t)t0 * kern_act_token_bytes(p->kind, p->n_cols));
        for (int c = 0; c < (p->n_cols + 1) / 2 * 2; c++) {
            double truth = c < p->n_cols ? (double)x[(size_t)t * p->ldx + (size_t)c] : 0;
            double found = (double)base_f32_from_bf16(tile[(c / 2 * width + t - t0) * 2 + c % 2]);
            check_near(truth, found, c < p->n_cols ? fabs(truth) * 0x1p-8 + 0x1p-126 : 0, p->name);
        }
    }
}

static void check_packing(struct packing p, enum check_data data, struct check_rng *r)
{
    struct choir_kernels reference;
    kern_init_reference(&reference);
    p.tile = p.k->act_tile[p.kind](p.n_tokens);
    assert_in_range(p.tile, 1, 1024);
    p.ldx = (size_t)p.n_cols + check_random(r) % 5;
    snprintf(p.name, sizeof p.name, "%s act %d, %d tokens, %d columns, data %d", base_cpu_level_name(p.k->level),
             (int)p.kind, p.n_tokens, p.n_cols, (int)data);
    size_t numbers = (size_t)(p.n_tokens - 1) * p.ldx + (size_t)p.n_cols;
    p.x = check_buffer_open(numbers * 4, 4, 0);
    check_fill(r, data, (float *)(void *)p.x.data, numbers);
    size_t bytes = (size_t)p.n_tokens * kern_act_token_bytes(p.kind, p.n_cols);
    struct check_buffer expected = check_buffer_open(bytes, 64, 4), found = check_buffer_open(bytes, 64, 4);
    struct check_buffer pieces = check_buffer_open(bytes, 64, 4); /* no more alignment than the contract asks for */

    reference.act_pack[p.kind](expected.data, (const float *)(void *)p.x.data, p.ldx, p.n_tokens, p.tile, p.n_cols, 0,
                               p.n_cols);
    p.k->act_pack[p.kind](found.data, (const float *)(void *)p.x.data, p.ldx, p.n_tokens, p.tile, p.n_cols, 0,
                          p.n_cols);
    pack_in_pieces(&p, pieces.data, r);
    expect_same_bytes(&p, &expected, &found, "against the reference");
    expect_same_bytes(&p, &expected, &pieces, "in pieces");
    if (p.kind == DTYPE_ACT_Q8) {
        expect_true_q8(&p, found.data);
    }
    if (p.kind == DTYPE_ACT_BF16) {
        expect_true_bf16(&p, found.data);
    }
    check_buffer_close(&p.x);
    check_buffer_close(&expected);
    check_buffer_close(&found);
    check_buffer_close(&pieces);
}

static void test_act_pack(void **state)
{
    (void)state;
    struct check_levels levels = check_levels_here();
    for (int i = 0; i < levels.n; i++) {
        struct check_rng r = {2};
        for (int n_cols = 1; n_cols <= 200; n_cols++) {
            for (int data = 0; data < CHECK_DATA_COUNT; data++) {
                for (int kind = 0; kind < DTYPE_ACT_COUNT; kind++) {
                    int n_tokens = n_cols % 4 == 0 ? check_between(&r, 21, 50) : check_between(&r, 1, 20);
                    check_packing(
                        (struct packing){
                            .k = &levels.k[i], .kind = (enum dtype_act)kind, .n_tokens = n_tokens, .n_cols = n_cols},
                        (enum check_data)data, &r);
                }
            }
        }
    }
}

/* A block of one token, out of a tile of `width`. */
struct block {
    int8_t q[32];
    float d;
    int32_t bias, bias_lo;
    float dsum;
};

static struct block block_of(const char *tile, int width, int t, int b)
{
    struct block out;
    const struct kern_act_q8 a = kern_act_q8_block(tile + b * width * KERN_ACT_Q8_BYTES, width);
    memcpy(out.q, a.q + t * 32, sizeof out.q);
    memcpy(&out.d, a.d + t, sizeof out.d);
    memcpy(&out.bias, a.bias + t, sizeof out.bias);
    memcpy(&out.bias_lo, a.bias_lo + t, sizeof out.bias_lo);
    memcpy(&out.dsum, a.dsum + t, sizeof out.dsum);
    return out;
}

/* One number of one token is spoiled: that block says NaN, all others are what they were. */
static void check_spoiled(const struct choir_kernels *k, int n_cols, int width, int token, int at, uint32_t bits)
{
    float x[3 * 100];
    char clean[3 * 192], found[3 * 192];
    for (int i = 0; i < width * n_cols; i++) {
        x[i] = (float)(i % 37 - 20) * (i % 2 ? 3e38f / 20 : 1.0f); /* the largest finite numbers among them */
    }
    k->act_pack[DTYPE_ACT_Q8](clean, x, (size_t)n_cols, width, width, n_cols, 0, n_cols);
    x[token * n_cols + at] = base_f32_from_bits(bits);
    k->act_pack[DTYPE_ACT_Q8](found, x, (size_t)n_cols, width, width, n_cols, 0, n_cols);
    for (int t = 0; t < width; t++) {
        for (int b = 0; b < (n_cols + 63) / 64 * 2; b++) {
            struct block expected = block_of(clean, width, t, b), y = block_of(found, width, t, b);
            assert_true(isfinite(expected.d));
            if (t == token && b == at / 32) {
                const float nan = base_f32_from_bits(0x7fc00000);
                expected = (struct block){.d = nan, .dsum = nan};
            }
            assert_memory_equal(&expected, &y, sizeof y);
        }
    }
}

/* NaNs of either sign, quiet and signalling, with the smallest and the largest payload, and infinities; at every place
 * of whole blocks and of one that the row ends in. */
static void test_not_finite(void **state)
{
    (void)state;
    static const uint32_t spoiled[] = {0x7f800000, 0xff800000, 0x7f800001, 0xff800001,
                                       0x7fc00000, 0xffc00000, 0x7fffffff, 0xffffffff};
    static const int columns[] = {64, 100, 33, 7};
    struct check_levels levels = check_levels_here();
    for (int i = 0; i < levels.n; i++) {
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            for (int at = 0; at < columns[c]; at++) {
                for (size_t v = 0; v < sizeof spoiled / sizeof *spoiled; v++) {
                    check_spoiled(&levels.k[i], columns[c], 1 + at % 3, at % (1 + at % 3), at, spoiled[v]);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_act_pack), cmocka_unit_test(test_not_finite)};
    return cmocka_run_group_tests_name("check act", tests, NULL, NULL);
}
