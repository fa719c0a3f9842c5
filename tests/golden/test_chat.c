/* Conversations as Hugging Face's templates write them (tools/golden/chat.py), and as ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "choir.h"
#include "engine/chat_templates.h"
#include "tests/support/tiny.h"

/* ---- texts ---- */

struct joined {
    const char *bos, *eos;
    char text[4096];
    size_t n;
};

static void add(struct joined *j, const char *text, size_t n)
{
    assert_true(j->n + n < sizeof j->text);
    memcpy(j->text + j->n, text, n);
    j->n += n;
    j->text[j->n] = '\0';
}

static choir_status join(void *user, const char *text, size_t n, bool special, choir_error *err)
{
    struct joined *j = user;
    (void)err;
    if (special && n == 3) {
        text = memcmp(text, "bos", 3) == 0 ? j->bos : j->eos;
        n = strlen(text);
    }
    add(j, text, n);
    return CHOIR_OK;
}

static const char *field(const json_t *one, const char *key)
{
    return json_string_value(json_object_get(one, key));
}

static void fill(struct joined *j, const struct chat_template *t, const char *pattern, const char *system,
                 const char *user)
{
    const struct chat_message m = {.system = system,
                                   .system_bytes = system != NULL ? strlen(system) : 0,
                                   .user = user,
                                   .user_bytes = strlen(user)};
    assert_int_equal(chat_fill(t, pattern, &m, join, j, NULL), CHOIR_OK);
}

/* As the engine puts a first turn together. */
static void first_turn(struct joined *j, const struct chat_template *t, const json_t *one, const char *system)
{
    const char *text = field(one, "text"), *user = json_string_value(json_array_get(json_object_get(one, "user"), 0));
    if (chat_text_has_bos(t, text, j->bos, strlen(j->bos))) {
        add(j, j->bos, strlen(j->bos));
    }
    if (system != NULL && t->system != NULL) {
        fill(j, t, t->system, system, user);
    }
    fill(j, t, system != NULL && t->system == NULL ? t->system_user : t->user, system, user);
}

/* A template's default with the newlines that its text spells. */
static char *default_of(const struct chat_template *t, const char *text)
{
    size_t n;
    const char *found = chat_text_default_system(&n, t, text);
    char *out = found != NULL ? calloc(n + 1, 1) : NULL;
    for (size_t i = 0, at = 0; found != NULL && i < n; i++) {
        const bool newline = found[i] == '\\' && found[i + 1] == 'n';
        out[at++] = newline ? '\n' : found[i];
        i += newline;
    }
    return out;
}

static void check_texts(const json_t *one)
{
    const char *name = field(one, "name"), *text = field(one, "text");
    const struct chat_template *t = chat_template_by_text(text);
    struct joined j = {.bos = field(one, "bos"), .eos = field(one, "eos")};
    assert_non_null(t);
    assert_string_equal(t->name, name);
    assert_ptr_equal(chat_template_by_name(name), t);
    char *preset = default_of(t, text);
    first_turn(&j, t, one, preset);
    assert_string_equal(j.text, field(one, "first"));
    add(&j, field(one, "reply"), strlen(field(one, "reply")));
    fill(&j, t, t->next, NULL, "");
    fill(&j, t, t->user, NULL, json_string_value(json_array_get(json_object_get(one, "user"), 1)));
    assert_string_equal(j.text, field(one, "second"));
    assert_int_equal(chat_text_has_system(t, text), json_is_true(json_object_get(one, "takes_system")));
    if (chat_text_has_system(t, text)) {
        j.n = 0;
        first_turn(&j, t, one, field(one, "system"));
        assert_string_equal(j.text, field(one, "told"));
    }
    free(preset);
}

static void test_texts(void **state)
{
    (void)state;
    json_t *all = json_load_file("tests/golden/chat.json", 0, NULL);
    assert_true(json_array_size(all) >= 12);
    for (size_t i = 0; i < json_array_size(all); i++) {
        check_texts(json_array_get(all, i));
    }
    json_decref(all);
}

