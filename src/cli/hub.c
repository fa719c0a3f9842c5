/* The cache's layout (huggingface_hub, "Understand caching"):
 *
 *   HUB/models--ORG--NAME/refs/REVISION         a file that holds a commit
 *   HUB/models--ORG--NAME/snapshots/COMMIT/     the files as links
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
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options.h"
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

/* ORG/NAME[@REVISION]: exactly one slash, letters that the hub allows. */
static bool hub_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t org = strspn(name, letters);
    if (org == 0 || name[org] != '/' || name[0] == '.') {
        return false;
    }
    const char *rest = name + org + 1;
    size_t n = strspn(rest, letters);
    return n > 0 && rest[0] != '.' && (rest[n] == '\0' || (rest[n] == '@' && rest[n + 1] && !strstr(rest + n, "..")));
}

/* The commit that refs/REVISION names, or REVISION itself (a commit is a revision too). */
static void read_ref(char *commit, size_t cap, const char *repo, const char *revision)
{
    path_text refs, file;
    snprintf(commit, cap, "%s", revision);
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
    if (*line && !strchr(line, '/') && strcmp(line, "..") != 0) {
        snprintf(commit, cap, "%s", line);
    }
}

/* A snapshot without config.json may hold exactly one .gguf file. */
static void only_gguf(path_text *snapshot)
{
    path_text config, found;
    int n_found = 0;
    if (join(&config, snapshot->at, "config.json") && access(config.at, F_OK) == 0) {
        return;
    }
    DIR *dir = opendir(snapshot->at);
    if (!dir) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir));) {
        size_t n = strlen(entry->d_name);
        if (n > 5 && strcmp(entry->d_name + n - 5, ".gguf") == 0 && join(&found, snapshot->at, entry->d_name)) {
            n_found++;
        }
    }
    closedir(dir);
    if (n_found == 1) {
        *snapshot = found;
    }
}

static choir_status find_in_hub(path_text *out, const char *name, choir_error *err)
{
    path_text hub, repo, snapshots;
    char folder[256], commit[256];
    const char *slash = strchr(name, '/');
    const char *at = strchr(name, '@');
    const char *revision = at ? at + 1 : "main";
    int name_bytes = (int)(at ? at - slash - 1 : (ptrdiff_t)strlen(slash + 1));
    int n = snprintf(folder, sizeof folder, "models--%.*s--%.*s", (int)(slash - name), name, name_bytes, slash + 1);
    if (n < 0 || (size_t)n >= sizeof folder || !hub_folder(&hub) || !join(&repo, hub.at, folder)) {
        return fail(err, CHOIR_IO, "%s: No such file or directory", name);
    }
    read_ref(commit, sizeof commit, repo.at, revision);
    if (!join(&snapshots, repo.at, "snapshots") || !join(out, snapshots.at, commit) || access(out->at, F_OK) != 0) {
        char shown[ESCAPED_CAP];
        return fail(err, CHOIR_IO, "%s: no such path, and revision %s is not in %s (nothing is downloaded)", name,
                    revision, escaped(shown, sizeof shown, repo.at, strlen(repo.at)));
    }
    only_gguf(out);
    return CHOIR_OK;
}

choir_status hub_find(char **path, const char *name, choir_error *err)
{
    path_text found;
    struct stat st;
    const char *result = name;
    *path = NULL;
    if (stat(name, &st) != 0 && errno == ENOENT && hub_name(name)) {
        choir_status status = find_in_hub(&found, name, err);
        if (status) {
            return status;
        }
        result = found.at;
    }
    *path = strdup(result);
    return *path ? CHOIR_OK : fail(err, CHOIR_RESOURCE, "out of memory");
}
