/* Completion for bash 4 and above; needs nothing of the bash-completion package. */
#include "manual.h"

static void print_flags(FILE *out)
{
    fputs("_choir_flags() # COMMAND: its flags\n{\n    case $1 in\n", out);
    for (const command_row *command = command_rows; command->name; command++) {
        fprintf(out, "    %s) echo \"", command->name);
        for (const option_row *row = option_rows; row->name; row++) {
            if (row->commands & command->command) {
                fprintf(out, "--%s ", row->name);
            }
        }
        fputs("\" ;;\n", out);
    }
    fputs("    esac\n}\n\n", out);
}

static void print_pattern(FILE *out, const option_row *row)
{
    const char *bar = "";
    for (const command_row *command = command_rows; command->name; command++) {
        if (!(row->commands & command->command)) {
            continue;
        }
        const char *const names[2] = {row->name, row->alias};
        const char letters[2] = {row->letter, row->alias_letter};
        for (int i = 0; i < 2; i++) {
            if (names[i]) {
                fprintf(out, "%s%s:--%s", bar, command->name, names[i]);
                bar = "|";
            }
            if (letters[i]) {
                fprintf(out, "%s%s:-%c", bar, command->name, letters[i]);
                bar = "|";
            }
        }
    }
}

static void print_values(FILE *out)
{
    fputs("# COMMAND:FLAG: what its value is: words, or one of @any @file @model; fails for a flag without a value\n"
          "_choir_value()\n{\n    case $1 in\n",
          out);
    for (const option_row *row = option_rows; row->name; row++) {
        if (!row->argument) {
            continue;
        }
        fputs("    ", out);
        print_pattern(out, row);
        switch (value_of_option(row)) {
        case VALUE_ANY:
            fputs(") echo @any ;;\n", out);
            break;
        case VALUE_FILE:
            fputs(") echo @file ;;\n", out);
            break;
        case VALUE_MODEL:
            fputs(") echo @model ;;\n", out);
            break;
        case VALUE_WORDS:
            fputs(") echo \"", out);
            print_option_words(out, row, " ");
            fputs("\" ;;\n", out);
            break;
        }
    }
    fputs("    *) return 1 ;;\n    esac\n}\n\n", out);
}

static void print_arguments(FILE *out)
{
    fputs("_choir_argument() # COMMAND:N: what its argument number N is, as above\n{\n    case $1 in\n", out);
    for (const command_row *command = command_rows; command->name; command++) {
        value_kind kind;
        for (int i = 0; argument_of_command(&kind, command, i); i++) {
            fprintf(out, "    %s:%d) echo \"", command->name, i);
            if (kind == VALUE_WORDS) {
                print_argument_words(out, command, i, " ");
            } else {
                fputs(kind == VALUE_MODEL ? "@model" : "@file", out);
            }
            fputs("\" ;;\n", out);
        }
    }
    fputs("    help:0) _choir_commands ;;\n    esac\n}\n\n", out);
}

void print_bash(FILE *out)
{
    fputs("# bash completion for choir, made from its table of options\n\n"
          "_choir_commands()\n{\n    echo \"",
          out);
    for (const command_row *command = command_rows; command->name; command++) {
        fprintf(out, "%s ", command->name);
    }
    fputs("help\"\n}\n\n", out);
    print_flags(out);
    print_values(out);
    print_arguments(out);
    fputs("# Offers what KIND is: words, files, models.\n"
          "_choir_offer() # KIND CUR\n{\n"
          "    local hub=${HF_HUB_CACHE:-${HF_HOME:-$HOME/.cache/huggingface}/hub} folder name\n"
          "    case $1 in\n"
          "    @any | '') ;;\n"
          "    @file | @model)\n"
          "        mapfile -t COMPREPLY < <(compgen -f -- \"$2\")\n"
          "        compopt -o filenames 2>/dev/null\n"
          "        [ \"$1\" = @model ] || return\n"
          "        for folder in \"$hub\"/models--*--*; do\n"
          "            name=${folder##*/models--}\n"
          "            name=${name/--//}\n"
          "            [[ -d $folder && $name == \"$2\"* ]] && COMPREPLY+=(\"$name\")\n"
          "        done\n"
          "        ;;\n"
          "    *) mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$2\") ;;\n"
          "    esac\n}\n\n"
          "_choir()\n{\n"
          "    local IFS=$' \\t\\n' command=${COMP_WORDS[1]} i=2 n=0 kind= word\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]}\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ] && [[ $cur != -* ]]; then\n"
          "        _choir_offer \"$(_choir_commands)\" \"$cur\"\n"
          "        return\n"
          "    fi\n"
          "    # flags without a command are those of generate\n"
          "    [[ $command != -* ]] || { command=generate i=1; }\n"
          "    for (( ; i < COMP_CWORD; i++)); do\n"
          "        word=${COMP_WORDS[i]}\n"
          "        kind=\n"
          "        if [ \"$word\" = -- ] || [[ $word != -* ]]; then\n"
          "            ((n += 1))\n"
          "        elif kind=$(_choir_value \"$command:$word\"); then\n"
          "            # its value: the next word, or the one behind \"=\", which bash makes a word of its own\n"
          "            [ \"${COMP_WORDS[i + 1]}\" != = ] || ((i += 1))\n"
          "            ((i += 1))\n"
          "            if [ \"$i\" -ge \"$COMP_CWORD\" ]; then\n"
          "                [ \"$cur\" != = ] || cur=\n"
          "                _choir_offer \"$kind\" \"$cur\"\n"
          "                return\n"
          "            fi\n"
          "        fi\n"
          "    done\n"
          "    if [[ $cur == -* ]]; then\n"
          "        kind=$(_choir_flags \"$command\")\n"
          "        [ \"$COMP_CWORD\" -gt 1 ] || kind+=\" --version\"\n"
          "    else\n"
          "        kind=$(_choir_argument \"$command:$n\")\n"
          "    fi\n"
          "    _choir_offer \"$kind\" \"$cur\"\n"
          "}\n\n"
          "complete -F _choir choir\n",
          out);
}
