/* How much memory a context takes, known before it is asked for. */
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/machine.h"
#include "engine/engine.h"
#include "kernels/parallel.h"
#include "model/rope.h"

enum { MAX_BATCH = 65536, MAX_SEQS = 65536 };

static const double mib = 1024.0 * 1024.0;

static struct kv_shape shape_of(const struct mdl_config *c, enum kv_type type, int32_t block_size)
{
    return (struct kv_shape){
        .type = type,
        .n_layers = c->n_layers,
        .n_kv_heads = c->n_kv_heads,
        .head_dim = c->head_dim,
        .block_size = block_size,
    };
}

static choir_status check_options(const choir_engine_options *o, const struct mdl_config *c, enum kv_type *type,
                                  choir_error *err)
{
    const char *name = o->kv_type != NULL ? o->kv_type : kv_type_name(KV_F16);
    *type = kv_type_by_name(name);
    if (*type == KV_TYPE_COUNT) {
        char text[BASE_ESCAPE_CAP];
        return base_fail(err, CHOIR_USAGE, "--kv-type: \"%s\" is not one of f32, f16, q8_0",
                         base_escape_str(text, name));
    }
    if (o->kv_block < 1 || o->kv_block > 256 || (o->kv_block & (o->kv_block - 1)) != 0) {
        return base_fail(err, CHOIR_USAGE, "--kv-block: %d is not a power of two from 1 to 256", o->kv_block);
    }
    if (o->batch < 1 || o->batch > MAX_BATCH) {
        return base_fail(err, CHOIR_USAGE, "--batch: %d (1 to %d allowed)", o->batch, MAX_BATCH);
    }
    if (o->n_threads < 0 || o->n_threads > PAR_MAX_THREADS) {
        return base_fail(err, CHOIR_USAGE, "--threads: %d (1 to %d allowed)", o->n_threads, PAR_MAX_THREADS);
    }
    if (o->max_logits < 0) {
        return base_fail(err, CHOIR_USAGE, "max_logits: %d (0 or more allowed)", o->max_logits);
    }
    if (o->n_seqs < 1 || o->n_seqs > MAX_SEQS) {
        return base_fail(err, CHOIR_USAGE, "--n-seqs: %d (1 to %d allowed)", o->n_seqs, MAX_SEQS);
    }
    if (o->infinite && c->position != MDL_POSITION_ROPE) {
        return base_fail(err, CHOIR_USAGE,
                         "--infinite: the model learned its %d positions one by one and has no others", c->max_seq_len);
    }
    const int32_t longest = mdl_rope_longest(c);
    if (o->ctx_size < 0 || o->ctx_size > longest) {
        return base_fail(err, CHOIR_USAGE, "--ctx-size: %d, the model was made for at most %d tokens", o->ctx_size,
                         longest);
    }
    return CHOIR_OK;
}

/* Tokens that a query sees at most, itself included; 0: some layer sees all. */
static int32_t window_of(const struct mdl_config *c)
{
    for (int32_t l = 0; l < c->n_layers; l++) {
        if (!mdl_is_windowed(c, l)) {
            return 0;
        }
    }
    return c->sliding_window;
}

/* Blocks of a sequence of ctx tokens.  Where blocks that the window has passed are given back after each step, what it holds
 * is the window and what a step adds; the two ends may lie within blocks.  So may the sinks' end of a sequence without end. */
static int64_t blocks_of(const struct eng_plan *p, int32_t ctx)
{
    if (p->opt.infinite) {
        return ((int64_t)ctx + p->state.max_tokens + p->opt.kv_block - 1) / p->opt.kv_block + 2;
    }
    int64_t most = p->window > 0 ? (int64_t)p->window + p->state.max_tokens + p->opt.kv_block : ctx;
    int64_t tokens = most < ctx ? most : ctx;
    return (tokens + p->opt.kv_block - 1) / p->opt.kv_block;
}