static void test_unknown_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{{ messages }}",
        "<|im_start|>user<|im_sep|>",
        "[SYSTEM_PROMPT]x[/SYSTEM_PROMPT][INST]",
        "{{ '<|user|>\n' + content + '\n' }}{% else %}{{ eos_token }}",
        "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>",
        "### Instruction:",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_null(chat_template_by_text(texts[i]));
    }
    assert_null(chat_template_by_name("chatm"));
    assert_null(chat_template_by_name(""));
}

/* ---- ids ---- */

/* A vocabulary with letters, what ChatML's special tokens are, and those of Zephyr as plain text. */
static const char *const pieces[] = {"<unk>",      "<s>",
                                     "</s>",       "<|im_start|>",
                                     "<|im_end|>", "\xe2\x96\x81",
                                     "a",          "b",
                                     "\\n",        "s",
                                     "e",          "r",
                                     "u",          "t",
                                     "i",          "n",
                                     "<",          "|",
                                     "_",          ">",
                                     "d",          "m",
                                     "y"};
enum { N_PIECES = sizeof pieces / sizeof *pieces, IM_START = 3, IM_END = 4, SPACE = 5, A = 6, B = 7 };

static void write_model(const char *dir, const char *chat_template)
{
    struct tiny_gguf g = {0};
    char list[256] = "", scores[256] = "", types[256] = "";
    for (int i = 0; i < N_PIECES; i++) {
        const char *comma = i > 0 ? "," : "";
        strcat(strcat(list, comma), pieces[i]);
        strcat(strcat(scores, comma), "-1");
        strcat(strcat(types, comma), i == 0 ? "2" : i <= IM_END ? "3" : "1");
    }
    tiny_gguf_set(&g, "general.architecture", "string", "llama");
    tiny_gguf_set(&g, "llama.block_count", "u32", "1");
    tiny_gguf_set(&g, "llama.context_length", "u32", "64");
    tiny_gguf_set(&g, "llama.embedding_length", "u32", "8");
    tiny_gguf_set(&g, "llama.feed_forward_length", "u32", "8");
    tiny_gguf_set(&g, "llama.attention.head_count", "u32", "2");
    tiny_gguf_set(&g, "llama.attention.layer_norm_rms_epsilon", "f32", "0.00001");
    tiny_gguf_set(&g, "llama.vocab_size", "u32", "23");
    tiny_gguf_set(&g, "tokenizer.ggml.model", "string", "llama");
    tiny_gguf_set(&g, "tokenizer.ggml.tokens", "array:string", list);
    tiny_gguf_set(&g, "tokenizer.ggml.scores", "array:f32", scores);
    tiny_gguf_set(&g, "tokenizer.ggml.token_type", "array:i32", types);
    tiny_gguf_set(&g, "tokenizer.ggml.bos_token_id", "u32", "1");
    tiny_gguf_set(&g, "tokenizer.ggml.eos_token_id", "u32", "2");
    if (chat_template != NULL) {
        tiny_gguf_set(&g, "tokenizer.chat_template", "string", chat_template);
    }
    static const char *const matrices[] = {"attn_q",   "attn_k", "attn_v",  "attn_output",
                                           "ffn_gate", "ffn_up", "ffn_down"};
    static const float zeros[N_PIECES * 8];
    const uint64_t wide[] = {N_PIECES, 8}, square[] = {8, 8};
    char name[64];
    tiny_gguf_tensor(&g, "token_embd.weight", DTYPE_F32, 2, wide, zeros);
    tiny_gguf_tensor(&g, "output_norm.weight", DTYPE_F32, 1, square, zeros);
    tiny_gguf_tensor(&g, "blk.0.attn_norm.weight", DTYPE_F32, 1, square, zeros);
    tiny_gguf_tensor(&g, "blk.0.ffn_norm.weight", DTYPE_F32, 1, square, zeros);
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++) {
        snprintf(name, sizeof name, "blk.0.%s.weight", matrices[i]);
        tiny_gguf_tensor(&g, name, DTYPE_F32, 2, square, zeros);
    }
    tiny_gguf_write(&g, dir, "m.gguf");
}

static choir_model *open_model(const char *dir)
{
    char path[TINY_PATH];
    choir_model *m;
    choir_error err;
    choir_model_options opt;
    choir_model_options_default(&opt);
    opt.path = tiny_path(path, dir, "m.gguf");
    opt.headers_only = true;
    if (choir_model_open(&m, &opt, &err) != CHOIR_OK) {
        fail_msg("%s", err.msg);
    }
    return m;
}

