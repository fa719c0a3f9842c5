/* tokenizer.json of both kinds. */
#include "tests/fuzz/fuzz.h"
#include "tokenizer/tok_json.h"

void fuzz_tokenizer_json(const uint8_t *data, size_t size)
{
    struct tokenizer *t;
    choir_error err;
    const choir_status status = tok_open_json(&t, "fuzz", (const char *)data, size, -1, &err);
    if (status != CHOIR_OK) {
        fuzz_refused(status, &err, CHOIR_FILE, "fuzz:");
        return;
    }
    fuzz_use_tokenizer(t);
    struct tok_export e;
    if (tok_export(&e, t, &err) == CHOIR_OK) {
        tok_export_free(&e);
    }
    tok_close(t);
}
