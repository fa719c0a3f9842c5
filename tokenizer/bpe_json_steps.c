/* The parts of tokenizer.json around the model: normalizer, pre_tokenizer, post_processor. */
#include <string.h>

#include "base/error.h"
#include "tokenizer/bpe_json.h"
#include "tokenizer/bpe_unicode.h"

/* "type" of a part; "?" where it has none. */
static const char *type_of(const json_t *part)
{
    const char *type = json_string_value(json_object_get(part, "type"));
    return type != NULL ? type : "?";
}

static choir_status refuse(const char *file, const char *where, const char *what, choir_error *err)
{
    char shown[BASE_ESCAPE_CAP];
    return base_fail(err, CHOIR_FILE, "%s: %s: \"%s\" not supported", file, where, base_escape_str(shown, what));
}

/* ---- normalizer ---- */

static choir_status read_form(enum bpe_form *form, const char *file, const json_t *part, choir_error *err)
{
    for (enum bpe_form f = BPE_FORM_NFC; f <= BPE_FORM_NFKD; f++) {
        if (strcmp(type_of(part), bpe_form_name(f)) == 0) {
            if (*form != BPE_FORM_NONE && *form != f) {
                return base_fail(err, CHOIR_FILE, "%s: normalizer: %s after %s not supported", file, bpe_form_name(f),
                                 bpe_form_name(*form));
            }
            *form = f;
            return CHOIR_OK;
        }
    }
    return refuse(file, "normalizer", type_of(part), err);
}

static choir_status read_normalizer(enum bpe_form *form, const char *file, const json_t *part, choir_error *err)
{
    *form = BPE_FORM_NONE;
    if (part == NULL || json_is_null(part)) {
        return CHOIR_OK;
    }
    if (strcmp(type_of(part), "Sequence") != 0) {
        return read_form(form, file, part, err);
    }
    const json_t *list = json_object_get(part, "normalizers");
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < json_array_size(list) && status == CHOIR_OK; i++) {
        status = read_form(form, file, json_array_get(list, i), err);
    }
    return status;
}

/* ---- pre_tokenizer ---- */

struct steps {
    struct bpe_step *list; /* [BPE_MAX_STEPS + 1] */
    int n;
    bool has_bytes;
    const char *file;
};

static choir_status add(struct steps *s, struct bpe_step step, choir_error *err)
{
    if (s->n == BPE_MAX_STEPS) {
        return base_fail(err, CHOIR_FILE, "%s: pre_tokenizer: more than %d steps", s->file, BPE_MAX_STEPS);
    }
    s->list[s->n++] = step;
    return CHOIR_OK;
}

static choir_status read_behavior(enum bpe_behavior *out, const struct steps *s, const json_t *part, choir_error *err)
{
    static const char *const names[] = {"Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"};
    const char *name;
    choir_status status = base_json_string(&name, part, s->file, "behavior", err);
    for (size_t i = 0; status == CHOIR_OK && i < sizeof names / sizeof names[0]; i++) {
        if (name != NULL && strcmp(name, names[i]) == 0) {
            *out = (enum bpe_behavior)i;
            return CHOIR_OK;
        }
    }
    return status == CHOIR_OK ? refuse(s->file, "pre_tokenizer: behavior", name != NULL ? name : "", err) : status;
}

static choir_status read_split(struct steps *s, const json_t *part, choir_error *err)
{
    struct bpe_step step = {.kind = BPE_STEP_SPLIT};
    const json_t *pattern = json_object_get(part, "pattern");
    const char *text = json_string_value(json_object_get(pattern, "String"));
    step.literal = text != NULL;
    step.pattern = text != NULL ? text : json_string_value(json_object_get(pattern, "Regex"));
    if (step.pattern == NULL || *step.pattern == '\0') {
        return base_fail(err, CHOIR_FILE, "%s: pre_tokenizer: Split without a pattern", s->file);
    }
    choir_status status = read_behavior(&step.behavior, s, part, err);
    if (status == CHOIR_OK) {
        status = base_json_bool(&step.invert, part, s->file, "invert", false, err);
    }
    return status == CHOIR_OK ? add(s, step, err) : status;
}

static choir_status read_byte_level(struct steps *s, const json_t *part, choir_error *err)
{
    bool space, regex;
    choir_status status = base_json_bool(&space, part, s->file, "add_prefix_space", true, err);
    if (status == CHOIR_OK) {
        status = base_json_bool(&regex, part, s->file, "use_regex", true, err);
    }
    if (status == CHOIR_OK && s->has_bytes) {
        status = base_fail(err, CHOIR_FILE, "%s: pre_tokenizer: ByteLevel twice", s->file);
    }
    if (status == CHOIR_OK && space) {
        status = add(s, (struct bpe_step){.kind = BPE_STEP_SPACE}, err);
    }
    if (status == CHOIR_OK && regex) {
        status = add(s, (struct bpe_step){.kind = BPE_STEP_SPLIT, .pattern = bpe_gpt2_pattern}, err);
    }
    s->has_bytes = true;
    return status == CHOIR_OK ? add(s, (struct bpe_step){.kind = BPE_STEP_BYTES}, err) : status;
}

