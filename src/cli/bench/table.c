/* The rows of `choir bench`: Markdown for people (markdown.c), JSON and CSV with llama-bench's field names and ours for
 * programs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/bench/bench.h"
#include "cli/report.h"

/* A number of the row by its name: the one list that JSON and CSV are written from.  Whole numbers up to 2^53 are exact.
 * NAN is not known: null, or nothing between two commas. */
typedef struct number_field {
    const char *name;
    double value;
    bool whole;
} number_field;

#define MAX_FIELDS 40

static size_t list_numbers(number_field *f, const session *s, const bench_result *r)
{
    const bench_case *t = &r->test;
    const char *limit;
    size_t n = 0;
    f[n++] = (number_field){"model_size", (double)s->info.weight_bytes, true};
    f[n++] = (number_field){"model_n_params", (double)s->info.n_params, true};
    f[n++] = (number_field){"n_batch", r->batch, true};
    f[n++] = (number_field){"n_threads", t->n_threads, true};
    f[n++] = (number_field){"n_prompt", t->n_prompt, true};
    f[n++] = (number_field){"n_gen", t->n_gen, true};
    f[n++] = (number_field){"n_depth", t->n_depth, true};
    f[n++] = (number_field){"n_seqs", t->n_seqs, true};
    f[n++] = (number_field){"avg_ns", r->avg_ns, true};
    f[n++] = (number_field){"stddev_ns", r->stddev_ns, true};
    f[n++] = (number_field){"avg_ts", r->avg_ts, false};
    f[n++] = (number_field){"stddev_ts", r->stddev_ts, false};
    f[n++] = (number_field){"first_token_ns", r->first_token_ns, true};
    f[n++] = (number_field){"token_p50_ns", r->token_p50_ns, true};
    f[n++] = (number_field){"token_p95_ns", r->token_p95_ns, true};
    f[n++] = (number_field){"token_p99_ns", r->token_p99_ns, true};
    f[n++] = (number_field){"bytes_per_token", r->bytes_per_token, true};
    f[n++] = (number_field){"ops_per_token", r->ops_per_token, true};
    f[n++] = (number_field){"gb_per_s", r->bytes_per_token * r->avg_ts / 1e9, false};
    f[n++] = (number_field){"gop_per_s", r->ops_per_token * r->avg_ts / 1e9, false};
    f[n++] = (number_field){"limit_gb_per_s", r->limits.read_per_second / 1e9, false};
    f[n++] = (number_field){"limit_gop_per_s", r->limits.ops_per_second / 1e9, false};
    f[n++] = (number_field){"limit_share", bench_share(r, &limit), false};
    f[n++] = (number_field){"limit_ts", bench_limit_ts(&r->limits, r->bytes_per_token, r->ops_per_token), false};
    f[n++] = (number_field){"noise_spread", r->noise.spread, false};
    f[n++] = (number_field){"noise_steal", r->noise.steal, false};
    f[n++] = (number_field){"noise_waited", r->noise.waited, false};
    f[n++] = (number_field){"noise_throttled", r->noise.throttled, true};
    f[n++] = (number_field){"mhz_lowest", r->noise.mhz_lowest, true};
    f[n++] = (number_field){"mhz_highest", r->noise.mhz_highest, true};
    f[n++] = (number_field){"peak_memory", (double)choir_peak_memory(), true};
    return n;
}

typedef struct text_field {
    const char *name;
    const char *value;
} text_field;

typedef struct row_texts {
    char cpu[128], type[64], test[BENCH_NAME_CAP], noise[NOISE_CAP];
    text_field at[MAX_FIELDS];
    size_t n;
} row_texts;

static void list_texts(row_texts *x, const session *s, const bench_result *r)
{
    const char *limit;
    choir_cpu_name(x->cpu, sizeof x->cpu);
    snprintf(x->type, sizeof x->type, "%s %s", s->info.architecture, s->info.type);
    bench_share(r, &limit);
    const text_field all[] = {
        {"build_commit", choir_version()},
        {"cpu_info", x->cpu},
        {"model_filename", s->info.path},
        {"model_type", x->type},
        {"type_k", s->opt->kv_type},
        {"type_v", s->opt->kv_type},
        {"kernels", s->info.kernels},
        {"test", bench_name(x->test, sizeof x->test, &r->test)},
        {"test_time", r->test_time},
        {"limit", limit},
        {"noise", noise_text(x->noise, sizeof x->noise, &r->noise)},
    };
    memcpy(x->at, all, sizeof all);
    x->n = sizeof all / sizeof *all;
}

