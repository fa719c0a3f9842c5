/* See tiny_config.h. */
#include "tests/support/tiny_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/support/tiny.h"

/* "key=type:value" */
static const char *const gguf_settings[] = {
    "general.architecture=string:llama", "llama.block_count=u32:2",
    "llama.embedding_length=u32:64",     "llama.feed_forward_length=u32:96",
    "llama.attention.head_count=u32:4",  "llama.attention.head_count_kv=u32:2",
    "llama.context_length=u32:32",       "llama.attention.layer_norm_rms_epsilon=f32:1e-5",
};
enum { SETTINGS = sizeof gguf_settings / sizeof gguf_settings[0], LINE = 512 };

static const char hf_settings[] =
    "{\"model_type\": \"llama\", \"hidden_size\": 64, \"intermediate_size\": 96, \"num_hidden_layers\": 2,"
    " \"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"vocab_size\": 50, \"max_position_embeddings\": 32,"
    " \"rms_norm_eps\": 1e-5, \"rope_theta\": 10000.0, \"tie_word_embeddings\": true}";

/* Takes every "DIR/" out of a message. */
static void strip(choir_error *err, const char *dir)
{
    const size_t n = strlen(dir) + 1;
    for (char *at = strstr(err->msg, dir); at != NULL; at = strstr(err->msg, dir)) {
        memmove(at, at + n, strlen(at + n) + 1);
    }
}

static choir_status read_set(struct mdl_config *c, const char *dir, const char *path, choir_error *err)
{
    struct wts_set *set;
    choir_status status = wts_open(&set, path, true, err);
    if (status == CHOIR_OK) {
        status = mdl_config_read(c, set, err);
        wts_close(set);
    }
    if (status != CHOIR_OK) {
        strip(err, dir);
    }
    tiny_dir_remove(dir);
    return status;
}

static void set_one(struct tiny_gguf *g, const char *line)
{
    char key[LINE], *type, *value;
    snprintf(key, sizeof key, "%s", line);
    type = strchr(key, '=');
    assert_non_null(type);
    *type++ = '\0';
    value = strncmp(type, "array:", 6) == 0 ? strchr(type + 6, ':') : strchr(type, ':');
    assert_non_null(value);
    *value++ = '\0';
    if (strcmp(type, "none") != 0) {
        tiny_gguf_set(g, key, type, value);
    }
}

/* True when one of the changes has the key of `line`. */
static bool is_changed(const char *line, const char *changes)
{
    const size_t n = (size_t)(strchr(line, '=') - line) + 1;
    for (const char *at = changes; at != NULL; at = strchr(at, ';')) {
        at += *at == ';';
        if (strncmp(at, line, n) == 0) {
            return true;
        }
    }
    return false;
}

choir_status tiny_read_gguf(struct mdl_config *c, const char *changes, choir_error *err)
{
    char dir[TINY_PATH], path[TINY_PATH], line[LINE];
    struct tiny_gguf g = {0};
    const uint64_t shape[2] = {50, 64};
    float *values = calloc(50 * 64, sizeof *values);
    assert_non_null(values);
    for (int i = 0; i < SETTINGS; i++) {
        if (!is_changed(gguf_settings[i], changes)) {
            set_one(&g, gguf_settings[i]);
        }
    }
    for (const char *at = changes; at != NULL && *at != '\0'; at = strchr(at, ';')) {
        at += *at == ';';
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, ";"), at);
        set_one(&g, line);
    }
    tiny_gguf_tensor(&g, "token_embd.weight", DTYPE_F32, 2, shape, values);
    free(values);
    tiny_dir_make(dir);
    tiny_gguf_write(&g, dir, "m.gguf");
    return read_set(c, dir, tiny_path(path, dir, "m.gguf"), err);
}

choir_status tiny_read_json(struct mdl_config *c, const char *text, size_t n, const char *generation, choir_error *err)
{
    char dir[TINY_PATH];
    tiny_dir_make(dir);
    tiny_write(dir, "config.json", text, n);
    if (generation != NULL) {
        tiny_write(dir, "generation_config.json", generation, strlen(generation));
    }
    return read_set(c, dir, dir, err);
}

choir_status tiny_read_hf(struct mdl_config *c, const char *changes, const char *generation, choir_error *err)
{
    json_t *root = json_loads(hf_settings, 0, NULL), *over = json_loads(changes, 0, NULL), *value;
    assert_non_null(root);
    assert_non_null(over);
    const char *key;
    json_object_foreach(over, key, value)
    {
        if (json_is_string(value) && strcmp(json_string_value(value), "-") == 0) {
            json_object_del(root, key);
        } else {
            json_object_set(root, key, value);
        }
    }
    char *text = json_dumps(root, JSON_SORT_KEYS);
    assert_non_null(text);
    choir_status status = tiny_read_json(c, text, strlen(text), generation, err);
    free(text);
    json_decref(over);
    json_decref(root);
    return status;
}
