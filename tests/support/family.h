/* Tiny random models of every family, whose logits Hugging Face's own classes have worked out in float64
 * (tools/golden/families.py): written to disk as a folder, run through the public interface. */
#ifndef TEST_FAMILY_H
#define TEST_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

enum { FAMILY_KEEP_CAP = 8, FAMILY_GREEDY_CAP = 8 };

struct family {
    const char *name;
    json_t *file; /* tests/golden/families/NAME.json */
    int n_ids, ctx_size, vocab_size, n_keep, n_greedy;
    int keep[FAMILY_KEEP_CAP]; /* positions of the prompt whose logits are kept, ascending, the last one last */
    int32_t *ids;              /* [n_ids + n_greedy]: the prompt and what follows it */
    double *logits;            /* [n_keep, vocab_size] */
};

/* Fails the test when it can't.  name: lives longer than f. */
void family_load(struct family *f, const char *name);
void family_free(struct family *f);

/* dir/config.json and dir/model.safetensors in f32.  form: "config", as the family's models have it, or "saved", as today's
 * library writes it; returns false when the file has no such form. */
bool family_write(const struct family *f, const char *dir, const char *form);

struct family_setting {
    const char *cpu; /* NULL: the best there is */
    bool in_place;
    int threads, chunk;
};

/* Keys and values in f32: the kept positions' logits, then those of each greedy id, [n_keep + n_greedy, vocab_size],
 * malloc'ed.  *wrong: first of the greedy ids that is not the expected one (which is appended all the same), -1: none. */
float *family_run(const struct family *f, const char *path, const struct family_setting *x, int *wrong);

/* NMSE of the kept positions' logits. */
double family_nmse(const struct family *f, const float *logits);

#endif
