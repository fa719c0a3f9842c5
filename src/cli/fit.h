/* When something does not fit into memory: the account in one line, with flags that were tried and do fit. */
#ifndef CHOIR_CLI_FIT_H
#define CHOIR_CLI_FIT_H

#include "cli/session.h"

/* Whether weights, keys, values and activations fit, as a model that is open for its headers tells.  CHOIR_RESOURCE. */
choir_status fit_check(const session *s, const choir_model *headers, const choir_engine_options *opt, choir_error *err);
/* err is of choir_engine_open: when memory is what was missing, it tells so.  Returns err->code. */
choir_status fit_explain_engine(const session *s, const choir_model *model, const choir_engine_options *opt,
                                choir_error *err);
/* err is of choir_model_open with opt; the same. */
choir_status fit_explain_model(const session *s, const choir_model_options *opt, choir_error *err);

#endif
