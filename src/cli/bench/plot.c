/* choir bench --plot: a panel for each list (depths, numbers of texts) and each kind of test (prefill, decode), stacked.  A line
 * for each of the other combinations, with its standard deviation, and dashed in the same colour what the machine's limit
 * allows.  One file without scripts or fonts; light or dark as the reader's screen is. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/new_file.h"
#include "cli/bench/bench.h"
#include "cli/report.h"
#include "cli/svg.h"

enum {
    WIDTH = 900,
    HEADER = 72, /* above the first panel */
    LEFT = 76,   /* of the axes */
    PLOT_W = 560,
    PLOT_H = 240,
    PANEL_H = 340, /* with title, axis labels and what keeps panels apart */
    LEGEND = LEFT + PLOT_W + 24,
    LEGEND_LINE = 20,
    N_COLORS = 8,
    TICKS_MOST = 16,
    NOTE_COLUMNS = 125 /* characters of a line of small print */
};

typedef struct panel {
    const bench_plot *plot;
    const bench_point **at; /* [n] those drawn here, by series and then by x */
    size_t n;
    bool decode, by_seqs, many_threads;
    double top; /* pixels */
    scale x, y;
} panel;

static double x_of(const panel *p, const bench_point *point)
{
    return p->by_seqs ? point->test.n_seqs : point->test.n_depth;
}

/* What a line is for: everything but the axis. */
static bench_case series_of(const panel *p, const bench_point *point)
{
    bench_case c = point->test;
    c.n_seqs = p->by_seqs ? 1 : c.n_seqs;
    c.n_depth = p->by_seqs ? c.n_depth : 0;
    return c;
}

static bool same_series(const panel *p, const bench_point *a, const bench_point *b)
{
    const bench_case x = series_of(p, a), y = series_of(p, b);
    return x.n_prompt == y.n_prompt && x.n_gen == y.n_gen && x.n_depth == y.n_depth && x.n_seqs == y.n_seqs &&
           x.n_threads == y.n_threads;
}

/* Gathers the panel's points: a series after the other in the order of the table, each by x. */
static void gather(panel *p)
{
    p->n = 0;
    for (size_t i = 0; i < p->plot->n; i++) {
        const bench_point *point = &p->plot->at[i];
        if ((point->test.n_gen > 0) != p->decode) {
            continue;
        }
        size_t place = p->n;
        while (place > 0 && !same_series(p, p->at[place - 1], point)) {
            place--;
        }
        if (place == 0) {
            place = p->n;
        }
        while (place > 0 && same_series(p, p->at[place - 1], point) && x_of(p, p->at[place - 1]) > x_of(p, point)) {
            place--;
        }
        memmove(p->at + place + 1, p->at + place, (p->n - place) * sizeof *p->at);
        p->at[place] = point;
        p->n++;
    }
}

static bool has_axis(const panel *p)
{
    for (size_t i = 1; i < p->n; i++) {
        if (x_of(p, p->at[i]) != x_of(p, p->at[0])) {
            return true;
        }
    }
    return false;
}

static void set_scales(panel *p)
{
    double x_low = INFINITY, x_high = 0, low = INFINITY, high = 0;
    for (size_t i = 0; i < p->n; i++) {
        const bench_point *point = p->at[i];
        const double least = point->avg_ts - point->stddev_ts;
        x_low = fmin(x_low, x_of(p, point));
        x_high = fmax(x_high, x_of(p, point));
        low = fmin(low, least > 0 ? least : point->avg_ts);
        high = fmax(high, fmax(point->avg_ts + point->stddev_ts, point->limit_ts));
        p->many_threads |= point->test.n_threads != p->at[0]->test.n_threads;
    }
    /* numbers of texts go in powers of two; depths begin at nothing */
    p->x = (scale){.low = x_low, .high = x_high, .from = LEFT + 12, .to = LEFT + PLOT_W - 12};
    p->x.logarithmic = x_low > 0 && x_high / x_low >= 4;
    p->y = scale_for(low, high, p->top + PLOT_H, p->top);
}