/* Sizes for a context of ctx tokens.  fits: ctx is at most 2^30, as the configuration's limits have it, and the rest of the
 * options have limits that are smaller still. */
static void size_plan(struct eng_plan *p, const struct mdl_model *m, int32_t ctx)
{
    const choir_engine_options *o = &p->opt;
    const int64_t most = (int64_t)ctx * o->n_seqs; /* tokens that all sequences can have pending */
    p->opt.ctx_size = ctx;
    p->state = (struct mdl_state_options){
        .max_tokens = o->batch < most ? o->batch : (int32_t)most,
        .max_seq_len = ctx,
        .rope_len = p->rope_len,
        .n_threads = o->n_threads,
        .stream = o->infinite,
        .n_sinks = o->infinite ? o->n_sinks : 0,
    };
    p->most_computed = o->infinite ? (int32_t)blocks_of(p, ctx) * o->kv_block : ctx;
    int64_t blocks = blocks_of(p, ctx) * o->n_seqs;
    p->n_blocks = blocks > INT32_MAX ? INT32_MAX : (int32_t)blocks;
    int32_t rows = o->max_logits > o->n_seqs ? o->max_logits : o->n_seqs;
    p->state.max_logits = rows < p->state.max_tokens ? rows : p->state.max_tokens;
    if (!base_mul((uint64_t)blocks, kv_block_bytes(&p->shape), &p->kv_bytes)) {
        p->kv_bytes = UINT64_MAX; /* fits nowhere */
    }
    p->activation_bytes = mdl_state_bytes(m, &p->shape, &p->state);
}

/* Bytes left for keys, values and activations once the weights are there. */
static uint64_t room(const struct choir_model *model, const choir_engine_options *o)
{
    uint64_t free_now = base_machine_free_memory();
    uint64_t weights_to_come = model->weights == NULL ? model->plan_bytes : 0;
    uint64_t left = free_now > weights_to_come ? free_now - weights_to_come : 0;
    if (o->mem_limit == 0) {
        return left;
    }
    uint64_t under_limit = o->mem_limit > model->plan_bytes ? o->mem_limit - model->plan_bytes : 0;
    return under_limit < left ? under_limit : left;
}

static bool fits(const struct eng_plan *p, uint64_t bytes)
{
    uint64_t need;
    return base_add(p->kv_bytes, p->activation_bytes, &need) && need <= bytes;
}

/* The longest context that fits, at most the model's own; 0 when not even one token does. */
static int32_t longest_that_fits(struct eng_plan *p, const struct mdl_model *m, int32_t most, uint64_t bytes)
{
    int32_t low = 0;
    int32_t high = most;
    while (low < high) {
        int32_t mid = high - (high - low) / 2;
        size_plan(p, m, mid);
        if (fits(p, bytes)) {
            low = mid;
        } else {
            high = mid - 1;
        }
    }
    return low;
}

/* What else makes a context fit. */
static const char *smaller(enum kv_type type)
{
    return type == KV_F32 ? "use --kv-type f16" : type == KV_F16 ? "use --kv-type q8_0" : "--batch";
}

static choir_status refuse(const struct eng_plan *plan, const struct mdl_model *m, uint64_t bytes, choir_error *err)
{
    struct eng_plan other = *plan;
    const int32_t longest = longest_that_fits(&other, m, plan->opt.ctx_size, bytes);
    return base_fail(
        err, CHOIR_RESOURCE,
        "context of %d tokens needs %.0f MiB for keys and values and %.0f MiB for activations, %.0f MiB %s; "
        "lower --ctx-size (%d fits) or %s",
        plan->opt.ctx_size, (double)plan->kv_bytes / mib, (double)plan->activation_bytes / mib, (double)bytes / mib,
        plan->opt.mem_limit > 0 ? "are left" : "free", longest, smaller(plan->kv_type));
}

