/* An engine: threads, block pool, KV bytes and activations around one shared model. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void choir_engine_options_default(choir_engine_options *opt)
{
    *opt = (choir_engine_options){
        .n_seqs = 1, .batch = 512, .kv_type = "f16", .kv_block = 16, .prefix_cache = true, .n_sinks = 4};
}

static choir_status open_parts(struct choir_engine *e, const struct eng_plan *p, choir_error *err)
{
    choir_status status = kv_pool_open(&e->pool, p->n_blocks, p->opt.kv_block, err);
    if (status == CHOIR_OK) {
        status = kv_store_open(&e->store, &p->shape, p->n_blocks, err);
    }
    if (status == CHOIR_OK) {
        status = mdl_state_open(&e->state, e->model->weights, &e->model->kernels, &e->store, &p->state, err);
    }
    if (status != CHOIR_OK) {
        return status;
    }
    size_t n = (size_t)p->state.max_tokens;
    e->runs = calloc(n, sizeof *e->runs);
    e->run_seqs = calloc(n, sizeof *e->run_seqs);
    e->run_before = calloc(n, sizeof *e->run_before);
    e->ids = calloc(n, sizeof *e->ids);
    if (e->runs == NULL || e->run_seqs == NULL || e->run_before == NULL || e->ids == NULL) {
        return base_fail_memory(err, n * (sizeof *e->runs + sizeof *e->run_seqs + 2 * sizeof *e->ids), "a batch");
    }
    return CHOIR_OK;
}

choir_status choir_engine_open(choir_engine **out, const choir_model *model, const choir_engine_options *opt,
                               choir_error *err)
{
    *out = NULL;
    if (model->weights == NULL) {
        return base_fail(err, CHOIR_USAGE, "%s: opened for its headers only", model->path);
    }
    struct eng_plan plan;
    choir_status status = eng_plan_make(&plan, model, opt, true, err);
    if (status != CHOIR_OK) {
        return status;
    }
    struct choir_engine *e = calloc(1, sizeof *e);
    if (e == NULL) {
        return base_fail_memory(err, sizeof *e, "an engine");
    }
    e->model = model;
    e->opt = plan.opt;
    e->opt.batch = plan.state.max_tokens;
    e->kv_type = plan.kv_type;
    e->max_logits = plan.state.max_logits;
    e->window = plan.window;
    e->most_computed = plan.most_computed;
    e->activation_bytes = plan.activation_bytes;
    atomic_init(&e->cancel, 0);
    status = open_parts(e, &plan, err);
    if (status != CHOIR_OK) {
        choir_engine_close(e);
        return status;
    }
    *out = e;
    return CHOIR_OK;
}

void choir_engine_close(choir_engine *e)
{
    if (e == NULL) {
        return;
    }
    free(e->runs);
    free(e->run_seqs);
    free(e->run_before);
    free(e->ids);
    free(e->masked);
    eng_tap_close(e);
    mdl_state_close(e->state);
    kv_store_close(&e->store);
    kv_pool_close(e->pool);
    free(e);
}

void choir_engine_describe(const choir_engine *e, choir_engine_info *info)
{
    *info = (choir_engine_info){
        .ctx_size = e->opt.ctx_size,
        .batch = e->opt.batch,
        .n_threads = e->opt.n_threads,
        .kv_block = e->opt.kv_block,
        .max_logits = e->max_logits,
        .n_blocks = kv_pool_n_blocks(e->pool),
        .n_free_blocks = kv_pool_n_free(e->pool),
        .n_cached_blocks = kv_pool_n_cached(e->pool),
        .prefix_lookup_tokens = e->prefix_lookup_tokens,
        .prefix_hit_tokens = e->prefix_hit_tokens,
        .kv_token_bytes = kv_block_bytes(&e->store.shape) / (uint64_t)e->opt.kv_block,
        .activation_bytes = e->activation_bytes,
    };
    info->kv_bytes = (uint64_t)info->n_blocks * kv_block_bytes(&e->store.shape);
    strncpy(info->kv_type, kv_type_name(e->kv_type), sizeof info->kv_type - 1);
}

void choir_engine_cancel(choir_engine *e)
{
    atomic_store_explicit(&e->cancel, 1, memory_order_relaxed);
}

void choir_engine_uncancel(choir_engine *e)
{
    atomic_store_explicit(&e->cancel, 0, memory_order_relaxed);
}
