/* The table of chat templates, and how their texts are told apart (as llama.cpp tells them apart, so that people find what
 * they know). */
#include "engine/chat_templates.h"

#include <string.h>

const struct chat_template chat_templates[] = {
    {
        .name = "llama2",
        .begins_with_bos = true,
        .trims = true,
        .user = "[INST] %u [/INST]",
        .system_user = "[INST] <<SYS>>\n%s\n<</SYS>>\n\n%u [/INST]",
        .next = "{eos}{bos}",
        .end = "eos",
    },
    {
        .name = "mistral-v1",
        .begins_with_bos = true,
        .user = " [INST] %u [/INST]",
        .system_user = " [INST] %s\n\n%u [/INST]",
        .next = "{eos}",
        .end = "eos",
    },
    {
        .name = "mistral-v3",
        .begins_with_bos = true,
        .user = "{[INST]} %u{[/INST]}",
        .system_user = "{[INST]} %s\n\n%u{[/INST]}",
        .next = "{eos}",
        .end = "eos",
    },
    {
        .name = "mistral-v3-tekken",
        .begins_with_bos = true,
        .user = "{[INST]}%u{[/INST]}",
        .system_user = "{[INST]}%s\n\n%u{[/INST]}",
        .next = "{eos}",
        .end = "eos",
    },
    {
        .name = "chatml",
        .system = "{<|im_start|>}system\n%s{<|im_end|>}\n",
        .user = "{<|im_start|>}user\n%u{<|im_end|>}\n{<|im_start|>}assistant\n",
        .next = "{<|im_end|>}\n",
        .end = "<|im_end|>",
    },
    {
        .name = "zephyr",
        .system = "{<|system|>}\n%s{eos}\n",
        .user = "{<|user|>}\n%u{eos}\n{<|assistant|>}\n",
        .next = "{eos}\n",
        .end = "eos",
    },
    {
        .name = "gemma",
        .begins_with_bos = true,
        .trims = true,
        .user = "{<start_of_turn>}user\n%u{<end_of_turn>}\n{<start_of_turn>}model\n",
        .system_user = "{<start_of_turn>}user\n%s\n\n%u{<end_of_turn>}\n{<start_of_turn>}model\n",
        .next = "{<end_of_turn>}\n",
        .end = "<end_of_turn>",
    },
    {
        .name = "llama3",
        .begins_with_bos = true,
        .trims = true,
        .system = "{<|start_header_id|>}system{<|end_header_id|>}\n\n%s{<|eot_id|>}",
        .user = "{<|start_header_id|>}user{<|end_header_id|>}\n\n%u{<|eot_id|>}"
                "{<|start_header_id|>}assistant{<|end_header_id|>}\n\n",
        .next = "{<|eot_id|>}",
        .end = "<|eot_id|>",
    },
    {
        .name = "phi3",
        .eats_space = true, /* its vocabulary has "rstrip" for all of these */
        .system = "{<|system|>}\n%s{<|end|>}\n",
        .user = "{<|user|>}\n%u{<|end|>}\n{<|assistant|>}\n",
        .next = "{<|end|>}\n",
        .end = "<|end|>",
    },
    {.name = NULL},
};

const struct chat_template *chat_template_by_name(const char *name)
{
    for (const struct chat_template *t = chat_templates; t->name != NULL; t++) {
        if (strcmp(t->name, name) == 0) {
            return t;
        }
    }
    return NULL;
}

/* ---- recognition ---- */

static bool has(const char *text, const char *mark)
{
    return strstr(text, mark) != NULL;
}

static const char *mistral_or_llama2(const char *text)
{
    if (has(text, "[SYSTEM_PROMPT]")) {
        return NULL; /* Mistral's later ones */
    }
    if (has(text, "<<SYS>>")) {
        return "llama2";
    }
    if (has(text, " [INST]") || !has(text, "[AVAILABLE_TOOLS]")) {
        return "mistral-v1";
    }
    return has(text, "\"[INST]\"") ? "mistral-v3-tekken" : "mistral-v3";
}

