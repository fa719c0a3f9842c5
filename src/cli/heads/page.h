/* A page of heads: one HTML file that needs nothing else.
 *
 * The file is the shell (src/cli/page, built into the program) and after it the data as JSON in a script element that is no
 * script.  No "<" of the data is left as it is, and the page's policy runs only the shell's own script. */
#ifndef CHOIR_CLI_HEADS_PAGE_H
#define CHOIR_CLI_HEADS_PAGE_H

#include "cli/heads/explain.h"
#include "cli/heads/report.h"

/* Above this a browser gets slow; in bytes. */
enum { PAGE_MOST = 50000000 };

/* Writes the page of this kind: adds what every page has to data (an object; takes the reference; NULL: out of memory). */
choir_status heads_page_write(session *s, const char *kind, json_t *data, choir_error *err);
/* Tokens as they are shown. */
json_t *heads_page_labels(const choir_model *model, const int32_t *ids, int32_t n);
/* Numbers in [0, 1] as base64 of 16 bits each, little-endian, 65535 is 1; base64_bound: bytes of that text. */
size_t heads_page_base64_bound(size_t n);
json_t *heads_page_base64(const float *x, size_t n);

/* ---- page_data.c ---- */

/* Bytes that making the page takes at most, beside the maps. */
double heads_page_map_room(const heads_maps *m);
/* CHOIR_RESOURCE when the maps are too much for a page. */
choir_status heads_page_map_fits(const heads_maps *m, choir_error *err);
choir_status heads_page_map(const heads_maps *m, const heads_text *t, choir_error *err);
choir_status heads_page_report(const heads_report_data *r, choir_error *err);
choir_status heads_page_explain(const explanation *x, choir_error *err);

#endif
