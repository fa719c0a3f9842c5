/* Fuzz targets: each gives any bytes to one parser and to what works with its result, and aborts when a promise is broken.
 * The same functions run under libFuzzer (libfuzzer.c, a program each) and over the corpus in `make test` (test_corpus.c).
 * Run from the top of the repository: some read files of tests/golden. */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "choir/status.h"

typedef void fuzz_target(const uint8_t *data, size_t size);

/* Model files. */
fuzz_target fuzz_gguf, fuzz_safetensors, fuzz_index, fuzz_llama2c;
/* config.json; behind a NUL byte, generation_config.json. */
fuzz_target fuzz_config;
/* Vocabularies. */
fuzz_target fuzz_tokenizer_json, fuzz_sp_model, fuzz_added;
/* A byte, odd: the sums of what follows are made right first; then a file of a sequence. */
fuzz_target fuzz_state;
/* What people and programs write. */
fuzz_target fuzz_jsonl;   /* lines */
fuzz_target fuzz_options; /* a byte: which command; then arguments, each ended by a NUL byte */
fuzz_target fuzz_utf8;
fuzz_target fuzz_encode; /* a byte: which vocabulary; then a text */

/* ---- for the targets ---- */

/* Says which promise is broken and aborts. */
#define FUZZ_CHECK(promise) ((promise) ? (void)0 : fuzz_broken(#promise, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *promise, const char *file, int line);

/* A refusal is of that status and is one line of printable UTF-8 that begins with `name`. */
void fuzz_refused(choir_status status, const choir_error *err, choir_status wanted, const char *name);

struct wts_set;
/* A set without files yet, for the loaders of containers. */
struct wts_set *fuzz_set_over(const uint8_t *data, size_t size, const char *name, int container);
/* Reads the first and the last row of each tensor. */
void fuzz_read_rows(const struct wts_set *set);

struct tokenizer;
/* Some texts to ids and back, with all that a vocabulary is asked for. */
void fuzz_use_tokenizer(const struct tokenizer *t);
/* n bytes of any kind: refused when they are not UTF-8, else to ids and back. */
void fuzz_use_text(const struct tokenizer *t, const char *text, size_t n);

enum { FUZZ_PATH = 160 };
/* path = name in the folder of that target (name NULL: the folder), which is in memory where that can be, and is removed with
 * the files in it when the program ends.  Returns path. */
const char *fuzz_path(char path[FUZZ_PATH], const char *target, const char *name);
void fuzz_write(const char *target, const char *name, const void *data, size_t size);

#endif
