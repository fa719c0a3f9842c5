/* What `choir perplexity` prints. */
#ifndef CHOIR_CLI_PERPLEXITY_REPORT_H
#define CHOIR_CLI_PERPLEXITY_REPORT_H

#include "cli/perplexity/perplexity.h"
#include "cli/session.h"

typedef struct ppl_outcome {
    ppl_windows windows;
    size_t n_ids; /* of the whole text */
    ppl_sums sums;
    double *divergences; /* [sums.n]; NULL: nothing was compared.  Sorted by ppl_report */
    double seconds;
} ppl_outcome;

/* One line on stdout, and a table if there was a base; with --json one object. */
choir_status ppl_report(session *s, const ppl_outcome *out, choir_error *err);

#endif
