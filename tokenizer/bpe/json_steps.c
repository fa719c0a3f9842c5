/* The parts of tokenizer.json around the model: pre_tokenizer, post_processor. */
#include <string.h>

#include "base/error.h"
#include "tokenizer/bpe/json.h"
#include "tokenizer/bpe/unicode.h"

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

/* ---- pre_tokenizer ---- */

struct steps {
    struct bpe_step *list; /* [BPE_MAX_STEPS + 1] */
    int n;
    bool bytes; /* of a byte-level tokenizer, which needs the step */
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

/* Metaspace: marks for spaces, and a word begins with each mark. */
static choir_status read_metaspace(struct steps *s, const json_t *part, choir_error *err)
{
    struct bpe_step mark = {.kind = BPE_STEP_MARK};
    bool split;
    choir_status status = base_json_string(&mark.pattern, part, s->file, "replacement", err);
    if (status == CHOIR_OK && (mark.pattern == NULL || strcmp(mark.pattern, "\xe2\x96\x81") != 0)) {
        status = refuse(s->file, "pre_tokenizer: replacement", mark.pattern != NULL ? mark.pattern : "", err);
    }
    if (status == CHOIR_OK) {
        status = bpe_json_prepend(&mark.prepend, s->file, part, err);
    }
    if (status == CHOIR_OK) {
        status = base_json_bool(&split, part, s->file, "split", true, err);
    }
    if (status == CHOIR_OK) {
        status = add(s, mark, err);
    }
    struct bpe_step cut = {
        .kind = BPE_STEP_SPLIT, .literal = true, .behavior = BPE_MERGED_WITH_NEXT, .pattern = mark.pattern};
    return status == CHOIR_OK && split ? add(s, cut, err) : status;
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
    if (strcmp(type, "Metaspace") == 0 && !s->bytes) {
        return read_metaspace(s, part, err);
    }
    return refuse(s->file, "pre_tokenizer", type, err);
}

static choir_status read_steps(struct steps *s, const json_t *part, choir_error *err)
{
    choir_status status = CHOIR_OK;
    if (part == NULL || json_is_null(part)) {
        status = CHOIR_OK;
    } else if (strcmp(type_of(part), "Sequence") != 0) {
        status = read_step(s, part, err);
    } else {
        const json_t *list = json_object_get(part, "pretokenizers");
        for (size_t i = 0; i < json_array_size(list) && status == CHOIR_OK; i++) {
            status = read_step(s, json_array_get(list, i), err);
        }
    }
    if (status == CHOIR_OK && s->bytes && !s->has_bytes) {
        status = base_fail(err, CHOIR_FILE, "%s: pre_tokenizer: no ByteLevel, but the decoder has it", s->file);
    }
    s->list[s->n] = (struct bpe_step){.kind = BPE_STEP_END};
    return status;
}

choir_status bpe_json_steps(struct bpe_step steps[BPE_MAX_STEPS + 1], const char *file, const json_t *root, bool bytes,
                            choir_error *err)
{
    struct steps s = {.list = steps, .bytes = bytes, .file = file};
    return read_steps(&s, json_object_get(root, "pre_tokenizer"), err);
}

/* ---- where Metaspace puts a mark ---- */

choir_status bpe_json_prepend(enum bpe_prepend *out, const char *file, const json_t *part, choir_error *err)
{
    static const char *const names[] = {"never", "first", "always"};
    const char *name;
    bool space;
    choir_status status = base_json_bool(&space, part, file, "add_prefix_space", true, err); /* of older files */
    if (status == CHOIR_OK) {
        status = base_json_string(&name, part, file, "prepend_scheme", err);
    }
    if (status != CHOIR_OK) {
        return status;
    }
    *out = space ? BPE_PREPEND_ALWAYS : BPE_PREPEND_NEVER;
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum bpe_prepend)i;
            return CHOIR_OK;
        }
    }
    return name == NULL ? CHOIR_OK : refuse(file, "prepend_scheme", name, err);
}

/* ---- decoder ---- */

/* The steps that a decoder of SentencePiece's kind may have; *first_space becomes what Strip and Metaspace do. */
static choir_status read_decoder(struct bpe_json_decoder *d, const char *file, const json_t *part, choir_error *err)
{
    static const char mark[] = "\xe2\x96\x81";
    const char *type = type_of(part);
    if (strcmp(type, "ByteFallback") == 0) {
        d->bytes = true;
        return CHOIR_OK;
    }
    if (strcmp(type, "Fuse") == 0) {
        return CHOIR_OK;
    }
    if (strcmp(type, "Metaspace") == 0) {
        enum bpe_prepend prepend;
        choir_status status = bpe_json_prepend(&prepend, file, part, err);
        d->marks = true;
        d->first_space = prepend != BPE_PREPEND_NEVER ? TOK_SPACES_OF_FIRST : TOK_SPACE_KEPT;
        return status;
    }
    if (strcmp(type, "Replace") == 0) {
        const char *from = json_string_value(json_object_get(json_object_get(part, "pattern"), "String"));
        const char *to = json_string_value(json_object_get(part, "content"));
        d->marks = from != NULL && to != NULL && strcmp(from, mark) == 0 && strcmp(to, " ") == 0;
        return d->marks ? CHOIR_OK : refuse(file, "decoder: Replace", from != NULL ? from : "", err);
    }
    if (strcmp(type, "Strip") == 0) {
        const char *what = json_string_value(json_object_get(part, "content"));
        int64_t start, stop;
        choir_status status = base_json_int(&start, part, file, "start", 0, 0, 1, err);
        if (status == CHOIR_OK) {
            status = base_json_int(&stop, part, file, "stop", 0, 0, 0, err);
        }
        d->first_space = start > 0 ? TOK_SPACE_DROPPED : TOK_SPACE_KEPT;
        return status != CHOIR_OK || (what != NULL && strcmp(what, " ") == 0)
                   ? status
                   : refuse(file, "decoder: Strip", what != NULL ? what : "", err);
    }
    return refuse(file, "decoder", type, err);
}

choir_status bpe_json_read_decoder(struct bpe_json_decoder *d, const char *file, const json_t *root, choir_error *err)
{
    const json_t *part = json_object_get(root, "decoder");
    const json_t *list = json_object_get(part, "decoders");
    choir_status status = CHOIR_OK;
    *d = (struct bpe_json_decoder){.first_space = TOK_SPACE_KEPT};
    if (strcmp(type_of(part), "Sequence") != 0) {
        status = read_decoder(d, file, part, err);
    }
    for (size_t i = 0; i < json_array_size(list) && status == CHOIR_OK; i++) {
        status = read_decoder(d, file, json_array_get(list, i), err);
    }
    if (status == CHOIR_OK && !d->marks) {
        status = base_fail(err, CHOIR_FILE, "%s: decoder: neither Metaspace nor Replace of U+2581", file);
    }
    return status;
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
