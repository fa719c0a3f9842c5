/* Writing a SentencePiece model file. */
#ifndef TOK_SP_BUILD_H
#define TOK_SP_BUILD_H

#include "tokenizer/sentencepiece/model.h"

struct sp_built {
    char *data;     /* malloc'ed */
    size_t n;       /* bytes of the model file */
    size_t n_lib;   /* bytes to give to the library: the file and, behind it, what only the library gets */
    bool own_bytes; /* that is: 256 byte pieces after the model's own, to stand for unknown characters */
};

/* *m has passed sp_validate.  A model without byte fallback gets the byte pieces behind it because the library takes
 * quadratic time for a run of unknown characters otherwise; such a run of ids >= n_pieces then means one unknown id. */
choir_status sp_build(struct sp_built *out, const struct sp_model *m, choir_error *err);

#endif
