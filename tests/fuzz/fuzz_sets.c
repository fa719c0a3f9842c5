/* Weight files in memory; see fuzz.h. */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "weights/set.h"

struct wts_set *fuzz_set_over(const uint8_t *data, size_t size, const char *name, int container)
{
    struct wts_set *set;
    FUZZ_CHECK(wts_set_new(&set, (enum wts_container)container, name, NULL) == CHOIR_OK);
    struct base_file *file = wts_add_file(set);
    FUZZ_CHECK(file != NULL && base_file_memory(file, name, data, size, NULL) == CHOIR_OK);
    return set;
}

void fuzz_read_rows(const struct wts_set *set)
{
    for (size_t i = 0; i < set->n_tensors; i++) {
        const struct wts_tensor *t = &set->tensors[i];
        FUZZ_CHECK(wts_find(set, t->name) == t && wts_has(set, t->name));
        if (t->n_rows == 0 || t->n_cols == 0) {
            continue;
        }
        unsigned char *row = malloc(dtype_row_bytes(t->type, t->n_cols));
        FUZZ_CHECK(row != NULL);
        FUZZ_CHECK(wts_read_rows(t, 0, 1, row, NULL) == CHOIR_OK);
        FUZZ_CHECK(wts_read_rows(t, t->n_rows - 1, 1, row, NULL) == CHOIR_OK);
        free(row);
    }
}
