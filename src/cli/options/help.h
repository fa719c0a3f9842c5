/* Help texts, made from the tables of options.h. */
#ifndef CHOIR_CLI_HELP_H
#define CHOIR_CLI_HELP_H

#include <stdbool.h>

#include "cli/options/options.h"
#include "cli/stream.h"

/* All commands (NULL), or one with its flags by group: those that people want most, so that it fits a screen, or all. */
void help_print(stream *out, const command_row *command, bool all);

#endif
