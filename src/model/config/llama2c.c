/* Settings of a llama2.c file: seven numbers of its header; the rest is fixed by run.c of that project. */
#include "base/error.h"
#include "model/config/read.h"

/* run.c: rmsnorm adds 1e-5, RoPE's base is 10000, generation starts from id 1 and ends when id 1 comes again; the
 * SentencePiece models it is used with end a text with id 2. */
static const double norm_eps = 1e-5;
static const double rope_theta = 10000.0;
enum { BOS = 1, EOS = 2 };

static choir_status check_header(const struct wts_llama2c *h, const char *file, choir_error *err)
{
    const struct {
        const char *name;
        int32_t value, max;
    } fields[] = {
        {"dim", h->dim, MDL_DIM_MAX},
        {"hidden_dim", h->hidden_dim, MDL_HIDDEN_MAX},
        {"n_layers", h->n_layers, MDL_LAYERS_MAX},
        {"n_heads", h->n_heads, MDL_HEADS_MAX},
        {"n_kv_heads", h->n_kv_heads, MDL_HEADS_MAX},
        {"vocab_size", h->vocab_size, MDL_VOCAB_MAX},
        {"max_seq_len", h->max_seq_len, MDL_SEQ_MAX},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].value < 1 || fields[i].value > fields[i].max) {
            return base_fail(err, CHOIR_FILE, "%s: header: %s: %d (1 to %d allowed)", file, fields[i].name,
                             fields[i].value, fields[i].max);
        }
    }
    return CHOIR_OK;
}

choir_status mdl_config_read_llama2c(struct mdl_config *c, const struct wts_set *set, choir_error *err)
{
    const struct wts_llama2c *h = &set->llama2c;
    choir_status status = check_header(h, set->model_file, err);
    if (status != CHOIR_OK) {
        return status;
    }
    mdl_config_from_arch(c, mdl_arch_by_gguf("llama"));
    c->dim = h->dim;
    c->hidden_dim = h->hidden_dim;
    c->n_layers = h->n_layers;
    c->n_heads = h->n_heads;
    c->n_kv_heads = h->n_kv_heads;
    c->vocab_size = h->vocab_size;
    c->max_seq_len = h->max_seq_len;
    c->tied_output = h->shared_output;
    c->rope_layout = c->arch->gguf_rope_layout;
    c->rope[0].theta = rope_theta;
    if (c->vocab_size > EOS) {
        c->bos_id = BOS;
        mdl_config_add_eos(c, EOS);
        mdl_config_add_eos(c, BOS);
    }
    const struct mdl_spelling spelling = {
        .file = set->model_file,
        .prefix = "header: ",
        .dim = "dim",
        .head_dim = "head size",
        .rope_dim = "head size",
        .rope_theta = "rope_theta",
        .norm_eps = "norm_eps",
        .rope_scaling = "rope_scaling",
        .norm_eps_value = norm_eps,
    };
    return mdl_config_finish(c, &spelling, err);
}
