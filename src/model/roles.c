/* See roles.h. */
#include "model/roles.h"

#include <stdio.h>

#define MODEL(f)  offsetof(struct mdl_model, f)
#define LAYER(f)  offsetof(struct mdl_layer, f)
#define EXPERT(f) offsetof(struct mdl_ffn, f)
#define NONE      MDL_TENSOR_COUNT

static const struct mdl_role roles[MDL_TENSOR_COUNT] = {
    [MDL_EMBED] = {MDL_EXTENT_VOCAB, MDL_EXTENT_DIM, MODEL(embed), NONE},
    [MDL_POSITIONS] = {MDL_EXTENT_SEQ, MDL_EXTENT_DIM, MODEL(positions), NONE},
    [MDL_OUTPUT_NORM] = {MDL_ONE, MDL_EXTENT_DIM, MODEL(output_norm), NONE},
    [MDL_OUTPUT_NORM_BIAS] = {MDL_ONE, MDL_EXTENT_DIM, MODEL(output_norm_bias), NONE},
    [MDL_OUTPUT] = {MDL_EXTENT_VOCAB, MDL_EXTENT_DIM, MODEL(output), NONE},
    [MDL_OUTPUT_BIAS] = {MDL_ONE, MDL_EXTENT_VOCAB, MODEL(output_bias), NONE},
    [MDL_ROPE_FREQS] = {MDL_ONE, MDL_EXTENT_ROPE_PAIRS, MODEL(rope_freqs), NONE},
    [MDL_ATT_NORM] = {MDL_ONE, MDL_EXTENT_DIM, LAYER(att_norm), NONE},
    [MDL_ATT_NORM_BIAS] = {MDL_ONE, MDL_EXTENT_DIM, LAYER(att_norm_bias), NONE},
    [MDL_ATT_NORM_2] = {MDL_ONE, MDL_EXTENT_DIM, LAYER(att_norm), NONE},
    [MDL_ATT_NORM_2_BIAS] = {MDL_ONE, MDL_EXTENT_DIM, LAYER(att_norm_bias), NONE},
    [MDL_WQ] = {MDL_EXTENT_Q, MDL_EXTENT_DIM, LAYER(wq), MDL_QKV},
    [MDL_WK] = {MDL_EXTENT_KV, MDL_EXTENT_DIM, LAYER(wk), MDL_QKV},
    [MDL_WV] = {MDL_EXTENT_KV, MDL_EXTENT_DIM, LAYER(wv), MDL_QKV},
    [MDL_WO] = {MDL_EXTENT_DIM, MDL_EXTENT_Q, LAYER(wo), NONE},
    [MDL_BQ] = {MDL_ONE, MDL_EXTENT_Q, LAYER(bq), MDL_QKV_BIAS},
    [MDL_BK] = {MDL_ONE, MDL_EXTENT_KV, LAYER(bk), MDL_QKV_BIAS},
    [MDL_BV] = {MDL_ONE, MDL_EXTENT_KV, LAYER(bv), MDL_QKV_BIAS},
    [MDL_BO] = {MDL_ONE, MDL_EXTENT_DIM, LAYER(bo), NONE},
    [MDL_Q_NORM] = {MDL_ONE, MDL_EXTENT_Q_NORM, LAYER(q_norm), NONE},
    [MDL_K_NORM] = {MDL_ONE, MDL_EXTENT_K_NORM, LAYER(k_norm), NONE},
    [MDL_POST_ATT_NORM] = {MDL_ONE, MDL_EXTENT_DIM, LAYER(post_att_norm), NONE},
    [MDL_FFN_NORM] = {MDL_ONE, MDL_EXTENT_DIM, LAYER(ffn_norm), NONE},
    [MDL_FFN_NORM_BIAS] = {MDL_ONE, MDL_EXTENT_DIM, LAYER(ffn_norm_bias), NONE},
    [MDL_POST_FFN_NORM] = {MDL_ONE, MDL_EXTENT_DIM, LAYER(post_ffn_norm), NONE},
    [MDL_W_GATE] = {MDL_EXTENT_HIDDEN, MDL_EXTENT_DIM, LAYER(ffn.w_gate), MDL_GATE_UP},
    [MDL_W_UP] = {MDL_EXTENT_HIDDEN, MDL_EXTENT_DIM, LAYER(ffn.w_up), MDL_GATE_UP},
    [MDL_W_DOWN] = {MDL_EXTENT_DIM, MDL_EXTENT_HIDDEN, LAYER(ffn.w_down), NONE},
    [MDL_B_GATE] = {MDL_ONE, MDL_EXTENT_HIDDEN, LAYER(ffn.b_gate), NONE},
    [MDL_B_UP] = {MDL_ONE, MDL_EXTENT_HIDDEN, LAYER(ffn.b_up), NONE},
    [MDL_B_DOWN] = {MDL_ONE, MDL_EXTENT_DIM, LAYER(ffn.b_down), NONE},
    [MDL_ROUTER] = {MDL_EXTENT_EXPERTS, MDL_EXTENT_DIM, LAYER(router), NONE},
    [MDL_SHARED_W_GATE] = {MDL_EXTENT_SHARED, MDL_EXTENT_DIM, LAYER(shared.w_gate), NONE},
    [MDL_SHARED_W_UP] = {MDL_EXTENT_SHARED, MDL_EXTENT_DIM, LAYER(shared.w_up), NONE},
    [MDL_SHARED_W_DOWN] = {MDL_EXTENT_DIM, MDL_EXTENT_SHARED, LAYER(shared.w_down), NONE},
    [MDL_SHARED_GATE] = {MDL_ONE, MDL_EXTENT_DIM, LAYER(shared_gate), NONE},
    [MDL_EXPERT_W_GATE] = {MDL_EXTENT_EXPERT, MDL_EXTENT_DIM, EXPERT(w_gate), MDL_EXPERT_GATE_UP},
    [MDL_EXPERT_W_UP] = {MDL_EXTENT_EXPERT, MDL_EXTENT_DIM, EXPERT(w_up), MDL_EXPERT_GATE_UP},
    [MDL_EXPERT_W_DOWN] = {MDL_EXTENT_DIM, MDL_EXTENT_EXPERT, EXPERT(w_down), NONE},
};