choir_status eng_plan_make(struct eng_plan *plan, const struct choir_model *model, const choir_engine_options *opt,
                           bool must_fit, choir_error *err)
{
    const struct mdl_model config_only = {.config = model->config};
    const struct mdl_model *m = model->weights != NULL ? model->weights : &config_only;
    *plan = (struct eng_plan){.opt = *opt};
    plan->rope_len = opt->ctx_size > 0 ? opt->ctx_size : model->config.max_seq_len;
    choir_status status = check_options(opt, &model->config, &plan->kv_type, err);
    if (status != CHOIR_OK) {
        return status;
    }
    if (opt->n_threads == 0) {
        plan->opt.n_threads = base_machine_cores();
    }
    if (model->weights != NULL) {
        plan->opt.n_threads = par_threads(plan->opt.n_threads);
    }
    plan->opt.kv_type = kv_type_name(plan->kv_type);
    plan->window = opt->infinite ? 0 : window_of(&model->config); /* what has passed falls out another way */
    plan->opt.prefix_cache = opt->prefix_cache && !opt->infinite;
    plan->shape = shape_of(&model->config, plan->kv_type, opt->kv_block);
    uint64_t bytes = room(model, opt);
    int32_t ctx = opt->ctx_size;
    if (ctx == 0) {
        ctx = must_fit ? longest_that_fits(plan, m, model->config.max_seq_len, bytes) : model->config.max_seq_len;
    }
    if (opt->infinite && (opt->n_sinks < 0 || opt->n_sinks > KERN_ATTN_SPAN || opt->n_sinks >= ctx)) {
        return base_fail(err, CHOIR_USAGE, "--sinks: %d (0 to %d allowed, and fewer than --ctx-size, %d)", opt->n_sinks,
                         KERN_ATTN_SPAN, ctx);
    }
    size_plan(plan, m, ctx > 0 ? ctx : 1);
    return must_fit && !fits(plan, bytes) ? refuse(plan, m, bytes, err) : CHOIR_OK;
}

choir_status choir_memory_account(choir_memory *out, const choir_model *model, const choir_engine_options *opt,
                                  choir_error *err)
{
    *out = (choir_memory){0};
    struct eng_plan plan;
    choir_status status = eng_plan_make(&plan, model, opt, false, err);
    if (status != CHOIR_OK) {
        return status;
    }
    const struct mdl_config *c = &model->config;
    uint64_t per_head = kv_block_bytes(&plan.shape) / (uint64_t)plan.shape.block_size / (uint64_t)c->n_kv_heads;
    out->weights = model->plan_bytes;
    out->kv = plan.kv_bytes;
    out->activations = plan.activation_bytes;
    if (!base_add(out->weights, out->kv, &out->total) || !base_add(out->total, out->activations, &out->total)) {
        out->total = UINT64_MAX;
    }
    out->free = base_machine_free_memory();
    /* fits: less than a block, which fits */
    out->kv_token = per_head * (uint64_t)c->n_kv_heads;
    /* fits: 2^12 heads of 2^10 numbers in 2^10 layers */
    out->kv_token_multi_head = per_head * (uint64_t)c->n_heads;
    out->kv_token_multi_query = per_head;
    out->kv_multi_query = plan.kv_bytes / (uint64_t)c->n_kv_heads;
    if (!base_mul(out->kv_multi_query, (uint64_t)c->n_heads, &out->kv_multi_head)) {
        out->kv_multi_head = UINT64_MAX;
    }
    return CHOIR_OK;
}

uint64_t choir_engine_room(const choir_engine *e)
{
    const uint64_t left = base_machine_free_memory(), limit = e->opt.mem_limit;
    /* fits: the store is open */
    const uint64_t pool = (uint64_t)kv_pool_n_blocks(e->pool) * kv_block_bytes(&e->store.shape);
    const uint64_t taken = e->model->plan_bytes + pool + e->activation_bytes + eng_tap_bytes(e);
    const uint64_t under_limit = limit > taken ? limit - taken : 0;
    return limit > 0 && under_limit < left ? under_limit : left;
}
