/* What a model is quantized to: one type for every matrix, or one of the usual mixes, which spend more bits where they
 * help most.  The rules and the numbers are llama.cpp's, so that files of a name are alike. */
#ifndef WTS_MIX_H
#define WTS_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"

/* What a mix does beyond its main type. */
enum wts_recipe {
    WTS_ALIKE,  /* nothing: every matrix is of the type */
    WTS_OUTPUT, /* the output matrix has more bits */
    WTS_SMALL,  /* these, and others of attention and feed-forward too: q2_K, ..._S, ..._M, ..._L */
    WTS_MEDIUM,
    WTS_LARGE
};

struct wts_mix {
    const char *name;       /* "q4_K_M" */
    choir_dtype type;       /* of most matrices */
    enum wts_recipe recipe; /* WTS_SMALL of q2_K is the only one of that type */
    uint32_t file_type;     /* GGUF's general.file_type */
};

/* What the choice depends on beside the matrix. */
struct wts_mix_model {
    int n_layers;
    int n_heads, n_kv_heads;
    int n_experts; /* 0: none */
    bool falcon;   /* of that family, which bears fewer bits in other places */
};

/* What a matrix is in the model: the output (tied embeddings are one), W_K, W_V (or W_Q, W_K and W_V in one), W_O, the
 * feed-forward network's way back (of an expert too). */
enum wts_place { WTS_PLACE_ANY, WTS_PLACE_OUTPUT, WTS_PLACE_K, WTS_PLACE_V, WTS_PLACE_O, WTS_PLACE_DOWN };

/* NULL if there is none of that name (in any case).  The i-th name, NULL past the end. */
const struct wts_mix *wts_mix_by_name(const char *name);
const char *wts_mix_name(int i);
/* Every matrix of that type; NULL for types that cannot be made. */
const struct wts_mix *wts_mix_alike(choir_dtype type);
/* All names with commas between them, for messages. */
enum { WTS_MIX_NAMES_CAP = 192 };
const char *wts_mix_names(char dst[WTS_MIX_NAMES_CAP]);

/* The place of a tensor by its GGUF name, and its layer (-1 outside of layers). */
enum wts_place wts_place_of(const char *gguf_name, bool tied_output, int *layer);

/* Whether the tensor of that GGUF name and shape is a matrix that a mix applies to.  All others stay f32: vectors, norms,
 * learned positions, token types, the matrix that chooses experts, everything not called a weight. */
bool wts_is_mixed(const char *gguf_name, int n_dims, uint64_t n_rows);

/* The type that the mix wants for a matrix of that width at that place. */
choir_dtype wts_mix_type(const struct wts_mix *mix, const struct wts_mix_model *model, enum wts_place place, int layer,
                         uint64_t n_cols);

/* `wanted`, or where its blocks do not divide n_cols the type of about that size whose blocks of 32 do (q5_0 for q4_K, q5_1
 * for q5_K, q8_0 for q6_K, q4_0 for the others); DTYPE_COUNT where these do not either. */
choir_dtype wts_type_that_fits(choir_dtype wanted, uint64_t n_cols);

/* Matrices that did not get what the mix wants, for one line about them. */
struct wts_misfits {
    uint64_t n_cols;       /* of the first */
    size_t n[DTYPE_COUNT]; /* by the type wanted */
    uint64_t kept_cols;    /* the same of those that no quantized type fits: they keep theirs */
    size_t n_kept;
};
void wts_misfits_add(struct wts_misfits *m, choir_dtype wanted, uint64_t n_cols);
enum { WTS_MISFITS_CAP = 256 };
/* "100 columns are no multiple of 256: 3 matrices q5_0 instead of q4_K, 1 q8_0 instead of q6_K; 20 columns are no multiple
 * of 32: 2 matrices not quantized"; NULL where there are none. */
const char *wts_misfits_line(char dst[WTS_MISFITS_CAP], const struct wts_misfits *m);

#endif
