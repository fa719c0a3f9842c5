/* --help: at most 80 columns, one line a flag. */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

static const char *const group_names[N_GROUPS] = {
    [GROUP_TEXT] = "Text",         [GROUP_MODEL] = "Model",   [GROUP_OUTPUT] = "Output",
    [GROUP_SAMPLING] = "Sampling", [GROUP_ENGINE] = "Engine", [GROUP_TALK] = "Talk",
};

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

static void print_row(stream *out, const option_row *row)
{
    char left[64];
    char letter[8] = "   ";
    if (row->letter || row->alias_letter) {
        snprintf(letter, sizeof letter, "-%c,", row->letter ? row->letter : row->alias_letter);
    }
    snprintf(left, sizeof left, "%s --%s%s%s", letter, row->name, row->argument ? " " : "",
             row->argument ? row->argument : "");
    stream_print(out, "  %-29s %s\n", left, row->help);
}

static void print_command(stream *out, const command_row *command)
{
    stream_print(out, "usage: choir %s%s%s [flags]\n%s\n", command->name, *command->arguments ? " " : "",
                 command->arguments, command->more);
    for (int group = 0; group < N_GROUPS; group++) {
        bool titled = false;
        for (const option_row *row = option_rows; row->name; row++) {
            if (row->group != (option_group)group || !(row->commands & command->command)) {
                continue;
            }
            if (!titled) {
                stream_print(out, "%s\n", group_names[group]);
                titled = true;
            }
            print_row(out, row);
        }
    }
}

void help_print(stream *out, const command_row *command)
{
    if (command) {
        print_command(out, command);
    } else {
        print_commands(out);
    }
}
