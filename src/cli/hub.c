/* The cache's layout (huggingface_hub, "Understand caching"):
 *
 *   HUB/models--ORG--NAME/refs/REVISION         a file that holds a commit
 *   HUB/models--ORG--NAME/snapshots/COMMIT/     the files as links to ../../blobs/HASH
 *
 * HUB is $HF_HUB_CACHE, $HF_HOME/hub or ~/.cache/huggingface/hub ($XDG_CACHE_HOME in place of ~/.cache). */
#include "cli/hub.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/options/options.h"
#include "cli/terminal.h"

typedef struct path_text {
    char at[PATH_MAX];
} path_text;

static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static bool join(path_text *out, const char *a, const char *b)
{
    int n = snprintf(out->at, sizeof out->at, "%s/%s", a, b);
    return n > 0 && (size_t)n < sizeof out->at;
}

static bool hub_folder(path_text *out)
{
    if (env("HF_HUB_CACHE")) {
        return snprintf(out->at, sizeof out->at, "%s", env("HF_HUB_CACHE")) < (int)sizeof out->at;
    }
    if (env("HF_HOME")) {
        return join(out, env("HF_HOME"), "hub");
    }
    if (env("XDG_CACHE_HOME")) {
        return join(out, env("XDG_CACHE_HOME"), "huggingface/hub");
    }
    return env("HOME") && join(out, env("HOME"), ".cache/huggingface/hub");
}

/* ORG/NAME[@REVISION][:FILE], taken apart. */
typedef struct hub_name {
    char repo[192];     /* "ORG/NAME" */
    char revision[128]; /* "main" if not given */
    char file[128];     /* "" if not given */
    bool given;         /* a revision was */
} hub_name;

static bool begins_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static bool copy(char *dst, size_t cap, const char *src, size_t n)
{
    bool fits = n < cap;
    memcpy(dst, src, fits ? n : 0);
    dst[fits ? n : 0] = '\0';
    return fits;
}

/* False for what is no such name: exactly one slash before the revision, letters that the hub allows, no way out of the cache. */
static bool parse(hub_name *out, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    *out = (hub_name){.revision = "main"};
    size_t org = strspn(name, letters);
    if (org == 0 || name[org] != '/' || name[0] == '.' || strstr(name, "..")) {
        return false;
    }
    const char *rest = name + org + 1;
    size_t n = strspn(rest, letters);
    if (n == 0 || rest[0] == '.' || !copy(out->repo, sizeof out->repo, name, org + 1 + n) ||
        ends_with(out->repo, ".gguf") || ends_with(out->repo, ".bin")) { /* a file that is not there */
        return false;
    }
    rest += n;
    if (*rest == '@') {
        n = strcspn(rest + 1, ":"); /* no branch or tag has a colon */
        out->given = n > 0 && rest[1] != '/' && copy(out->revision, sizeof out->revision, rest + 1, n);
        if (!out->given) {
            return false;
        }
        rest += 1 + n;
    }
    if (*rest == ':') {
        n = strlen(rest + 1);
        return n > 0 && rest[1] != '/' && copy(out->file, sizeof out->file, rest + 1, n);
    }
    return *rest == '\0';
}

/* The command that gets a model, as far as it fits. */
static choir_status absent(choir_error *err, const hub_name *name, const char *what, const char *where)
{
    char place[BASE_ESCAPE_CAP], revision[BASE_ESCAPE_CAP];
    base_escape_str(revision, name->revision);
    base_escape_str(place, where);
    return base_fail(err, CHOIR_IO, "%.64s: %s %s; nothing is downloaded here, get it with: hf download %.64s%s%.40s",
                     name->repo, what, place, name->repo, name->given ? " --revision " : "",
                     name->given ? revision : "");
}

/* ---- revisions ---- */

/* The commit that refs/REVISION names; "" when there is no such file. */
static void read_ref(char *commit, size_t cap, const char *repo, const char *revision)
{
    path_text refs, file;
    *commit = '\0';
    if (!join(&refs, repo, "refs") || !join(&file, refs.at, revision)) {
        return;
    }
    int fd = open(file.at, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO shall not keep us waiting */
    if (fd < 0) {
        return;
    }
    char line[128];
    struct stat st;
    ssize_t n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, line, sizeof line - 1) : 0;
    close(fd);
    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    if (*line && !strchr(line, '/') && strcmp(line, ".") != 0 && strcmp(line, "..") != 0) {
        snprintf(commit, cap, "%s", line);
    }
}

