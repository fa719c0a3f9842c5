/* A man page out of a template: roff (the man macros) with lines that the tables fill in:
 *   @title        .TH                          @synopsis     the usage line
 *   @name TEXT    the NAME section; without    @options      every flag by group
 *                 TEXT the command's help      @commands     every command with its help
 *   @description  the command's sentences      @types        types of weights, in a sentence */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "manual.h"

/* Of the release that choir_version() names. */
static const char release_date[] = "2026-11-21";

const char plain_template[] = "@title\n@name\n@synopsis\n.SH DESCRIPTION\n@description\n@options\n"
                              ".SH SEE ALSO\n.BR choir (1),\n.BR choir\\-models (5)\n";

static void print_char(FILE *out, char c)
{
    if (c == '-') {
        fputs("\\-", out);
    } else if (c == '\\') {
        fputs("\\e", out);
    } else {
        fputc(c, out);
    }
}

/* Bytes of a flag (--name, -x) or of a page's name that begin here; 0: none does. */
static size_t length_of_name(const char *at)
{
    size_t n = at[0] == '-' ? 1 : 0;
    while (isalnum((unsigned char)at[n]) || at[n] == '-') {
        n++;
    }
    const bool flag = at[0] == '-' && ((at[1] == '-' && n > 2) || (isalpha((unsigned char)at[1]) && n == 2));
    return flag || strncmp(at, "choir-", 6) == 0 ? n : 0;
}

/* A line of text; flags and names of pages in bold. */
static void print_text(FILE *out, const char *text)
{
    for (const char *at = text; *at;) {
        const bool begins = at == text || strchr(" (", at[-1]);
        const size_t n = begins ? length_of_name(at) : 0;
        fputs(n > 0 ? "\\fB" : at == text && strchr(".'", *at) ? "\\&" : "", out);
        for (size_t i = 0; i < (n > 0 ? n : 1); i++) {
            print_char(out, *at++);
        }
        fputs(n > 0 ? "\\fR" : "", out);
    }
}

/* A help line as a sentence; one that begins with something to be typed keeps its letters. */
static void print_sentence(FILE *out, const char *help)
{
    char line[160];
    const size_t word = strspn(help, "abcdefghijklmnopqrstuvwxyz");
    const size_t n = strlen(help);
    snprintf(line, sizeof line, "%s%s", help, n > 0 && help[n - 1] == '.' ? "" : ".");
    if (word > 0 && help[word] == ' ') {
        line[0] = (char)toupper((unsigned char)line[0]);
    }
    print_text(out, line);
    fputc('\n', out);
}

static void print_range(FILE *out, const option_row *row)
{
    const bool number = row->kind == OPTION_INT || row->kind == OPTION_INTS || row->kind == OPTION_POWER ||
                        (row->kind == OPTION_REAL && !isinf(row->min) && !row->open_min);
    if (number && row->max < 2147483647.0) {
        char line[96];
        snprintf(line, sizeof line, "From %.10g to %.10g.", row->min, row->max);
        print_text(out, line);
        fputc('\n', out);
    } else if (row->names) {
        fputs("One of ", out);
        print_option_words(out, row, ", ");
        fputs(".\n", out);
    }
}

static void print_option(FILE *out, const option_row *row)
{
    const char letters[2] = {row->letter, row->alias_letter};
    const char *const names[2] = {row->name, row->alias};
    bool first = true;
    fputs(".TP\n", out);
    for (int i = 0; i < 2; i++) {
        if (letters[i]) {
            fprintf(out, "%s\\fB\\-%c\\fR", first ? "" : ", ", letters[i]);
            first = false;
        }
    }
    for (int i = 0; i < 2 && names[i]; i++) {
        fputs(first ? "\\fB\\-\\-" : ", \\fB\\-\\-", out);
        print_text(out, names[i]);
        fputs("\\fR", out);
        first = false;
    }
    if (row->argument) {
        fprintf(out, " \\fI%s\\fR", row->argument);
    }
    fputc('\n', out);
    print_sentence(out, row->help);
    if (row->more) {
        print_text(out, row->more);
        fputc('\n', out);
    }
    print_range(out, row);
}