/* With two norms side by side, the one that stands where others have attention's is the feed-forward network's. */
const struct mdl_role *mdl_role_of(const struct mdl_config *c, enum mdl_tensor which)
{
    if (c->two_norms && which == MDL_ATT_NORM) {
        which = MDL_FFN_NORM;
    }
    if (c->two_norms && which == MDL_ATT_NORM_BIAS) {
        which = MDL_FFN_NORM_BIAS;
    }
    const bool is_fused =
        which == MDL_QKV || which == MDL_QKV_BIAS || which == MDL_GATE_UP || which == MDL_EXPERT_GATE_UP;
    return is_fused ? NULL : &roles[which];
}

uint64_t mdl_extent_of(const struct mdl_config *c, enum mdl_extent e)
{
    const bool by_head = c->qk_norm == MDL_QK_NORM_HEAD;
    switch (e) {
    case MDL_ONE:
        return 1;
    case MDL_EXTENT_DIM:
        return (uint64_t)c->dim;
    case MDL_EXTENT_HIDDEN:
        return (uint64_t)c->hidden_dim;
    case MDL_EXTENT_VOCAB:
        return (uint64_t)c->vocab_size;
    case MDL_EXTENT_SEQ:
        return (uint64_t)c->max_seq_len;
    case MDL_EXTENT_Q:
        return (uint64_t)mdl_q_dim(c);
    case MDL_EXTENT_KV:
        return (uint64_t)mdl_kv_dim(c);
    case MDL_EXTENT_Q_NORM:
        return (uint64_t)(by_head ? c->head_dim : mdl_q_dim(c));
    case MDL_EXTENT_K_NORM:
        return (uint64_t)(by_head ? c->head_dim : mdl_kv_dim(c));
    case MDL_EXTENT_ROPE_PAIRS:
        return (uint64_t)c->rope_dim / 2;
    case MDL_EXTENT_EXPERTS:
        return (uint64_t)c->n_experts;
    case MDL_EXTENT_EXPERT:
        return (uint64_t)c->expert_dim;
    case MDL_EXTENT_SHARED:
        return (uint64_t)c->shared_dim;
    }
    return 0;
}

const char *mdl_role_reason(char dst[MDL_REASON_CAP], const struct mdl_config *c, const struct mdl_role *role,
                            bool fused)
{
    enum mdl_extent e = role->cols != MDL_EXTENT_DIM && role->rows != MDL_ONE ? role->cols : role->rows;
    dst[0] = '\0';
    if (fused && (e == MDL_EXTENT_Q || e == MDL_EXTENT_KV)) {
        snprintf(dst, MDL_REASON_CAP, " from %d heads and 2 x %d key/value heads of %d", c->n_heads, c->n_kv_heads,
                 c->head_dim);
    } else if (e == MDL_EXTENT_Q) {
        snprintf(dst, MDL_REASON_CAP, " from %d heads of %d", c->n_heads, c->head_dim);
    } else if (e == MDL_EXTENT_KV) {
        snprintf(dst, MDL_REASON_CAP, " from %d key/value heads of %d", c->n_kv_heads, c->head_dim);
    } else if (e == MDL_EXTENT_HIDDEN) {
        snprintf(dst, MDL_REASON_CAP, " from a feed-forward width of %d", c->hidden_dim);
    } else if (e == MDL_EXTENT_VOCAB) {
        snprintf(dst, MDL_REASON_CAP, " from a vocabulary of %d", c->vocab_size);
    } else if (e == MDL_EXTENT_SEQ) {
        snprintf(dst, MDL_REASON_CAP, " from a context of %d", c->max_seq_len);
    } else if (e == MDL_EXTENT_EXPERT || e == MDL_EXTENT_EXPERTS) {
        snprintf(dst, MDL_REASON_CAP, " from %d experts of width %d", c->n_experts, c->expert_dim);
    }
    return dst;
}

