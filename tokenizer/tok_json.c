/* Which kind of tokenizer a tokenizer.json describes: bytes written with GPT-2's alphabet, or SentencePiece's marks and byte
 * pieces. */
#include "tokenizer/tok_json.h"

#include <string.h>

#include "base/error.h"
#include "tokenizer/bpe/json.h"

/* Whether a pre-tokenizer or decoder is, or has in its list, the type ByteLevel. */
static bool has_byte_level(const json_t *part, const char *list)
{
    const char *type = json_string_value(json_object_get(part, "type"));
    if (type != NULL && strcmp(type, "ByteLevel") == 0) {
        return true;
    }
    const json_t *parts = json_object_get(part, list);
    for (size_t i = 0; i < json_array_size(parts); i++) {
        type = json_string_value(json_object_get(json_array_get(parts, i), "type"));
        if (type != NULL && strcmp(type, "ByteLevel") == 0) {
            return true;
        }
    }
    return false;
}

static choir_status open_root(struct tokenizer **out, const char *file, const json_t *root, int64_t vocab_rows,
                              choir_error *err)
{
    bool bytes = has_byte_level(json_object_get(root, "pre_tokenizer"), "pretokenizers") ||
                 has_byte_level(json_object_get(root, "decoder"), "decoders");
    return bpe_open_json(out, file, root, bytes, vocab_rows, err);
}

choir_status tok_open_json(struct tokenizer **out, const char *name, const char *text, size_t n, int64_t vocab_rows,
                           choir_error *err)
{
    *out = NULL;
    char shown[BASE_ESCAPE_CAP];
    json_t *root;
    choir_status status = base_json_parse(&root, name, text, n, err);
    if (status == CHOIR_OK) {
        status = open_root(out, base_escape_str(shown, name), root, vocab_rows, err);
        json_decref(root);
    }
    return status;
}
