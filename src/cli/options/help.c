/* --help: at most 79 columns and 24 lines; help COMMAND: one line for every flag. */
#include "cli/options/help.h"

#include <stdio.h>
#include <string.h>

static void print_commands(stream *out)
{
    stream_print(out, "usage: choir COMMAND [flags]      choir help COMMAND      choir --version\n\n");
    for (const command_row *row = command_rows; row->name; row++) {
        stream_print(out, "  %-10s %s\n", row->name, row->help);
    }
    stream_print(out, "\nWithout a command: complete in a terminal, generate in a pipe.\n"
                      "Without -m: the model named by CHOIR_MODEL, else the one built in.\n\n"
                      "  choir generate -p \"Once upon a time\" -n 100\n"
                      "  echo \"Once upon a time\" | choir generate --temp 0 > story.txt\n"
                      "  choir bench -m model.gguf -p 512 -n 128\n\n"
                      "Exit codes: 0 done, 2 usage, 3 file refused, 4 input or output, 5 memory or a\n"
                      "limit, 6 prompt refused, 130 Ctrl-C, 141 closed pipe.\n");
}

/* "-n, --max-tokens N" */
static void name_row(char *dst, size_t cap, const option_row *row)
{
    char letter[8] = "   ";
    if (row->letter || row->alias_letter) {
        snprintf(letter, sizeof letter, "-%c,", row->letter ? row->letter : row->alias_letter);
    }
    snprintf(dst, cap, "%s --%s%s%s", letter, row->name, row->argument ? " " : "", row->argument ? row->argument : "");
}

/* Rows of a command, of one group or (N_GROUPS) of all. */
static int count_rows(const command_row *command, option_group group, bool common)
{
    int n = 0;
    for (const option_row *row = option_rows; row->name; row++) {
        n += (row->commands & command->command) && (group == N_GROUPS || row->group == group) &&
             (row->common || !common);
    }
    return n;
}

/* The group stands in the left margin, so that the flags people want most fit a screen. */
static void print_common(stream *out, const command_row *command)
{
    stream_print(out, "\n");
    for (int group = 0; group < N_GROUPS; group++) {
        const char *margin = option_group_names[group];
        for (const option_row *row = option_rows; row->name; row++) {
            char left[64];
            if (row->group == (option_group)group && (row->commands & command->command) && row->common) {
                name_row(left, sizeof left, row);
                stream_print(out, "%-8s %-22s %s\n", margin, left, row->help);
                margin = "";
            }
        }
    }
    stream_print(out, "\n%d more: choir help %s, or man choir-%s\n",
                 count_rows(command, N_GROUPS, false) - count_rows(command, N_GROUPS, true), command->name,
                 command->name);
}

static void print_all(stream *out, const command_row *command)
{
    for (int group = 0; group < N_GROUPS; group++) {
        if (count_rows(command, (option_group)group, false) > 0) {
            stream_print(out, "%s\n", option_group_names[group]);
        }
        for (const option_row *row = option_rows; row->name; row++) {
            char left[64];
            if (row->group == (option_group)group && (row->commands & command->command)) {
                name_row(left, sizeof left, row);
                stream_print(out, "  %-29s %s\n", left, row->help);
            }
        }
    }
}

void help_print(stream *out, const command_row *command, bool all)
{
    enum { SCREEN = 24 - N_GROUPS - 3 }; /* rows of flags on it: there are titles, a usage line and at most two more */
    if (!command) {
        print_commands(out);
        return;
    }
    stream_print(out, "usage: choir %s%s%s [flags]\n%s\n", command->name, *command->arguments ? " " : "",
                 command->arguments, command->more);
    if (all || count_rows(command, N_GROUPS, false) <= SCREEN) {
        print_all(out, command);
    } else {
        print_common(out, command);
    }
}
