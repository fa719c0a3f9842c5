/* What settings mean: config.json, GGUF keys and llama2.c headers give the same fields, defaults included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"
#include "tests/support/tiny_config.h"

static void read_hf(struct mdl_config *c, const char *changes, const char *generation)
{
    choir_error err = {0};
    if (tiny_read_hf(c, changes, generation, &err) != CHOIR_OK) {
        fail_msg("%s: %s", changes, err.msg);
    }
}

static void read_gguf(struct mdl_config *c, const char *changes)
{
    choir_error err = {0};
    if (tiny_read_gguf(c, changes, &err) != CHOIR_OK) {
        fail_msg("%s: %s", changes, err.msg);
    }
}

static void check_sizes(const struct mdl_config *c)
{
    assert_string_equal(c->arch->name, "llama");
    assert_int_equal(c->dim, 64);
    assert_int_equal(c->hidden_dim, 96);
    assert_int_equal(c->n_layers, 2);
    assert_int_equal(c->n_heads, 4);
    assert_int_equal(c->n_kv_heads, 2);
    assert_int_equal(c->head_dim, 16);
    assert_int_equal(c->rope_dim, 16);
    assert_int_equal(c->vocab_size, 50);
    assert_int_equal(c->max_seq_len, 32);
    assert_int_equal(c->sliding_window, 0);
    assert_true(c->norm_eps == 1e-5f);
    assert_true(c->rope[0].theta == 10000);
    assert_int_equal(c->rope[0].scaling, MDL_SCALING_NONE);
    assert_true(c->tied_output);
}

static void hf_fields(void **state)
{
    (void)state;
    struct mdl_config c;
    read_hf(&c, "{}", NULL);
    check_sizes(&c);
    assert_int_equal(c.rope_layout, MDL_ROPE_HALF);
    assert_int_equal(c.bos_id, -1);
    assert_int_equal(c.n_eos, 0);

    read_hf(&c,
            "{\"head_dim\": null, \"hidden_act\": \"silu\", \"rope_scaling\": null, \"sliding_window\": null,"
            " \"attention_bias\": false, \"unheard_of\": {\"a\": [1]}, \"quantization_config\": null}",
            NULL);
    check_sizes(&c);

    read_hf(&c,
            "{\"model_type\": \"mistral\", \"head_dim\": 32, \"sliding_window\": 8, \"rope_theta\": 5e5,"
            " \"num_key_value_heads\": null, \"tie_word_embeddings\": \"-\", \"rms_norm_eps\": \"-\"}",
            NULL);
    assert_string_equal(c.arch->name, "mistral");
    assert_int_equal(c.head_dim, 32);
    assert_int_equal(mdl_q_dim(&c), 128);
    assert_int_equal(mdl_kv_dim(&c), 128);
    assert_int_equal(c.n_kv_heads, 4);
    assert_int_equal(c.sliding_window, 8);
    assert_true(c.rope[0].theta == 5e5);
    assert_false(c.tied_output);
    assert_true(c.norm_eps == 1e-6f);
}

static void hf_rope(void **state)
{
    (void)state;
    struct mdl_config c;
    read_hf(&c, "{\"rope_scaling\": {\"type\": \"linear\", \"factor\": 4}}", NULL);
    assert_int_equal(c.rope[0].scaling, MDL_SCALING_LINEAR);
    assert_true(c.rope[0].factor == 4);

    static const char *const llama3[] = {
        "{\"rope_scaling\": {\"rope_type\": \"llama3\", \"type\": \"x\", \"factor\": 8.0, \"low_freq_factor\": 1.0,"
        " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 8192}, \"rope_theta\": 500000.0}",
        "{\"rope_parameters\": {\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0,"
        " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 8192, \"rope_theta\": 500000.0},"
        " \"rope_theta\": \"-\"}",
    };
    for (size_t i = 0; i < 2; i++) {
        read_hf(&c, llama3[i], NULL);
        assert_int_equal(c.rope[0].scaling, MDL_SCALING_LLAMA3);
        assert_true(c.rope[0].factor == 8 && c.rope[0].low_freq == 1 && c.rope[0].high_freq == 4);
        assert_int_equal(c.rope[0].original_len, 8192);
        assert_true(c.rope[0].theta == 500000);
    }
    read_hf(&c, "{\"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 1e6}}", NULL);
    assert_int_equal(c.rope[0].scaling, MDL_SCALING_NONE);
    assert_true(c.rope[0].theta == 1e6);
}

static void hf_ids(void **state)
{
    (void)state;
    struct mdl_config c;
    read_hf(&c, "{\"bos_token_id\": 1, \"eos_token_id\": 2}", NULL);
    assert_int_equal(c.bos_id, 1);
    assert_int_equal(c.n_eos, 1);
    assert_int_equal(c.eos_ids[0], 2);

    read_hf(&c, "{\"bos_token_id\": 1, \"eos_token_id\": 2}", "{\"eos_token_id\": [3, 2, 3], \"temperature\": 0.6}");
    assert_int_equal(c.bos_id, 1);
    assert_int_equal(c.n_eos, 2);
    assert_int_equal(c.eos_ids[0], 3);
    assert_int_equal(c.eos_ids[1], 2);

    read_hf(&c, "{\"eos_token_id\": [4, 5]}", "{\"bos_token_id\": 0, \"eos_token_id\": null}");
    assert_int_equal(c.bos_id, 0);
    assert_int_equal(c.n_eos, 2);
    assert_int_equal(c.eos_ids[1], 5);
}

static void gguf_fields(void **state)
{
    (void)state;
    struct mdl_config c;
    read_gguf(&c, "");
    check_sizes(&c);
    assert_int_equal(c.rope_layout, MDL_ROPE_INTERLEAVED);

    /* any width of integer, one number a layer, keys we do not know */
    read_gguf(&c, "llama.block_count=u8:2;llama.embedding_length=i64:64;llama.context_length=u16:32;"
                  "llama.attention.head_count=array:i32:4,4;llama.attention.head_count_kv=array:u8:2,2;"
                  "llama.feed_forward_length=array:u64:96,96;llama.what.ever=bool:1;llama.expert_count=u32:0;"
                  "llama.attention.sliding_window=u32:0;llama.vocab_size=u32:49;"
                  "llama.rope.scaling.type=string:none;llama.rope.scaling.factor=f32:0");
    check_sizes(&c);

    read_gguf(&c, "llama.attention.key_length=u32:32;llama.attention.value_length=u32:32;"
                  "llama.rope.dimension_count=u32:8;llama.rope.freq_base=f32:500000;"
                  "llama.attention.sliding_window=u32:12;llama.attention.head_count_kv=none:");
    assert_int_equal(c.head_dim, 32);
    assert_int_equal(c.rope_dim, 8);
    assert_int_equal(c.n_kv_heads, 4);
    assert_int_equal(c.sliding_window, 12);
    assert_true(c.rope[0].theta == 500000);
}