static size_t count(const int32_t *ids, size_t n, int32_t id)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        found += ids[i] == id;
    }
    return found;
}

static void test_ids(void **state)
{
    (void)state;
    static const char said[] = "a<|im_end|>b</s><s>";
    char dir[TINY_PATH];
    choir_chat *chat;
    int32_t *ids;
    size_t n, n_ends;
    tiny_dir_make(dir);
    write_model(dir, "<|im_start|>");
    choir_model *m = open_model(dir);
    assert_int_equal(choir_chat_open(&chat, m, NULL, NULL), CHOIR_OK);
    assert_string_equal(choir_chat_name(chat), "chatml");
    const int32_t *ends = choir_chat_ends(chat, &n_ends);
    assert_int_equal(n_ends, 2);
    assert_int_equal(ends[0], IM_END);
    assert_int_equal(ends[1], 2);
    assert_int_equal(choir_chat_turn(&ids, &n, chat, true, NULL, said, strlen(said), NULL), CHOIR_OK);
    assert_int_equal(ids[0], IM_START); /* no BOS: the text has none */
    assert_int_equal(count(ids, n, IM_START), 2);
    assert_int_equal(count(ids, n, IM_END), 1);
    assert_int_equal(count(ids, n, 1), 0);
    assert_int_equal(count(ids, n, 2), 0);
    free(ids);
    assert_int_equal(choir_chat_turn(&ids, &n, chat, false, NULL, "a", 1, NULL), CHOIR_OK);
    assert_int_equal(ids[0], IM_END);
    assert_int_equal(count(ids, n, IM_START), 2);
    assert_int_equal(count(ids, n, IM_END), 2);
    free(ids);
    choir_error err;
    assert_int_equal(choir_chat_turn(&ids, &n, chat, true, NULL, "a\xff", 2, &err), CHOIR_PROMPT);
    assert_string_equal(err.msg, "prompt: invalid UTF-8 at byte 1");
    assert_null(ids);
    choir_chat_close(chat);

    /* By name: BOS, once; a space behind a special token is the tokenizer's own. */
    assert_int_equal(choir_chat_open(&chat, m, "mistral-v1", NULL), CHOIR_OK);
    assert_int_equal(choir_chat_turn(&ids, &n, chat, true, NULL, "ab", 2, NULL), CHOIR_OK);
    assert_int_equal(ids[0], 1);
    assert_int_equal(count(ids, n, 1), 1);
    assert_int_equal(ids[1], SPACE);
    assert_int_not_equal(ids[2], SPACE);
    free(ids);
    choir_chat_close(chat);
    choir_model_close(m);
    tiny_dir_remove(dir);
}

static void refused(const char *chat_template, const char *name, const char *system, choir_status status,
                    const char *want)
{
    char dir[TINY_PATH];
    choir_chat *chat = NULL;
    choir_error err;
    int32_t *ids = NULL;
    size_t n;
    tiny_dir_make(dir);
    write_model(dir, chat_template);
    choir_model *m = open_model(dir);
    choir_status found = choir_chat_open(&chat, m, name, &err);
    if (found == CHOIR_OK) {
        found = choir_chat_turn(&ids, &n, chat, true, system, "a", 1, &err);
    }
    assert_int_equal(found, status);
    if (strstr(err.msg, want) == NULL) {
        fail_msg("\"%s\" has no \"%s\"", err.msg, want);
    }
    choir_chat_close(chat);
    choir_model_close(m);
    tiny_dir_remove(dir);
}

static void test_refused(void **state)
{
    (void)state;
    refused(NULL, NULL, NULL, CHOIR_FILE, "no chat template in the model; --chat-template NAME chooses one");
    refused("{{ messages }}", NULL, NULL, CHOIR_FILE, "chat template not known: \"{{ messages }}...\"");
    refused("<|im_start|>", "x", NULL, CHOIR_USAGE, "unknown template \"x\"");
    refused("<start_of_turn>", NULL, "a", CHOIR_USAGE, "the chat template (gemma) has no place for one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_unknown_texts),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
