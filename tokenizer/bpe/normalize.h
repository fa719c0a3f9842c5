/* Unicode's normal forms (UAX #15), from utf8proc's tables; in linear time. */
#ifndef TOK_BPE_NORMALIZE_H
#define TOK_BPE_NORMALIZE_H

#include <stddef.h>

#include "choir/status.h"

enum bpe_form { BPE_FORM_NONE, BPE_FORM_NFC, BPE_FORM_NFD, BPE_FORM_NFKC, BPE_FORM_NFKD };

/* "NFC", ...; "none". */
const char *bpe_form_name(enum bpe_form form);

/* n bytes of valid UTF-8 in the form: *out is malloc'ed, *n_out its bytes.  Where the text is known to be in the form already
 * (always with BPE_FORM_NONE), *out is NULL and nothing is made. */
choir_status bpe_normalize(char **out, size_t *n_out, enum bpe_form form, const char *text, size_t n, choir_error *err);

#endif