static void print_options(FILE *out, const command_row *command)
{
    fputs(".SH OPTIONS\nDefaults stand in parentheses.\n"
          "A value follows its flag as the next argument, after \"=\" or, of a letter, at once;\n"
          "\\fB\\-\\-\\fR ends the flags.\n",
          out);
    for (int group = 0; group < N_GROUPS; group++) {
        bool titled = false;
        for (const option_row *row = option_rows; row->name; row++) {
            if (row->group == (option_group)group && (row->commands & command->command)) {
                if (!titled) {
                    fprintf(out, ".SS %s\n", option_group_names[group]);
                }
                titled = true;
                print_option(out, row);
            }
        }
    }
}

static void print_commands(FILE *out)
{
    for (const command_row *row = command_rows; row->name; row++) {
        fprintf(out, ".TP\n.BR choir\\-%s (1)\n", row->name);
        print_sentence(out, row->help);
    }
}

static void print_title(FILE *out, const char *name, int section)
{
    fputs(".TH ", out);
    for (const char *at = name; *at; at++) {
        print_char(out, (char)toupper((unsigned char)*at));
    }
    fprintf(out, " %d %s \"choir %s\" \"%s\"\n", section, release_date, choir_version(),
            section == 1 ? "User Commands" : "File Formats");
}

static void print_name(FILE *out, const char *name, const char *what)
{
    fputs(".SH NAME\n", out);
    for (const char *at = name; *at; at++) {
        print_char(out, *at);
    }
    fputs(" \\- ", out);
    for (const char *at = what; *at; at++) {
        print_char(out, *at);
    }
    fputc('\n', out);
}

static void print_lines(FILE *out, const char *text)
{
    print_text(out, text); /* its newlines are those of the usage */
    fputc('\n', out);
}

static bool print_directive(FILE *out, const char *line, const char *name, int section, const command_row *command)
{
    if (strcmp(line, "@title") == 0) {
        print_title(out, name, section);
    } else if (strncmp(line, "@name ", 6) == 0) {
        print_name(out, name, line + 6);
    } else if (strcmp(line, "@commands") == 0) {
        print_commands(out);
    } else if (strcmp(line, "@types") == 0) {
        for (int i = 0; choir_quant_name(i); i++) {
            fprintf(out, "%s%s", i > 0 ? ",\n" : "", choir_quant_name(i));
        }
        fputs(".\n", out);
    } else if (command && strcmp(line, "@name") == 0) {
        print_name(out, name, command->help);
    } else if (command && strcmp(line, "@synopsis") == 0) {
        fprintf(out, ".SH SYNOPSIS\n.B choir %s\n%s%s[\\fIflags\\fR]\n", command->name, command->arguments,
                *command->arguments ? "\n" : "");
    } else if (command && strcmp(line, "@description") == 0) {
        print_lines(out, command->more);
    } else if (command && strcmp(line, "@options") == 0) {
        print_options(out, command);
    } else {
        fprintf(stderr, "manual: %s.%d: unknown line \"%s\"\n", name, section, line);
        return false;
    }
    return true;
}

bool print_page(FILE *out, const char *template, const char *name, int section, const command_row *command)
{
    bool ok = true;
    for (const char *at = template; *at && ok;) {
        char line[400];
        const size_t n = strcspn(at, "\n");
        snprintf(line, sizeof line, "%.*s", (int)n, at);
        if (line[0] == '@') {
            ok = print_directive(out, line, name, section, command);
        } else {
            fprintf(out, "%.*s\n", (int)n, at);
        }
        at += n + (at[n] == '\n');
    }
    return ok;
}
