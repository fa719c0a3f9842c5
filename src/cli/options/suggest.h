/* The nearest name to one that does not exist. */
#ifndef CHOIR_CLI_SUGGEST_H
#define CHOIR_CLI_SUGGEST_H

typedef struct suggestion {
    const char *wanted;
    const char *best; /* NULL: nothing is near */
    int distance;
} suggestion;

void suggest_begin(suggestion *s, const char *wanted);
void suggest_add(suggestion *s, const char *candidate);

#endif
