/* choir generate --beams: the most likely texts, best first. */
#ifndef CHOIR_CLI_GENERATE_BEAMS_H
#define CHOIR_CLI_GENERATE_BEAMS_H

#include "cli/generation.h"
#include "cli/prompt.h"

/* CHOIR_USAGE when the options want more texts than there are beams, or what a search has not. */
choir_status generate_beams_check(const options *o, choir_error *err);
/* Searches from seq, which holds the prompt; prints the best texts, or adds them to choices with --json.  After Ctrl-C the best
 * so far. */
choir_status generate_beams(session *s, choir_sequence *seq, const prompt *prompt, json_t *choices, choir_result *total,
                            choir_error *err);

#endif
