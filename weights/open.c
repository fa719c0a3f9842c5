/* Opening by what is there: a folder is Hugging Face's, a file that begins with "GGUF" or is called so is GGUF,
 * everything else must be llama2.c's.  And mapping. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "weights/set.h"

static bool ends_with(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n >= m && strcmp(path + n - m, ending) == 0;
}

/* Which of the one-file containers `file` is. */
static choir_status tell_container(enum wts_container *container, const struct base_file *file, choir_error *err)
{
    char magic[4] = "";
    *container = WTS_LLAMA2C;
    if (file->size >= sizeof magic) {
        choir_status status = base_file_read(file, 0, magic, sizeof magic, err);
        if (status != CHOIR_OK) {
            return status;
        }
    }
    if (memcmp(magic, "GGUF", sizeof magic) == 0 || ends_with(file->path, ".gguf")) {
        *container = WTS_GGUF;
    } else if (ends_with(file->path, ".safetensors")) {
        return wts_fail(err, file, "give the folder that holds it and its config.json");
    }
    return CHOIR_OK;
}

/* Takes over *file, whatever happens. */
static choir_status open_one_file(struct wts_set **out, struct base_file *file, bool must_be_gguf, choir_error *err)
{
    enum wts_container container = WTS_GGUF;
    struct wts_set *set = NULL;
    choir_status status = must_be_gguf ? CHOIR_OK : tell_container(&container, file, err);
    if (status == CHOIR_OK) {
        status = wts_set_new(&set, container, file->path, err);
    }
    if (status == CHOIR_OK) {
        struct base_file *kept = wts_add_file(set);
        if (kept != NULL) {
            *kept = *file;
            *file = (struct base_file){.fd = -1};
        } else {
            status = base_fail_memory(err, sizeof *kept, "a table of files");
        }
    }
    if (status == CHOIR_OK) {
        status = container == WTS_GGUF ? wts_load_gguf(set, err) : wts_load_llama2c(set, err);
    }
    if (status == CHOIR_OK) {
        *out = set;
    } else {
        wts_close(set);
        base_file_close(file);
    }
    return status;
}

static choir_status open_folder(struct wts_set **out, const char *path, bool headers_from_config, choir_error *err)
{
    struct wts_set *set;
    choir_status status = wts_set_new(&set, WTS_HF, path, err);
    if (status == CHOIR_OK) {
        status = wts_load_folder(set, headers_from_config, err);
    }
    if (status == CHOIR_OK) {
        *out = set;
    } else {
        wts_close(set);
    }
    return status;
}

choir_status wts_open(struct wts_set **out, const char *path, bool headers_from_config, choir_error *err)
{
    *out = NULL;
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode)) {
        return open_folder(out, path, headers_from_config, err);
    }
    if (there && S_ISFIFO(st.st_mode)) { /* opening one waits for a writer */
        char name[BASE_ESCAPE_CAP];
        return base_fail(err, CHOIR_IO, "%s: not a regular file", base_escape_str(name, path));
    }
    struct base_file file;
    choir_status status = base_file_open(&file, path, err);
    return status == CHOIR_OK ? open_one_file(out, &file, false, err) : status;
}

choir_status wts_open_memory(struct wts_set **out, const char *name, const void *data, size_t size, choir_error *err)
{
    *out = NULL;
    struct base_file file;
    choir_status status = base_file_memory(&file, name, data, size, err);
    return status == CHOIR_OK ? open_one_file(out, &file, true, err) : status;
}

choir_status wts_map(struct wts_set *set, choir_error *err)
{
    choir_status status = CHOIR_OK;
    for (size_t i = 0; i < set->priv->n_files && status == CHOIR_OK; i++) {
        status = base_file_map(set->priv->files[i], err);
    }
    return status;
}
