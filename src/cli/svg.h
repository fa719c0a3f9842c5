/* Scalable Vector Graphics as text: a buffer that grows, and what a chart needs. */
#ifndef CHOIR_CLI_SVG_H
#define CHOIR_CLI_SVG_H

#include <stdbool.h>
#include <stddef.h>

typedef struct svg {
    char *at; /* [n], not terminated */
    size_t n, cap;
    bool failed; /* out of memory; what comes after is dropped */
} svg;

void svg_print(svg *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Any text as character data: < > & and quotes as entities, what XML does not allow as \xNN. */
void svg_escape(svg *s, const char *text);
/* <text> at x, y; anchor: "start", "middle", "end". */
void svg_text(svg *s, double x, double y, const char *class_name, const char *anchor, const char *text);
void svg_free(svg *s);

/* A straight scale from numbers to pixels. */
typedef struct scale {
    double low, high; /* of the numbers; low > 0 if logarithmic */
    double from, to;  /* pixels of low and high */
    bool logarithmic;
} scale;

double scale_place(const scale *s, double value);
/* A scale for numbers from low to high (both 0 or more): from 0, or logarithmic where that would press the small ones to
 * the ground. */
scale scale_for(double low, double high, double from, double to);
/* Round numbers within the scale, ascending; at most most of them.  Returns how many. */
int scale_ticks(double *ticks, int most, const scale *s);

#endif
