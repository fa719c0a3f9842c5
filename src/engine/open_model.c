/* Opening a model: container, configuration, tokenizer, kernels, weights, in that order, so that what is cheap to refuse is
 * refused before anything large is read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/machine.h"
#include "engine/engine.h"
#include "kernels/parallel.h"
#include "weights/mix.h"

static const double mib = 1024.0 * 1024.0;

void choir_model_options_default(choir_model_options *opt)
{
    *opt = (choir_model_options){0};
}

static choir_status open_set(struct wts_set **set, const choir_model_options *opt, choir_error *err)
{
    if (opt->path != NULL) {
        return wts_open(set, opt->path, opt->headers_only, err);
    }
    const void *data;
    size_t size;
    wts_builtin(&data, &size);
    return wts_open_memory(set, "(built-in)", data, size, err);
}

/* The kernel level asked for, by name. */
static choir_status choose_kernels(struct choir_model *m, const char *cpu, choir_error *err)
{
    base_cpu_level level = base_cpu_detect();
    if (cpu != NULL) {
        base_cpu_level cap = base_cpu_level_by_name(cpu);
        if (cap == BASE_CPU_COUNT) {
            char text[BASE_ESCAPE_CAP];
            return base_fail(err, CHOIR_USAGE, "--cpu: unknown level \"%s\"", base_escape_str(text, cpu));
        }
        level = base_cpu_cap(cap);
    }
    kern_init(&m->kernels, level);
    return CHOIR_OK;
}

static int threads_to_be_had(const choir_model_options *opt)
{
    const int wanted = opt->n_threads > 0 ? opt->n_threads : base_machine_cores();
    const int n = opt->headers_only ? wanted : par_threads(wanted);
    if (n < wanted && wanted <= PAR_MAX_THREADS && opt->warn != NULL) {
        char line[96];
        snprintf(line, sizeof line, "cannot start thread %d of %d; continuing with %d", n + 1, wanted, n);
        opt->warn(opt->user, line);
    }
    return n;
}

static choir_status load_options(struct mdl_load_options *load, const choir_model_options *opt, choir_error *err)
{
    *load = (struct mdl_load_options){
        .in_place = opt->mmap,
        .n_threads = threads_to_be_had(opt),
        .progress = opt->progress,
        .warn = opt->warn,
        .user = opt->user,
    };
    if (opt->quant == NULL) {
        return CHOIR_OK;
    }
    load->quant = wts_mix_by_name(opt->quant);
    if (load->quant == NULL) {
        char text[BASE_ESCAPE_CAP], names[WTS_MIX_NAMES_CAP];
        return base_fail(err, CHOIR_USAGE, "--quant: \"%.32s\" is not one of %s", base_escape_str(text, opt->quant),
                         wts_mix_names(names));
    }
    if (opt->mmap) {
        return base_fail(err, CHOIR_USAGE, "--quant %s and --mmap exclude each other: quantizing makes a copy",
                         opt->quant);
    }
    return CHOIR_OK;
}

static void count_types(uint64_t bytes[DTYPE_COUNT], const struct wts_set *set)
{
    for (size_t i = 0; i < set->n_tensors; i++) {
        if (set->tensors[i].type < DTYPE_COUNT) {
            bytes[set->tensors[i].type] += set->tensors[i].bytes;
        }
    }
}

/* The type that has most. */
static choir_dtype largest_type(const uint64_t share[DTYPE_COUNT])
{
    int best = DTYPE_F32;
    for (int t = 0; t < DTYPE_COUNT; t++) {
        best = share[t] > share[best] ? t : best;
    }
    return (choir_dtype)best;
}

static void count_numbers(uint64_t numbers[DTYPE_COUNT], const struct mdl_matrix *w)
{
    numbers[w->type] += (uint64_t)w->n_rows * (uint64_t)w->n_cols; /* fits: they lie in memory */
}

static void count_ffn(uint64_t numbers[DTYPE_COUNT], const struct mdl_ffn *f)
{
    count_numbers(numbers, &f->w_gate);
    count_numbers(numbers, &f->w_up);
    count_numbers(numbers, &f->w_down);
}

/* The same of the matrices as they lie in memory. */
static choir_dtype main_type(const struct mdl_model *w)
{
    uint64_t numbers[DTYPE_COUNT] = {0};
    count_numbers(numbers, &w->embed);
    count_numbers(numbers, &w->output);
    for (int32_t l = 0; l < w->config.n_layers; l++) {
        const struct mdl_layer *y = &w->layers[l];
        const struct mdl_matrix *const all[] = {&y->wq, &y->wk, &y->wv, &y->wo};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            count_numbers(numbers, all[i]);
        }
        count_ffn(numbers, &y->ffn);
        count_ffn(numbers, &y->shared);
        for (int32_t i = 0; y->experts != NULL && i < w->config.n_experts; i++) {
            count_ffn(numbers, &y->experts[i]);
        }
    }
    return largest_type(numbers);
}

