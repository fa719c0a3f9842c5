/* What this processor and its operating system support, asked directly: CPUID and XGETBV (Intel SDM volume 1, 13 and
 * 14), or the auxiliary vector on ARM. */
#include "base/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

enum arch { ARCH_ANY, ARCH_X86, ARCH_ARM };

static const struct {
    const char *name;
    enum arch arch;
} levels[BASE_CPU_COUNT] = {
#define X(name, text, arch) [BASE_CPU_##name] = {text, ARCH_##arch},
    BASE_CPU_LEVELS(X)
#undef X
};

#if defined(__x86_64__) || defined(__i386__)

struct cpuid_leaf {
    unsigned eax;
    unsigned ebx;
    unsigned ecx;
    unsigned edx;
};

/* All zero when the processor has no such leaf. */
static struct cpuid_leaf cpuid(unsigned leaf, unsigned subleaf)
{
    struct cpuid_leaf r = {0};
    (void)__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
    return r;
}

static bool has_all(unsigned word, unsigned bits)
{
    return (word & bits) == bits;
}

/* Register states that the operating system saves on a task switch. */
static unsigned saved_states(void)
{
    unsigned low;
    unsigned high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static bool supports(base_cpu_level level)
{
    const unsigned fma_osxsave_avx_f16c = 1u << 12 | 1u << 27 | 1u << 28 | 1u << 29;
    const unsigned xmm_ymm = 0x6;
    const unsigned xmm_ymm_zmm = 0xe6;
    const unsigned avx512_f_dq_bw_vl = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
    struct cpuid_leaf one = cpuid(1, 0);
    struct cpuid_leaf seven = cpuid(7, 0);
    struct cpuid_leaf seven_one = seven.eax >= 1 ? cpuid(7, 1) : (struct cpuid_leaf){0};
    if (!has_all(one.ecx, fma_osxsave_avx_f16c) || !has_all(saved_states(), xmm_ymm) || !has_all(seven.ebx, 1u << 5)) {
        return false;
    }
    bool avx512 =
        has_all(saved_states(), xmm_ymm_zmm) && has_all(seven.ebx, avx512_f_dq_bw_vl) && has_all(seven.ecx, 1u << 11);
    switch (level) {
    case BASE_CPU_AVX2:
        return true;
    case BASE_CPU_AVXVNNI:
        return has_all(seven_one.eax, 1u << 4);
    case BASE_CPU_AVX512:
        return avx512;
    case BASE_CPU_AVX512BF16:
        return avx512 && has_all(seven_one.eax, 1u << 5);
    default:
        return false;
    }
}

/* Whether a level that is supported is also the faster choice.  vdpbf16ps does twice the work of a multiply-add.  On AMD
 * (Zen 4, 5) both start as often.  On Intel it starts once in two cycles, the multiply-add twice in one: half its speed
 * (Emerald Rapids, November 2026: 85 against 175 GFLOP/s a core; Sapphire Rapids is the same core), and rounding
 * activations to bf16 comes on top. */
static bool pays(base_cpu_level level)
{
    const struct cpuid_leaf zero = cpuid(0, 0);
    const bool amd = zero.ebx == 0x68747541 && zero.edx == 0x69746e65 && zero.ecx == 0x444d4163; /* AuthenticAMD */
    return level != BASE_CPU_AVX512BF16 || amd;
}

/* The brand string of leaves 0x80000002 to 4. */
static void read_model_name(char dst[64])
{
    for (unsigned i = 0; i < 3; i++) {
        struct cpuid_leaf r = cpuid(0x80000002u + i, 0);
        const unsigned words[4] = {r.eax, r.ebx, r.ecx, r.edx};
        memcpy(dst + 16 * i, words, sizeof words);
    }
    dst[48] = '\0';
}

#elif defined(__aarch64__)

static bool supports(base_cpu_level level)
{
    bool dotprod = false;
    bool i8mm = false;
#if defined(__linux__)
    dotprod = (getauxval(AT_HWCAP) >> 20 & 1) != 0;          /* HWCAP_ASIMDDP */
    i8mm = dotprod && (getauxval(AT_HWCAP2) >> 13 & 1) != 0; /* HWCAP2_I8MM */
#endif
    switch (level) {
    case BASE_CPU_NEON:
        return true; /* part of the architecture */
    case BASE_CPU_DOTPROD:
        return dotprod;
    case BASE_CPU_I8MM:
        return i8mm;
    default:
        return false;
    }
}

static bool pays(base_cpu_level level)
{
    (void)level;
    return true;
}

/* A board's name from the device tree; ARM has no brand string. */
static void read_model_name(char dst[64])
{
    FILE *f = fopen("/sys/firmware/devicetree/base/model", "re");
    size_t n = 0;
    if (f != NULL) {
        n = fread(dst, 1, 63, f);
        fclose(f);
    }
    dst[n] = '\0';
}

#else

static bool supports(base_cpu_level level)
{
    (void)level;
    return false;
}

static bool pays(base_cpu_level level)
{
    (void)level;
    return true;
}

static void read_model_name(char dst[64])
{
    dst[0] = '\0';
}

#endif

base_cpu_level base_cpu_detect(void)
{
    int level = BASE_CPU_COUNT - 1;
    while (level > BASE_CPU_REFERENCE && !(supports((base_cpu_level)level) && pays((base_cpu_level)level))) {
        level--;
    }
    return (base_cpu_level)level;
}

base_cpu_level base_cpu_level_by_name(const char *name)
{
    int level = 0;
    while (level < BASE_CPU_COUNT && strcmp(levels[level].name, name) != 0) {
        level++;
    }
    return (base_cpu_level)level;
}

const char *base_cpu_level_name(base_cpu_level level)
{
    return levels[level].name;
}

base_cpu_level base_cpu_cap(base_cpu_level cap)
{
    int level = (int)cap;
    while (level > BASE_CPU_REFERENCE && levels[level].arch == levels[cap].arch) {
        if (supports((base_cpu_level)level)) {
            return (base_cpu_level)level;
        }
        level--;
    }
    return BASE_CPU_REFERENCE;
}

void base_cpu_model_name(char *dst, int cap)
{
    char raw[64] = "";
    read_model_name(raw);
    if (raw[0] == '\0') {
        (void)snprintf(raw, sizeof raw, "unknown processor");
    }
    /* Brand strings are padded with spaces, before, behind and between; control characters have no business here. */
    int n = 0;
    for (const char *s = raw; *s != '\0'; s++) {
        bool space = *s <= ' ' || *s == 0x7f;
        if (n + 1 < cap && !(space && (n == 0 || dst[n - 1] == ' '))) {
            dst[n++] = space ? ' ' : *s;
        }
    }
    while (n > 0 && dst[n - 1] == ' ') {
        n--;
    }
    if (cap > 0) {
        dst[n] = '\0';
    }
}
