#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "tests/support/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/half.h"

/* ---- levels ---- */

struct check_levels check_levels_here(void)
{
    struct check_levels l = {0};
    for (int i = 0; i < BASE_CPU_COUNT; i++) {
        base_cpu_level level = (base_cpu_level)i;
        if (base_cpu_cap(level) != level) {
            continue;
        }
        kern_init(&l.k[l.n], level);
        l.n += l.k[l.n].level == level;
    }
    return l;
}

int check_every(void)
{
    const char *every = getenv("CHOIR_CHECK_EVERY");
    int n = every != NULL ? atoi(every) : 1;
    return n > 1 ? n : 1;
}

/* ---- memory ---- */

enum { MARGIN = 256, PATTERN = 0xa5 };

struct check_buffer check_buffer_open(size_t bytes, size_t align, size_t misalign)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct check_buffer b = {.bytes = bytes};
    b.pages_bytes = (bytes + align + misalign + MARGIN + page - 1) / page * page;
    b.map_bytes = b.pages_bytes + page;
    b.map = mmap(NULL, b.map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(b.map != MAP_FAILED);
    assert_int_equal(mprotect(b.map + b.pages_bytes, page, PROT_NONE), 0);
    memset(b.map, PATTERN, b.pages_bytes);
    size_t start = (b.pages_bytes - bytes - misalign) / align * align + misalign;
    b.data = b.map + start;
    return b;
}

void check_buffer_close(struct check_buffer *b)
{
    const char *end = b->map + b->pages_bytes;
    for (const char *p = b->map; p < end; p++) {
        if ((p < b->data || p >= b->data + b->bytes) && *p != (char)PATTERN) {
            fail_msg("wrote %td bytes from the start of a buffer of %zu", p - b->data, b->bytes);
        }
    }
    munmap(b->map, b->map_bytes);
    *b = (struct check_buffer){0};
}

/* ---- data ---- */

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint32_t check_random(struct check_rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)(z >> 32);
}

int check_between(struct check_rng *r, int low, int high)
{
    return low + (int)(check_random(r) % (uint32_t)(high - low + 1));
}

float check_uniform(struct check_rng *r)
{
    return (float)(int32_t)check_random(r) * 0x1p-31f;
}

void check_fill(struct check_rng *r, enum check_data kind, float *x, size_t n)
{
    static const float extremes[] = {0.0f,  -0.0f,    0x1p-149f, -0x1p-149f, 0x1.8p-130f, 0x1p-126f, -1e-30f,    1e-7f,
                                     -1.0f, 65504.0f, 1e10f,     -1e10f,     3e18f,       -3e18f,    0.49999997f};
    const uint32_t count = sizeof extremes / sizeof *extremes;
    bool all_equal = kind == CHECK_EXTREMES && check_random(r) % 4 == 0;
    float same = extremes[check_random(r) % count];
    for (size_t i = 0; i < n; i++) {
        switch (kind) {
        case CHECK_INTEGERS:
            x[i] = (float)check_between(r, -8, 8);
            break;
        case CHECK_EXTREMES:
            x[i] = all_equal ? same : extremes[check_random(r) % count];
            break;
        default:
            x[i] = check_uniform(r);
            break;
        }
    }
}

/* ---- comparison ---- */

bool check_same(float a, float b)
{
    return base_f32_bits(a) == base_f32_bits(b) || (isnan(a) && isnan(b));
}

void check_equal(const float *expected, const float *found, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++) {
        if (!check_same(expected[i], found[i])) {
            fail_msg("%s: number %zu of %zu is %a instead of %a", what, i, n, (double)found[i], (double)expected[i]);
        }
    }
}

void check_near(double truth, double found, double bound, const char *what)
{
    if (!(fabs(found - truth) <= bound)) {
        fail_msg("%s: %.9g is %.3g away from %.9g, more than %.3g", what, found, found - truth, truth, bound);
    }
}
