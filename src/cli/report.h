/* What is told about a run: -v and the line of timings. */
#ifndef CHOIR_CLI_REPORT_H
#define CHOIR_CLI_REPORT_H

#include "cli/session.h"

/* With -v: model, kernels, threads, context, the memory account, the seed. */
void report_setup(const session *s, uint64_t seed);
/* With -v: the memory account of the engine that is open. */
void report_memory(const session *s);
/* On a terminal, and anywhere with -v: "prompt N tokens, X ms, Y tok/s; generated ...; first token X ms". */
void report_timings(const session *s, const choir_result *r);

/* "1.2 GiB".  Returns dst. */
#define BYTES_CAP 24
const char *format_bytes(char *dst, size_t cap, uint64_t n);
/* "1.10 B", "15.2 M".  Returns dst. */
const char *format_count(char *dst, size_t cap, uint64_t n);

#endif
