/* Byte-level BPE from the vocabulary of a GGUF file. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "tokenizer/bpe/bpe.h"

/* "left right": the parts hold no space, which the alphabet writes as another character. */
static choir_status read_merges(struct bpe_merge_text *out, const struct tok_vocab *v, const char *file,
                                choir_error *err)
{
    for (size_t i = 0; i < v->n_merges; i++) {
        const char *text = v->merges[i];
        size_t n = v->merge_bytes[i];
        const char *gap = n > 1 ? memchr(text + 1, ' ', n - 1) : NULL;
        size_t left = gap != NULL ? (size_t)(gap - text) : n;
        if (left + 1 >= n) {
            char shown[BASE_ESCAPE_CAP];
            return base_fail(err, CHOIR_FILE, "%s: merge %zu: \"%s\" is not a pair", file, i,
                             base_escape(shown, text, n));
        }
        out[i] = (struct bpe_merge_text){text, gap + 1, left, n - left - 1};
    }
    return CHOIR_OK;
}

/* Pieces that stand in texts as they are, and special ones.  Begin and end of text are special whatever their type. */
static size_t list_added(struct bpe_added *added, int32_t *types, const struct tok_vocab *v)
{
    size_t n = 0;
    for (int32_t i = 0; i < v->n_pieces; i++) {
        types[i] = v->types[i];
        if ((i == v->bos_id || i == v->eos_id) && (types[i] == TOK_NORMAL || types[i] == TOK_USER_DEFINED)) {
            types[i] = TOK_CONTROL;
        }
        if (types[i] == TOK_CONTROL || types[i] == TOK_UNKNOWN || types[i] == TOK_USER_DEFINED) {
            added[n++] = (struct bpe_added){
                .text = v->pieces[i],
                .n = v->piece_bytes[i],
                .id = i,
                .special = types[i] != TOK_USER_DEFINED,
            };
        }
    }
    return n;
}

choir_status bpe_open_vocab(struct tokenizer **out, const struct tok_vocab *vocab, int64_t vocab_rows, choir_error *err)
{
    *out = NULL;
    char file[BASE_ESCAPE_CAP];
    base_escape_str(file, vocab->file);
    const struct bpe_recipe *recipe = bpe_recipe_find(vocab->pre, vocab->pre_bytes);
    if (recipe == NULL) {
        char shown[BASE_ESCAPE_CAP];
        return base_fail(err, CHOIR_FILE, "%s: pre-tokenizer \"%s\" not supported", file,
                         base_escape(shown, vocab->pre, vocab->pre_bytes));
    }
    if (vocab->n_pieces < 1 || vocab->n_pieces > BPE_MAX_PIECES) {
        return base_fail(err, CHOIR_FILE, "%s: %d tokens (1 to %d allowed)", file, (int)vocab->n_pieces,
                         BPE_MAX_PIECES);
    }
    size_t n = (size_t)vocab->n_pieces;
    struct bpe_merge_text *merges = base_array(vocab->n_merges + 1, sizeof *merges);
    struct bpe_added *added = base_array(n, sizeof *added);
    int32_t *types = base_array(n, sizeof *types);
    choir_status status = CHOIR_OK;
    if (merges == NULL || added == NULL || types == NULL) {
        status = base_fail_memory(err, vocab->n_merges * sizeof *merges + n * sizeof *added, "the vocabulary");
    } else {
        status = read_merges(merges, vocab, file, err);
    }
    if (status == CHOIR_OK) {
        struct bpe_source source = {
            .file = file,
            .n_pieces = vocab->n_pieces,
            .pieces = vocab->pieces,
            .piece_bytes = vocab->piece_bytes,
            .types = types,
            .merges = merges,
            .n_merges = vocab->n_merges,
            .added = added,
            .n_added = list_added(added, types, vocab),
            .recipe = *recipe,
            .bos_id = vocab->bos_id,
            .eos_id = vocab->eos_id,
            .unk_id = -1,
        };
        status = bpe_open(out, &source, vocab_rows, err);
    }
    free(merges);
    free(added);
    free(types);
    return status;
}
