/* One span of attention at every level: against the reference, bit for bit, and against double precision; and the
 * merging of spans, the storing of keys and values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/half.h"
#include "tests/support/check.h"

enum { MAX_TILES = KERN_ATTN_SPAN / KERN_ATTN_TILE };

static const size_t number_bytes[KERN_KV_COUNT] = {4, 2, 1};

struct span {
    enum kern_kv kv;
    int n_q, head_dim, n_tokens;
    enum check_data data;
    float softcap;
    struct check_buffer q, from, to, k[MAX_TILES], v[MAX_TILES];
    const void *k_tiles[MAX_TILES], *v_tiles[MAX_TILES];
    char name[128];
};

/* What a kernel writes. */
struct output {
    struct check_buffer m, l, acc;
};

static float *floats(const struct check_buffer *b)
{
    return (float *)(void *)b->data;
}

/* Number i of a tile, in which it is dimension d of token `lane`. */
static float number_at(const struct span *s, const void *tile, int i, int d, int lane)
{
    uint16_t h;
    if (s->kv == KERN_KV_F32) {
        return ((const float *)tile)[i];
    }
    if (s->kv == KERN_KV_F16) {
        return base_f32_from_f16(((const uint16_t *)tile)[i]);
    }
    const char *scales = (const char *)tile + s->head_dim * KERN_ATTN_TILE;
    memcpy(&h, scales + 2 * (d / KERN_KV_BLOCK * KERN_ATTN_TILE + lane), sizeof h);
    return (float)((const int8_t *)tile)[i] * base_f32_from_f16(h);
}

static double key(const struct span *s, int t, int d)
{
    int lane = t % KERN_ATTN_TILE;
    return (double)number_at(s, s->k_tiles[t / KERN_ATTN_TILE], d * KERN_ATTN_TILE + lane, d, lane);
}

static double value(const struct span *s, int t, int d)
{
    int lane = t % KERN_ATTN_TILE;
    return (double)number_at(s, s->v_tiles[t / KERN_ATTN_TILE], lane * s->head_dim + d, d, lane);
}

/* Number i of a tile as the span's data say; tokens past the end of the span hold garbage, as a used cache does. */
static float random_number(const struct span *s, struct check_rng *r, size_t i, bool past_end)
{
    float f;
    check_fill(r, s->data == CHECK_EXTREMES ? CHECK_REALS : s->data, &f, 1);
    if (s->data == CHECK_EXTREMES) {
        f *= i % 7 == 0 ? 1000.0f : 1e-6f; /* f16 subnormals among them */
    }
    return !past_end ? f : i % 2 ? NAN : INFINITY;
}

/* Quants of all sizes, -128 among them, and scales. */
static void fill_q8_0(const struct span *s, struct check_rng *r, char *tile, int tokens)
{
    const int n = s->head_dim * KERN_ATTN_TILE;
    for (int i = 0; i < n; i++) {
        tile[i] = (char)check_between(r, s->data == CHECK_INTEGERS ? -8 : -128, s->data == CHECK_INTEGERS ? 8 : 127);
    }
    for (int i = 0; i < (s->head_dim + KERN_KV_BLOCK - 1) / KERN_KV_BLOCK * KERN_ATTN_TILE; i++) {
        float f = s->data == CHECK_INTEGERS ? 1.0f : fabsf(random_number(s, r, (size_t)i, false)) / 127.0f;
        uint16_t h = base_f16_from_f32(i % KERN_ATTN_TILE < tokens ? f : NAN);
        memcpy(tile + n + 2 * i, &h, sizeof h);
    }
}

/* A tile of numbers of the cache's type. */
static struct check_buffer tile_open(const struct span *s, struct check_rng *r, int i, bool is_k)
{
    const size_t n = (size_t)s->head_dim * KERN_ATTN_TILE;
    struct check_buffer b = check_buffer_open(KERN_ATTN_TILE * kern_kv_token_bytes(s->kv, s->head_dim), 4, 0);
    if (s->kv == KERN_KV_Q8_0) {
        fill_q8_0(s, r, b.data, s->n_tokens - i * KERN_ATTN_TILE);
        return b;
    }
    for (size_t j = 0; j < n; j++) {
        size_t token = (size_t)(i * KERN_ATTN_TILE) + (is_k ? j % KERN_ATTN_TILE : j / (size_t)s->head_dim);
        float f = random_number(s, r, j, token >= (size_t)s->n_tokens);
        uint16_t h = base_f16_from_f32(f);
        memcpy(b.data + j * number_bytes[s->kv], s->kv == KERN_KV_F32 ? (void *)&f : (void *)&h, number_bytes[s->kv]);
    }
    return b;
}

