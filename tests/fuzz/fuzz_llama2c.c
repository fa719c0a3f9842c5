/* llama2.c's three formats. */
#include "model/config/config.h"
#include "tests/fuzz/fuzz.h"
#include "weights/set.h"

void fuzz_llama2c(const uint8_t *data, size_t size)
{
    choir_error err;
    struct mdl_config c;
    struct wts_set *set = fuzz_set_over(data, size, "m.bin", WTS_LLAMA2C);
    choir_status status = wts_load_llama2c(set, &err);
    if (status == CHOIR_OK) {
        fuzz_read_rows(set);
        status = mdl_config_read(&c, set, &err);
    }
    if (status != CHOIR_OK) {
        fuzz_refused(status, &err, CHOIR_FILE, "m.bin: ");
    }
    wts_close(set);
}
