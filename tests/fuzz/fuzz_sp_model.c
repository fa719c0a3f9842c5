/* libFuzzer entry: the input is a SentencePiece model; one that opens must encode and decode. */
#include <stdint.h>
#include <stdlib.h>

#include "tokenizer/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] = "hello  world <user> AB\n\0\xc3\xa9\xe4\xb8\xad</s>\xe2\x96\x81wo \xef\xb7\xba ";
    struct tokenizer *t;
    if (tok_open_memory(&t, "fuzz", data, size, -1, NULL) != CHOIR_OK) {
        return 0;
    }
    int32_t *ids;
    size_t n_ids;
    if (tok_encode(t, text, sizeof text - 1, &ids, &n_ids, NULL) != CHOIR_OK) {
        abort();
    }
    char *back;
    size_t n;
    if (tok_decode(t, ids, n_ids, &back, &n, NULL) != CHOIR_OK) {
        abort();
    }
    free(back);
    free(ids);
    tok_close(t);
    return 0;
}
