/* Completion for zsh: a function for fpath, _choir. */
#include <string.h>

#include "manual.h"

/* Text inside single quotes and the brackets of _arguments. */
static void print_escaped(FILE *out, const char *text)
{
    for (const char *at = text; *at; at++) {
        if (*at == '\'') {
            fputs("'\\''", out);
        } else {
            fprintf(out, "%s%c", strchr("[]:\\", *at) ? "\\" : "", *at);
        }
    }
}

/* "MESSAGE:ACTION", the second half of a specification. */
static void print_action(FILE *out, value_kind kind, const char *message)
{
    fputc(':', out);
    print_escaped(out, message);
    fputs(kind == VALUE_FILE ? ":_files" : kind == VALUE_MODEL ? ":_choir_models" : ": ", out);
}

static int print_names(FILE *out, const option_row *row, const char *separator, bool value)
{
    const char *const names[2] = {row->name, row->alias};
    const char letters[2] = {row->letter, row->alias_letter};
    int n = 0;
    for (int i = 0; i < 2; i++) {
        if (letters[i]) {
            fprintf(out, "%s-%c%s", n++ > 0 ? separator : "", letters[i], value ? "+" : "");
        }
        if (names[i]) {
            fprintf(out, "%s--%s%s", n++ > 0 ? separator : "", names[i], value ? "=" : "");
        }
    }
    return n;
}

static void print_option(FILE *out, const option_row *row)
{
    const bool again = row->kind == OPTION_TEXTS || row->kind == OPTION_BIAS || row->kind == OPTION_HEADS;
    const bool several = row->letter || row->alias_letter || row->alias;
    fputs("            '", out);
    if (again) {
        fputc('*', out);
    } else {
        fputc('(', out);
        print_names(out, row, " ", false);
        fputc(')', out);
    }
    fputs(several ? "'{" : "", out);
    print_names(out, row, ",", row->argument != NULL);
    fputs(several ? "}'[" : "[", out);
    print_escaped(out, row->help);
    fputc(']', out);
    if (row->argument) {
        const value_kind kind = value_of_option(row);
        if (kind == VALUE_WORDS) {
            fputc(':', out);
            print_escaped(out, row->argument);
            fputs(":(", out);
            print_option_words(out, row, " ");
            fputc(')', out);
        } else {
            print_action(out, kind, row->argument);
        }
    }
    fputs("' \\\n", out);
}

static void print_arguments(FILE *out, const command_row *command)
{
    value_kind kind;
    for (int i = 0; argument_of_command(&kind, command, i); i++) {
        fputs("            '", out);
        if (kind == VALUE_WORDS) {
            fprintf(out, "%d::argument:(", i + 1);
            print_argument_words(out, command, i, " ");
            fputs(")' \\\n", out);
        } else {
            fprintf(out, "%d:", i + 1);
            print_action(out, kind, "file");
            fputs("' \\\n", out);
        }
    }
}

void print_zsh(FILE *out)
{
    fputs("#compdef choir\n"
          "# zsh completion for choir, made from its table of options\n\n"
          "_choir_models() {\n"
          "    local hub=${HF_HUB_CACHE:-${HF_HOME:-$HOME/.cache/huggingface}/hub}\n"
          "    local -a names=($hub/models--*--*(N:t))\n"
          "    names=(${${names#models--}/--//})\n"
          "    _alternative 'files:model file or folder:_files' \"names:name in the Hugging Face cache:($names)\"\n"
          "}\n\n"
          "_choir() {\n"
          "    local command=generate\n"
          "    local -a commands=(\n",
          out);
    for (const command_row *command = command_rows; command->name; command++) {
        fprintf(out, "        '%s:", command->name);
        print_escaped(out, command->help);
        fputs("'\n", out);
    }
    fputs("        'help:all flags of a command'\n"
          "    )\n"
          "    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
          "        _describe -t commands command commands\n"
          "        return\n"
          "    fi\n"
          "    # flags without a command are those of generate\n"
          "    if [[ $words[2] != -* ]]; then\n"
          "        command=$words[2]\n"
          "        shift words\n"
          "        (( CURRENT-- ))\n"
          "    fi\n"
          "    case $command in\n",
          out);
    for (const command_row *command = command_rows; command->name; command++) {
        fprintf(out, "    %s)\n        _arguments -S \\\n", command->name);
        for (const option_row *row = option_rows; row->name; row++) {
            if (row->commands & command->command) {
                print_option(out, row);
            }
        }
        print_arguments(out, command);
        fputs("            && return\n        ;;\n", out);
    }
    fputs("    help) _describe -t commands command commands ;;\n"
          "    esac\n"
          "}\n\n"
          "_choir \"$@\"\n",
          out);
}