/* Ranges as they occur: all see all, causal, a window, anything at all, nothing. */
static void fill_ranges(const struct span *s, struct check_rng *r)
{
    int32_t *from = (int32_t *)(void *)s->from.data, *to = (int32_t *)(void *)s->to.data;
    const int shape = check_between(r, 0, 4), n = s->n_tokens, window = check_between(r, 1, n);
    for (int i = 0; i < s->n_q; i++) {
        int last = n - (s->n_q - 1 - i) / 2;
        from[i] = 0;
        to[i] = n;
        if (shape == 1 || shape == 2) {
            to[i] = last < 0 ? 0 : last;
        }
        if (shape == 2) {
            from[i] = to[i] > window ? to[i] - window : 0;
        }
        if (shape == 3) {
            from[i] = check_between(r, 0, n);
            to[i] = check_between(r, 0, n);
        }
        if (shape == 4 && check_random(r) % 3 == 0) {
            from[i] = to[i] = check_between(r, 0, n);
        }
    }
}

static void span_open(struct span *s, struct check_rng *r, const struct choir_kernels *k)
{
    s->q = check_buffer_open((size_t)s->n_q * (size_t)s->head_dim * 4, 4, 0);
    s->from = check_buffer_open((size_t)s->n_q * 4, 4, 0);
    s->to = check_buffer_open((size_t)s->n_q * 4, 4, 0);
    check_fill(r, s->data == CHECK_EXTREMES ? CHECK_REALS : s->data, floats(&s->q), (size_t)(s->n_q * s->head_dim));
    for (int i = 0; i * KERN_ATTN_TILE < s->n_tokens; i++) {
        s->k[i] = tile_open(s, r, i, true);
        s->v[i] = tile_open(s, r, i, false);
        s->k_tiles[i] = s->k[i].data;
        s->v_tiles[i] = s->v[i].data;
    }
    fill_ranges(s, r);
    snprintf(s->name, sizeof s->name, "%s attention kv %d, %d rows of %d, %d tokens, data %d, cap %g",
             base_cpu_level_name(k->level), (int)s->kv, s->n_q, s->head_dim, s->n_tokens, (int)s->data,
             (double)s->softcap);
}

static void span_close(struct span *s)
{
    check_buffer_close(&s->q);
    check_buffer_close(&s->from);
    check_buffer_close(&s->to);
    for (int i = 0; i * KERN_ATTN_TILE < s->n_tokens; i++) {
        check_buffer_close(&s->k[i]);
        check_buffer_close(&s->v[i]);
    }
}

static void output_close(struct output *o)
{
    check_buffer_close(&o->m);
    check_buffer_close(&o->l);
    check_buffer_close(&o->acc);
}

/* Rows [first, first + n) of the span through a kernel. */
static struct output attend(const struct span *s, const struct choir_kernels *k, int first, int n)
{
    struct output o = {.m = check_buffer_open((size_t)n * 4, 4, 0),
                       .l = check_buffer_open((size_t)n * 4, 4, 0),
                       .acc = check_buffer_open((size_t)(n * s->head_dim) * 4, 4, 0)};
    struct check_buffer scratch = check_buffer_open(kern_attn_scratch(s->head_dim) * sizeof(float), 64, 0);
    struct kern_attn_span a = {.q = floats(&s->q) + first * s->head_dim,
                               .n_q = n,
                               .head_dim = s->head_dim,
                               .n_tokens = s->n_tokens,
                               .k_tiles = s->k_tiles,
                               .v_tiles = s->v_tiles,
                               .from = (const int32_t *)(const void *)s->from.data + first,
                               .to = (const int32_t *)(const void *)s->to.data + first,
                               .softcap = s->softcap,
                               .m = floats(&o.m),
                               .l = floats(&o.l),
                               .acc = floats(&o.acc),
                               .scratch = floats(&scratch)};
    k->attn_span[s->kv](&a);
    check_buffer_close(&scratch);
    return o;
}

