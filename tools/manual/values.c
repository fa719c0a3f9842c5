/* What may stand behind an option, and in a command's places. */
#include <ctype.h>
#include <string.h>

#include "manual.h"

enum { WORD_CAP = 80 };

value_kind value_of_option(const option_row *row)
{
    if (row->names || row->kind == OPTION_GUESS) {
        return VALUE_WORDS;
    }
    if (strcmp(row->argument, "MODEL") == 0) {
        return VALUE_MODEL;
    }
    return strcmp(row->argument, "FILE") == 0 || strcmp(row->argument, "OUT") == 0 ? VALUE_FILE : VALUE_ANY;
}

static void print_names(FILE *out, const char *(*names)(int i), const char *separator)
{
    for (int i = 0; names(i); i++) {
        fprintf(out, "%s%s", i > 0 ? separator : "", names(i));
    }
}

void print_option_words(FILE *out, const option_row *row, const char *separator)
{
    if (row->names) {
        print_names(out, row->names, separator);
    } else {
        fputs("ngram", out);
    }
}

/* Word i of the usage line, without brackets and dots. */
static bool find_word(char dst[WORD_CAP], const command_row *command, int i)
{
    static const char breaks[] = " []";
    const char *at = command->arguments;
    for (;; i--) {
        at += strspn(at, breaks);
        size_t n = strcspn(at, breaks);
        if (n == 0 || n >= WORD_CAP) {
            return false;
        }
        if (i == 0) {
            memcpy(dst, at, n);
            dst[n] = '\0';
            return true;
        }
        at += n;
    }
}

bool argument_of_command(value_kind *kind, const command_row *command, int i)
{
    char word[WORD_CAP];
    if (!find_word(word, command, i)) {
        return false;
    }
    if (islower((unsigned char)word[0]) || strcmp(word, "TYPE") == 0) {
        *kind = VALUE_WORDS;
    } else {
        *kind = strcmp(word, "MODEL") == 0 || strcmp(word, "IN") == 0 ? VALUE_MODEL : VALUE_FILE;
    }
    return true;
}

void print_argument_words(FILE *out, const command_row *command, int i, const char *separator)
{
    char word[WORD_CAP];
    if (!find_word(word, command, i)) {
        return;
    }
    if (strcmp(word, "TYPE") == 0) {
        print_names(out, choir_quant_name, separator);
        return;
    }
    for (const char *at = word; *at; at++) {
        if (*at == '|') {
            fputs(separator, out);
        } else {
            fputc(*at, out);
        }
    }
}
