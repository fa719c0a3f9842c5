/* What fuzz targets share; see fuzz.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

_Noreturn void fuzz_broken(const char *promise, const char *file, int line)
{
    fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, promise);
    abort();
}

void fuzz_refused(choir_status status, const choir_error *err, choir_status wanted, const char *name)
{
    const size_t n = strlen(err->msg);
    FUZZ_CHECK(status == wanted && err->code == wanted);
    FUZZ_CHECK(n > strlen(name) && n < sizeof err->msg && strncmp(err->msg, name, strlen(name)) == 0);
    FUZZ_CHECK(base_utf8_valid(err->msg, n) == n);
    for (size_t i = 0; i < n; i++) {
        FUZZ_CHECK((unsigned char)err->msg[i] >= ' ' && err->msg[i] != 0x7f);
    }
}

/* ---- folders ---- */

static char folder[64]; /* holds those of the targets */

static void remove_folder(void)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0) {
        fprintf(stderr, "%s stays\n", folder);
    }
}

const char *fuzz_path(char path[FUZZ_PATH], const char *target, const char *name)
{
    if (folder[0] == '\0') {
        snprintf(folder, sizeof folder, "%s/choir-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        FUZZ_CHECK(mkdtemp(folder) != NULL);
        atexit(remove_folder);
    }
    snprintf(path, FUZZ_PATH, "%s/%s", folder, target);
    FUZZ_CHECK(mkdir(path, 0700) == 0 || errno == EEXIST);
    if (name != NULL) {
        snprintf(path, FUZZ_PATH, "%s/%s/%s", folder, target, name);
    }
    return path;
}

void fuzz_write(const char *target, const char *name, const void *data, size_t size)
{
    char path[FUZZ_PATH];
    FILE *f = fopen(fuzz_path(path, target, name), "wb");
    FUZZ_CHECK(f != NULL);
    FUZZ_CHECK(fwrite(data, 1, size, f) == size);
    FUZZ_CHECK(fclose(f) == 0);
}
