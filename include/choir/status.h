/* Statuses and the error record: the one public header that every layer of Choir may see.
 *
 * Values are pinned: a status equals the exit code that the program gives for it (CHOIR_CANCELLED apart,
 * which the program turns into 128 + the signal).  New ones are only added. */
#ifndef CHOIR_STATUS_H
#define CHOIR_STATUS_H

#include <stdint.h>

#define CHOIR_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, value, text) */
#define CHOIR_STATUSES(X)                                                                                              \
    X(OK, 0, "done")                                                                                                   \
    X(INTERNAL, 1, "internal error")                                                                                   \
    X(USAGE, 2, "usage: an option or argument is wrong")                                                               \
    X(FILE, 3, "a file was refused: malformed, unsupported or inconsistent")                                           \
    X(IO, 4, "input or output failed")                                                                                 \
    X(RESOURCE, 5, "a resource ran out: memory or a limit")                                                            \
    X(PROMPT, 6, "the prompt was refused: encoding or length")                                                         \
    X(CANCELLED, 7, "cancelled by the caller")

typedef enum choir_status {
#define X(name, value, text) CHOIR_##name = value,
    CHOIR_STATUSES(X)
#undef X
} choir_status;

/* Where an error is seen, it is described: `FILE: WHERE: WHAT`, with numbers.  Bytes that come from a file are
 * shown escaped (\xNN), so `msg` is printable UTF-8, always terminated, without a newline. */
typedef struct choir_error {
    choir_status code;
    uint64_t offset; /* byte in the file or text where it was seen, 0 if that says nothing */
    char msg[400];
} choir_error;

/* "FILE" for CHOIR_FILE; "?" for a value that is none. */
CHOIR_API const char *choir_status_name(choir_status status);
/* One lower-case sentence without a full stop. */
CHOIR_API const char *choir_status_text(choir_status status);

#ifdef __cplusplus
}
#endif
#endif
