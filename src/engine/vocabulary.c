/* From a weight file's vocabulary, or the tokenizer's files beside it, to a tokenizer and the model's special ids. */
#include "engine/vocabulary.h"

#include <stdio.h>

#include "base/error.h"
#include "engine/chat.h"

static void add_eos(struct choir_model *m, int32_t id)
{
    if (id >= 0 && id < m->config.vocab_size && !eng_is_eos(m, id)) {
        m->eos_ids[m->n_eos++] = id;
    }
}

static void fill_special_ids(struct choir_model *m)
{
    const struct tokenizer *t = m->tokenizer;
    m->bos_id = m->config.bos_id >= 0 || t == NULL ? m->config.bos_id : tok_bos(t);
    for (int32_t i = 0; i < m->config.n_eos; i++) {
        add_eos(m, m->config.eos_ids[i]);
    }
    if (t != NULL && m->n_eos == 0) {
        add_eos(m, tok_eos(t));
    }
}

choir_status eng_open_tokenizer(struct choir_model *m, const struct wts_set *set, const choir_model_options *opt,
                                choir_error *err)
{
    choir_error cause = {.code = CHOIR_OK};
    choir_status status;
    m->add_bos = true;
    if (set->container == WTS_GGUF && opt->tokenizer == NULL) {
        status = eng_open_vocabulary_gguf(m, set, &cause);
    } else {
        status = eng_open_vocabulary_file(m, set, opt->tokenizer, &cause);
    }
    bool optional = (opt->text_optional || opt->headers_only) && opt->tokenizer == NULL;
    if (status != CHOIR_OK && (!optional || status == CHOIR_RESOURCE || status == CHOIR_IO)) {
        return base_fail(err, status, "%s", cause.msg);
    }
    if (status != CHOIR_OK) {
        snprintf(m->no_text, sizeof m->no_text, "%.*s", (int)sizeof m->no_text - 1, cause.msg);
    }
    fill_special_ids(m);
    return eng_read_chat_template(&m->chat_template, set, err);
}
