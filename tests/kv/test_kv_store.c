/* The bytes of K and V: every (layer, block, head) has K and V of its own, all inside the arena, in the drawn order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/kernels.h"
#include "kv/kv_store.h"

static void names(void **state)
{
    (void)state;
    assert_string_equal(kv_type_name(KV_F32), "f32");
    assert_string_equal(kv_type_name(KV_F16), "f16");
    assert_int_equal(kv_type_by_name("f32"), KV_F32);
    assert_int_equal(kv_type_by_name("f16"), KV_F16);
    assert_int_equal(kv_type_by_name("F16"), KV_TYPE_COUNT);
    assert_int_equal(kv_type_by_name(""), KV_TYPE_COUNT);
    assert_string_equal(kv_type_name(KV_Q8_0), "q8_0");
    assert_int_equal(kv_type_by_name("q8_0"), KV_Q8_0);
    assert_int_equal(kv_type_by_name("q4_0"), KV_TYPE_COUNT);
}

static void sizes(void **state)
{
    (void)state;
    /* Llama 3 8B: 2 * 32 layers * 8 heads * 128 * 2 bytes = 131072 for a token */
    struct kv_shape shape = {.type = KV_F16, .n_layers = 32, .n_kv_heads = 8, .head_dim = 128, .block_size = 16};
    assert_int_equal(kv_block_bytes(&shape), 131072 * 16);
    shape.type = KV_F32;
    assert_int_equal(kv_block_bytes(&shape), 131072 * 16 * 2);
    shape.block_size = 1;
    assert_int_equal(kv_block_bytes(&shape), 131072 * 2);
    shape.type = KV_Q8_0;
    assert_int_equal(kv_block_bytes(&shape), 2 * 32 * 8 * (128 + 4 * 2));
    shape.head_dim = 70; /* the last scale is for 6 numbers */
    assert_int_equal(kv_block_bytes(&shape), 2 * 32 * 8 * (70 + 3 * 2));
    shape.n_layers = INT32_MAX;
    shape.n_kv_heads = INT32_MAX;
    assert_true(kv_block_bytes(&shape) == SIZE_MAX);
}

/* Marks every byte with the part it belongs to and finds all of them intact afterwards: disjoint and in bounds. */
static void parts_are_disjoint(const struct kv_shape *shape, int32_t n_blocks)
{
    struct kv_store s;
    assert_int_equal(kv_store_open(&s, shape, n_blocks, NULL), CHOIR_OK);
    size_t total = kv_block_bytes(shape) * (size_t)n_blocks;
    assert_true(s.arena.cap >= total);
    assert_int_equal(s.tile, shape->block_size < 16 ? shape->block_size : 16);
    size_t token = kern_kv_token_bytes((enum kern_kv)shape->type, shape->head_dim); /* as the kernels have it */
    assert_int_equal(s.head_bytes, (size_t)shape->block_size * token);
    assert_int_equal(s.tile_bytes, (size_t)s.tile * token);
    assert_int_equal(s.layer_bytes * (size_t)shape->n_layers, total);
    uint8_t *owned = calloc(total, 1);
    assert_non_null(owned);
    size_t next = 0;
    for (int32_t l = 0; l < shape->n_layers; l++) {
        for (int32_t b = 0; b < n_blocks; b++) {
            for (int32_t h = 0; h < shape->n_kv_heads; h++) {
                uint8_t *part[2] = {kv_store_k(&s, l, b, h), kv_store_v(&s, l, b, h)};
                for (int i = 0; i < 2; i++) {
                    size_t at = (size_t)(part[i] - s.arena.base);
                    assert_int_equal(at, next); /* layer, block, head, K before V */
                    assert_true(at + s.head_bytes <= total);
                    for (size_t k = 0; k < s.head_bytes; k++) {
                        assert_int_equal(part[i][k], 0); /* a fresh page */
                        assert_int_equal(owned[at + k]++, 0);
                    }
                    next += s.head_bytes;
                }
            }
        }
    }
    assert_int_equal(next, total);
    free(owned);
    kv_store_close(&s);
    assert_null(s.arena.base);
    kv_store_close(&s);
}

static void addresses(void **state)
{
    (void)state;
    const int32_t block_sizes[] = {1, 2, 8, 16, 64, 256};
    for (size_t i = 0; i < 6; i++) {
        for (int type = 0; type < KV_TYPE_COUNT; type++) {
            struct kv_shape shape = {(enum kv_type)type, 3, 2, 24, block_sizes[i]};
            parts_are_disjoint(&shape, 5);
            shape = (struct kv_shape){(enum kv_type)type, 1, 1, 1, block_sizes[i]};
            parts_are_disjoint(&shape, 1);
        }
    }
}

