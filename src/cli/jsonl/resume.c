/* --resume OUT: what an earlier run answered is not asked again.
 *
 * An answer counts when its last line is whole: it ends in a newline, and is an object that is no piece of a streamed text
 * (whose finish_reason is null).  What comes behind the last such line is cut off. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/jsonl/jsonl.h"

/* What a line of the file is. */
typedef enum line_kind { LINE_FOREIGN, LINE_PIECE, LINE_ANSWER, LINE_ERROR } line_kind;

static line_kind kind_of(const json_t *object)
{
    const json_t *response = json_object_get(object, "response");
    const json_t *choice = json_array_get(json_object_get(object, "choices"), 0);
    if (!json_object_get(object, "custom_id") && !json_object_get(object, "id")) {
        return LINE_FOREIGN;
    }
    if (json_is_object(response)) {
        return json_integer_value(json_object_get(response, "status_code")) == 200 ? LINE_ANSWER : LINE_ERROR;
    }
    if (json_is_object(json_object_get(object, "error"))) {
        return LINE_ERROR;
    }
    return !choice ? LINE_FOREIGN : json_is_null(json_object_get(choice, "finish_reason")) ? LINE_PIECE : LINE_ANSWER;
}

/* A line whose newline is missing must at least begin as ours do before it is cut off. */
static bool is_torn(const char *line, size_t n)
{
    static const char begin[] = "{\"id\":";
    return n <= JSONL_LINE_MAX && memcmp(line, begin, n < sizeof begin - 1 ? n : sizeof begin - 1) == 0;
}

/* Takes the line that ends at byte `end` of the file; *kept moves there behind an answer. */
static choir_status take_answer(jsonl_resume *r, const jsonl_input *in, const char *line, size_t n, off_t end,
                                off_t *kept, choir_error *err)
{
    const bool whole = !(in->eof && in->begin == in->end && in->at[in->end - 1] != '\n');
    if (!whole && is_torn(line, n)) {
        return CHOIR_OK;
    }
    json_t *object = NULL;
    json_error_t where;
    if (whole && n <= JSONL_LINE_MAX &&
        base_json_decode(&object, line, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where) == CHOIR_RESOURCE) {
        return base_fail(err, CHOIR_RESOURCE, "%s: out of memory for line %llu", r->name, (unsigned long long)in->line);
    }
    line_kind kind = kind_of(object);
    if (kind >= LINE_ANSWER) {
        json_t *custom = json_object_get(object, "custom_id");
        json_array_append(r->ids, custom ? custom : json_object_get(object, "id"));
        r->had_errors |= kind == LINE_ERROR;
        *kept = end;
    }
    json_decref(object);
    return kind != LINE_FOREIGN
               ? CHOIR_OK
               : base_fail(err, CHOIR_FILE, "%s: line %llu is no answer; --resume takes what --jsonl wrote", r->name,
                           (unsigned long long)in->line);
}

/* Reads the answers of fd; *kept: bytes up to the end of the last whole one. */
static choir_status read_answers(jsonl_resume *r, int fd, off_t *kept, choir_error *err)
{
    jsonl_input in = {.fd = dup(fd)};
    const char *line;
    size_t n;
    choir_status status = CHOIR_OK;
    memcpy(in.name, r->name, sizeof in.name);
    for (jsonl_read got = JSONL_LINE; !status && got != JSONL_END;) {
        got = jsonl_input_next(&in, true, &line, &n, err);
        if (got == JSONL_FAILED) {
            status = err->code;
        } else if (got == JSONL_LINE) {
            /* where reading has come to, less what is still in the buffer */
            off_t end = lseek(fd, 0, SEEK_CUR) - (off_t)(in.end - in.begin);
            status = take_answer(r, &in, line, n, end, kept, err);
        }
    }
    jsonl_input_close(&in);
    return status;
}

choir_status jsonl_resume_open(jsonl_resume *r, const char *path, choir_error *err)
{
    struct stat about;
    *r = (jsonl_resume){.ids = json_array()};
    base_escape_str(r->name, path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (fd < 0 || fstat(fd, &about)) {
        base_fail(err, CHOIR_IO, "%s: %s", r->name, strerror(errno));
    } else if (!S_ISREG(about.st_mode)) {
        base_fail(err, CHOIR_IO, "%s: --resume needs a file, which it can read and cut", r->name);
    } else {
        off_t kept = 0;
        err->code = read_answers(r, fd, &kept, err);
        if (!err->code && (ftruncate(fd, kept) || lseek(fd, kept, SEEK_SET) < 0 || dup2(fd, STDOUT_FILENO) < 0)) {
            base_fail(err, CHOIR_IO, "%s: %s", r->name, strerror(errno));
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    r->n = json_array_size(r->ids);
    return err->code;
}

choir_status jsonl_resume_pass(jsonl_resume *r, bool *answered, const json_t *id, choir_error *err)
{
    *answered = r->passed < r->n;
    if (!*answered) {
        return CHOIR_OK;
    }
    const json_t *there = json_array_get(r->ids, r->passed++);
    if (!id || json_equal(there, id)) { /* without an id the place in the file is all there is to go by */
        return CHOIR_OK;
    }
    char *is = json_dumps(there, JSON_COMPACT | JSON_ENCODE_ANY);
    char *wanted = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);
    choir_status status = base_fail(err, CHOIR_FILE, "%s: answer %zu is for id %.80s, the input has %.80s there",
                                    r->name, r->passed, is ? is : "?", wanted ? wanted : "?");
    free(is);
    free(wanted);
    return status;
}

choir_status jsonl_resume_end(const jsonl_resume *r, choir_error *err)
{
    return r->passed == r->n ? CHOIR_OK
                             : base_fail(err, CHOIR_FILE, "%s: %zu answers, but the input has %zu requests", r->name,
                                         r->n, r->passed);
}

void jsonl_resume_close(jsonl_resume *r)
{
    json_decref(r->ids);
    r->ids = NULL;
}
