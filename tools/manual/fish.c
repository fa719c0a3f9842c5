/* Completion for fish. */
#include <string.h>

#include "manual.h"

/* Text inside single quotes. */
static void print_escaped(FILE *out, const char *text)
{
    for (const char *at = text; *at; at++) {
        fprintf(out, "%s%c", strchr("'\\", *at) ? "\\" : "", *at);
    }
}

/* The condition that one of a mask of commands is being written. */
static void print_condition(FILE *out, unsigned commands)
{
    fputs("complete -c choir -n '__choir_in", out);
    for (const command_row *command = command_rows; command->name; command++) {
        if (commands & command->command) {
            fprintf(out, " %s", command->name);
        }
    }
    fputs("'", out);
}

static void print_option(FILE *out, const option_row *row)
{
    const char *const names[2] = {row->name, row->alias};
    const char letters[2] = {row->letter, row->alias_letter};
    print_condition(out, row->commands);
    for (int i = 0; i < 2; i++) {
        if (letters[i]) {
            fprintf(out, " -s %c", letters[i]);
        }
        if (names[i]) {
            fprintf(out, " -l %s", names[i]);
        }
    }
    if (row->argument) {
        switch (value_of_option(row)) {
        case VALUE_ANY:
            fputs(" -x", out);
            break;
        case VALUE_FILE:
            fputs(" -r -F", out);
            break;
        case VALUE_MODEL:
            fputs(" -r -F -a '(__choir_models)'", out);
            break;
        case VALUE_WORDS:
            fputs(" -x -a '", out);
            print_option_words(out, row, " ");
            fputs("'", out);
            break;
        }
    }
    fputs(" -d '", out);
    print_escaped(out, row->help);
    fputs("'\n", out);
}

static void print_arguments(FILE *out, const command_row *command)
{
    value_kind kind;
    bool files = false;
    for (int i = 0; argument_of_command(&kind, command, i); i++) {
        if (kind == VALUE_WORDS) {
            print_condition(out, (unsigned)command->command);
            fputs(" -a '", out);
            print_argument_words(out, command, i, " ");
            fputs("'\n", out);
        } else {
            files = true;
        }
    }
    if (files) {
        print_condition(out, (unsigned)command->command);
        fputs(" -F\n", out);
    }
}

void print_fish(FILE *out)
{
    fputs("# fish completion for choir, made from its table of options\n\n"
          "function __choir_command --description 'The command that is being written; none is generate'\n"
          "    set -l words (commandline -opc)\n"
          "    if set -q words[2]; and not string match -q -- '-*' $words[2]\n"
          "        echo $words[2]\n"
          "    else\n"
          "        echo generate\n"
          "    end\n"
          "end\n\n"
          "function __choir_in\n"
          "    contains -- (__choir_command) $argv\n"
          "end\n\n"
          "function __choir_models\n"
          "    set -l hub ~/.cache/huggingface/hub\n"
          "    set -q HF_HOME; and set hub $HF_HOME/hub\n"
          "    set -q HF_HUB_CACHE; and set hub $HF_HUB_CACHE\n"
          "    for folder in $hub/models--*--*\n"
          "        string replace -r '.*/models--(.*?)--' '$1/' $folder\n"
          "    end\n"
          "end\n\n"
          "complete -c choir -f\n"
          "complete -c choir -n '__fish_is_first_arg' -l version -d 'the version'\n"
          "complete -c choir -n '__fish_is_first_arg' -a help -d 'all flags of a command'\n",
          out);
    for (const command_row *command = command_rows; command->name; command++) {
        fprintf(out, "complete -c choir -n '__fish_is_first_arg' -a %s -d '", command->name);
        print_escaped(out, command->help);
        fprintf(out, "'\ncomplete -c choir -n '__choir_in help' -a %s\n", command->name);
    }
    for (const option_row *row = option_rows; row->name; row++) {
        print_option(out, row);
    }
    for (const command_row *command = command_rows; command->name; command++) {
        print_arguments(out, command);
    }
}
