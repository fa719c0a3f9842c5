/* How many parameters a model of this configuration has, part by part. */
#include "model/model.h"

void mdl_count_params(const struct mdl_config *c, struct mdl_params *p)
{
    uint64_t layers = (uint64_t)c->n_layers, dim = (uint64_t)c->dim;
    uint64_t q_dim = (uint64_t)mdl_q_dim(c), kv_dim = (uint64_t)mdl_kv_dim(c);
    uint64_t table = (uint64_t)c->vocab_size * dim;
    p->embedding = table;
    p->wq = layers * dim * q_dim;
    p->wk = layers * dim * kv_dim;
    p->wv = p->wk;
    p->wo = p->wq;
    p->ffn = layers * 3 * dim * (uint64_t)c->hidden_dim; /* gate, up, down */
    p->norms = (2 * layers + 1) * dim;
    p->output = c->tied_output ? 0 : table;
    p->total = p->embedding + p->wq + p->wk + p->wv + p->wo + p->ffn + p->norms + p->output;
}
