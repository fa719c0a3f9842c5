/* choir bench compare A.json B.json: the same tests of two files, as ratios with an interval.  Reads what `bench -o json` and
 * `-o jsonl` write, and llama-bench's JSON, which has the same fields but n_seqs.  Runs of one test that stand in several
 * places of a file (measured in turns with the other, say) count together. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/bench/bench.h"
#include "cli/prompt.h"

typedef struct row {
    bench_case test;
    const char *model; /* last part of model_filename */
    double *ts;
    size_t n_ts;
} row;

typedef struct rows {
    char name[BASE_ESCAPE_CAP];
    json_t *list;
    row *at;
    size_t n, n_tests, n_noisy;
} rows;

static void rows_free(rows *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->at[i].ts);
    }
    free(r->at);
    json_decref(r->list);
}

/* One array, or one object after another. */
static choir_status parse(rows *r, const prompt *file, choir_error *err)
{
    json_error_t where;
    size_t at = 0;
    r->list = json_array();
    while (at < file->n && r->list) {
        if (strchr(" \t\r\n", file->text[at]) && file->text[at]) {
            at++;
            continue;
        }
        json_t *value;
        choir_status status = base_json_decode(&value, file->text + at, file->n - at, JSON_DISABLE_EOF_CHECK, &where);
        if (status) {
            return status == CHOIR_RESOURCE
                       ? base_fail(err, status, "%s: out of memory", r->name)
                       : base_fail(err, status, "%s: line %d: %s", r->name, where.line, where.text);
        }
        int failed = json_is_array(value) ? json_array_extend(r->list, value) : json_array_append(r->list, value);
        json_decref(value);
        if (failed) {
            return base_fail(err, CHOIR_RESOURCE, "%s: out of memory", r->name);
        }
        at += (size_t)where.position;
    }
    return r->list ? CHOIR_OK : base_fail(err, CHOIR_RESOURCE, "%s: out of memory", r->name);
}

static bool read_count(int32_t *out, const json_t *object, const char *name, int32_t absent)
{
    const json_t *value = json_object_get(object, name);
    json_int_t n = json_integer_value(value);
    *out = absent;
    if (!value && absent >= 0) {
        return true;
    }
    if (!json_is_integer(value) || n < 0 || n > INT32_MAX) {
        return false;
    }
    *out = (int32_t)n;
    return true;
}

/* The tests alike; the model too, unless each file has but one. */
static bool same_test(const row *x, const row *y, bool any_model)
{
    const bench_case *a = &x->test, *b = &y->test;
    return (any_model || strcmp(x->model, y->model) == 0) && a->n_prompt == b->n_prompt && a->n_gen == b->n_gen &&
           a->n_depth == b->n_depth && a->n_seqs == b->n_seqs && a->n_threads == b->n_threads;
}

static const row *find_same(const rows *r, const row *wanted, bool any_model)
{
    for (size_t i = 0; i < r->n; i++) {
        if (same_test(&r->at[i], wanted, any_model)) {
            return &r->at[i];
        }
    }
    return NULL;
}

static bool one_model(const rows *r)
{
    for (size_t i = 1; i < r->n; i++) {
        if (strcmp(r->at[i].model, r->at[0].model) != 0) {
            return false;
        }
    }
    return true;
}

static choir_status read_row(row *out, const rows *r, size_t index, choir_error *err)
{
    const json_t *object = json_array_get(r->list, index);
    const json_t *samples = json_object_get(object, "samples_ts");
    const char *file = json_string_value(json_object_get(object, "model_filename"));
    bench_case *t = &out->test;
    if (!file || !read_count(&t->n_prompt, object, "n_prompt", -1) || !read_count(&t->n_gen, object, "n_gen", -1) ||
        !read_count(&t->n_depth, object, "n_depth", 0) || !read_count(&t->n_seqs, object, "n_seqs", 1) ||
        !read_count(&t->n_threads, object, "n_threads", -1)) {
        return base_fail(err, CHOIR_FILE, "%s: test %zu: no result of choir bench", r->name, index + 1);
    }
    out->model = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    out->n_ts = json_array_size(samples);
    out->ts = calloc(out->n_ts + 1, sizeof *out->ts);
    if (!out->ts) {
        return base_fail(err, CHOIR_RESOURCE, "%s: out of memory", r->name);
    }
    for (size_t i = 0; i < out->n_ts; i++) {
        out->ts[i] = json_number_value(json_array_get(samples, i));
        if (!(out->ts[i] > 0) || !isfinite(out->ts[i])) {
            return base_fail(err, CHOIR_FILE, "%s: test %zu: samples_ts: element %zu is no speed", r->name, index + 1,
                             i + 1);
        }
    }
    return out->n_ts ? CHOIR_OK : base_fail(err, CHOIR_FILE, "%s: test %zu: no samples_ts", r->name, index + 1);
}