/* Names in a folder: how many, and the first of them in order of finding. */
typedef struct name_list {
    char at[8][128];
    int n;
} name_list;

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void list_names(name_list *out, const char *folder, bool (*want)(const char *name, const char *argument),
                       const char *argument)
{
    const int cap = (int)(sizeof out->at / sizeof *out->at);
    out->n = 0;
    DIR *dir = opendir(folder);
    if (!dir) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir));) {
        const size_t n = strlen(entry->d_name);
        if (entry->d_name[0] != '.' && n < sizeof out->at[0] && want(entry->d_name, argument)) {
            if (out->n < cap) {
                memcpy(out->at[out->n], entry->d_name, n + 1);
            }
            out->n++;
        }
    }
    closedir(dir);
    qsort(out->at, (size_t)(out->n < cap ? out->n : cap), sizeof out->at[0], by_name);
}

/* "a, b, c and 4 more" */
static const char *show_names(char *dst, size_t cap, const name_list *list)
{
    const int kept = (int)(sizeof list->at / sizeof *list->at);
    size_t used = 0;
    int shown = 0;
    *dst = '\0';
    for (; shown < list->n && shown < kept; shown++) {
        char name[BASE_ESCAPE_CAP];
        base_escape_str(name, list->at[shown]);
        if (used + strlen(name) + 20 > cap) {
            break;
        }
        used += (size_t)snprintf(dst + used, cap - used, "%s%s", shown > 0 ? ", " : "", name);
    }
    if (shown < list->n) {
        snprintf(dst + used, cap - used, " and %d more", list->n - shown);
    }
    return dst;
}

/* The snapshot of a revision: a branch or tag through refs, else a commit, in full or its first letters. */
static choir_status find_snapshot(path_text *out, const hub_name *name, const char *repo, choir_error *err)
{
    enum { SHORTEST_COMMIT = 4 };
    path_text snapshots;
    name_list commits;
    char commit[128], what[400], names[160];
    read_ref(commit, sizeof commit, repo, name->revision);
    const char *wanted = *commit ? commit : name->revision;
    if (!join(&snapshots, repo, "snapshots")) {
        return absent(err, name, "not in the cache", repo);
    }
    if (!strchr(wanted, '/') && join(out, snapshots.at, wanted) && access(out->at, F_OK) == 0) {
        return CHOIR_OK;
    }
    bool is_commit = strlen(wanted) >= SHORTEST_COMMIT && strspn(wanted, "0123456789abcdef") == strlen(wanted);
    list_names(&commits, snapshots.at, begins_with, is_commit ? wanted : "");
    if (is_commit && commits.n == 1 && join(out, snapshots.at, commits.at[0])) {
        return CHOIR_OK;
    }
    if (is_commit && commits.n > 1) {
        return base_fail(err, CHOIR_USAGE, "%.64s: %.64s begins %d commits: %s", name->repo, wanted, commits.n,
                         show_names(names, sizeof names, &commits));
    }
    list_names(&commits, snapshots.at, begins_with, "");
    if (!name->given && commits.n > 0) {
        return base_fail(err, CHOIR_IO, "%.64s: no branch main in the cache, but commits: %s; name one as %.64s@COMMIT",
                         name->repo, show_names(names, sizeof names, &commits), name->repo);
    }
    char revision[BASE_ESCAPE_CAP];
    snprintf(what, sizeof what, "revision %.60s is not in", base_escape_str(revision, name->revision));
    return absent(err, name, what, repo);
}

/* ---- files ---- */

/* GGUF files that are models: not the later parts of a split one, not an image projector. */
static bool is_gguf(const char *name, const char *part)
{
    size_t n = strlen(name);
    int index = 1, count = 1;
    if (!ends_with(name, ".gguf") || strncasecmp(name, "mmproj", 6) == 0) {
        return false;
    }
    if (n > 20 && sscanf(name + n - 20, "-%5d-of-%5d.gguf", &index, &count) == 2 && index != 1) {
        return false;
    }
    for (const char *at = name; *part && *at; at++) {
        if (strncasecmp(at, part, strlen(part)) == 0) {
            return true;
        }
    }
    return !*part;
}

static bool in_snapshot(path_text *out, const path_text *snapshot, const char *file)
{
    return join(out, snapshot->at, file) && access(out->at, F_OK) == 0;
}

