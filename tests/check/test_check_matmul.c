/* matmul of every level and type against the reference, bit for bit, and against double precision. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/half.h"
#include "kernels/pack.h"
#include "kernels/panel_block.h"
#include "kernels/reference.h"
#include "tests/support/blocks.h"
#include "tests/support/check.h"

/* One multiplication: shapes, data, and what belongs to them. */
struct product {
    choir_dtype type;
    enum dtype_act act_kind; /* what the level wants for that type */
    int n_rows, n_cols, n_tokens, tile;
    size_t ldx, ldy, row_bytes;
    enum check_data data;
    bool add;
    struct check_buffer rows; /* file layout */
    struct check_buffer W;    /* panels */
    struct check_buffer x;    /* [n_tokens, ldx] */
    struct check_buffer act;
    struct check_buffer y0; /* [n_tokens, ldy] what y holds before */
    char name[128];
};

/* Rows in the file layout: integers or anything finite. */
static void fill_rows(struct check_rng *r, const struct product *p)
{
    const size_t n = (size_t)p->n_rows * p->row_bytes;
    uint8_t *bytes = (uint8_t *)p->rows.data;
    if (dtype_table[p->type].block_len == 1) {
        for (size_t i = 0; i < n / (size_t)dtype_table[p->type].block_bytes; i++) {
            float f;
            check_fill(r, p->data, &f, 1);
            /* 16-bit types also see every kind of bit pattern that is no NaN or infinity */
            uint16_t any = (uint16_t)(check_random(r) & (p->type == DTYPE_F16 ? 0xfbffu : 0xff7fu));
            bool random_bits = p->data == CHECK_EXTREMES && check_random(r) % 2 == 0;
            uint16_t h = random_bits            ? any
                         : p->type == DTYPE_F16 ? base_f16_from_f32(fminf(fmaxf(f, -65504.0f), 65504.0f))
                                                : base_bf16_from_f32(f);
            memcpy(bytes + i * (size_t)dtype_table[p->type].block_bytes, p->type == DTYPE_F32 ? (void *)&f : (void *)&h,
                   (size_t)dtype_table[p->type].block_bytes);
        }
        return;
    }
    /* all weights at an end of their range, now and then with all scales there, too */
    static const uint8_t ends[] = {0x00, 0x80, 0xff};
    const bool same = p->data == CHECK_EXTREMES && check_random(r) % 2 == 0;
    const uint8_t end = ends[check_random(r) % 3];
    for (size_t i = 0; i < n; i++) {
        bytes[i] = same && check_random(r) % 64 != 0 ? end : (uint8_t)check_random(r);
    }
    for (size_t i = 0; i < n; i += (size_t)dtype_table[p->type].block_bytes) {
        uint16_t f16[2];
        for (int k = 0; k < 2; k++) {
            f16[k] = p->data == CHECK_EXTREMES ? (uint16_t)(check_random(r) & 0xfbffu)
                                               : base_f16_from_f32(p->data == CHECK_INTEGERS ? 1.0f : check_uniform(r));
        }
        blocks_set_f16(p->type, bytes + i, f16[0], f16[1]);
    }
}

static void pack_rows(void *W, const struct product *p, int first, int n_rows)
{
    size_t panel_bytes = dtype_panel_bytes(p->type, (size_t)p->n_cols);
    for (int r = 0; r < n_rows; r += DTYPE_PANEL_ROWS) {
        int n = n_rows - r < DTYPE_PANEL_ROWS ? n_rows - r : DTYPE_PANEL_ROWS;
        kern_pack_panel(p->type, (char *)W + (size_t)(r / DTYPE_PANEL_ROWS) * panel_bytes,
                        p->rows.data + (size_t)(first + r) * p->row_bytes, p->row_bytes, n, p->n_cols);
    }
}

