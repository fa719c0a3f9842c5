/* Man pages and completions, made from the table of options. */
#ifndef CHOIR_MANUAL_H
#define CHOIR_MANUAL_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/options/options.h"

/* What a shell can offer where a value is wanted. */
typedef enum value_kind {
    VALUE_ANY,   /* nothing: a number, a text */
    VALUE_WORDS, /* some of a few words */
    VALUE_FILE,
    VALUE_MODEL /* a file, a folder, or a name in the Hugging Face cache */
} value_kind;

/* Of an option that takes a value. */
value_kind value_of_option(const option_row *row);
/* The words of VALUE_WORDS, with a separator between them. */
void print_option_words(FILE *out, const option_row *row, const char *separator);
/* Of a command's argument number i from 0, by its usage line: a word in capitals is a value (TYPE, MODEL, IN), one in small
 * letters stands for itself, or for its parts between |.  False past the last. */
bool argument_of_command(value_kind *kind, const command_row *command, int i);
void print_argument_words(FILE *out, const command_row *command, int i, const char *separator);

/* A command's page from a template: lines that begin with @ are replaced (see man_page.c), the others copied.  command NULL: of
 * a page about the whole program, or about a format.  False after a line it does not know, which it tells. */
bool print_page(FILE *out, const char *template, const char *name, int section, const command_row *command);
/* The template of a command that has no file. */
extern const char plain_template[];

void print_bash(FILE *out);
void print_zsh(FILE *out);
void print_fish(FILE *out);

#endif