static double score_in_double(const struct span *s, int row, int t, double *magnitude)
{
    double sum = 0;
    *magnitude = 0;
    for (int d = 0; d < s->head_dim; d++) {
        double term = (double)floats(&s->q)[row * s->head_dim + d];
        term *= key(s, t, d);
        sum += term;
        *magnitude += fabs(term);
    }
    return s->softcap > 0 ? (double)s->softcap * tanh(sum / (double)s->softcap) : sum;
}

/* acc / l is the softmax average of v.  A score is off by up to head_dim half-ulps of its magnitudes and some of its cap (e), which makes
 * every weight off by a factor of exp(2 e) at most; sums and exps add an ulp or so a token. */
static void expect_true(const struct span *s, const struct output *o, int row)
{
    int from = ((const int32_t *)(const void *)s->from.data)[row],
        to = ((const int32_t *)(const void *)s->to.data)[row];
    if (from >= to) {
        assert_true(floats(&o->m)[row] == -INFINITY && floats(&o->l)[row] == 0.0f);
        return;
    }
    double p[KERN_ATTN_SPAN], top = -INFINITY, worst = 0, l = 0;
    for (int t = from; t < to; t++) {
        double magnitude;
        p[t] = score_in_double(s, row, t, &magnitude);
        top = fmax(top, p[t]);
        worst = fmax(worst, magnitude);
    }
    for (int t = from; t < to; t++) {
        p[t] = exp(p[t] - top);
        l += p[t];
    }
    double slack =
        expm1(2 * worst * (s->head_dim + 2) * 0x1p-24 + (double)s->softcap * 0x1p-21) + (to - from + 80) * 0x1p-23;
    for (int d = 0; d < s->head_dim; d++) {
        double sum = 0, magnitude = 0;
        for (int t = from; t < to; t++) {
            sum += p[t] / l * value(s, t, d);
            magnitude += p[t] / l * fabs(value(s, t, d));
        }
        double found = (double)floats(&o->acc)[row * s->head_dim + d] / (double)floats(&o->l)[row];
        check_near(sum, found, 2 * slack * magnitude + 1e-30, s->name);
    }
}

static void expect_same(const struct span *s, const struct output *expected, const struct output *found)
{
    check_equal(floats(&expected->m), floats(&found->m), found->m.bytes / 4, s->name);
    check_equal(floats(&expected->l), floats(&found->l), found->l.bytes / 4, s->name);
    check_equal(floats(&expected->acc), floats(&found->acc), found->acc.bytes / 4, s->name);
}

static void check_span(struct span s, const struct choir_kernels *k, struct check_rng *r)
{
    struct choir_kernels reference;
    kern_init_reference(&reference);
    span_open(&s, r, k);
    struct output expected = attend(&s, &reference, 0, s.n_q), found = attend(&s, k, 0, s.n_q);
    expect_same(&s, &expected, &found);
    const int row = check_between(r, 0, s.n_q - 1);
    expect_true(&s, &found, row);
    struct output alone = attend(&s, k, row, 1); /* without its neighbours a row is the same */
    check_equal(floats(&found.m) + row, floats(&alone.m), 1, s.name);
    check_equal(floats(&found.l) + row, floats(&alone.l), 1, s.name);
    check_equal(floats(&found.acc) + row * s.head_dim, floats(&alone.acc), (size_t)s.head_dim, s.name);
    output_close(&alone);
    output_close(&expected);
    output_close(&found);
    span_close(&s);
}

