/* Writing SVG, and scales. */
#include "cli/svg.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/terminal.h"

static bool reserve(svg *s, size_t n)
{
    if (!s->failed && s->cap - s->n < n) {
        const size_t cap = 2 * s->cap + n + 4096;
        char *more = realloc(s->at, cap);
        s->failed = !more;
        s->at = more ? more : s->at;
        s->cap = more ? cap : s->cap;
    }
    return !s->failed;
}

void svg_print(svg *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n > 0 && reserve(s, (size_t)n + 1)) {
        va_start(args, format);
        vsnprintf(s->at + s->n, (size_t)n + 1, format, args);
        va_end(args);
        s->n += (size_t)n;
    }
}

void svg_escape(svg *s, const char *text)
{
    const size_t n = strlen(text), cap = 4 * n + 1;
    char *printable = malloc(cap);
    size_t used;
    if (!printable) {
        s->failed = true;
        return;
    }
    escape_text(printable, cap, text, n, &used);
    for (const char *c = printable; *c; c++) {
        const char *entity = *c == '<'   ? "&lt;"
                             : *c == '>' ? "&gt;"
                             : *c == '&' ? "&amp;"
                             : *c == '"' ? "&quot;"
                                         : NULL;
        if (entity) {
            svg_print(s, "%s", entity);
        } else {
            svg_print(s, "%c", *c);
        }
    }
    free(printable);
}

void svg_text(svg *s, double x, double y, const char *class_name, const char *anchor, const char *text)
{
    svg_print(s, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">", x, y, class_name, anchor);
    svg_escape(s, text);
    svg_print(s, "</text>\n");
}

void svg_free(svg *s)
{
    free(s->at);
    *s = (svg){0};
}

double scale_place(const scale *s, double value)
{
    double low = s->low, high = s->high;
    if (s->logarithmic) {
        low = log(low);
        high = log(high);
        value = log(value > s->low ? value : s->low);
    }
    return s->from + (value - low) / (high - low) * (s->to - s->from);
}

/* The largest of 1, 2, 5 times a power of ten that is not above x; x > 0. */
static double round_down(double x)
{
    const double power = pow(10, floor(log10(x)));
    const double digit = x / power;
    return power * (digit >= 5 ? 5 : digit >= 2 ? 2 : 1);
}

static double next_round(double x)
{
    const double power = pow(10, floor(log10(x) + 1e-9));
    const double digit = x / power;
    return power * (digit > 4 ? 10 : digit > 1.5 ? 5 : 2);
}

static double tick_step(double range)
{
    double step = round_down(range / 5);
    return range / step > 6 ? next_round(step) : step;
}

scale scale_for(double low, double high, double from, double to)
{
    const double crowded = 8;
    scale s = {.high = high > 0 ? high : 1, .from = from, .to = to};
    if (low > 0 && high / low > crowded) {
        s.logarithmic = true;
        s.low = round_down(low * 0.9);
        s.high = round_down(high);
        s.high = s.high < high ? next_round(s.high) : s.high;
        return s;
    }
    const double step = tick_step(s.high);
    s.high = step * ceil(s.high / step);
    return s;
}

int scale_ticks(double *ticks, int most, const scale *s)
{
    int n = 0;
    if (s->logarithmic) {
        for (double x = round_down(s->low); x <= s->high * 1.001 && n < most; x = next_round(x)) {
            ticks[n] = x;
            n += x >= s->low * 0.999;
        }
        return n;
    }
    const double step = tick_step(s->high - s->low);
    for (int i = 0; n < most && s->low + step * i <= s->high + step / 1000; i++) {
        ticks[n++] = s->low + step * i;
    }
    return n;
}
