/* Edit distance with transpositions of neighbours (optimal string alignment), on names of at most NAME_CAP bytes. */
#include "cli/options/suggest.h"

#include <stddef.h>
#include <string.h>

#define NAME_CAP 40

static int min3(int a, int b, int c)
{
    int m = a < b ? a : b;
    return m < c ? m : c;
}

static int distance(const char *a, size_t n, const char *b, size_t m)
{
    int d[NAME_CAP + 1][NAME_CAP + 1];
    for (size_t i = 0; i <= n; i++) {
        d[i][0] = (int)i;
    }
    for (size_t j = 0; j <= m; j++) {
        d[0][j] = (int)j;
    }
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            int swap = a[i - 1] != b[j - 1];
            d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + swap);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < d[i][j]) {
                d[i][j] = d[i - 2][j - 2] + 1;
            }
        }
    }
    return d[n][m];
}

void suggest_begin(suggestion *s, const char *wanted)
{
    *s = (suggestion){.wanted = wanted};
}

void suggest_add(suggestion *s, const char *candidate)
{
    size_t n = strlen(s->wanted), m = strlen(candidate);
    if (n == 0 || n > NAME_CAP || m > NAME_CAP) {
        return;
    }
    int d = distance(s->wanted, n, candidate, m);
    if (n >= 3 && m > n && strncmp(candidate, s->wanted, n) == 0) {
        d = 1; /* the beginning of a name */
    }
    /* A third of the letters may be wrong; in a name of one or two letters, one. */
    int allowed = m < 3 ? 1 : (int)(m + 2) / 3;
    if (d <= allowed && (!s->best || d < s->distance)) {
        s->best = candidate;
        s->distance = d;
    }
}