static void test_span(void **state)
{
    (void)state;
    struct check_levels levels = check_levels_here();
    for (int i = 0; i < levels.n; i++) {
        struct check_rng r = {3};
        for (int n = 0; n < 900; n += check_every()) {
            struct span s = {.kv = (enum kern_kv)(n % KERN_KV_COUNT), .data = (enum check_data)(n / KERN_KV_COUNT % 3)};
            bool large = n % 10 == 0;
            s.n_q = 1 + n % (large ? KERN_ATTN_ROWS : 17);
            s.head_dim = n < 256 ? 2 * (n / 2 + 1) : 8 * check_between(&r, 1, large ? 32 : 16);
            s.softcap = n % 4 == 1 ? (n % 3 ? 50.0f : 1.5f) : 0.0f;
            s.n_tokens = n % 5 ? check_between(&r, 1, 140) : check_between(&r, 1, KERN_ATTN_SPAN);
            check_span(s, &levels.k[i], &r);
        }
    }
}

static void test_widest(void **state) /* the limits of the contract */
{
    (void)state;
    struct check_levels levels = check_levels_here();
    for (int i = 0; i < levels.n; i++) {
        struct check_rng r = {4};
        for (int kv = 0; kv < KERN_KV_COUNT; kv++) {
            check_span(
                (struct span){.kv = (enum kern_kv)kv, .n_q = 3, .head_dim = 1024, .n_tokens = 100, .data = CHECK_REALS},
                &levels.k[i], &r);
            check_span((struct span){.kv = (enum kern_kv)kv,
                                     .n_q = KERN_ATTN_ROWS,
                                     .head_dim = 64,
                                     .n_tokens = KERN_ATTN_SPAN,
                                     .data = CHECK_REALS},
                       &levels.k[i], &r);
        }
    }
}

/* One number of one token's key or value is spoiled on its way into the cache.  Rows that see the token are NaN in all
 * of l and acc (a value: in its dimension, or block of them), rows that do not are what they were; and a merge loses nothing. */
static void check_spoiled(struct span s, const struct choir_kernels *k, bool is_k, float bad, struct check_rng *r)
{
    struct choir_kernels reference;
    kern_init_reference(&reference);
    span_open(&s, r, k);
    const int t = check_between(r, 0, s.n_tokens - 1), d = check_between(r, 0, s.head_dim - 1);
    const int lane = t % KERN_ATTN_TILE, hd = s.head_dim;
    struct output clean = attend(&s, k, 0, s.n_q);
    float head[1024];
    for (int i = 0; i < hd; i++) {
        head[i] = i == d ? bad : (float)(is_k ? key(&s, t, i) : value(&s, t, i));
    }
    char *tile = (is_k ? s.k : s.v)[t / KERN_ATTN_TILE].data;
    (is_k ? k->kv_put_k : k->kv_put_v)[s.kv](tile, KERN_ATTN_TILE, lane, head, hd);
    struct output expected = attend(&s, &reference, 0, s.n_q), found = attend(&s, k, 0, s.n_q);
    expect_same(&s, &expected, &found);
    for (int i = 0; i < s.n_q; i++) {
        const bool sees =
            ((const int32_t *)(const void *)s.from.data)[i] <= t && t < ((const int32_t *)(const void *)s.to.data)[i];
        float *acc = floats(&found.acc) + i * hd, *m = floats(&found.m) + i, *l = floats(&found.l) + i;
        if (!sees) {
            check_equal(floats(&clean.acc) + i * hd, acc, (size_t)hd, s.name);
            check_equal(floats(&clean.l) + i, l, 1, s.name);
            continue;
        }
        float other_m = 1.0f, other_l = 2.0f, other[258] = {0}; /* merged either way round */
        k->attn_merge(&other_m, &other_l, other, *m, *l, acc, hd);
        k->attn_merge(m, l, acc, 1.0f, 2.0f, floats(&clean.acc), hd);
        for (int j = 0; j < hd; j++) {
            const bool spoiled = is_k || j == d || (s.kv == KERN_KV_Q8_0 && j / KERN_KV_BLOCK == d / KERN_KV_BLOCK);
            if (spoiled && (isfinite(acc[j]) || isfinite(other[j]))) {
                fail_msg("%s: %a at %d in %c is lost", s.name, (double)bad, t, is_k ? 'k' : 'v');
            }
        }
        assert_true(!is_k || (isnan(*l) && isnan(other_l)));
    }
    output_close(&clean);
    output_close(&expected);
    output_close(&found);
    span_close(&s);
}

