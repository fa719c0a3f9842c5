#include "tokenizer/normalizer/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tokenizer/sentencepiece/model.h"

void norm_json_free(struct norm_list *list)
{
    for (int i = 0; i < list->n; i++) {
        free(list->maps[i]);
        list->maps[i] = NULL;
    }
}

static const char *type_of(const json_t *part)
{
    const char *type = json_string_value(json_object_get(part, "type"));
    return type != NULL ? type : "?";
}

static choir_status read_form(struct norm_step *step, const char *file, const json_t *part, choir_error *err)
{
    step->kind = NORM_FORM;
    for (enum bpe_form f = BPE_FORM_NFC; f <= BPE_FORM_NFKD; f++) {
        if (strcmp(type_of(part), bpe_form_name(f)) == 0) {
            step->form = f;
            return CHOIR_OK;
        }
    }
    char shown[BASE_ESCAPE_CAP];
    return base_fail(err, CHOIR_FILE, "%s: normalizer: \"%s\" not supported", file,
                     base_escape_str(shown, type_of(part)));
}

static choir_status read_prepend(struct norm_step *step, const char *file, const json_t *part, choir_error *err)
{
    step->kind = NORM_PREPEND;
    choir_status status = base_json_string(&step->text, part, file, "prepend", err);
    if (status == CHOIR_OK && step->text == NULL) {
        status = base_fail(err, CHOIR_FILE, "%s: normalizer: Prepend without a text", file);
    }
    return status;
}

static choir_status read_replace(struct norm_step *step, const char *file, const json_t *part, choir_error *err)
{
    const json_t *pattern = json_object_get(part, "pattern");
    const char *text = json_string_value(json_object_get(pattern, "String"));
    step->kind = NORM_REPLACE;
    step->literal = text != NULL;
    step->pattern = text != NULL ? text : json_string_value(json_object_get(pattern, "Regex"));
    choir_status status = base_json_string(&step->text, part, file, "content", err);
    if (status == CHOIR_OK && (step->pattern == NULL || *step->pattern == '\0' || step->text == NULL)) {
        status = base_fail(err, CHOIR_FILE, "%s: normalizer: Replace without a pattern or content", file);
    }
    return status;
}

static choir_status read_strip(struct norm_step *step, const char *file, const json_t *part, choir_error *err)
{
    step->kind = NORM_STRIP;
    choir_status status = base_json_bool(&step->left, part, file, "strip_left", true, err);
    return status == CHOIR_OK ? base_json_bool(&step->right, part, file, "strip_right", true, err) : status;
}

/* ---- base64 (RFC 4648) ---- */

static int digit_of(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* dst: 3 bytes for each 4 characters.  False where it is no base64. */
static bool decode_base64(char *dst, size_t *n_out, const char *text, size_t n)
{
    size_t padding = n > 1 && text[n - 1] == '=' ? (text[n - 2] == '=' ? 2 : 1) : 0;
    *n_out = 0;
    if (n % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < n; i += 4) {
        uint32_t bits = 0;
        for (size_t k = i; k < i + 4; k++) {
            int digit = k >= n - padding ? 0 : digit_of(text[k]);
            if (digit < 0) {
                return false;
            }
            bits = bits << 6 | (uint32_t)digit;
        }
        for (int shift = 16; shift >= 0; shift -= 8) {
            dst[(*n_out)++] = (char)(bits >> shift & 255);
        }
    }
    *n_out -= padding;
    return true;
}

static choir_status read_map(struct norm_list *list, struct norm_step *step, const char *file, const json_t *part,
                             choir_error *err)
{
    const json_t *value = json_object_get(part, "precompiled_charsmap");
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);
    step->kind = NORM_CHARSMAP;
    if (text == NULL && !json_is_null(value)) {
        return base_fail(err, CHOIR_FILE, "%s: normalizer: Precompiled without precompiled_charsmap", file);
    }
    if (n / 4 * 3 > SP_MAX_CHARSMAP_BYTES) {
        return base_fail(err, CHOIR_FILE, "%s: precompiled_charsmap: %zu bytes (at most %d allowed)", file, n / 4 * 3,
                         SP_MAX_CHARSMAP_BYTES);
    }
    char *map = malloc(n / 4 * 3 + 3); /* fits: at most SP_MAX_CHARSMAP_BYTES and 3 */
    list->maps[list->n] = map;
    if (map == NULL) {
        return base_fail_memory(err, n, "a normalizer");
    }
    step->charsmap = map;
    if (!decode_base64(map, &step->charsmap_bytes, text, n)) {
        return base_fail(err, CHOIR_FILE, "%s: precompiled_charsmap: not base64", file);
    }
    return CHOIR_OK;
}

static choir_status read_step(struct norm_list *list, const char *file, const json_t *part, choir_error *err)
{
    if (list->n == NORM_MAX_STEPS) {
        return base_fail(err, CHOIR_FILE, "%s: normalizer: more than %d steps", file, NORM_MAX_STEPS);
    }
    struct norm_step *step = &list->steps[list->n];
    const char *type = type_of(part);
    choir_status status;
    if (strcmp(type, "Prepend") == 0) {
        status = read_prepend(step, file, part, err);
    } else if (strcmp(type, "Replace") == 0) {
        status = read_replace(step, file, part, err);
    } else if (strcmp(type, "Strip") == 0) {
        status = read_strip(step, file, part, err);
    } else if (strcmp(type, "Precompiled") == 0) {
        status = read_map(list, step, file, part, err);
    } else {
        status = read_form(step, file, part, err);
    }
    list->n++;
    return status;
}

choir_status norm_json_read(struct norm_list *list, const char *file, const json_t *root, choir_error *err)
{
    *list = (struct norm_list){0};
    const json_t *part = json_object_get(root, "normalizer");
    if (part == NULL || json_is_null(part)) {
        return CHOIR_OK;
    }
    if (strcmp(type_of(part), "Sequence") != 0) {
        return read_step(list, file, part, err);
    }
    const json_t *steps = json_object_get(part, "normalizers");
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < json_array_size(steps) && status == CHOIR_OK; i++) {
        status = read_step(list, file, json_array_get(steps, i), err);
    }
    return status;
}
