/* choir heads: the text that is looked at, its attention maps, and the commands.
 *
 * Generation is not slowed down by being looked at: a text is replayed with a tap on (choir/tap.h). */
#ifndef CHOIR_CLI_HEADS_H
#define CHOIR_CLI_HEADS_H

#include "cli/session.h"

/* ---- text.c: a text and an engine to replay it in ---- */

typedef struct heads_text {
    session *s;
    int32_t *ids; /* [n_ids] */
    int32_t n_ids;
    int32_t n_prompt; /* of these, the ones that were given; the model wrote the others */
    choir_sequence *seq;
} heads_text;

/* Reads the text that the flags name, opens model and engine, and has the model go on for -n tokens. */
choir_status heads_text_open(heads_text *t, session *s, choir_error *err);
/* For a text that is taken in pieces: model and ids alone, then an engine for pieces of ctx tokens, with rows of logits. */
choir_status heads_text_read(heads_text *t, session *s, choir_error *err);
choir_status heads_text_engine(heads_text *t, int32_t ctx, int32_t max_logits, choir_error *err);
void heads_text_close(heads_text *t);
/* CHOIR_USAGE when a text of n tokens has none that --from names. */
choir_status heads_from_fits(int32_t from, int32_t n, choir_error *err);
/* Computes ids [n], with the tap (NULL: none) from position tap->from on.  What the sequence holds of the tokens before
 * that stays. */
choir_status heads_replay(heads_text *t, const int32_t *ids, int32_t n, const choir_tap *tap, choir_error *err);
/* Whether there are so many bytes beside the engine and the tap (NULL: none): else CHOIR_RESOURCE "WHAT 97.7 MiB,
 * 8.1 MiB are left: HINT". */
choir_status heads_room(const heads_text *t, const choir_tap *tap, double bytes, const char *what, const char *hint,
                        choir_error *err);
/* A token for a picture: spaces as dots, line ends as arrows, other control characters as \xNN, cut at 24 characters. */
#define LABEL_CAP 128
const char *heads_label(char dst[LABEL_CAP], const choir_model *model, int32_t id);
/* The same with room for the token's text, choir_token_text_bound + 1 bytes; own NULL: the piece instead of the text. */
void heads_label_in(char dst[LABEL_CAP], const choir_model *model, int32_t id, char *own);
/* The token's text, or where it has none its piece, as a JSON string; NULL: out of memory. */
json_t *heads_token_json(const choir_model *model, int32_t id);

/* ---- choice.c: --layer and --head ---- */

typedef struct heads_choice {
    int32_t *layers, *heads; /* [n_layers], [n_heads], ascending, each once */
    int32_t n_layers, n_heads;
} heads_choice;

/* CHOIR_USAGE naming what the model does not have. */
choir_status heads_choose(heads_choice *c, const session *s, choir_error *err);
void heads_choice_free(heads_choice *c);

/* ---- map.c: attention weights of a text ---- */

typedef struct heads_maps {
    heads_choice choice;
    int32_t n_tokens;
    int32_t from; /* rows of tokens before are not there; below n_tokens */
    float
        *weights; /* [n_layers][n_heads] of the choice, each of rows from to n_tokens - 1: row t holds t + 1 numbers */
} heads_maps;

choir_status heads_maps_make(heads_maps *m, heads_text *t, choir_error *err);
void heads_maps_free(heads_maps *m);
/* Numbers of a triangle of n rows. */
size_t heads_triangle(int32_t n);
/* Numbers of a map. */
size_t heads_map_size(const heads_maps *m);
/* "12 tokens" or "the last 5 of 12 tokens": what its rows are of.  Returns dst. */
#define HEADS_ROWS_CAP 64
const char *heads_rows_text(char dst[HEADS_ROWS_CAP], const heads_maps *m);
/* Row t [t + 1], m->from or above, of the i-th layer and j-th head of the choice. */
const float *heads_row(const heads_maps *m, int32_t i, int32_t j, int32_t t);

/* As the terminal, JSON, CSV and PGM have it. */
choir_status heads_map_draw(const heads_maps *m, const heads_text *t, choir_error *err);
choir_status heads_map_json(const heads_maps *m, const heads_text *t, choir_error *err);
void heads_map_csv(const heads_maps *m, const heads_text *t);
choir_status heads_map_pgm(const heads_maps *m, session *s, choir_error *err);

/* ---- file.c: --html and --pgm ---- */

/* Before anything is computed: whether their files can be written, and stdout is asked for one thing. */
choir_status heads_files_check(const session *s, choir_error *err);
/* path: "-" is stdout. */
choir_status heads_file_write(session *s, const char *path, const char *bytes, size_t n, choir_error *err);

/* ---- paper.c: lines that are written together ---- */

typedef struct paper {
    char *text;
    size_t n, cap;
    stream *out; /* gets what is full */
    int columns; /* as terminal_columns has them */
} paper;

paper paper_open(session *s);
void paper_print(paper *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line of words, broken where the window ends; the newline is added. */
void paper_prose(paper *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void paper_write(paper *p, const char *text, size_t n);
void paper_close(paper *p);

/* ---- the commands: each returns a status, stdout still open ---- */

choir_status heads_map(session *s, choir_error *err);
choir_status heads_report(session *s, choir_error *err);
choir_status heads_explain(session *s, choir_error *err);
choir_status heads_prune_scan(session *s, choir_error *err);
choir_status heads_prune(session *s, choir_error *err);
choir_status heads_cost(session *s, choir_error *err);

#endif
