/* Files of sequences.  Sums are made right where the first byte is odd, else nothing would be reached behind them. */
#include <stdlib.h>
#include <string.h>

#include "engine/state_file.h"
#include "kv/kv_tiles.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/golden.h"

enum { N_IDS = 20, CTX = 48 };

static choir_sequence *live;
static int32_t ids[N_IDS];

/* A model of one layer with a live sequence of N_IDS tokens. */
static void set_up(void)
{
    for (int i = 0; i < N_IDS; i++) {
        ids[i] = i % 16;
    }
    const struct golden g = {.name = "fuzz",
                             .seed = 5,
                             .n_ids = N_IDS,
                             .keep = 1,
                             .dim = 8,
                             .hidden_dim = 8,
                             .n_layers = 1,
                             .n_heads = 1,
                             .n_kv_heads = 1,
                             .head_dim = 8,
                             .vocab_size = 16,
                             .max_seq_len = CTX,
                             .ids = ids};
    char path[FUZZ_PATH];
    golden_write_gguf(&g, fuzz_path(path, "state", NULL), "m.gguf", DTYPE_F32);
    fuzz_path(path, "state", "m.gguf");
    choir_model_options model_options;
    choir_model_options_default(&model_options);
    model_options.path = path;
    model_options.text_optional = true;
    model_options.n_threads = 1;
    choir_model *m;
    FUZZ_CHECK(choir_model_open(&m, &model_options, NULL) == CHOIR_OK);
    choir_engine_options engine_options;
    choir_engine_options_default(&engine_options);
    engine_options.ctx_size = CTX;
    engine_options.n_threads = 1;
    choir_engine *e;
    FUZZ_CHECK(choir_engine_open(&e, m, &engine_options, NULL) == CHOIR_OK);
    choir_sampling sampling;
    choir_sampling_default(&sampling);
    FUZZ_CHECK(choir_sequence_open(&live, e, &sampling, NULL) == CHOIR_OK);
    FUZZ_CHECK(choir_sequence_append(live, ids, N_IDS, NULL) == CHOIR_OK);
    while (choir_sequence_computed(live) < N_IDS) {
        FUZZ_CHECK(choir_engine_step(e, &live, 1, NULL) == CHOIR_OK);
    }
}

/* Sums of as much as is there. */
static void make_right(uint8_t *p, size_t size)
{
    struct eng_state_header h;
    if (size < sizeof h) {
        return;
    }
    memcpy(&h, p, sizeof h);
    struct eng_state_header own;
    FUZZ_CHECK(eng_state_describe(&own, live, NULL) == CHOIR_OK);
    const size_t most = (size - sizeof h) / sizeof(int32_t), n = h.n_ids < most ? (size_t)h.n_ids : most;
    int32_t *list = malloc((n + 1) * sizeof *list);
    FUZZ_CHECK(list != NULL);
    memcpy(list, p + sizeof h, n * sizeof *list);
    h.ids_sum = eng_state_ids_sum(list, n);
    free(list);
    h.model = own.model;
    h.rope = own.rope;
    h.header_sum = eng_state_header_sum(&h);
    memcpy(p, &h, sizeof h);
    const size_t tile = kv_tiles_bytes(&live->engine->store.shape);
    uint64_t number = h.first_held / KV_TILE_TOKENS;
    for (size_t at = sizeof h + n * sizeof *list; size - at >= tile + sizeof number; at += tile + sizeof number) {
        const uint64_t sum = eng_state_tile_sum(p + at, tile, number++);
        memcpy(p + at + tile, &sum, sizeof sum);
    }
}

void fuzz_state(const uint8_t *data, size_t size)
{
    if (live == NULL) {
        set_up();
    }
    if (size == 0) {
        return;
    }
    uint8_t *p = malloc(size);
    FUZZ_CHECK(p != NULL);
    memcpy(p, data + 1, size - 1);
    if (data[0] % 2 == 1) {
        make_right(p, size - 1);
    }
    static char path[FUZZ_PATH];
    fuzz_write("state", "s.kv", p, size - 1);
    fuzz_path(path, "state", "s.kv");
    free(p);
    choir_error err;
    const int32_t before = choir_sequence_length(live), computed = choir_sequence_computed(live);
    const choir_status status = choir_sequence_load(live, path, &err);
    const int32_t n = choir_sequence_length(live);
    if (status != CHOIR_OK) {
        fuzz_refused(status, &err, CHOIR_FILE, path);
        FUZZ_CHECK(n == before && choir_sequence_computed(live) == computed);
    }
    FUZZ_CHECK(n >= 0 && n <= CTX && choir_sequence_computed(live) <= n);
    for (int32_t i = 0; i < n; i++) {
        FUZZ_CHECK(choir_sequence_ids(live)[i] >= 0 && choir_sequence_ids(live)[i] < 16);
    }
}
