/* What stands beside a tokenizer.model: tokenizer_config.json, or, behind a NUL byte each, added_tokens.json and
 * special_tokens_map.json. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tests/support/sp_bytes.h"
#include "tokenizer/tokenizer.h"

enum { ROWS = 64 };

static const char *const names[] = {"tokenizer_config.json", "added_tokens.json", "special_tokens_map.json"};

/* Each part of the data into its file; an empty part is no file. */
static void write_parts(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH];
    for (int i = 0; i < 3; i++) {
        const uint8_t *nul = size > 0 && i < 2 ? memchr(data, '\0', size) : NULL;
        const size_t n = nul != NULL ? (size_t)(nul - data) : size;
        if (n > 0) {
            fuzz_write("added", names[i], data, n);
        } else {
            unlink(fuzz_path(path, "added", names[i]));
        }
        data += nul != NULL ? n + 1 : n;
        size -= nul != NULL ? n + 1 : n;
    }
}

void fuzz_added(const uint8_t *data, size_t size)
{
    static char path[FUZZ_PATH], folder[FUZZ_PATH];
    if (path[0] == '\0') {
        struct sp_bytes b = sp_bytes_begin();
        fuzz_write("added", "tokenizer.model", b.data, b.n);
        free(b.data);
        fuzz_path(folder, "added", NULL);
        fuzz_path(path, "added", "tokenizer.model");
    }
    write_parts(data, size);
    struct tokenizer *t;
    choir_error err;
    const choir_status status = tok_open_file(&t, path, ROWS, &err);
    if (status != CHOIR_OK) {
        fuzz_refused(status, &err, CHOIR_FILE, folder);
        return;
    }
    fuzz_use_tokenizer(t);
    tok_close(t);
}
