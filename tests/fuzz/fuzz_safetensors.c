/* One safetensors file. */
#include "tests/fuzz/fuzz.h"
#include "weights/set.h"

void fuzz_safetensors(const uint8_t *data, size_t size)
{
    choir_error err;
    struct wts_set *set = fuzz_set_over(data, size, "m.safetensors", WTS_HF);
    choir_status status = wts_load_safetensors(set, set->priv->files[0], &err);
    if (status == CHOIR_OK) {
        status = wts_finish(set, &err);
    }
    if (status == CHOIR_OK) {
        fuzz_read_rows(set);
    } else {
        fuzz_refused(status, &err, CHOIR_FILE, "m.safetensors: ");
    }
    wts_close(set);
}
