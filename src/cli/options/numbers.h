/* Numbers as people type them: decimal and whole in every locale, no sign but '-', nothing left over. */
#ifndef CHOIR_CLI_NUMBERS_H
#define CHOIR_CLI_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

bool number_int(int64_t *out, const char *text, int64_t min, int64_t max);
bool number_u64(uint64_t *out, const char *text);
/* "1073741824", "512K", "4G". */
bool number_bytes(uint64_t *out, const char *text);
/* "0.8", "-1", "1e-3"; no hexadecimal, no infinity, no NaN. */
bool number_real(double *out, const char *text);

#endif