static void draw_y_axis(svg *s, const panel *p)
{
    double ticks[TICKS_MOST];
    char label[32];
    const int n = scale_ticks(ticks, TICKS_MOST, &p->y);
    for (int i = 0; i < n; i++) {
        const double y = scale_place(&p->y, ticks[i]);
        svg_print(s, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n", LEFT, y, LEFT + PLOT_W);
        snprintf(label, sizeof label, "%.7g", ticks[i]);
        svg_text(s, LEFT - 8, y + 4, "small", "end", label);
    }
    svg_print(
        s, "<text class=\"small\" text-anchor=\"middle\" transform=\"translate(18 %.1f) rotate(-90)\">tok/s%s</text>\n",
        p->top + PLOT_H / 2.0, p->y.logarithmic ? " (logarithmic)" : "");
}

/* A label at each measured place that has room for one. */
static void draw_x_axis(svg *s, const panel *p)
{
    const double room = 44, bottom = p->top + PLOT_H;
    double last = -room, at = -1;
    char label[32];
    svg_print(s, "<path class=\"axis\" d=\"M%d %.1fH%d\"/>\n", LEFT, bottom, LEFT + PLOT_W);
    for (;;) {
        double next = INFINITY;
        for (size_t i = 0; i < p->n; i++) {
            const double value = x_of(p, p->at[i]);
            next = value > at && value < next ? value : next;
        }
        if (isinf(next)) {
            break;
        }
        at = next;
        const double x = scale_place(&p->x, at);
        svg_print(s, "<path class=\"axis\" d=\"M%.1f %.1fv5\"/>\n", x, bottom);
        if (x - last >= room) {
            snprintf(label, sizeof label, "%.0f", at);
            svg_text(s, x, bottom + 20, "small", "middle", label);
            last = x;
        }
    }
    svg_text(s, LEFT + PLOT_W / 2.0, bottom + 40, "small", "middle",
             p->by_seqs ? "texts at the same time" : "depth: tokens already in the context");
}

static void draw_line(svg *s, const panel *p, size_t begin, size_t end, int color, bool limit)
{
    svg_print(s, "<path class=\"%s c%d\" d=\"", limit ? "limit" : "line", color);
    for (size_t i = begin; i < end; i++) {
        const double value = limit ? p->at[i]->limit_ts : p->at[i]->avg_ts;
        svg_print(s, "%c%.1f %.1f", i == begin ? 'M' : 'L', scale_place(&p->x, x_of(p, p->at[i])),
                  scale_place(&p->y, value));
    }
    svg_print(s, "\"/>\n");
}

static void draw_point(svg *s, const panel *p, const bench_point *point, int color)
{
    char name[BENCH_NAME_CAP];
    const double x = scale_place(&p->x, x_of(p, point)), y = scale_place(&p->y, point->avg_ts);
    const double least = point->avg_ts - point->stddev_ts;
    const double y_low = scale_place(&p->y, least > p->y.low ? least : p->y.low);
    const double y_high = scale_place(&p->y, point->avg_ts + point->stddev_ts);
    svg_print(s, "<g><title>%s, %d thread%s: %.2f ± %.2f tok/s, limit %.2f</title>\n",
              bench_name(name, sizeof name, &point->test), (int)point->test.n_threads,
              point->test.n_threads == 1 ? "" : "s", point->avg_ts, point->stddev_ts, point->limit_ts);
    if (y_low - y_high > 6) { /* else it hides behind the point */
        svg_print(s, "<path class=\"error c%d\" d=\"M%.1f %.1fV%.1fm-4 0h8M%.1f %.1fh8\"/>\n", color, x, y_low, y_high,
                  x - 4, y_low);
    }
    svg_print(s, "<circle class=\"f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/></g>\n", color, x, y);
}

static void draw_legend(svg *s, const panel *p, size_t begin, int index)
{
    char name[BENCH_NAME_CAP], label[BENCH_NAME_CAP + 32];
    const double y = p->top + 10 + LEGEND_LINE * index;
    const bench_case c = series_of(p, p->at[begin]);
    snprintf(label, sizeof label, p->many_threads ? "%s, %d thread%s" : "%s", bench_name(name, sizeof name, &c),
             (int)c.n_threads, c.n_threads == 1 ? "" : "s");
    svg_print(s, "<path class=\"line c%d\" d=\"M%d %.1fh24\"/>\n", index % N_COLORS, LEGEND, y);
    svg_print(s, "<circle class=\"f%d\" cx=\"%d\" cy=\"%.1f\" r=\"4\"/>\n", index % N_COLORS, LEGEND + 12, y);
    svg_text(s, LEGEND + 32, y + 4, "small", "start", label);
}

static bool any_limit(const panel *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->at[i]->limit_ts > 0) {
            return true;
        }
    }
    return false;
}

