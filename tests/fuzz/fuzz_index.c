/* model.safetensors.index.json of a folder with two shards, "a.safetensors" and "b.safetensors". */
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "weights/weights.h"

static void write_shard(const char *name, const char *tensor)
{
    char file[160];
    const int n = snprintf(file + 8, sizeof file - 8,
                           "{\"%s\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", tensor);
    const uint64_t header = (uint64_t)n;
    memcpy(file, &header, sizeof header);
    memset(file + 8 + n, 0, 4);
    fuzz_write("index", name, file, 8 + (size_t)n + 4);
}

void fuzz_index(const uint8_t *data, size_t size)
{
    static char folder[FUZZ_PATH];
    if (folder[0] == '\0') {
        write_shard("a.safetensors", "x");
        write_shard("b.safetensors", "y");
        fuzz_path(folder, "index", NULL);
    }
    struct wts_set *set;
    choir_error err;
    fuzz_write("index", "model.safetensors.index.json", data, size);
    const choir_status status = wts_open(&set, folder, false, &err);
    if (status == CHOIR_OK) {
        FUZZ_CHECK(set->n_tensors <= 2);
        fuzz_read_rows(set);
        wts_close(set);
        return;
    }
    FUZZ_CHECK(status == CHOIR_FILE || status == CHOIR_IO); /* a shard that is not there */
    fuzz_refused(status, &err, status, folder);
}
