/* argv against the table of options. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/options/options.h"
#include "cli/options/suggest.h"
#include "cli/terminal.h"

const command_row *command_find(const char *name)
{
    for (const command_row *row = command_rows; row->name; row++) {
        if (strcmp(row->name, name) == 0) {
            return row;
        }
    }
    return NULL;
}

const option_row *option_find(unsigned command, const char *name)
{
    for (const option_row *row = option_rows; row->name; row++) {
        if ((row->commands & command) &&
            (strcmp(row->name, name) == 0 || (row->alias && strcmp(row->alias, name) == 0))) {
            return row;
        }
    }
    return NULL;
}

const option_row *option_find_letter(unsigned command, char letter)
{
    for (const option_row *row = option_rows; row->name; row++) {
        if ((row->commands & command) && letter && (row->letter == letter || row->alias_letter == letter)) {
            return row;
        }
    }
    return NULL;
}

static choir_status unknown_option(const options *o, const char *arg, size_t n, choir_error *err)
{
    char text[BASE_ESCAPE_CAP], name[64], near[64] = "";
    suggestion s;
    size_t dashes = arg[1] == '-' ? 2 : 1;
    snprintf(name, sizeof name, "%.*s", (int)(n - dashes < sizeof name ? n - dashes : sizeof name - 1), arg + dashes);
    suggest_begin(&s, name);
    for (const option_row *row = option_rows; row->name && strlen(name) > 1; row++) {
        if (row->commands & o->command->command) {
            suggest_add(&s, row->name);
        }
    }
    if (s.best) {
        snprintf(near, sizeof near, "; did you mean --%s?", s.best);
    }
    return base_fail(err, CHOIR_USAGE, "unknown option %s%s (see choir %s --help)", base_escape(text, arg, n), near,
                     o->command->name);
}

/* Whether this is a long name behind a single dash: a slip, and no value for the option of its first letter. */
static bool is_long_name(const options *o, const char *arg, size_t n)
{
    char name[48];
    if (arg[1] == '-' || n < 3 || n - 1 >= sizeof name) {
        return false;
    }
    memcpy(name, arg + 1, n - 1);
    name[n - 1] = '\0';
    return option_find(o->command->command, name) != NULL;
}

/* One argument that begins with a dash; *at moves over its value. */
static choir_status read_option(options *o, int argc, char **argv, int *at, choir_error *err)
{
    const char *arg = argv[*at];
    const char *value = NULL;
    char shown[BASE_ESCAPE_CAP], name[48];
    size_t n = strcspn(arg, "=");
    const option_row *row = NULL;
    if (is_long_name(o, arg, n)) {
        return unknown_option(o, arg, n, err);
    }
    if (arg[1] == '-' && n - 2 < sizeof name) {
        memcpy(name, arg + 2, n - 2);
        name[n - 2] = '\0';
        row = option_find(o->command->command, name);
        value = arg[n] ? arg + n + 1 : NULL;
    } else if (arg[1] != '-') {
        row = option_find_letter(o->command->command, arg[1]);
        row = row && row->kind == OPTION_FLAG && arg[2] ? NULL : row;
        value = arg[2] ? arg + 2 : NULL;
        n = row ? 2 : n;
    }
    if (!row) {
        return unknown_option(o, arg, n, err);
    }
    base_escape(shown, arg, value ? n : strlen(arg));
    if (row->kind == OPTION_FLAG) {
        return value ? base_fail(err, CHOIR_USAGE, "%s takes no value", shown) : option_set(o, row, shown, "", err);
    }
    if (n == 2 && value && *value == '=') {
        return base_fail(err, CHOIR_USAGE, "%s: the value of a short option follows without \"=\"", shown);
    }
    if (!value) {
        if (*at + 1 >= argc) {
            return base_fail(err, CHOIR_USAGE, "%s needs a value: %s", shown, row->argument);
        }
        value = argv[++*at];
    }
    return option_set(o, row, shown, value, err);
}

/* --jsonl reads requests, and what they say counts. */
static choir_status check_jsonl(const options *o, choir_error *err)
{
    const struct {
        bool given;
        const char *name;
    } others[] = {
        {o->prompt, "-p"},         {o->chat, "--chat"},       {o->json, "--json"},
        {o->raw, "--raw"},         {o->lossy, "--lossy"},     {o->speculate > 0, "--speculate"},
        {o->draft, "--draft"},     {o->beams > 0, "--beams"}, {o->infinite, "--infinite"},
        {o->kv_save, "--kv-save"}, {o->kv_load, "--kv-load"},
    };
    const bool several = o->jsonl || (o->n_samples > 1 && o->beams == 0);
    if ((o->resume && !o->jsonl) || (o->n_seqs > 0 && !several)) {
        return base_fail(err, CHOIR_USAGE, "%s",
                         o->resume && !o->jsonl ? "--resume goes with --jsonl"
                                                : "--n-seqs goes with --jsonl or --n-samples");
    }
    for (size_t i = 0; o->jsonl && i < sizeof others / sizeof others[0]; i++) {
        if (others[i].given) {
            return base_fail(err, CHOIR_USAGE, "--jsonl and %s exclude each other", others[i].name);
        }
    }
    return CHOIR_OK;
}

