/* GGUF: the container, the settings of the model, the vocabulary. */
#include "engine/vocabulary.h"
#include "model/config/config.h"
#include "tests/fuzz/fuzz.h"
#include "weights/weights.h"

static void read_model(const struct wts_set *set)
{
    static struct choir_model m;
    choir_error err;
    m = (struct choir_model){.path = (char *)(uintptr_t) "m.gguf"};
    choir_status status = mdl_config_read(&m.config, set, &err);
    if (status != CHOIR_OK) {
        fuzz_refused(status, &err, CHOIR_FILE, "m.gguf: ");
        return;
    }
    status = eng_open_vocabulary_gguf(&m, set, &err);
    if (status != CHOIR_OK) {
        fuzz_refused(status, &err, CHOIR_FILE, "m.gguf: ");
        return;
    }
    fuzz_use_tokenizer(m.tokenizer);
    tok_close(m.tokenizer);
}

void fuzz_gguf(const uint8_t *data, size_t size)
{
    struct wts_set *set;
    choir_error err;
    const choir_status status = wts_open_memory(&set, "m.gguf", data, size, &err);
    if (status != CHOIR_OK) {
        fuzz_refused(status, &err, CHOIR_FILE, "m.gguf: ");
        return;
    }
    fuzz_read_rows(set);
    read_model(set);
    wts_close(set);
}