/* Returns the pixels it takes. */
static double draw_panel(svg *s, const panel *p)
{
    int n_series = 0;
    const bool limits = any_limit(p);
    char title[64];
    snprintf(title, sizeof title, "%s, by %s", p->decode ? "Decode" : "Prefill",
             p->by_seqs ? "texts at the same time" : "depth");
    svg_text(s, LEFT, p->top - 14, "title", "start", title);
    draw_y_axis(s, p);
    draw_x_axis(s, p);
    for (size_t begin = 0, end; begin < p->n; begin = end) {
        for (end = begin + 1; end < p->n && same_series(p, p->at[begin], p->at[end]); end++) {
        }
        const int color = n_series % N_COLORS;
        if (limits) {
            draw_line(s, p, begin, end, color, true);
        }
        draw_line(s, p, begin, end, color, false);
        for (size_t i = begin; i < end; i++) {
            draw_point(s, p, p->at[i], color);
        }
        draw_legend(s, p, begin, n_series++);
    }
    if (limits) {
        const double y = p->top + 10 + LEGEND_LINE * n_series++;
        svg_print(s, "<path class=\"limit gray\" d=\"M%d %.1fh24\"/>\n", LEGEND, y);
        svg_text(s, LEGEND + 32, y + 4, "small", "start", "the machine's limit");
    }
    const double legend_h = LEGEND_LINE * (n_series + 2);
    return legend_h > PANEL_H ? legend_h : PANEL_H;
}

static void draw_style(svg *s)
{
    static const char *const light[N_COLORS] = {"#0969da", "#bc4c00", "#1a7f37", "#8250df",
                                                "#cf222e", "#1b7c83", "#9a6700", "#bf3989"};
    static const char *const dark[N_COLORS] = {"#58a6ff", "#f0883e", "#3fb950", "#bc8cff",
                                               "#ff7b72", "#39c5cf", "#d29922", "#f778ba"};
    svg_print(s, "<style>\n"
                 "text{font:15px system-ui,sans-serif;fill:#1f2328}\n"
                 ".title{font-weight:600}.small{font-size:12px;fill:#59636e}.back{fill:#fff}\n"
                 "path{fill:none}.grid{stroke:#d1d9e0}.axis,.gray{stroke:#818b98}\n"
                 ".line{stroke-width:2}.limit{stroke-width:1.5;stroke-dasharray:5 4}.error{stroke-width:1.2}\n");
    for (int i = 0; i < N_COLORS; i++) {
        svg_print(s, ".c%d{stroke:%s}.f%d{fill:%s}\n", i, light[i], i, light[i]);
    }
    svg_print(s, "@media (prefers-color-scheme:dark){\n"
                 "text{fill:#f0f6fc}.small{fill:#9198a1}.back{fill:#0d1117}.grid{stroke:#3d444d}\n");
    for (int i = 0; i < N_COLORS; i++) {
        svg_print(s, ".c%d{stroke:%s}.f%d{fill:%s}\n", i, dark[i], i, dark[i]);
    }
    svg_print(s, "}\n</style>\n");
}

static void draw_header(svg *s, const session *cli, const char *date)
{
    char size[BYTES_CAP], cpu[128], line[512], model[BASE_ESCAPE_CAP];
    const char *file = session_model_name(cli);
    snprintf(line, sizeof line, "%s, %s, %s: tokens per second", base_escape_str(model, file), cli->info.type,
             format_bytes(size, sizeof size, cli->info.weight_bytes));
    svg_text(s, LEFT, 28, "title", "start", line);
    choir_cpu_name(cpu, sizeof cpu);
    snprintf(line, sizeof line, "%s; kernels %s; keys and values %s; %s; choir %s", cpu, cli->info.kernels,
             cli->opt->kv_type, date, choir_version());
    svg_text(s, LEFT, 46, "small", "start", line);
}

/* Small print, broken between words.  Returns y below it. */
static double draw_note(svg *s, double y, const char *text)
{
    char line[NOTE_COLUMNS + 1];
    while (*text) {
        size_t n = strlen(text);
        if (n > NOTE_COLUMNS) {
            n = NOTE_COLUMNS;
            while (n > 1 && text[n] != ' ') {
                n--;
            }
        }
        memcpy(line, text, n);
        line[n] = '\0';
        svg_text(s, LEFT, y, "small", "start", line);
        y += 18;
        text += n;
        text += *text == ' ';
    }
    return y;
}