/* A text without end is not all there; a text that is kept is one, and what was kept has no log-probabilities. */
static choir_status check_texts(const options *o, choir_error *err)
{
    const bool prompt_log = o->echo && o->logprobs >= 0;
    const struct {
        bool given;
        const char *name, *other;
    } pairs[] = {
        {o->infinite && o->speculate > 0, "--infinite", "--speculate"},
        {o->infinite && o->draft, "--infinite", "--draft"},
        {o->infinite && o->kv_save, "--infinite", "--kv-save"},
        {o->infinite && o->kv_load, "--infinite", "--kv-load"},
        {o->infinite && prompt_log, "--infinite", "--logprobs with --echo"},
        {o->kv_load && prompt_log, "--kv-load", "--logprobs with --echo"},
        {o->kv_load && o->chat, "--kv-load", "--chat"},
        {o->kv_save && o->n_samples > 1, "--kv-save", "--n-samples"},
        {o->kv_save && o->beams > 0, "--kv-save", "--beams"},
        {o->kv_load && o->beams > 0, "--kv-load", "--beams"},
        {o->infinite && o->beams > 0, "--infinite", "--beams"},
        {o->infinite && o->n_samples > 1, "--infinite", "--n-samples"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pairs[i].given) {
            return base_fail(err, CHOIR_USAGE, "%s and %s exclude each other", pairs[i].name, pairs[i].other);
        }
    }
    return check_jsonl(o, err);
}

static choir_status check(const options *o, choir_error *err)
{
    const command_row *c = o->command;
    if (o->n_args < c->min_args) {
        return base_fail(err, CHOIR_USAGE, "%s needs %s (see choir %s --help)", c->name, c->arguments, c->name);
    }
    if (o->prompt && o->file) {
        return base_fail(err, CHOIR_USAGE, "-p and -f exclude each other");
    }
    if (o->verbose && o->quiet) {
        return base_fail(err, CHOIR_USAGE, "-v and -q exclude each other");
    }
    if (o->decode && (o->json || o->ids_only)) {
        return base_fail(err, CHOIR_USAGE, "--decode and %s exclude each other", o->json ? "--json" : "--ids");
    }
    if (o->save_logits && o->kl) {
        return base_fail(err, CHOIR_USAGE, "--save-logits and --kl exclude each other");
    }
    if (o->speculate > 0 && o->draft) {
        return base_fail(err, CHOIR_USAGE, "--speculate and --draft exclude each other");
    }
    if (o->logprobs >= 0 && !o->json && !o->jsonl) {
        return base_fail(err, CHOIR_USAGE, "--logprobs are told in JSON: give --json too");
    }
    if (o->json && o->ids_only) {
        return base_fail(err, CHOIR_USAGE, "--json and --ids exclude each other");
    }
    return o->command->command == CMD_GENERATE ? check_texts(o, err) : CHOIR_OK;
}

choir_status options_parse(options *o, int argc, char **argv, choir_error *err)
{
    bool flags = true;
    for (int at = 0; at < argc; at++) {
        const char *arg = argv[at];
        if (flags && strcmp(arg, "--") == 0) {
            flags = false;
        } else if (flags && arg[0] == '-' && arg[1]) {
            choir_status status = read_option(o, argc, argv, &at, err);
            if (status || o->help) {
                return status;
            }
        } else if (o->n_args < o->command->max_args) {
            o->args[o->n_args++] = arg;
        } else {
            char text[BASE_ESCAPE_CAP];
            return base_fail(err, CHOIR_USAGE, "unexpected argument \"%s\": %s", base_escape_str(text, arg),
                             o->command->stray);
        }
    }
    if (o->command->command == CMD_INFO && o->n_args == 1) {
        if (o->model) {
            return base_fail(err, CHOIR_USAGE, "%s", o->command->stray);
        }
        o->model = o->args[0];
    }
    o->chat = o->chat || o->chat_template || o->system;
    o->sampling.logit_bias = o->biases.at;
    o->sampling.n_logit_bias = o->biases.n;
    return check(o, err);
}
