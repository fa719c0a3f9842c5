/* What goes into a file of its own: a page (--html), a picture (--pgm); "-" is stdout. */
#include <string.h>

#include "base/error.h"
#include "base/new_file.h"
#include "cli/heads/heads.h"

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static choir_status check(const session *s, const char *flag, const char *path, choir_error *err)
{
    if (is_stdout(path)) {
        return s->term.out ? base_fail(err, CHOIR_USAGE, "%s -: stdout is a terminal", flag) : CHOIR_OK;
    }
    return path ? base_new_file_check(path, err) : CHOIR_OK;
}

choir_status heads_files_check(const session *s, choir_error *err)
{
    const options *o = s->opt;
    if (o->json + o->csv + is_stdout(o->pgm) + is_stdout(o->html) > 1) {
        return base_fail(err, CHOIR_USAGE, "--json, --csv, --pgm - and --html - exclude each other");
    }
    if (o->pgm && o->html && base_new_file_same(o->pgm, o->html)) {
        char name[BASE_ESCAPE_CAP];
        return base_fail(err, CHOIR_USAGE, "--pgm and --html both go to %s", base_escape_str(name, o->pgm));
    }
    choir_status status = check(s, "--html", o->html, err);
    return status ? status : check(s, "--pgm", o->pgm, err);
}

choir_status heads_file_write(session *s, const char *path, const char *bytes, size_t n, choir_error *err)
{
    char name[BASE_ESCAPE_CAP];
    if (is_stdout(path)) {
        stream_write(&s->out, bytes, n); /* session_end has the failure */
        return CHOIR_OK;
    }
    choir_status status = base_new_file_put(path, bytes, n, err);
    if (!status && s->term.verbose) {
        note(&s->term, "%s: %.1f MB", base_escape_str(name, path), (double)n / 1e6);
    }
    return status;
}