/* All gate, then all up. */
static struct mdl_slice half_of(uint64_t rows, bool second)
{
    return (struct mdl_slice){.total = 2 * rows, .row0 = second ? rows : 0, .run = rows, .step = rows};
}

/* Plain: all queries, all keys, all values.  Grouped: for each key/value head the queries that use it, its key, its value. */
static struct mdl_slice qkv_slice(const struct mdl_config *c, enum mdl_extent what, bool is_value, bool grouped)
{
    const uint64_t q = (uint64_t)mdl_q_dim(c), kv = (uint64_t)mdl_kv_dim(c), hd = (uint64_t)c->head_dim;
    const uint64_t in_group = q / (uint64_t)c->n_kv_heads;
    struct mdl_slice s = {.total = q + 2 * kv};
    if (grouped) {
        s.step = in_group + 2 * hd;
        s.run = what == MDL_EXTENT_Q ? in_group : hd;
        s.row0 = what == MDL_EXTENT_Q ? 0 : is_value ? in_group + hd : in_group;
    } else {
        s.run = s.step = what == MDL_EXTENT_Q ? q : kv;
        s.row0 = what == MDL_EXTENT_Q ? 0 : is_value ? q + kv : q;
    }
    return s;
}

struct mdl_slice mdl_slice_of(const struct mdl_config *c, enum mdl_tensor which, bool grouped)
{
    const struct mdl_role *role = &roles[which];
    const enum mdl_extent e = role->rows == MDL_ONE ? role->cols : role->rows;
    switch (role->fused) {
    case MDL_QKV:
    case MDL_QKV_BIAS:
        return qkv_slice(c, e, which == MDL_WV || which == MDL_BV, grouped);
    case MDL_GATE_UP:
    case MDL_EXPERT_GATE_UP:
        return half_of(mdl_extent_of(c, e), which == MDL_W_UP || which == MDL_EXPERT_W_UP);
    default: {
        const uint64_t n = mdl_extent_of(c, e);
        return (struct mdl_slice){.total = n, .run = n, .step = n};
    }
    }
}

static bool wanted_outside(const struct mdl_config *c, enum mdl_tensor which)
{
    switch (which) {
    case MDL_EMBED:
    case MDL_OUTPUT_NORM:
        return true;
    case MDL_POSITIONS:
        return c->position == MDL_POSITION_LEARNED;
    case MDL_OUTPUT_NORM_BIAS:
        return c->norm == MDL_NORM_LAYER;
    case MDL_OUTPUT:
        return !c->tied_output;
    case MDL_OUTPUT_BIAS:
        return c->output_bias;
    default:
        return false;
    }
}

static bool wanted_of_ffn(const struct mdl_config *c, enum mdl_tensor which, bool routed)
{
    switch (which) {
    case MDL_W_GATE:
        return !routed && c->gated;
    case MDL_W_UP:
    case MDL_W_DOWN:
        return !routed;
    case MDL_B_GATE:
        return !routed && c->ffn_bias && c->gated;
    case MDL_B_UP:
    case MDL_B_DOWN:
        return !routed && c->ffn_bias;
    case MDL_SHARED_W_GATE:
    case MDL_SHARED_W_UP:
    case MDL_SHARED_W_DOWN:
        return routed && c->shared_dim > 0;
    case MDL_SHARED_GATE:
        return routed && c->shared_dim > 0 && c->shared_gated;
    case MDL_ROUTER:
    case MDL_EXPERT_W_GATE:
    case MDL_EXPERT_W_UP:
    case MDL_EXPERT_W_DOWN:
        return routed;
    default:
        return false;
    }
}

bool mdl_is_wanted(const struct mdl_config *c, enum mdl_tensor which, int32_t layer)
{
    if (layer < 0) {
        return wanted_outside(c, which);
    }
    const bool norm_bias = c->norm == MDL_NORM_LAYER;
    switch (which) {
    case MDL_WQ:
    case MDL_WK:
    case MDL_WV:
    case MDL_WO:
        return true;
    case MDL_BQ:
    case MDL_BK:
    case MDL_BV:
        return c->qkv_bias;
    case MDL_BO:
        return c->out_bias;
    case MDL_Q_NORM:
    case MDL_K_NORM:
        return c->qk_norm != MDL_QK_NORM_NONE;
    case MDL_POST_ATT_NORM:
    case MDL_POST_FFN_NORM:
        return c->post_norm;
    case MDL_ATT_NORM:
        return c->pre_norm;
    case MDL_ATT_NORM_BIAS:
        return c->pre_norm && norm_bias;
    case MDL_ATT_NORM_2:
        return c->two_norms;
    case MDL_ATT_NORM_2_BIAS:
        return c->two_norms && norm_bias;
    case MDL_FFN_NORM:
        return c->pre_norm && !c->parallel;
    case MDL_FFN_NORM_BIAS:
        return c->pre_norm && !c->parallel && norm_bias;
    default:
        return wanted_of_ffn(c, which, mdl_is_routed(c, layer));
    }
}