/* Others begin a turn with <|user|> too; Zephyr's ends it with EOS. */
static bool is_zephyr(const char *text)
{
    const char *turn = strstr(text, "<|user|>");
    const char *end = turn != NULL ? strstr(turn, "{%") : NULL;
    static const char *const marks[] = {"eos_token", "<|endoftext|>", "</s>"};
    for (size_t i = 0; turn != NULL && i < sizeof marks / sizeof *marks; i++) {
        const char *at = strstr(turn, marks[i]);
        if (at != NULL && (end == NULL || at < end)) {
            return true;
        }
    }
    return false;
}

const struct chat_template *chat_template_by_text(const char *text)
{
    const char *name = NULL;
    if (has(text, "<|im_start|>")) {
        name = has(text, "<|im_sep|>") || has(text, "<end_of_utterance>") ? NULL : "chatml";
    } else if (has(text, "[INST]")) {
        name = mistral_or_llama2(text);
    } else if (has(text, "<|assistant|>") && has(text, "<|end|>")) {
        name = "phi3";
    } else if (is_zephyr(text)) {
        name = "zephyr";
    } else if (has(text, "<start_of_turn>")) {
        name = "gemma";
    } else if (has(text, "<|start_header_id|>") && has(text, "<|end_header_id|>")) {
        name = "llama3";
    }
    return name != NULL ? chat_template_by_name(name) : NULL;
}

/* The same for a piece, which may lack a NUL. */
static bool has_piece(const char *text, const char *piece, size_t n)
{
    for (const char *at = text; n > 0 && (at = strchr(at, piece[0])) != NULL; at++) {
        if (strncmp(at, piece, n) == 0) {
            return true;
        }
    }
    return false;
}

bool chat_text_has_bos(const struct chat_template *t, const char *text, const char *bos, size_t n)
{
    return has(text, "bos_token") || (has_piece(text, bos, n) && !has_piece(t->user, bos, n));
}

bool chat_text_has_system(const struct chat_template *t, const char *text)
{
    /* Gemma's first two refuse one. */
    return strcmp(t->name, "gemma") == 0 ? has(text, "first_user_prefix") : has(text, "system");
}

/* The text writes a default as one string, so there is no quote before its end; a message that is given comes with a quote. */
const char *chat_text_default_system(size_t *n, const struct chat_template *t, const char *text)
{
    static const char begin[] = "<|im_start|>system", end[] = "<|im_end|>";
    if (strcmp(t->name, "chatml") != 0) {
        return NULL;
    }
    for (const char *at = text; (at = strstr(at, begin)) != NULL;) {
        at += sizeof begin - 1;
        const size_t newline = at[0] == '\n' ? 1 : strncmp(at, "\\n", 2) == 0 ? 2 : 0;
        const char *stop = strstr(at, end);
        if (newline == 0 || stop == NULL) {
            continue;
        }
        *n = (size_t)(stop - at) - newline;
        if (*n > 0 && strcspn(at + newline, "'\"{}") >= *n) {
            return at + newline;
        }
    }
    return NULL;
}

/* ---- filling ---- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void trim(const char **text, size_t *n)
{
    while (*n > 0 && is_space((*text)[0])) {
        (*text)++;
        (*n)--;
    }
    while (*n > 0 && is_space((*text)[*n - 1])) {
        (*n)--;
    }
}

static choir_status put_message(const struct chat_template *t, char which, const struct chat_message *m,
                                chat_part_fn *fn, void *user, choir_error *err)
{
    const char *text = which == 's' ? m->system : m->user;
    size_t n = which == 's' ? m->system_bytes : m->user_bytes;
    if (t->trims) {
        trim(&text, &n);
    }
    return fn(user, text, n, false, err);
}

choir_status chat_fill(const struct chat_template *t, const char *pattern, const struct chat_message *m,
                       chat_part_fn *fn, void *user, choir_error *err)
{
    choir_status status = CHOIR_OK;
    while (*pattern != '\0' && status == CHOIR_OK) {
        size_t n = strcspn(pattern, "{%");
        if (n > 0) {
            status = fn(user, pattern, n, false, err);
        } else if (*pattern == '{') {
            n = strcspn(pattern, "}") + 1;
            status = fn(user, pattern + 1, n - 2, true, err);
        } else {
            n = 2;
            status = put_message(t, pattern[1], m, fn, user, err);
        }
        pattern += n;
    }
    return status;
}
