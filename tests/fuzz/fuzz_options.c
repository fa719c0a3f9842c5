/* Arguments of a command. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options/options.h"
#include "tests/fuzz/fuzz.h"

enum { ARGS_CAP = 64 };

/* What the table promises of the fields. */
static void check_fields(const options *o)
{
    for (const option_row *row = option_rows; row->name; row++) {
        const char *field = (const char *)o + row->field;
        if (!(row->commands & o->command->command)) {
            continue;
        }
        if (row->kind == OPTION_REAL) {
            float x;
            memcpy(&x, field, sizeof x);
            FUZZ_CHECK(isfinite(x));
        } else if (row->kind == OPTION_INTS) {
            int_list list;
            memcpy(&list, field, sizeof list);
            FUZZ_CHECK(list.n >= 0 && list.n <= LIST_CAP);
            for (int i = 0; i < list.n; i++) {
                FUZZ_CHECK(list.at[i] >= (int32_t)row->min && (double)list.at[i] <= row->max);
            }
        }
    }
    FUZZ_CHECK(o->n_args >= 0 && o->n_args <= 4);
}

void fuzz_options(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return;
    }
    int n_commands = 0;
    while (command_rows[n_commands].name) {
        n_commands++;
    }
    char *text = malloc(size), *argv[ARGS_CAP + 1];
    FUZZ_CHECK(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    int argc = 0;
    for (char *at = text; at < text + size && argc < ARGS_CAP; at += strlen(at) + 1) {
        argv[argc++] = at;
    }
    argv[argc] = NULL;
    options o;
    choir_error err;
    options_default(&o);
    o.command = &command_rows[data[0] % n_commands];
    choir_status status = options_parse(&o, argc, argv, &err);
    if (status == CHOIR_OK) {
        check_fields(&o);
    } else {
        fuzz_refused(status, &err, CHOIR_USAGE, "");
    }
    options_free(&o);
    free(text);
}
