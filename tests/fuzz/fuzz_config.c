/* config.json and, behind a NUL byte, generation_config.json, read from a folder as a user's are. */
#include <string.h>
#include <unistd.h>

#include "model/config/config.h"
#include "tests/fuzz/fuzz.h"

void fuzz_config(const uint8_t *data, size_t size)
{
    static struct wts_set *set;
    static char folder[FUZZ_PATH], second[FUZZ_PATH];
    const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    const size_t n = nul != NULL ? (size_t)(nul - data) : size;
    choir_error err;
    struct mdl_config c;
    fuzz_write("config", "config.json", data, n);
    if (set == NULL) { /* the folder without weights: it holds names only */
        FUZZ_CHECK(wts_open(&set, fuzz_path(folder, "config", NULL), true, NULL) == CHOIR_OK);
        fuzz_path(second, "config", "generation_config.json");
    }
    if (nul != NULL) {
        fuzz_write("config", "generation_config.json", nul + 1, size - n - 1);
    } else {
        unlink(second);
    }
    const choir_status status = mdl_config_read(&c, set, &err);
    if (status != CHOIR_OK) {
        fuzz_refused(status, &err, CHOIR_FILE, folder);
    }
}
