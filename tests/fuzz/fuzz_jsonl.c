/* Lines of `choir generate --jsonl`. */
#include <stdlib.h>
#include <string.h>

#include "cli/jsonl/jsonl.h"
#include "tests/fuzz/fuzz.h"

static void check_request(const jsonl_request *r)
{
    if (r->cancel) {
        return;
    }
    choir_error err;
    FUZZ_CHECK(r->prompt || r->ids);
    FUZZ_CHECK(r->n >= 1 && r->n <= JSONL_MOST_TEXTS && r->max_tokens >= -1);
    FUZZ_CHECK(choir_sampling_check(&r->sampling, &err) == CHOIR_OK);
    for (size_t i = 0; i < r->n_ids; i++) {
        FUZZ_CHECK(r->ids[i] >= 0);
    }
    for (size_t i = 0; i < r->n_stops; i++) {
        FUZZ_CHECK(r->stop_bytes[i] > 0 && r->stops[i][r->stop_bytes[i]] == '\0');
    }
}

static void one_line(const options *o, const char *line, size_t n, uint64_t number)
{
    jsonl_request r;
    choir_error err;
    const choir_status status = jsonl_request_read(&r, o, &o->sampling, line, n, &err);
    if (status == CHOIR_OK) {
        check_request(&r);
    } else {
        FUZZ_CHECK(status == CHOIR_FILE || status == CHOIR_USAGE);
        FUZZ_CHECK(err.msg[0] != '\0'); /* it is printed as a JSON string: any bytes may stand in it */
    }
    jsonl_answer *a = jsonl_answer_open(&r, status != CHOIR_OK, number);
    FUZZ_CHECK(a != NULL);
    jsonl_answer_free(a);
    jsonl_request_free(&r);
}

void fuzz_jsonl(const uint8_t *data, size_t size)
{
    options o;
    choir_error err;
    const char *line;
    size_t n;
    options_default(&o);
    /* all is read already: no descriptor is asked */
    jsonl_input in = {.fd = -1, .name = "stdin", .at = malloc(size + 1), .end = size, .cap = size + 1, .eof = true};
    FUZZ_CHECK(in.at != NULL);
    memcpy(in.at, data, size);
    uint64_t number = 0;
    while (jsonl_input_next(&in, false, &line, &n, &err) == JSONL_LINE) {
        FUZZ_CHECK(in.line > number && memchr(line, '\n', n) == NULL);
        number = in.line;
        one_line(&o, line, n, number);
    }
    jsonl_input_close(&in);
    options_free(&o);
}