/* The file named behind the colon: its whole name, or what only one of the GGUF files has in its name ("Q4_K_M"). */
static choir_status named_file(path_text *found, const hub_name *name, choir_error *err)
{
    path_text file;
    name_list list;
    char names[160], wanted[BASE_ESCAPE_CAP];
    if (in_snapshot(&file, found, name->file)) {
        *found = file;
        return CHOIR_OK;
    }
    list_names(&list, found->at, is_gguf, name->file);
    if (list.n == 1 && in_snapshot(&file, found, list.at[0])) {
        *found = file;
        return CHOIR_OK;
    }
    base_escape_str(wanted, name->file);
    if (list.n == 0) {
        list_names(&list, found->at, is_gguf, "");
        return base_fail(err, CHOIR_IO, "%.64s: no file %.64s in the cache%s%s; hf download %.64s gets it", name->repo,
                         wanted, list.n > 0 ? ", there are " : "", show_names(names, sizeof names, &list), name->repo);
    }
    return base_fail(err, CHOIR_USAGE, "%.64s:%.64s means %d files: %s", name->repo, wanted, list.n,
                     show_names(names, sizeof names, &list));
}

/* A folder with a config.json is a model as it is; else the only GGUF file in it is. */
static choir_status model_in(path_text *found, const hub_name *name, choir_error *err)
{
    path_text file;
    name_list list;
    char names[160];
    if (in_snapshot(&file, found, "config.json")) {
        return CHOIR_OK;
    }
    list_names(&list, found->at, is_gguf, "");
    if (list.n == 0) {
        return absent(err, name, "incomplete, no config.json and no .gguf file in", found->at);
    }
    if (list.n > 1) {
        return base_fail(err, CHOIR_USAGE, "%.64s has %d models: %s; name one as %.64s:FILE", name->repo, list.n,
                         show_names(names, sizeof names, &list), name->repo);
    }
    if (!in_snapshot(&file, found, list.at[0])) {
        return absent(err, name, "incomplete, a link to nothing:", list.at[0]);
    }
    *found = file;
    return CHOIR_OK;
}

static bool is_link_to_nothing(const char *name, const char *folder)
{
    path_text path;
    return join(&path, folder, name) && access(path.at, F_OK) != 0;
}

/* Links whose blobs are not there: a download that was broken off, or a cache that was tidied by hand. */
static choir_status check_links(const path_text *snapshot, const hub_name *name, choir_error *err)
{
    name_list list;
    char names[160];
    list_names(&list, snapshot->at, is_link_to_nothing, snapshot->at);
    return list.n == 0 ? CHOIR_OK
                       : absent(err, name, "incomplete, links to nothing:", show_names(names, sizeof names, &list));
}

static choir_status find_in_hub(path_text *out, const hub_name *name, choir_error *err)
{
    path_text hub, repo;
    char folder[256];
    const char *slash = strchr(name->repo, '/');
    snprintf(folder, sizeof folder, "models--%.*s--%s", (int)(slash - name->repo), name->repo, slash + 1);
    if (!hub_folder(&hub) || !join(&repo, hub.at, folder)) {
        return base_fail(err, CHOIR_IO, "%.64s: no such path, and no Hugging Face cache (HF_HUB_CACHE, HF_HOME, HOME)",
                         name->repo);
    }
    if (access(repo.at, F_OK) != 0) {
        return absent(err, name, "no such path, and not in the Hugging Face cache", hub.at);
    }
    choir_status status = find_snapshot(out, name, repo.at, err);
    if (!status && *name->file) {
        return named_file(out, name, err);
    }
    status = status ? status : model_in(out, name, err);
    struct stat st;
    return !status && stat(out->at, &st) == 0 && S_ISDIR(st.st_mode) ? check_links(out, name, err) : status;
}

choir_status hub_find(char **path, const char *name, choir_error *err)
{
    path_text found;
    hub_name in_hub;
    struct stat st;
    const char *result = name;
    *path = NULL;
    if (stat(name, &st) != 0 && errno == ENOENT && parse(&in_hub, name)) {
        choir_status status = find_in_hub(&found, &in_hub, err);
        if (status) {
            return status;
        }
        result = found.at;
    }
    *path = strdup(result);
    return *path ? CHOIR_OK : base_fail(err, CHOIR_RESOURCE, "out of memory");
}
