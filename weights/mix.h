/* What a model is quantized to: one type for every matrix, or one of the usual mixes, which spend more bits where they
 * help most.  The rules and the numbers are llama.cpp's, so that files of a name are alike. */
#ifndef WTS_MIX_H
#define WTS_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dtype.h"

struct wts_mix {
    const char *name;   /* "q4_K_M"; a type's own name where all matrices are alike */
    choir_dtype type;   /* of most matrices */
    choir_dtype output; /* of the output matrix; tied embeddings are one */
    choir_dtype better; /* of attn_v and ffn_down in some layers */
    enum { WTS_NO_LAYER, WTS_FIRST_LAYERS, WTS_SPREAD_LAYERS } layers; /* which those are */
    uint32_t file_type;                                                /* GGUF's general.file_type */
};

/* What a matrix is in the model. */
enum wts_place { WTS_PLACE_ANY, WTS_PLACE_OUTPUT, WTS_PLACE_V, WTS_PLACE_DOWN };

/* NULL if there is none of that name (in any case).  The i-th name, NULL past the end. */
const struct wts_mix *wts_mix_by_name(const char *name);
const char *wts_mix_name(int i);
/* All names with commas between them, for messages. */
enum { WTS_MIX_NAMES_CAP = 192 };
const char *wts_mix_names(char dst[WTS_MIX_NAMES_CAP]);

/* The place of a tensor by its GGUF name, and its layer (-1 outside of layers). */
enum wts_place wts_place_of(const char *gguf_name, bool tied_output, int *layer);

/* The type that the mix wants for a matrix at that place, whatever its width. */
choir_dtype wts_mix_type(const struct wts_mix *mix, enum wts_place place, int layer, int n_layers);

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