static void product_open(struct product *p, struct check_rng *r, const struct choir_kernels *k)
{
    const enum dtype_act kind = p->act_kind = k->act[p->type];
    p->tile = k->act_tile[kind](p->n_tokens);
    p->ldx = (size_t)p->n_cols + check_random(r) % 3;
    p->ldy = (size_t)p->n_rows + check_random(r) % 3;
    p->row_bytes = dtype_row_bytes(p->type, (size_t)p->n_cols);
    p->rows = check_buffer_open((size_t)p->n_rows * p->row_bytes, 4, 2);
    p->W = check_buffer_open(dtype_packed_bytes(p->type, (size_t)p->n_rows, (size_t)p->n_cols), 64, 0);
    size_t x_numbers = (size_t)(p->n_tokens - 1) * p->ldx + (size_t)p->n_cols;
    size_t y_numbers = (size_t)(p->n_tokens - 1) * p->ldy + (size_t)p->n_rows;
    p->x = check_buffer_open(x_numbers * 4, 4, 0);
    p->y0 = check_buffer_open(y_numbers * 4, 4, 0);
    p->act = check_buffer_open((size_t)p->n_tokens * kern_act_token_bytes(kind, p->n_cols), 64, 4);
    fill_rows(r, p);
    check_fill(r, p->data, (float *)(void *)p->x.data, x_numbers);
    check_fill(r, p->data == CHECK_EXTREMES ? CHECK_REALS : p->data, (float *)(void *)p->y0.data, y_numbers);
    pack_rows(p->W.data, p, 0, p->n_rows);
    struct choir_kernels reference;
    kern_init_reference(&reference);
    reference.act_pack[kind](p->act.data, (const float *)(void *)p->x.data, p->ldx, p->n_tokens, p->tile, p->n_cols, 0,
                             p->n_cols);
    snprintf(p->name, sizeof p->name, "%s %s %d x %d, %d tokens, data %d%s", base_cpu_level_name(k->level),
             dtype_table[p->type].name, p->n_rows, p->n_cols, p->n_tokens, (int)p->data, p->add ? ", add" : "");
}

static void product_close(struct product *p)
{
    check_buffer_close(&p->rows);
    check_buffer_close(&p->W);
    check_buffer_close(&p->x);
    check_buffer_close(&p->act);
    check_buffer_close(&p->y0);
}

/* A fresh y that holds what y held before. */
static struct check_buffer y_open(const struct product *p)
{
    struct check_buffer y = check_buffer_open(p->y0.bytes, 4, 0);
    memcpy(y.data, p->y0.data, y.bytes);
    return y;
}

static void expect_same(const struct product *p, const struct check_buffer *expected, const struct check_buffer *found,
                        const char *how)
{
    char what[192];
    snprintf(what, sizeof what, "%s: %s", p->name, how);
    check_equal((const float *)(void *)expected->data, (const float *)(void *)found->data, found->bytes / 4, what);
}

/* Column c of a quantized row, and the magnitudes it is the difference of. */
static void quant_weight(const struct product *p, const char *panel, int row, int c, double *w, double *size)
{
    struct kern_panel_block b;
    kern_panel_block_get(p->type, &b, panel, row, (size_t)(c / 32));
    const double scaled = (double)b.scale[c % 32 / 16] * b.w[c % 32], min = (double)b.min[c % 32 / 16];
    *w = scaled - min;
    *size = fabs(scaled) + fabs(min);
}

/* sum over k of w x, and of the magnitudes added, in double precision; for int8 activations x is what they stand for. */
static void multiply_in_double(const struct product *p, int row, int token, double *sum, double *magnitude)
{
    float *plain = malloc((size_t)p->n_cols * sizeof *plain);
    const char *panel = p->W.data + (size_t)(row / DTYPE_PANEL_ROWS) * dtype_panel_bytes(p->type, (size_t)p->n_cols);
    kern_unpack_row(p->type, plain, panel, row % DTYPE_PANEL_ROWS, p->n_cols);
    int t0 = token / p->tile * p->tile, t = token - t0;
    int width = p->n_tokens - t0 < p->tile ? p->n_tokens - t0 : p->tile;
    const enum dtype_act kind = p->act_kind;
    const char *tile = p->act.data + (size_t)t0 * kern_act_token_bytes(kind, p->n_cols);
    *sum = *magnitude = 0;
    for (int c = 0; c < p->n_cols; c++) {
        double x, w = (double)plain[c], size = fabs(w);
        if (kind == DTYPE_ACT_F32) {
            x = (double)((const float *)(const void *)tile)[c * width + t];
        } else if (kind == DTYPE_ACT_BF16) { /* subnormal weights count as 0 */
            x = (double)base_f32_from_bf16(((const uint16_t *)(const void *)tile)[(c / 2 * width + t) * 2 + c % 2]);
            w = size < 0x1p-126 ? 0 : w;
        } else {
            const char *block = tile + (size_t)(c / 32) * (size_t)width * KERN_ACT_Q8_BYTES;
            const struct kern_act_q8 a = kern_act_q8_block(block, width);
            x = (double)a.q[t * 32 + c % 32] * (double)a.d[t];
            quant_weight(p, panel, row % DTYPE_PANEL_ROWS, c, &w, &size);
        }
        *sum += w * x;
        *magnitude += size * fabs(x);
    }
    free(plain);
}

