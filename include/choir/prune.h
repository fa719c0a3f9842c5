/* A smaller model: heads cut out of it. */
#ifndef CHOIR_PRUNE_H
#define CHOIR_PRUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/tap.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct choir_prune_options {
    const char *in;          /* .gguf; NULL: the built-in model */
    const char *out;         /* .gguf; written under a temporary name, then renamed */
    const choir_head *heads; /* [n_heads] that go */
    size_t n_heads;
    /* Now and then, bytes of the new file written of all; non-zero ends it with CHOIR_CANCELLED and leaves no file. */
    int (*progress)(void *user, uint64_t done, uint64_t total);
    void *user;
} choir_prune_options;

typedef struct choir_prune_result {
    bool removed;                       /* else the heads are there, and zeros where W_O takes them up */
    char why[120];                      /* they could not be removed */
    int32_t n_gone;                     /* heads, of all layers */
    int32_t n_heads, n_kv_heads;        /* of a layer of the new model */
    bool requantized;                   /* blocks of W_O hold numbers of several heads, so W_O was rounded once more */
    uint64_t bytes_before, bytes_after; /* of all tensors */
} choir_prune_result;

/* Writes the model without these heads.  Where every layer loses as many, and what is left can be grouped alike in all of
 * them, W_Q, W_K, W_V and W_O become smaller, and key/value heads that nobody asks any more go too; else, and for families
 * whose loaders know one number of heads only, the heads' columns of W_O become zeros and no tensor smaller.  Either way the
 * text is that of the model with these heads masked (choir_engine_mask_heads), to the bit unless `requantized`.
 * CHOIR_USAGE for heads that the model does not have, for none, and for a model that is no GGUF file. */
CHOIR_API choir_status choir_prune(choir_prune_result *result, const choir_prune_options *opt, choir_error *err);

#ifdef __cplusplus
}
#endif
#endif