static void copy_moves_one_block_of(enum kv_type type)
{
    const struct kv_shape shape = {.type = type, .n_layers = 3, .n_kv_heads = 2, .head_dim = 8, .block_size = 4};
    enum { N_BLOCKS = 4 };
    struct kv_store s;
    assert_int_equal(kv_store_open(&s, &shape, N_BLOCKS, NULL), CHOIR_OK);
    size_t total = kv_block_bytes(&shape) * N_BLOCKS;
    for (size_t i = 0; i < total; i++) {
        s.arena.base[i] = (uint8_t)(i * 31 + i / 251);
    }
    uint8_t *before = malloc(total);
    assert_non_null(before);
    memcpy(before, s.arena.base, total);
    kv_store_copy(&s, (struct kv_copy){.src = 2, .dst = 0});
    for (int32_t l = 0; l < shape.n_layers; l++) {
        for (int32_t b = 0; b < N_BLOCKS; b++) {
            for (int32_t h = 0; h < shape.n_kv_heads; h++) {
                int32_t from = b == 0 ? 2 : b;
                const uint8_t *k = before + (kv_store_k(&s, l, from, h) - s.arena.base);
                const uint8_t *v = before + (kv_store_v(&s, l, from, h) - s.arena.base);
                assert_memory_equal(kv_store_k(&s, l, b, h), k, s.head_bytes);
                assert_memory_equal(kv_store_v(&s, l, b, h), v, s.head_bytes);
            }
        }
    }
    free(before);
    kv_store_close(&s);
}

static void copy_moves_one_block(void **state)
{
    (void)state;
    for (int type = 0; type < KV_TYPE_COUNT; type++) {
        copy_moves_one_block_of((enum kv_type)type);
    }
}

/* Address space is asked for, pages are not: a pool far larger than what is touched opens at once. */
static void lazy(void **state)
{
    (void)state;
    const struct kv_shape shape = {.type = KV_F16, .n_layers = 8, .n_kv_heads = 8, .head_dim = 128, .block_size = 16};
    struct kv_store s;
    assert_int_equal(kv_store_open(&s, &shape, 4096, NULL), CHOIR_OK); /* 2 GiB */
    kv_store_v(&s, 7, 4095, 7)[s.head_bytes - 1] = 1;
    kv_store_k(&s, 0, 0, 0)[0] = 1;
    kv_store_close(&s);
}

static void too_large(void **state)
{
    (void)state;
    struct kv_store s;
    choir_error err = {0};
    struct kv_shape shape = {
        .type = KV_F32, .n_layers = 1 << 20, .n_kv_heads = 1 << 20, .head_dim = 1 << 20, .block_size = 256};
    assert_int_equal(kv_store_open(&s, &shape, INT32_MAX, &err), CHOIR_RESOURCE);
    assert_non_null(strstr(err.msg, "KV cache"));
    assert_null(s.arena.base);
    assert_true(kv_block_bytes(&shape) == SIZE_MAX);
    shape.n_layers = 1;
    assert_int_equal(kv_store_open(&s, &shape, INT32_MAX, &err), CHOIR_RESOURCE); /* one layer is too large already */
    shape.n_kv_heads = INT32_MAX;
    shape.head_dim = INT32_MAX; /* a block is */
    assert_true(kv_block_bytes(&shape) == SIZE_MAX);
    assert_int_equal(kv_store_open(&s, &shape, 1, &err), CHOIR_RESOURCE);
    shape = (struct kv_shape){KV_F32, 1 << 4, 1 << 16, 1 << 16, 16};
    assert_int_equal(kv_store_open(&s, &shape, 1 << 20, &err), CHOIR_RESOURCE); /* 2^63: no address is so far */
    assert_string_equal(err.msg, "out of memory (the KV cache of 1048576 blocks is larger than any memory)");
    shape.n_layers *= 2; /* 2^64 */
    assert_int_equal(kv_store_open(&s, &shape, 1 << 20, &err), CHOIR_RESOURCE);
    shape = (struct kv_shape){KV_F32, 1, 1 << 10, 1 << 20, 256}; /* fits 64 bits, not a machine */
    assert_int_equal(kv_store_open(&s, &shape, 1 << 20, &err), CHOIR_RESOURCE);
    assert_non_null(strstr(err.msg, "KV cache"));
    kv_store_close(&s);
    kv_store_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),     cmocka_unit_test(sizes),
        cmocka_unit_test(addresses), cmocka_unit_test(copy_moves_one_block),
        cmocka_unit_test(lazy),      cmocka_unit_test(too_large),
    };
    return cmocka_run_group_tests_name("kv_store", tests, NULL, NULL);
}