static choir_status read_digits(struct steps *s, const json_t *part, choir_error *err)
{
    bool each;
    choir_status status = base_json_bool(&each, part, s->file, "individual_digits", false, err);
    struct bpe_step step = {
        .kind = BPE_STEP_SPLIT,
        .behavior = each ? BPE_ISOLATED : BPE_CONTIGUOUS,
        .pattern = bpe_digit_pattern,
    };
    return status == CHOIR_OK ? add(s, step, err) : status;
}

static choir_status read_punctuation(struct steps *s, const json_t *part, choir_error *err)
{
    struct bpe_step step = {.kind = BPE_STEP_SPLIT, .pattern = bpe_punctuation_pattern};
    choir_status status = CHOIR_OK;
    if (json_object_get(part, "behavior") != NULL) {
        status = read_behavior(&step.behavior, s, part, err);
    }
    return status == CHOIR_OK ? add(s, step, err) : status;
}

static choir_status read_step(struct steps *s, const json_t *part, choir_error *err)
{
    const char *type = type_of(part);
    struct bpe_step removed = {.kind = BPE_STEP_SPLIT, .behavior = BPE_REMOVED};
    if (strcmp(type, "Split") == 0) {
        return read_split(s, part, err);
    }
    if (strcmp(type, "ByteLevel") == 0) {
        return read_byte_level(s, part, err);
    }
    if (strcmp(type, "Digits") == 0) {
        return read_digits(s, part, err);
    }
    if (strcmp(type, "Punctuation") == 0) {
        return read_punctuation(s, part, err);
    }
    if (strcmp(type, "WhitespaceSplit") == 0) {
        removed.pattern = "\\s";
        return add(s, removed, err);
    }
    if (strcmp(type, "Whitespace") == 0) {
        removed.pattern = "\\w+|[^\\w\\s]+";
        removed.invert = true;
        return add(s, removed, err);
    }
    return refuse(s->file, "pre_tokenizer", type, err);
}

static choir_status read_steps(struct steps *s, const json_t *part, choir_error *err)
{
    choir_status status = CHOIR_OK;
    if (strcmp(type_of(part), "Sequence") != 0) {
        status = read_step(s, part, err);
    } else {
        const json_t *list = json_object_get(part, "pretokenizers");
        for (size_t i = 0; i < json_array_size(list) && status == CHOIR_OK; i++) {
            status = read_step(s, json_array_get(list, i), err);
        }
    }
    if (status == CHOIR_OK && !s->has_bytes) {
        status = base_fail(err, CHOIR_FILE, "%s: pre_tokenizer: no ByteLevel, but the decoder has it", s->file);
    }
    s->list[s->n] = (struct bpe_step){.kind = BPE_STEP_END};
    return status;
}

choir_status bpe_json_recipe(struct bpe_recipe *r, struct bpe_step steps[BPE_MAX_STEPS + 1], const char *file,
                             const json_t *root, choir_error *err)
{
    struct steps s = {.list = steps, .file = file};
    const json_t *model = json_object_get(root, "model");
    *r = (struct bpe_recipe){.steps = steps};
    choir_status status = read_normalizer(&r->form, file, json_object_get(root, "normalizer"), err);
    if (status == CHOIR_OK) {
        status = read_steps(&s, json_object_get(root, "pre_tokenizer"), err);
    }
    return status == CHOIR_OK ? base_json_bool(&r->ignore_merges, model, file, "ignore_merges", false, err) : status;
}

/* ---- post_processor ---- */

/* TemplateProcessing: a special token before the text's place in the template of one text. */
static void first_of_template(const char **text, int32_t *id, const json_t *part)
{
    const json_t *first = json_array_get(json_object_get(part, "single"), 0);
    const char *name = json_string_value(json_object_get(json_object_get(first, "SpecialToken"), "id"));
    if (name != NULL) {
        const json_t *ids = json_object_get(json_object_get(json_object_get(part, "special_tokens"), name), "ids");
        const json_t *stated = json_array_get(ids, 0);
        *text = name;
        *id = json_is_integer(stated) && json_integer_value(stated) >= 0 && json_integer_value(stated) < BPE_MAX_PIECES
                  ? (int32_t)json_integer_value(stated)
                  : -1;
    }
}

static choir_status read_processor(const char **text, int32_t *id, const char *file, const json_t *part,
                                   choir_error *err)
{
    const char *type = type_of(part);
    if (strcmp(type, "TemplateProcessing") == 0) {
        first_of_template(text, id, part);
    } else if (strcmp(type, "RobertaProcessing") == 0) {
        *text = json_string_value(json_array_get(json_object_get(part, "cls"), 0));
    } else if (strcmp(type, "ByteLevel") != 0) {
        return refuse(file, "post_processor", type, err);
    }
    return CHOIR_OK;
}

choir_status bpe_json_first_token(const char **text, int32_t *id, const char *file, const json_t *root,
                                  choir_error *err)
{
    const json_t *part = json_object_get(root, "post_processor");
    choir_status status = CHOIR_OK;
    *text = NULL;
    *id = -1;
    if (part == NULL || json_is_null(part)) {
        return CHOIR_OK;
    }
    if (strcmp(type_of(part), "Sequence") != 0) {
        return read_processor(text, id, file, part, err);
    }
    const json_t *list = json_object_get(part, "processors");
    for (size_t i = 0; i < json_array_size(list) && status == CHOIR_OK; i++) {
        status = read_processor(text, id, file, json_array_get(list, i), err);
    }
    return status;
}
