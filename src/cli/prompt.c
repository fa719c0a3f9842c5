/* Reading prompts.  Names in messages: "-p", "stdin" or the file's. */
#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/stream.h"

void prompt_free(prompt *p)
{
    free(p->text);
    *p = (prompt){0};
}

/* Room for one byte more than the limit, so that a longer text is seen. */
static bool grow(char **text, size_t *cap)
{
    size_t wanted = *cap ? *cap * 2 : 65536;
    if (wanted > PROMPT_MAX + 1) {
        wanted = PROMPT_MAX + 1;
    }
    char *bigger = realloc(*text, wanted);
    if (!bigger) {
        return false;
    }
    *text = bigger;
    *cap = wanted;
    return true;
}

static choir_status read_all(prompt *out, int fd, const char *name, choir_error *err)
{
    size_t cap = 0;
    for (;;) {
        if (out->n == cap && !grow(&out->text, &cap)) {
            return base_fail(err, CHOIR_RESOURCE, "%s: out of memory after %zu bytes", name, out->n);
        }
        ssize_t got = read(fd, out->text + out->n, cap - out->n);
        if (got == 0) {
            return CHOIR_OK;
        }
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno == EAGAIN) {
            stream_wait(fd, false);
            continue;
        }
        if (got < 0) {
            return base_fail(err, CHOIR_IO, "%s: %s", name, strerror(errno));
        }
        out->n += (size_t)got;
        if (out->n > PROMPT_MAX) {
            return base_fail(err, CHOIR_PROMPT, "%s: prompt larger than %zu bytes", name, PROMPT_MAX);
        }
    }
}

static choir_status check_utf8(prompt *p, const char *name, bool lossy, choir_error *err)
{
    char *repaired;
    size_t n, valid = choir_utf8_valid(p->text, p->n);
    if (valid == p->n) {
        return CHOIR_OK;
    }
    if (!lossy) {
        choir_status status =
            base_fail(err, CHOIR_PROMPT, "%s: invalid UTF-8 at byte %zu (--lossy replaces it)", name, valid);
        err->offset = valid;
        return status;
    }
    choir_status status = choir_utf8_repair(&repaired, &n, p->text, p->n, err);
    if (!status) {
        free(p->text);
        *p = (prompt){.text = repaired, .n = n};
    }
    return status;
}

static choir_status read_fd(prompt *out, int fd, const char *name, bool keep_newline, bool lossy, choir_error *err)
{
    choir_status status = read_all(out, fd, name, err);
    if (!status && !keep_newline && out->n > 0 && out->text[out->n - 1] == '\n') {
        out->n--;
    }
    return status ? status : check_utf8(out, name, lossy, err);
}

static choir_status read_path(prompt *out, const char *path, bool keep_newline, bool lossy, choir_error *err)
{
    char name[BASE_ESCAPE_CAP];
    base_escape_str(name, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return base_fail(err, CHOIR_IO, "%s: %s", *name ? name : "\"\"", strerror(errno));
    }
    choir_status status = read_fd(out, fd, name, keep_newline, lossy, err);
    close(fd);
    return status;
}

static choir_status read_argument(prompt *out, const char *text, bool lossy, choir_error *err)
{
    out->n = strlen(text);
    out->text = malloc(out->n + 1);
    if (!out->text) {
        return base_fail(err, CHOIR_RESOURCE, "-p: out of memory");
    }
    memcpy(out->text, text, out->n + 1);
    return check_utf8(out, "-p", lossy, err);
}

choir_status prompt_read(prompt *out, const options *o, const terminal *t, choir_error *err)
{
    choir_status status;
    *out = (prompt){0};
    if (o->prompt) {
        status = read_argument(out, o->prompt, o->lossy, err);
    } else if (o->file && strcmp(o->file, "-") != 0) {
        status = read_path(out, o->file, o->raw, o->lossy, err);
    } else if (!o->file && t->in) {
        return base_fail(err, CHOIR_USAGE, "no text: give -p TEXT or -f FILE, or pipe it in (see choir %s --help)",
                         o->command->name);
    } else {
        status = read_fd(out, STDIN_FILENO, "stdin", o->raw, o->lossy, err);
    }
    if (status) {
        prompt_free(out);
    }
    return status;
}

choir_status prompt_read_file(prompt *out, const char *path, bool lossy, choir_error *err)
{
    *out = (prompt){0};
    choir_status status = read_path(out, path, true, lossy, err);
    if (status) {
        prompt_free(out);
    }
    return status;
}