static void test_not_finite(void **state)
{
    (void)state;
    static const float values[] = {NAN, -NAN, INFINITY, -INFINITY};
    struct check_levels levels = check_levels_here();
    for (int i = 0; i < levels.n; i++) {
        struct check_rng r = {8};
        for (int n = 0; n < 400; n += check_every()) {
            struct span s = {.kv = (enum kern_kv)(n % KERN_KV_COUNT), .data = CHECK_REALS};
            s.n_q = 1 + n % 13;
            s.head_dim = 2 * check_between(&r, 1, 40);
            s.softcap = n % 5 == 1 ? 50.0f : 0.0f;
            s.n_tokens = n % 3 ? check_between(&r, 1, 4) : check_between(&r, 1, 200);
            check_spoiled(s, &levels.k[i], n / 3 % 2, values[n / 6 % 4], &r);
            s.kv = KERN_KV_F16; /* finite, but not to f16 */
            check_spoiled(s, &levels.k[i], n / 2 % 2, n % 2 ? 65520.0f : -1e30f, &r);
        }
    }
}

static void test_merge(void **state)
{
    (void)state;
    struct check_levels levels = check_levels_here();
    struct choir_kernels reference;
    kern_init_reference(&reference);
    static const float maxima[] = {-INFINITY, -3.0f, 0.0f, 0.5f, 200.0f};
    for (int i = 0; i < levels.n; i++) {
        struct check_rng r = {5};
        for (int head_dim = 2; head_dim <= 256; head_dim += 2) {
            const size_t n = (size_t)head_dim;
            struct check_buffer a = check_buffer_open(n * 4, 4, 0), b = check_buffer_open(n * 4, 4, 0);
            struct check_buffer later = check_buffer_open(n * 4, 4, 0);
            float m = maxima[check_random(&r) % 5], l = m == -INFINITY ? 0 : 2, m2 = maxima[check_random(&r) % 5],
                  l2 = m2 == -INFINITY ? 0 : 3;
            check_fill(&r, CHECK_REALS, floats(&a), n);
            memcpy(b.data, a.data, n * 4);
            check_fill(&r, CHECK_REALS, floats(&later), n);
            float expected[2] = {m, l}, found[2] = {m, l};
            reference.attn_merge(expected, expected + 1, floats(&a), m2, l2, floats(&later), head_dim);
            levels.k[i].attn_merge(found, found + 1, floats(&b), m2, l2, floats(&later), head_dim);
            check_equal(expected, found, 2, "merged m, l");
            check_equal(floats(&a), floats(&b), n, "merged acc");
            check_buffer_close(&a);
            check_buffer_close(&b);
            check_buffer_close(&later);
        }
    }
}

/* The same tile, or both NaN; no infinity, which the cache never holds. */
static void expect_same_tile(enum kern_kv kv, const struct check_buffer *a, const struct check_buffer *b)
{
    for (size_t i = 0; kv != KERN_KV_Q8_0 && i < a->bytes; i += number_bytes[kv]) {
        float x[2];
        for (int j = 0; j < 2; j++) {
            uint16_t h;
            memcpy(kv == KERN_KV_F32 ? (void *)&x[j] : (void *)&h, (j == 0 ? a : b)->data + i, number_bytes[kv]);
            x[j] = kv == KERN_KV_F32 ? x[j] : base_f32_from_f16(h);
        }
        assert_true(check_same(x[0], x[1]) && !isinf(x[1]));
    }
    if (kv == KERN_KV_Q8_0) {
        assert_memory_equal(a->data, b->data, a->bytes);
    }
}