static json_t *row_json(const session *s, const bench_result *r)
{
    number_field numbers[MAX_FIELDS];
    row_texts texts;
    size_t n = list_numbers(numbers, s, r);
    json_t *row = json_object(), *ns = json_array(), *ts = json_array();
    bool failed = false;
    list_texts(&texts, s, r);
    for (size_t i = 0; i < texts.n; i++) {
        failed |=
            json_object_set_new(row, texts.at[i].name, json_text(texts.at[i].value, strlen(texts.at[i].value))) != 0;
    }
    for (size_t i = 0; i < n; i++) {
        json_t *value = isnan(numbers[i].value) ? json_null()
                        : numbers[i].whole      ? json_integer((json_int_t)numbers[i].value)
                                                : json_real(numbers[i].value);
        failed |= json_object_set_new(row, numbers[i].name, value) != 0;
    }
    failed |= json_object_set_new(row, "noisy", json_boolean(noise_is_much(&r->noise))) != 0;
    for (int32_t i = 0; i < r->runs; i++) {
        failed |= json_array_append_new(ns, json_integer((json_int_t)r->samples_ns[i])) != 0;
        failed |= json_array_append_new(ts, json_real(r->samples_ts[i])) != 0;
    }
    failed |= json_object_set_new(row, "samples_ns", ns) != 0;
    failed |= json_object_set_new(row, "samples_ts", ts) != 0;
    if (failed) {
        json_decref(row);
        return NULL;
    }
    return row;
}

static void print_csv_text(session *s, const char *text)
{
    stream_write(&s->out, "\"", 1);
    for (const char *c = text; *c; c++) {
        stream_write(&s->out, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    }
    stream_write(&s->out, "\"", 1);
}

static void print_csv(bench_table *t, const bench_result *r)
{
    number_field numbers[MAX_FIELDS];
    row_texts texts;
    size_t n = list_numbers(numbers, t->s, r);
    stream *out = &t->s->out;
    list_texts(&texts, t->s, r);
    for (size_t i = 0; t->n_rows == 0 && i < texts.n + n; i++) {
        stream_print(out, "%s%s", i ? "," : "", i < texts.n ? texts.at[i].name : numbers[i - texts.n].name);
    }
    if (t->n_rows == 0) {
        stream_print(out, "\n");
    }
    for (size_t i = 0; i < texts.n; i++) {
        stream_print(out, "%s", i ? "," : "");
        print_csv_text(t->s, texts.at[i].value);
    }
    for (size_t i = 0; i < n; i++) {
        if (isnan(numbers[i].value)) {
            stream_print(out, ",");
        } else {
            stream_print(out, numbers[i].whole ? ",%.0f" : ",%.6g", numbers[i].value);
        }
    }
    stream_print(out, "\n");
}

void bench_table_begin(bench_table *t, session *s, const char *format)
{
    *t = (bench_table){.s = s, .format = format};
    if (strcmp(format, "json") == 0) {
        stream_print(&s->out, "[");
    }
}

choir_status bench_table_row(bench_table *t, const bench_result *r, choir_error *err)
{
    choir_status status = CHOIR_OK;
    if (strcmp(t->format, "md") == 0) {
        if (t->n_rows == 0) {
            bench_markdown_header(t);
        }
        bench_markdown_row(t, r);
    } else if (strcmp(t->format, "csv") == 0) {
        print_csv(t, r);
    } else {
        bool list = strcmp(t->format, "json") == 0;
        stream_print(&t->s->out, "%s", !list ? "" : t->n_rows ? "," : "\n");
        status = session_print_json(t->s, row_json(t->s, r), err);
    }
    t->n_rows++;
    return status;
}

void bench_table_end(bench_table *t, const bench_limits *limits)
{
    char cpu[128], peak[BYTES_CAP], line[512];
    if (strcmp(t->format, "json") == 0) {
        stream_print(&t->s->out, "]\n");
    } else if (strcmp(t->format, "md") == 0 && t->n_rows > 0) {
        choir_cpu_name(cpu, sizeof cpu);
        bench_markdown_end(t);
        snprintf(line, sizeof line,
                 "%s; kernels %s; limits with %d thread%s: read %.1f GB/s, multiply-add %.0f GOP/s; most memory %s",
                 cpu, t->s->info.kernels, (int)limits->n_threads, limits->n_threads == 1 ? "" : "s",
                 limits->read_per_second / 1e9, limits->ops_per_second / 1e9,
                 format_bytes(peak, sizeof peak, choir_peak_memory()));
        terminal_break(line, terminal_columns(&t->s->term));
        stream_print(&t->s->out, "\n%s\n", line);
    }
}