static uint64_t matrix_bytes(const struct mdl_matrix *w)
{
    const size_t n_rows = (size_t)w->n_rows;
    /* fits: it lies in memory */
    return w->rows != NULL ? n_rows * w->row_bytes : dtype_packed_bytes(w->type, n_rows, (size_t)w->n_cols);
}

/* Of a layer's experts: the bytes of those that a token leaves alone; experts of a layer are of one size but for types. */
static uint64_t idle_bytes(const struct mdl_config *c, const struct mdl_layer *y)
{
    uint64_t bytes = 0;
    if (y->experts == NULL) {
        return 0;
    }
    for (int32_t i = 0; i < c->n_experts; i++) {
        const struct mdl_ffn *f = &y->experts[i];
        bytes += matrix_bytes(&f->w_gate) + matrix_bytes(&f->w_up) + matrix_bytes(&f->w_down);
    }
    /* fits: a part of them */
    return bytes / (uint64_t)c->n_experts * (uint64_t)(c->n_experts - c->n_experts_used);
}

/* Bytes of weights that one decoded token reads: everything but the tables it takes a row of (learned positions, an untied
 * embedding) and the experts not chosen. */
static uint64_t decode_bytes(const struct mdl_model *w)
{
    uint64_t bytes = w->weight_bytes - matrix_bytes(&w->positions);
    if (!w->config.tied_output) {
        bytes -= matrix_bytes(&w->embed);
    }
    for (int32_t l = 0; l < w->config.n_layers; l++) {
        bytes -= idle_bytes(&w->config, &w->layers[l]);
    }
    return bytes;
}

static choir_status check_memory(const struct choir_model *m, const choir_model_options *opt, choir_error *err)
{
    uint64_t room = base_machine_free_memory();
    if (opt->mem_limit > 0 && opt->mem_limit < room) {
        room = opt->mem_limit;
    }
    if (m->plan_bytes > room) {
        return base_fail(err, CHOIR_RESOURCE, "%s: weights need %.0f MiB, %.0f MiB %s; try --quant %s, or --mmap",
                         m->path, (double)m->plan_bytes / mib, (double)room / mib,
                         opt->mem_limit > 0 && opt->mem_limit == room ? "allowed by --mem-limit" : "free",
                         dtype_table[m->main_type].block_len > 1 ? "q4_0" : "q8_0 or q4_0");
    }
    return CHOIR_OK;
}

static choir_status load_weights(struct choir_model *m, const choir_model_options *opt, choir_error *err)
{
    struct mdl_load_options load;
    choir_status status = load_options(&load, opt, err);
    if (status != CHOIR_OK) {
        return status;
    }
    count_types(m->type_bytes, m->set);
    m->main_type = load.quant != NULL ? load.quant->type : largest_type(m->type_bytes);
    if (opt->headers_only) {
        if (m->set->n_tensors == 0) { /* a config.json alone */
            return eng_account_config(m, load.quant, err);
        }
        return mdl_plan_bytes(&m->config, m->set, &load, &m->plan_bytes, err);
    }
    if (opt->mmap) {
        status = wts_map(m->set, err);
    }
    if (status == CHOIR_OK) {
        status = mdl_plan_bytes(&m->config, m->set, &load, &m->plan_bytes, err);
    }
    if (status == CHOIR_OK) {
        status = check_memory(m, opt, err);
    }
    if (status == CHOIR_OK) {
        status = mdl_open(&m->weights, &m->config, m->set, &load, err);
    }
    if (status == CHOIR_OK) {
        m->decode_bytes = decode_bytes(m->weights);
        m->main_type = main_type(m->weights);
    }
    return status;
}

static choir_status open_parts(struct choir_model *m, const choir_model_options *opt, choir_error *err)
{
    const char *path = opt->path != NULL ? opt->path : "(built-in)";
    m->path = strdup(path);
    if (m->path == NULL) {
        return base_fail_memory(err, strlen(path) + 1, "a file name");
    }
    choir_status status = choose_kernels(m, opt->cpu, err);
    if (status == CHOIR_OK) {
        status = open_set(&m->set, opt, err);
    }
    if (status == CHOIR_OK) {
        m->container = m->set->container;
        m->file_bytes = wts_file_bytes(m->set);
        status = mdl_config_read(&m->config, m->set, err);
    }
    if (status == CHOIR_OK) {
        status = eng_open_tokenizer(m, m->set, opt, err);
    }
    if (status == CHOIR_OK) {
        status = load_weights(m, opt, err);
    }
    if (status == CHOIR_OK && !opt->mmap && !opt->headers_only) {
        wts_close(m->set);
        m->set = NULL;
    }
    return status;
}

choir_status choir_model_open(choir_model **out, const choir_model_options *opt, choir_error *err)
{
    *out = NULL;
    struct choir_model *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return base_fail_memory(err, sizeof *m, "a model");
    }
    choir_status status = open_parts(m, opt, err);
    if (status != CHOIR_OK) {
        choir_model_close(m);
        return status;
    }
    *out = m;
    return CHOIR_OK;
}

