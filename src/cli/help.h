/* Help texts, made from the tables of options.h. */
#ifndef CHOIR_CLI_HELP_H
#define CHOIR_CLI_HELP_H

#include "cli/options.h"
#include "cli/stream.h"

/* All commands, or one with its flags by group. */
void help_print(stream *out, const command_row *command);

#endif