static double draw_panels(svg *s, const bench_plot *plot, const bench_point **room)
{
    double y = HEADER;
    for (int kind = 0; kind < 4; kind++) {
        panel p = {.plot = plot, .at = room, .decode = kind % 2 != 0, .by_seqs = kind / 2 != 0, .top = y + 24};
        gather(&p);
        if (has_axis(&p)) {
            set_scales(&p);
            y += draw_panel(s, &p);
        }
    }
    return y;
}

static void draw_all(svg *s, const bench_plot *plot, const session *cli, const bench_point **room)
{
    svg body = {0};
    char what[NOISE_CAP], line[NOISE_CAP + 64];
    double y = draw_panels(&body, plot, room);
    if (plot->n_noisy > 0) {
        snprintf(line, sizeof line, "The machine was too noisy to trust: %s.",
                 noise_text(what, sizeof what, &plot->noise));
        y = draw_note(&body, y + 6, line);
    }
    svg_print(s,
              "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" "
              "role=\"img\" aria-label=\"tokens per second\">\n",
              WIDTH, y + 8, WIDTH, y + 8);
    draw_style(s);
    svg_print(s, "<rect class=\"back\" width=\"100%%\" height=\"100%%\"/>\n");
    draw_header(s, cli, plot->date);
    if (body.n > 0) {
        svg_print(s, "%.*s", (int)body.n, body.at);
    }
    svg_print(s, "</svg>\n");
    s->failed |= body.failed;
    svg_free(&body);
}

/* The limits of so many threads, raised to what was measured. */
static void raise_limits(bench_plot *p, const bench_limits *measured)
{
    size_t i = 0;
    while (i < p->n_limits && p->limits[i].n_threads != measured->n_threads) {
        i++;
    }
    if (i == p->n_limits) {
        p->limits[p->n_limits++] = *measured;
    }
    bench_limits *l = &p->limits[i];
    l->read_per_second = fmax(l->read_per_second, measured->read_per_second);
    l->ops_per_second = fmax(l->ops_per_second, measured->ops_per_second);
}

choir_status bench_plot_add(bench_plot *p, const bench_result *r, choir_error *err)
{
    if (p->n == p->cap) {
        const size_t cap = 2 * p->cap + 16;
        bench_point *more = realloc(p->at, cap * sizeof *more);
        p->at = more ? more : p->at;
        bench_limits *limits = realloc(p->limits, cap * sizeof *limits);
        p->limits = limits ? limits : p->limits;
        if (!more || !limits) {
            return base_fail(err, CHOIR_RESOURCE, "out of memory for %zu results", p->n + 1);
        }
        p->cap = cap;
    }
    if (p->n == 0) {
        p->noise = (bench_noise){NAN, NAN, NAN, 0, NAN, NAN};
        memcpy(p->date, r->test_time, sizeof p->date);
    }
    p->at[p->n++] = (bench_point){r->test, r->avg_ts, r->stddev_ts, r->bytes_per_token, r->ops_per_token, 0};
    raise_limits(p, &r->limits);
    p->n_noisy += noise_is_much(&r->noise);
    noise_add(&p->noise, &r->noise);
    return CHOIR_OK;
}

void bench_plot_free(bench_plot *p)
{
    free(p->at);
    free(p->limits);
    *p = (bench_plot){0};
}

/* A machine that others use shows what it can do only now and then: each line is drawn from the best that was seen. */
static void set_limits(const bench_plot *p)
{
    for (size_t i = 0; i < p->n; i++) {
        bench_point *point = &p->at[i];
        for (size_t l = 0; l < p->n_limits; l++) {
            if (p->limits[l].n_threads == point->test.n_threads) {
                point->limit_ts = bench_limit_ts(&p->limits[l], point->bytes_per_token, point->ops_per_token);
            }
        }
    }
}

choir_status bench_plot_check(const char *path, choir_error *err)
{
    return base_new_file_check(path, err);
}

choir_status bench_plot_write(const bench_plot *p, const session *s, const char *path, choir_error *err)
{
    svg picture = {0};
    const bench_point **room = calloc(p->n + 1, sizeof *room);
    choir_status status = CHOIR_OK;
    if (room) {
        set_limits(p);
        draw_all(&picture, p, s, room);
    }
    if (!room || picture.failed) {
        status = base_fail(err, CHOIR_RESOURCE, "out of memory for the plot");
    }
    status = status ? status : base_new_file_put(path, picture.at, picture.n, err);
    svg_free(&picture);
    free(room);
    return status;
}
