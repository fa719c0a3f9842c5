/* Under the memory sanitizer, which does not see what libraries write: jansson's memory and its part of the stack count as
 * written, and no team of libomp's is made. */
#define _GNU_SOURCE /* RTLD_NEXT */
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define CHOIR_MSAN
#endif
#endif

#ifdef CHOIR_MSAN
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <jansson.h>
#include <sanitizer/msan_interface.h>

static void *zeroed(size_t n)
{
    return calloc(1, n);
}

__attribute__((constructor)) static void zeroed_json(void)
{
    json_set_alloc_funcs(zeroed, free);
}

/* Where jansson's variables will lie something of ours may have lain. */
static __attribute__((noinline)) void unpoison_stack(void)
{
    volatile char below[1 << 16];
    __msan_unpoison(below, sizeof below);
}

#define JSON_LOAD(name, params, args)                                                                                  \
    __attribute__((visibility("default"))) json_t *name params                                                         \
    {                                                                                                                  \
        json_t *(*real)params;                                                                                         \
        *(void **)&real = dlsym(RTLD_NEXT, #name);                                                                     \
        unpoison_stack();                                                                                              \
        json_t *value = real args;                                                                                     \
        __msan_unpoison(error, error != NULL ? sizeof *error : 0);                                                     \
        return value;                                                                                                  \
    }
JSON_LOAD(json_loads, (const char *text, size_t flags, json_error_t *error), (text, flags, error))
JSON_LOAD(json_loadb, (const char *text, size_t n, size_t flags, json_error_t *error), (text, n, flags, error))
JSON_LOAD(json_load_file, (const char *path, size_t flags, json_error_t *error), (path, flags, error))

/* Teams are as large as the threads that can be had. */
__attribute__((visibility("default"))) int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                                                          void *(*run)(void *), void *arg)
{
    (void)thread;
    (void)attr;
    (void)run;
    (void)arg;
    return EAGAIN;
}
#else
typedef int msan_is_empty; /* which C does not allow */
#endif