void choir_model_close(choir_model *m)
{
    if (m == NULL) {
        return;
    }
    mdl_close(m->weights);
    tok_close(m->tokenizer);
    wts_close(m->set);
    free(m->chat_template);
    free(m->path);
    free(m);
}

/* ---- describing ---- */

static void set_text(char *dst, size_t cap, const char *src)
{
    snprintf(dst, cap, "%s", src);
}

static const char *heads_form(const struct mdl_config *c)
{
    return c->n_kv_heads == c->n_heads ? "multi-head" : c->n_kv_heads == 1 ? "multi-query" : "grouped-query";
}

static void describe_config(const struct mdl_config *c, choir_model_info *info)
{
    static const char *const scalings[] = {
        [MDL_SCALING_NONE] = "none", [MDL_SCALING_LINEAR] = "linear", [MDL_SCALING_DYNAMIC] = "dynamic",
        [MDL_SCALING_YARN] = "yarn", [MDL_SCALING_LLAMA3] = "llama3", [MDL_SCALING_LONGROPE] = "longrope",
    };
    set_text(info->architecture, sizeof info->architecture, c->arch->name);
    set_text(info->heads, sizeof info->heads, heads_form(c));
    set_text(info->rope_scaling, sizeof info->rope_scaling, scalings[c->rope[0].scaling]);
    info->dim = c->dim;
    info->hidden_dim = c->hidden_dim;
    info->n_layers = c->n_layers;
    info->n_heads = c->n_heads;
    info->n_kv_heads = c->n_kv_heads;
    info->head_dim = c->head_dim;
    info->vocab_size = c->vocab_size;
    info->max_seq_len = c->max_seq_len;
    info->sliding_window = c->sliding_window;
    for (int32_t l = 0; c->sliding_window > 0 && l < c->n_layers; l++) {
        info->n_windowed += mdl_is_windowed(c, l);
    }
    info->logit_cap = (double)c->logit_softcap;
    info->tied_output = c->tied_output;
    info->rope_theta = c->rope[0].theta;
    struct mdl_params p;
    mdl_count_params(c, &p);
    info->n_params = p.total;
    info->n_active = p.active;
    info->n_embedding = p.embedding;
    info->n_positions = p.positions;
    info->n_wq = p.wq;
    info->n_wk = p.wk;
    info->n_wv = p.wv;
    info->n_wo = p.wo;
    info->n_ffn = p.ffn;
    info->n_router = p.router;
    info->n_experts = p.experts;
    info->n_norms = p.norms;
    info->n_biases = p.biases;
    info->n_output = p.output;
}

static void describe_types(char *dst, size_t cap, const uint64_t type_bytes[DTYPE_COUNT])
{
    uint64_t left[DTYPE_COUNT];
    double all = 0;
    size_t n = 0;
    for (int t = 0; t < DTYPE_COUNT; t++) {
        left[t] = type_bytes[t];
        all += (double)left[t];
    }
    for (choir_dtype t = largest_type(left); left[t] > 0 && n < cap; t = largest_type(left)) {
        n += (size_t)snprintf(dst + n, cap - n, "%s%s %.1f %%", n > 0 ? ", " : "", dtype_table[t].name,
                              100.0 * (double)left[t] / all);
        left[t] = 0;
    }
}

int32_t choir_model_window(const choir_model *m, int32_t layer)
{
    const struct mdl_config *c = &m->config;
    return layer >= 0 && layer < c->n_layers && mdl_is_windowed(c, layer) ? c->sliding_window : 0;
}

void choir_model_describe(const choir_model *m, choir_model_info *info)
{
    static const char *const containers[] = {
        [WTS_HF] = "safetensors",
        [WTS_GGUF] = "gguf",
        [WTS_LLAMA2C] = "llama2.c",
    };
    *info = (choir_model_info){0};
    describe_config(&m->config, info);
    info->path = m->path;
    set_text(info->container, sizeof info->container, containers[m->container]);
    set_text(info->type, sizeof info->type, dtype_table[m->main_type].name);
    describe_types(info->types, sizeof info->types, m->type_bytes);
    set_text(info->kernels, sizeof info->kernels, base_cpu_level_name(m->kernels.level));
    if (m->tokenizer != NULL) {
        snprintf(info->tokenizer, sizeof info->tokenizer, "%s, %d pieces", tok_kind(m->tokenizer),
                 tok_n_pieces(m->tokenizer));
    } else {
        /* the reason without the file's name, which the reader has just given */
        const char *why = strstr(m->no_text, ": ");
        snprintf(info->tokenizer, sizeof info->tokenizer, "none (%.100s)", why != NULL ? why + 2 : m->no_text);
    }
    info->bos_id = m->bos_id;
    info->eos_id = m->n_eos > 0 ? m->eos_ids[0] : -1;
    info->file_bytes = m->file_bytes;
    info->weight_bytes = m->plan_bytes;
    info->decode_bytes = m->decode_bytes;
}
