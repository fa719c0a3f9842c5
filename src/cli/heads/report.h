/* choir heads report: what each head does on a text, by numbers.
 *
 * The text is cut into windows, of which each begins as a text does; every row of attention weights but the first of a window
 * is measured, and a head's figures are means over rows.  A head's kind is the first of these that holds:
 *
 *   uniform         the entropy is 0.98 of the most it could be
 *   previous-token  0.4 of the mass goes to the token before
 *   induction       0.4 of it to tokens that came after an earlier same token, of rows that have such
 *   same-token      0.4 to earlier same tokens, of rows that have such
 *   sink            0.4 of it to the first token of the text
 *   self            0.4 to the token itself
 *   positional      0.4 to the token at another fixed distance
 *   local           0.6 to the token itself and the four before it
 *   broad           the entropy is 0.75 of the most it could be
 *   mixed           none of these */
#ifndef CHOIR_CLI_HEADS_REPORT_H
#define CHOIR_CLI_HEADS_REPORT_H

#include "cli/heads/heads.h"

enum { REPORT_DISTANCES = 64, REPORT_CLOSEST = 8 };

/* Of one head. */
typedef struct head_figures {
    uint64_t n_rows, n_same, n_induction;             /* rows, those with an earlier same token, with one followed */
    double entropy, share;                            /* in bits, and of the logarithm of the tokens seen */
    double distance, sink, previous, self, sharpness; /* sharpness: the largest weight */
    double same, induction;
    double at[REPORT_DISTANCES]; /* mass at each distance */
    double local;                /* mass on the nearest five */
    int32_t fixed;               /* of the distances from 2 on the one with the most mass */
    const char *kind;
} head_figures;

/* Two heads, as numbers in [0, n_layers * n_heads), and the Jensen-Shannon divergence of their rows, in bits: 0 alike, 1
 * apart. */
typedef struct head_pair {
    int32_t a, b;
    double divergence;
} head_pair;

/* Rows of all heads for some queries of a window, and what they say of pairs. */
typedef struct heads_similarity {
    int32_t n_heads;   /* of all layers */
    int32_t window;    /* most tokens of a row */
    int32_t n_queries; /* sampled of a window */
    int32_t n_sampled; /* of the window at hand */
    float *rows;       /* [n_queries, n_heads, window] */
    int32_t *lengths;  /* [n_queries] */
    double *own;       /* [n_heads] entropies of the rows of a query */
    double *sums;      /* [n_heads, n_heads] divergences, a < b */
    uint64_t n_sums;   /* of each */
} heads_similarity;

/* What this takes. */
double heads_similarity_bytes(int32_t n_heads, int32_t window);
choir_status heads_similarity_open(heads_similarity *x, int32_t n_heads, int32_t window, choir_error *err);
void heads_similarity_close(heads_similarity *x);
/* Whether the query at this position of a window of n tokens is sampled: its index, or -1. */
int32_t heads_similarity_index(const heads_similarity *x, int32_t pos, int32_t n);
void heads_similarity_row(heads_similarity *x, int32_t query, int32_t head, const float *row, int32_t n);
/* The window at hand is done: adds what its rows say. */
void heads_similarity_add(heads_similarity *x);
double heads_similarity_of(const heads_similarity *x, int32_t a, int32_t b);

typedef struct heads_report_data {
    heads_text text;
    int32_t window, n_windows;
    int64_t n_tokens;      /* in these */
    head_figures *figures; /* [n_layers * n_heads] */
    heads_similarity similarity;
} heads_report_data;

/* Means of divergences between the heads of a layer: inside its groups of grouped-query attention (NaN: groups of one), and
 * between heads of different groups (NaN: one group). */
typedef struct layer_similarity {
    double inside, across, all;
} layer_similarity;
layer_similarity heads_layer_similarity(const heads_report_data *r, int32_t layer);

/* Layers whose heads are all alike (mean divergence below 0.02), and layers that are all uniform. */
bool heads_is_collapsed(const heads_report_data *r, int32_t layer);
bool heads_is_uniform(const heads_report_data *r, int32_t layer);
/* Most similar pairs, best first; returns how many. */
int heads_closest(head_pair pairs[REPORT_CLOSEST], const heads_report_data *r);

void heads_report_table(const heads_report_data *r);
choir_status heads_report_json(const heads_report_data *r, choir_error *err);

#endif
