/* THE architecture table: a model family is a row of data, and forward reads that row. */
#ifndef MDL_ARCH_H
#define MDL_ARCH_H

#include <stddef.h>

/* Tensors of a layer, and of the model around the layers. */
enum mdl_tensor {
    MDL_EMBED,
    MDL_OUTPUT_NORM,
    MDL_OUTPUT,
    MDL_ATT_NORM,
    MDL_WQ,
    MDL_WK,
    MDL_WV,
    MDL_WO,
    MDL_FFN_NORM,
    MDL_W_GATE,
    MDL_W_UP,
    MDL_W_DOWN,
    MDL_TENSOR_COUNT
};
enum { MDL_FIRST_LAYER_TENSOR = MDL_ATT_NORM };

struct mdl_arch {
    const char *name;              /* as Choir shows it: "llama" */
    const char *const *hf_types;   /* NULL-terminated config.json model_type values */
    const char *const *gguf_archs; /* NULL-terminated general.architecture values */
    int gguf_rope_layout;          /* enum mdl_rope_layout of a GGUF file (and of llama2.c) */
    int hf_rope_layout;            /* of a Hugging Face folder */
    const char *const *hf_names;   /* [MDL_TENSOR_COUNT], "%d" for the layer */
    const char *const *gguf_names; /* [MDL_TENSOR_COUNT] */
};

/* NULL when no row has that name. */
const struct mdl_arch *mdl_arch_by_hf_type(const char *model_type);
const struct mdl_arch *mdl_arch_by_gguf(const char *architecture);

/* A name of the row with the layer's number for "%d". */
void mdl_tensor_name(char *dst, size_t cap, const char *pattern, int layer);

#endif
