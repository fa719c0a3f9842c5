/* Conversations as ids: the template's special tokens by their pieces, everything else as text, which makes no special id. */
#include "engine/chat.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "engine/chat_templates.h"
#include "engine/engine.h"

enum { ENDS_CAP = 2 };

struct choir_chat {
    const choir_model *model;
    const struct chat_template *t;
    bool begins_with_bos, takes_system;
    bool adds_space; /* the tokenizer puts a space in front of a text */
    char *system;    /* when none is given; NULL: then there is none */
    int32_t ends[ENDS_CAP];
    size_t n_ends;
};

const char *choir_chat_template_name(int i)
{
    return chat_templates[i].name; /* callers stop at the first NULL */
}

const char *choir_chat_name(const choir_chat *c)
{
    return c->t->name;
}

const int32_t *choir_chat_ends(const choir_chat *c, size_t *n)
{
    *n = c->n_ends;
    return c->ends;
}

/* ---- special tokens ---- */

/* The id that a pattern's special token stands for; -1: the vocabulary has none. */
static int32_t special_id(const choir_model *m, const char *piece, size_t n)
{
    if (n == 3 && memcmp(piece, "bos", 3) == 0) {
        return m->bos_id;
    }
    if (n == 3 && memcmp(piece, "eos", 3) == 0) {
        const int32_t own = tok_eos(m->tokenizer);
        return own >= 0 ? own : m->n_eos > 0 ? m->eos_ids[0] : -1;
    }
    const int32_t id = tok_find_piece(m->tokenizer, piece, n);
    const bool special = id >= 0 && tok_piece_type(m->tokenizer, id) != TOK_NORMAL;
    return special && id < m->config.vocab_size ? id : -1;
}

/* ---- ids of a pattern ---- */

/* A text being turned into ids: what lies between two special tokens is encoded at once. */
struct writer {
    const choir_chat *chat;
    int32_t *ids;
    size_t n_ids, cap;
    char *text;
    size_t n_text, text_cap;
    bool after_special;
};

static choir_status push_ids(struct writer *w, const int32_t *ids, size_t n, choir_error *err)
{
    if (n > w->cap - w->n_ids) {
        const size_t cap = (w->n_ids + n) * 2 + 64;
        int32_t *more = realloc(w->ids, cap * sizeof *more);
        if (more == NULL) {
            return base_fail_memory(err, cap * sizeof *more, "ids");
        }
        w->ids = more;
        w->cap = cap;
    }
    if (n > 0) {
        memcpy(w->ids + w->n_ids, ids, n * sizeof *ids);
    }
    w->n_ids += n;
    return CHOIR_OK;
}

static choir_status push_text(struct writer *w, const char *text, size_t n, choir_error *err)
{
    if (n > w->text_cap - w->n_text) {
        const size_t cap = (w->n_text + n) * 2 + 64;
        char *more = realloc(w->text, cap);
        if (more == NULL) {
            return base_fail_memory(err, cap, "text");
        }
        w->text = more;
        w->text_cap = cap;
    }
    if (n > 0) {
        memcpy(w->text + w->n_text, text, n);
    }
    w->n_text += n;
    return CHOIR_OK;
}

/* The text so far, as ids.  A space behind a special token is the one that the tokenizer puts there itself. */
static choir_status end_text(struct writer *w, choir_error *err)
{
    const char *text = w->text;
    size_t n = w->n_text;
    if (w->after_special && w->chat->t->eats_space) {
        for (; n > 0 && (*text == ' ' || *text == '\n'); n--) {
            text++;
        }
    } else if (w->after_special && w->chat->adds_space && n > 0 && *text == ' ') {
        text++;
        n--;
    }
    w->n_text = 0;
    w->after_special = false;
    if (n == 0) {
        return CHOIR_OK;
    }
    int32_t *ids;
    size_t n_ids;
    choir_status status = tok_encode(w->chat->model->tokenizer, text, n, &ids, &n_ids, err);
    if (status == CHOIR_OK) {
        status = push_ids(w, ids, n_ids, err);
        free(ids);
    }
    return status;
}

static choir_status take_part(void *user, const char *text, size_t n, bool special, choir_error *err)
{
    struct writer *w = user;
    const int32_t id = special ? special_id(w->chat->model, text, n) : -1;
    if (id < 0) { /* what the vocabulary does not know is text, as its own library has it; no BOS is none */
        const bool named = special && n == 3;
        return named ? CHOIR_OK : push_text(w, text, n, err);
    }
    choir_status status = end_text(w, err);
    w->after_special = true;
    return status == CHOIR_OK ? push_ids(w, &id, 1, err) : status;
}

/* ---- turns ---- */

static choir_status write_first(struct writer *w, const struct chat_message *m, choir_error *err)
{
    const struct chat_template *t = w->chat->t;
    choir_status status = CHOIR_OK;
    if (w->chat->begins_with_bos) {
        status = take_part(w, "bos", 3, true, err);
    }
    if (status == CHOIR_OK && m->system != NULL && t->system != NULL) {
        status = chat_fill(t, t->system, m, take_part, w, err);
    }
    const bool inside = m->system != NULL && t->system == NULL;
    return status == CHOIR_OK ? chat_fill(t, inside ? t->system_user : t->user, m, take_part, w, err) : status;
}

static choir_status write_next(struct writer *w, const struct chat_message *m, choir_error *err)
{
    const struct chat_template *t = w->chat->t;
    choir_status status = chat_fill(t, t->next, m, take_part, w, err);
    return status == CHOIR_OK ? chat_fill(t, t->user, m, take_part, w, err) : status;
}