static void gguf_rope_and_ids(void **state)
{
    (void)state;
    static const char *const linear[] = {
        "llama.rope.scaling.type=string:linear;llama.rope.scaling.factor=f32:4",
        "llama.rope.scaling.factor=f32:4",
        "llama.rope.scale_linear=f32:4",
    };
    struct mdl_config c;
    for (size_t i = 0; i < 3; i++) {
        read_gguf(&c, linear[i]);
        assert_int_equal(c.rope[0].scaling, MDL_SCALING_LINEAR);
        assert_true(c.rope[0].factor == 4);
    }
    read_gguf(&c, "tokenizer.ggml.bos_token_id=u32:1;tokenizer.ggml.eos_token_id=u32:2;"
                  "tokenizer.ggml.eot_token_id=u32:9;tokenizer.ggml.eom_token_id=u32:2");
    assert_int_equal(c.bos_id, 1);
    assert_int_equal(c.n_eos, 2);
    assert_int_equal(c.eos_ids[0], 2);
    assert_int_equal(c.eos_ids[1], 9);
}

static void llama2c_fields(void **state)
{
    (void)state;
    char name[] = "m.bin";
    struct wts_set set = {
        .container = WTS_LLAMA2C,
        .path = name,
        .model_file = name,
        .llama2c = {.dim = 64,
                    .hidden_dim = 96,
                    .n_layers = 2,
                    .n_heads = 4,
                    .n_kv_heads = 2,
                    .vocab_size = 50,
                    .max_seq_len = 32,
                    .shared_output = true},
    };
    struct mdl_config c;
    choir_error err = {0};
    assert_int_equal(mdl_config_read(&c, &set, &err), CHOIR_OK);
    check_sizes(&c);
    assert_int_equal(c.rope_layout, MDL_ROPE_INTERLEAVED);
    assert_int_equal(c.bos_id, 1);
    assert_int_equal(c.n_eos, 2);
    assert_int_equal(c.eos_ids[0], 2);

    set.llama2c.n_layers = 1025;
    assert_int_equal(mdl_config_read(&c, &set, &err), CHOIR_FILE);
    assert_string_equal(err.msg, "m.bin: header: n_layers: 1025 (1 to 1024 allowed)");
    set.llama2c.n_layers = 2;
    set.llama2c.n_heads = 3;
    set.llama2c.n_kv_heads = 3;
    assert_int_equal(mdl_config_read(&c, &set, &err), CHOIR_FILE);
    assert_string_equal(err.msg, "m.bin: header: dim 64 not divisible by 3 attention heads");
}

/* The 1.1B shape: its published size. */
static void params(void **state)
{
    (void)state;
    struct mdl_config c;
    struct mdl_params p;
    read_hf(&c,
            "{\"hidden_size\": 2048, \"intermediate_size\": 5632, \"num_hidden_layers\": 22,"
            " \"num_attention_heads\": 32, \"num_key_value_heads\": 4, \"vocab_size\": 32000,"
            " \"tie_word_embeddings\": false}",
            NULL);
    mdl_count_params(&c, &p);
    assert_int_equal(p.total, 1100048384);
    assert_int_equal(p.embedding, 65536000);
    assert_int_equal(p.output, 65536000);
    assert_int_equal(p.wk, 22 * 2048 * 256);
    assert_int_equal(p.norms, 45 * 2048);
    assert_int_equal(p.total, p.embedding + p.wq + p.wk + p.wv + p.wo + p.ffn + p.norms + p.output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hf_fields),   cmocka_unit_test(hf_rope),           cmocka_unit_test(hf_ids),
        cmocka_unit_test(gguf_fields), cmocka_unit_test(gguf_rope_and_ids), cmocka_unit_test(llama2c_fields),
        cmocka_unit_test(params),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