/* Puts the samples of the last row to an earlier one of the same test, if there is one. */
static choir_status join_same(rows *r, choir_error *err)
{
    row *last = &r->at[r->n - 1];
    size_t i = 0;
    while (!same_test(&r->at[i], last, false)) {
        i++;
    }
    row *first = &r->at[i];
    if (first == last) {
        return CHOIR_OK;
    }
    double *ts = base_array_resize(first->ts, first->n_ts + last->n_ts, sizeof *ts);
    if (!ts) {
        return base_fail(err, CHOIR_RESOURCE, "%s: out of memory", r->name);
    }
    memcpy(ts + first->n_ts, last->ts, last->n_ts * sizeof *ts);
    first->ts = ts;
    first->n_ts += last->n_ts;
    free(last->ts);
    r->n--;
    return CHOIR_OK;
}

static choir_status rows_read(rows *r, const char *path, choir_error *err)
{
    prompt file;
    *r = (rows){0};
    base_escape_str(r->name, path);
    choir_status status = prompt_read_file(&file, path, true, err); /* what is no UTF-8 is no JSON either */
    if (status == CHOIR_PROMPT) {
        status = err->code = CHOIR_FILE;
    }
    status = status ? status : parse(r, &file, err);
    prompt_free(&file);
    if (status) {
        return status;
    }
    r->at = calloc(json_array_size(r->list) + 1, sizeof *r->at);
    if (!r->at) {
        return base_fail(err, CHOIR_RESOURCE, "%s: out of memory", r->name);
    }
    for (size_t i = 0; i < json_array_size(r->list) && !status; i++) {
        r->n++;
        r->n_tests++;
        r->n_noisy += json_is_true(json_object_get(json_array_get(r->list, i), "noisy"));
        status = read_row(&r->at[r->n - 1], r, i, err);
        status = status ? status : join_same(r, err);
    }
    return status;
}

/* What is no difference: less than this, with all of the interval. */
static const double no_difference = 0.05;

static const char *verdict_of(double low, double high)
{
    const bool narrow = low >= 1 - no_difference && high <= 1 + no_difference;
    return low > 1 ? "faster" : high < 1 ? "slower" : narrow ? "no difference" : "undecided";
}

static void print_row(stream *out, const row *a, const row *b)
{
    char name[BENCH_NAME_CAP], model_a[BASE_ESCAPE_CAP], model_b[BASE_ESCAPE_CAP], models[2 * BASE_ESCAPE_CAP + 8];
    double ratio, low, high;
    bool known = stats_ratio(&ratio, &low, &high, a->ts, a->n_ts, b->ts, b->n_ts);
    const char *verdict = known ? verdict_of(low, high) : "one run is no interval";
    base_escape_str(model_a, a->model);
    base_escape_str(model_b, b->model);
    snprintf(models, sizeof models, strcmp(model_a, model_b) ? "%s, %s" : "%s", model_a, model_b);
    stream_print(out, "| %-16s | %2d | %-16s | %10.2f | %10.2f | %6.3f | %6.3f to %6.3f | %-22s |\n", models,
                 (int)a->test.n_threads, bench_name(name, sizeof name, &a->test), stats_mean(a->ts, a->n_ts),
                 stats_mean(b->ts, b->n_ts), ratio, low, high, verdict);
}

static void print_header(stream *out)
{
    stream_print(out, "| %-16s | %2s | %-16s | %10s | %10s | %6s | %16s | %-22s |\n", "model", "t", "test", "A tok/s",
                 "B tok/s", "B / A", "95 % interval", "B is");
    stream_print(out, "| ---------------- | -: | ---------------- | ---------: | ---------: | -----: | "
                      "---------------: | ---------------------- |\n");
}

static void tell_noise(const session *s, const rows *r)
{
    char line[BASE_ESCAPE_CAP + 96];
    if (r->n_noisy > 0) {
        snprintf(line, sizeof line, "%s: %zu of %zu tests were measured on a noisy machine", r->name, r->n_noisy,
                 r->n_tests);
        warning(&s->term, line);
    }
}

choir_status bench_compare(session *s, const char *path_a, const char *path_b, choir_error *err)
{
    rows a = {0}, b = {0};
    size_t matched = 0;
    choir_status status = rows_read(&a, path_a, err);
    status = status ? status : rows_read(&b, path_b, err);
    const bool any_model = !status && one_model(&a) && one_model(&b);
    for (size_t i = 0; i < a.n && !status; i++) {
        const row *same = find_same(&b, &a.at[i], any_model);
        if (same && matched++ == 0) {
            print_header(&s->out);
        }
        if (same) {
            print_row(&s->out, &a.at[i], same);
        }
    }
    if (!status && matched == 0) {
        status = base_fail(err, CHOIR_FILE, "%s and %s have no test in common", a.name, b.name);
    } else if (!status) {
        tell_noise(s, &a);
        tell_noise(s, &b);
    }
    if (!status && (matched < a.n || matched < b.n)) {
        warning(&s->term, "tests that only one of the files has were left out");
    }
    rows_free(&a);
    rows_free(&b);
    return status;
}