/* Every token of a tile in turn: what is there of the others must stay. */
static void check_put(const struct choir_kernels *k, enum kern_kv kv, int head_dim, int n_lanes, struct check_rng *r)
{
    struct choir_kernels reference;
    kern_init_reference(&reference);
    struct check_buffer x = check_buffer_open((size_t)head_dim * 4, 4, 0);
    const size_t bytes = (size_t)n_lanes * kern_kv_token_bytes(kv, head_dim);
    struct check_buffer a = check_buffer_open(bytes, 4, 0), b = check_buffer_open(bytes, 4, 0);
    memset(a.data, 1, bytes);
    memset(b.data, 1, bytes);
    for (int lane = 0; lane < n_lanes; lane++) {
        check_fill(r, (enum check_data)((head_dim / 2 + lane) % CHECK_DATA_COUNT), floats(&x), (size_t)head_dim);
        if ((head_dim + lane) % 8 == 6) {
            static const float spoiled[] = {NAN, -NAN, INFINITY, -INFINITY};
            floats(&x)[check_between(r, 0, head_dim - 1)] = spoiled[head_dim / 8 % 4];
        }
        reference.kv_put_k[kv](a.data, n_lanes, lane, floats(&x), head_dim);
        k->kv_put_k[kv](b.data, n_lanes, lane, floats(&x), head_dim);
        expect_same_tile(kv, &a, &b);
    }
    for (int lane = 0; lane < n_lanes; lane++) {
        check_fill(r, (enum check_data)((head_dim / 2 + lane) % CHECK_DATA_COUNT), floats(&x), (size_t)head_dim);
        reference.kv_put_v[kv](a.data, n_lanes, lane, floats(&x), head_dim);
        k->kv_put_v[kv](b.data, n_lanes, lane, floats(&x), head_dim);
        expect_same_tile(kv, &a, &b);
    }
    check_buffer_close(&x);
    check_buffer_close(&a);
    check_buffer_close(&b);
}

static void test_put(void **state)
{
    (void)state;
    struct check_levels levels = check_levels_here();
    for (int i = 0; i < levels.n; i++) {
        struct check_rng r = {6};
        for (int head_dim = 2; head_dim <= 258; head_dim += 2) {
            for (int kv = 0; kv < KERN_KV_COUNT; kv++) {
                check_put(&levels.k[i], (enum kern_kv)kv, head_dim, 1, &r);
                check_put(&levels.k[i], (enum kern_kv)kv, head_dim, 1 << head_dim / 2 % 5, &r);
            }
        }
    }
}

/* What q8_0 makes of a head: scales and quants by hand, at the ends of what f16 holds too. */
static void test_put_q8_0(void **state)
{
    (void)state;
    enum { HEAD_DIM = 42 }; /* blocks of 32 and of 10 */
    static const struct {
        float most;
        uint16_t scale;
        int quant; /* of `most` */
    } cases[] = {
        {127.0f, 0x3c00, 127},              /* 1 */
        {-254.0f, 0x4000, -127},            /* 2 */
        {0.0f, 0, 0},                       /* nothing */
        {0x1p-25f * 127.0f, 0, 0},          /* half the smallest f16: ties to even, 0 */
        {0x1.8p-25f * 127.0f, 0x0001, 95},  /* rounded up to 2^-24: 127 * 0.75 */
        {0x1.7p-24f * 127.0f, 0x0001, 127}, /* rounded down by a third: 182 is held at 127 */
        {65504.0f * 127.0f, 0x7bff, 127},   /* the largest */
        {65520.0f * 127.0f, 0x7e00, 0},     /* one that f16 does not hold */
        {NAN, 0x7e00, 0},
        {-INFINITY, 0x7e00, 0},
    };
    struct check_levels levels = check_levels_here();
    for (int i = 0; i < levels.n; i++) {
        for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
            float x[HEAD_DIM] = {0};
            int8_t tile[HEAD_DIM + 4];
            uint16_t scale[2];
            x[33] = cases[n].most;
            x[5] = 127.0f;
            x[6] = -2.5f; /* a tie: to even */
            levels.k[i].kv_put_k[KERN_KV_Q8_0](tile, 1, 0, x, HEAD_DIM);
            memcpy(scale, tile + HEAD_DIM, sizeof scale);
            assert_int_equal(scale[0], 0x3c00);
            assert_int_equal(tile[5], 127);
            assert_int_equal(tile[6], -2);
            assert_int_equal(scale[1], cases[n].scale);
            assert_int_equal(tile[33], cases[n].quant);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_span),       cmocka_unit_test(test_widest),
                                       cmocka_unit_test(test_merge),      cmocka_unit_test(test_put),
                                       cmocka_unit_test(test_not_finite), cmocka_unit_test(test_put_q8_0)};
    return cmocka_run_group_tests_name("check attention", tests, NULL, NULL);
}
