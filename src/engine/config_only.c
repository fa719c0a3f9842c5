/* A folder that holds a config.json and no weights: what these would take, for accounts of memory. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "engine/engine.h"

enum { CONFIG_MAX_BYTES = 1 << 24, PATH_CAP = 4096 };

/* The type that the configuration names; f32, as the library that writes them has it, if none or another. */
static choir_status declared_type(choir_dtype *type, const struct wts_set *set, choir_error *err)
{
    char path[PATH_CAP];
    json_t *root = NULL;
    const char *name = NULL;
    *type = DTYPE_F32;
    int n = snprintf(path, sizeof path, "%s/config.json", set->path);
    if (n < 0 || n >= (int)sizeof path) {
        return CHOIR_OK;
    }
    choir_status status = base_json_load(&root, path, CONFIG_MAX_BYTES, err);
    if (status == CHOIR_OK) {
        status = base_json_string(&name, root, path, "dtype", err);
    }
    if (status == CHOIR_OK && name == NULL) {
        status = base_json_string(&name, root, path, "torch_dtype", err);
    }
    if (status == CHOIR_OK && name != NULL) {
        *type = strcmp(name, "float16") == 0 ? DTYPE_F16 : strcmp(name, "bfloat16") == 0 ? DTYPE_BF16 : DTYPE_F32;
    }
    json_decref(root);
    return status;
}

choir_status eng_account_config(struct choir_model *m, const struct wts_mix *quant, choir_error *err)
{
    struct mdl_params p;
    choir_status status = CHOIR_OK;
    if (quant != NULL) {
        m->main_type = quant->type;
    } else {
        status = declared_type(&m->main_type, m->set, err);
    }
    mdl_count_params(&m->config, &p);
    const uint64_t vectors = p.norms + p.biases;
    const uint64_t block_len = (uint64_t)dtype_table[m->main_type].block_len;
    /* fits: below 2^61 numbers of 4 bytes at most */
    m->plan_bytes = (p.total - vectors) / block_len * (uint64_t)dtype_table[m->main_type].block_bytes + vectors * 4;
    return status;
}