static choir_status check_text(const char *what, const char *text, size_t n, choir_error *err)
{
    const size_t valid = n > 0 ? base_utf8_valid(text, n) : 0;
    return valid == n ? CHOIR_OK : base_fail(err, CHOIR_PROMPT, "%s: invalid UTF-8 at byte %zu", what, valid);
}

choir_status choir_chat_turn(int32_t **ids, size_t *n_ids, const choir_chat *c, bool first, const char *system,
                             const char *text, size_t n, choir_error *err)
{
    const char *told = system != NULL ? system : c->system;
    const struct chat_message m = {
        .system = told, .system_bytes = told != NULL ? strlen(told) : 0, .user = text, .user_bytes = n};
    struct writer w = {.chat = c};
    *ids = NULL;
    *n_ids = 0;
    choir_status status = check_text("prompt", text, n, err);
    if (status == CHOIR_OK) {
        status = check_text("system message", m.system, m.system_bytes, err);
    }
    if (status == CHOIR_OK && first && system != NULL && !c->takes_system) {
        status = base_fail(err, CHOIR_USAGE, "--system: the chat template (%s) has no place for one", c->t->name);
    }
    if (status == CHOIR_OK) {
        status = first ? write_first(&w, &m, err) : write_next(&w, &m, err);
    }
    if (status == CHOIR_OK) {
        status = end_text(&w, err);
    }
    free(w.text);
    if (status != CHOIR_OK) {
        free(w.ids);
        return status;
    }
    *ids = w.ids;
    *n_ids = w.n_ids;
    return CHOIR_OK;
}

/* ---- opening ---- */

/* The model's own text, or the template of that name. */
static choir_status choose(choir_chat *c, const char *name, choir_error *err)
{
    const char *text = c->model->chat_template;
    char file[BASE_ESCAPE_CAP], shown[BASE_ESCAPE_CAP];
    if (name != NULL) {
        c->t = chat_template_by_name(name);
        return c->t != NULL ? CHOIR_OK
                            : base_fail(err, CHOIR_USAGE, "--chat-template: unknown template \"%s\"",
                                        base_escape_str(shown, name));
    }
    base_escape_str(file, c->model->path);
    if (text == NULL) {
        return base_fail(err, CHOIR_FILE, "%s: no chat template in the model; --chat-template NAME chooses one", file);
    }
    c->t = chat_template_by_text(text);
    if (c->t == NULL) {
        base_escape(shown, text, strlen(text) < 60 ? strlen(text) : 60);
        return base_fail(err, CHOIR_FILE, "%s: chat template not known: \"%s...\"; --chat-template NAME chooses one",
                         file, shown);
    }
    return CHOIR_OK;
}

/* What the model's text says about the template that was recognized in it. */
static choir_status read_text(choir_chat *c, choir_error *err)
{
    const char *text = c->model->chat_template;
    size_t n = 0;
    const char *bos = c->model->bos_id >= 0 ? tok_piece(c->model->tokenizer, c->model->bos_id, &n) : NULL;
    c->begins_with_bos = chat_text_has_bos(c->t, text, bos != NULL ? bos : "", bos != NULL ? n : 0);
    c->takes_system = chat_text_has_system(c->t, text);
    const char *system = chat_text_default_system(&n, c->t, text);
    if (system == NULL) {
        return CHOIR_OK;
    }
    c->system = malloc(n + 1);
    if (c->system == NULL) {
        return base_fail_memory(err, n + 1, "a system message");
    }
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const bool newline = system[i] == '\\' && i + 1 < n && system[i + 1] == 'n';
        c->system[at++] = newline ? '\n' : system[i];
        i += newline ? 1 : 0;
    }
    c->system[at] = '\0';
    return CHOIR_OK;
}

/* Whether the tokenizer gives the first word a space that the text has not. */
static choir_status probe_space(choir_chat *c, choir_error *err)
{
    static const char space[] = "\xe2\x96\x81";
    int32_t *ids;
    size_t n_ids, n = 0;
    choir_status status = tok_encode(c->model->tokenizer, "a", 1, &ids, &n_ids, err);
    if (status == CHOIR_OK) {
        const char *piece = n_ids > 0 ? tok_piece(c->model->tokenizer, ids[0], &n) : NULL;
        c->adds_space = piece != NULL && n >= 3 && memcmp(piece, space, 3) == 0;
        free(ids);
    }
    return status;
}

static void find_ends(choir_chat *c)
{
    const int32_t candidates[ENDS_CAP] = {
        special_id(c->model, c->t->end, strlen(c->t->end)),
        special_id(c->model, "eos", 3),
    };
    for (size_t i = 0; i < ENDS_CAP; i++) {
        if (candidates[i] >= 0 && (c->n_ends == 0 || c->ends[0] != candidates[i])) {
            c->ends[c->n_ends++] = candidates[i];
        }
    }
}

choir_status choir_chat_open(choir_chat **out, const choir_model *model, const char *name, choir_error *err)
{
    *out = NULL;
    if (model->tokenizer == NULL) {
        return base_fail(err, CHOIR_FILE, "%s", model->no_text);
    }
    choir_chat *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return base_fail_memory(err, sizeof *c, "a chat");
    }
    c->model = model;
    choir_status status = choose(c, name, err);
    if (status == CHOIR_OK) {
        c->begins_with_bos = c->t->begins_with_bos;
        c->takes_system = true;
        status = name == NULL ? read_text(c, err) : CHOIR_OK;
    }
    if (status == CHOIR_OK) {
        status = probe_space(c, err);
    }
    if (status != CHOIR_OK) {
        choir_chat_close(c);
        return status;
    }
    find_ends(c);
    *out = c;
    return CHOIR_OK;
}

void choir_chat_close(choir_chat *c)
{
    if (c != NULL) {
        free(c->system);
        free(c);
    }
}