/* A chain of n fused multiply-adds is within n half-ulps of the sum of magnitudes; the product of two scales is one
 * more rounding; below 2^-126 roundings are absolute. */
static void expect_true(const struct product *p, const struct check_buffer *y, struct check_rng *r)
{
    for (int i = 0; i < 8; i++) {
        int row = check_between(r, 0, p->n_rows - 1), token = check_between(r, 0, p->n_tokens - 1);
        double sum, magnitude;
        multiply_in_double(p, row, token, &sum, &magnitude);
        size_t at = (size_t)token * p->ldy + (size_t)row;
        double before = p->add ? (double)((const float *)(void *)p->y0.data)[at] : 0;
        double bound = (p->n_cols + 3) * (0x1p-23 * magnitude + 0x1p-120) + 0x1p-23 * fabs(before);
        if (magnitude < 1e38) {
            check_near(before + sum, (double)((const float *)(void *)y->data)[at], bound, p->name);
        }
    }
}

/* The work cut by token tiles, by panels, down to one token and down to one row: the same bits each time. */
static void expect_any_cut_same(const struct product *p, const struct choir_kernels *k,
                                const struct check_buffer *whole, struct check_rng *r)
{
    const size_t token_bytes = kern_act_token_bytes(p->act_kind, p->n_cols);
    struct check_buffer y = y_open(p);
    float *out = (float *)(void *)y.data;
    for (int t = 0; t < p->n_tokens; t += p->tile) {
        int width = p->n_tokens - t < p->tile ? p->n_tokens - t : p->tile;
        for (int row = 0; row < p->n_rows; row += DTYPE_PANEL_ROWS) {
            int n = p->n_rows - row < DTYPE_PANEL_ROWS ? p->n_rows - row : DTYPE_PANEL_ROWS;
            const char *panel =
                p->W.data + (size_t)(row / DTYPE_PANEL_ROWS) * dtype_panel_bytes(p->type, (size_t)p->n_cols);
            k->matmul[p->type](out + (size_t)t * p->ldy + row, p->ldy, panel, n, p->n_cols,
                               p->act.data + (size_t)t * token_bytes, width, p->tile, p->add);
        }
    }
    expect_same(p, whole, &y, "cut by panels and tiles");
    check_buffer_close(&y);

    int token = check_between(r, 0, p->n_tokens - 1), row = check_between(r, 0, p->n_rows - 1);
    struct check_buffer act = check_buffer_open(token_bytes, 64, 4);
    struct check_buffer W = check_buffer_open(dtype_packed_bytes(p->type, 1, (size_t)p->n_cols), 64, 0);
    const int tile = k->act_tile[p->act_kind](1);
    k->act_pack[p->act_kind](act.data, (const float *)(void *)p->x.data + (size_t)token * p->ldx, p->ldx, 1, tile,
                             p->n_cols, 0, p->n_cols);
    pack_rows(W.data, p, row, 1);
    size_t at = (size_t)token * p->ldy + (size_t)row;
    float alone = ((const float *)(void *)p->y0.data)[at];
    k->matmul[p->type](&alone, 1, W.data, 1, p->n_cols, act.data, 1, tile, p->add);
    check_equal((const float *)(void *)whole->data + at, &alone, 1, p->name);
    check_buffer_close(&act);
    check_buffer_close(&W);
}

static void check_product(struct product p, const struct choir_kernels *k, struct check_rng *r)
{
    struct choir_kernels reference;
    kern_init_reference(&reference);
    product_open(&p, r, k);
    struct check_buffer expected = y_open(&p), found = y_open(&p);
    ref_matmul_fn *multiply = p.act_kind == DTYPE_ACT_BF16 ? ref_matmul_bf16_dot : reference.matmul[p.type];
    multiply((float *)(void *)expected.data, p.ldy, p.W.data, p.n_rows, p.n_cols, p.act.data, p.n_tokens, p.tile,
             p.add);
    k->matmul[p.type]((float *)(void *)found.data, p.ldy, p.W.data, p.n_rows, p.n_cols, p.act.data, p.n_tokens, p.tile,
                      p.add);
    expect_same(&p, &expected, &found, "against the reference");
    expect_true(&p, &found, r);
    expect_any_cut_same(&p, k, &found, r);
    check_buffer_close(&expected);
    check_buffer_close(&found);
    product_close(&p);
}

/* Every number of columns, of tokens, of rows, each with the other two at random. */
static void check_type(choir_dtype type, const struct choir_kernels *k, struct check_rng *r)
{
    const int block = dtype_table[type].block_len;
    for (int i = 1; i <= 136; i++) {
        for (int data = 0; data < CHECK_DATA_COUNT; data++) {
            if ((i * CHECK_DATA_COUNT + data) % check_every() != 0) {
                continue;
            }
            static const int wide[] = {172, 255, 256, 257, 288, 512};
            struct product p = {.type = type, .data = (enum check_data)data, .add = check_random(r) % 2};
            int cols = i <= 130 ? i : wide[i - 131];
            p.n_cols = block == 1 ? cols : block == 32 ? (1 + cols % 17) * 32 : (1 + cols % 3) * 256;
            p.n_rows = i % 3 == 0 ? 1 + i % 49 : check_between(r, 1, 49);
            int tokens = i % 21 + 1;
            p.n_tokens = tokens == 21 ? 33 : tokens;
            check_product(p, k, r);
        }
    }
    const int stride = check_every() == 1 ? 1 : 4;
    for (int i = 0; i < 12; i += stride) { /* many tokens, many rows, more columns */
        struct product p = {.type = type, .data = (enum check_data)(i % CHECK_DATA_COUNT), .add = i % 2};
        p.n_cols = block == 1 ? check_between(r, 130, 700) : block * check_between(r, 1, 1280 / block);
        p.n_rows = check_between(r, 1, 130);
        p.n_tokens = i == 0 ? 150 : check_between(r, 16, 70); /* 150: more than a unit of weights meets at once */
        check_product(p, k, r);
    }
}

/* The reference alone against double precision, then every level against the reference. */
static void test_matmul(void **state)
{
    (void)state;
    struct check_levels levels = check_levels_here();
    for (int type = 0; type < DTYPE_COUNT; type++) {
        for (int i = 0; i < levels.n; i++) {
            struct check_rng r = {1u + (uint64_t)type};
            bool known = false; /* the same function at a lower level has been checked */
            for (int j = 0; j < i; j++) {
                const enum dtype_act kind = levels.k[i].act[type];
                known = known || (levels.k[j].matmul[type] == levels.k[i].matmul[type] &&
                                  levels.k[j].act_tile[kind] == levels.k[i].act_tile[kind]);
            }
            if (!known) {
                check_type((choir_dtype)type, &levels.k[i], &r);
            }
        }
    }
}

/* One number of one token is no number: that token's rows are not finite, and not the others'. */
static void check_spoiled(choir_dtype type, const struct choir_kernels *k, int n_tokens, struct check_rng *r)
{
    const int n_cols = dtype_table[type].block_len == 256 ? 512 : 160;
    struct product p = {.type = type, .data = CHECK_REALS, .n_rows = 37, .n_cols = n_cols, .n_tokens = n_tokens};
    product_open(&p, r, k);
    const int token = check_between(r, 0, n_tokens - 1);
    float *x = (float *)(void *)p.x.data;
    x[(size_t)token * p.ldx + check_random(r) % (uint32_t)n_cols] = check_random(r) % 2 ? NAN : -INFINITY;
    struct check_buffer clean = y_open(&p), found = y_open(&p);
    for (int spoil = 0; spoil < 2; spoil++) {
        if (spoil == 1) { /* product_open packed x as it was before */
            k->act_pack[p.act_kind](p.act.data, x, p.ldx, n_tokens, p.tile, p.n_cols, 0, p.n_cols);
        }
        k->matmul[type]((float *)(void *)(spoil ? found : clean).data, p.ldy, p.W.data, p.n_rows, p.n_cols, p.act.data,
                        n_tokens, p.tile, false);
    }
    for (int t = 0; t < n_tokens; t++) {
        const float *expected = (const float *)(void *)clean.data + (size_t)t * p.ldy;
        const float *y = (const float *)(void *)found.data + (size_t)t * p.ldy;
        for (int row = 0; row < p.n_rows; row++) {
            if (t == token ? isfinite(y[row]) : !check_same(expected[row], y[row])) {
                fail_msg("%s: with token %d spoiled, token %d row %d is %a", p.name, token, t, row, (double)y[row]);
            }
        }
    }
    check_buffer_close(&clean);
    check_buffer_close(&found);
    product_close(&p);
}

static void test_not_finite(void **state)
{
    (void)state;
    struct check_levels levels = check_levels_here();
    struct check_rng r = {7};
    for (int i = 0; i < levels.n; i++) {
        for (int type = 0; type < DTYPE_COUNT; type++) {
            for (int n_tokens = 1; n_tokens <= 20; n_tokens++) {
                check_spoiled((choir_dtype)type, &levels.k[i], n_tokens, &r);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_matmul), cmocka_unit_test(test_not_finite)};
    return cmocka_run_group_tests_name("check matmul", tests, NULL, NULL);
}
