/* What this processor can do, as one level of a ladder. */
#ifndef BASE_CPU_H
#define BASE_CPU_H

/* X(name, text, arch): arch is ANY, X86 or ARM.  Within an architecture the order is the ladder. */
#define BASE_CPU_LEVELS(X)                                                                                             \
    X(REFERENCE, "reference", ANY)                                                                                     \
    X(AVX2, "avx2", X86)                                                                                               \
    X(AVXVNNI, "avxvnni", X86)                                                                                         \
    X(AVX512, "avx512", X86)                                                                                           \
    X(AVX512BF16, "avx512bf16", X86)                                                                                   \
    X(NEON, "neon", ARM)                                                                                               \
    X(DOTPROD, "dotprod", ARM)                                                                                         \
    X(I8MM, "i8mm", ARM)

typedef enum base_cpu_level {
#define X(name, ...) BASE_CPU_##name,
    BASE_CPU_LEVELS(X)
#undef X
        BASE_CPU_COUNT
} base_cpu_level;

/* The level to use unless told otherwise: the highest that this processor and operating system support (CPUID + XGETBV,
 * or HWCAP), whether or not the build has kernels for it, save for AVX512BF16 where its instruction is slow.  AVX2 means
 * AVX2 + FMA + F16C; AVX512 means F, BW, VL, DQ and VNNI.  A level need not support the ones below it: processors with
 * AVX512 may lack AVXVNNI (Zen 4). */
base_cpu_level base_cpu_detect(void);

/* BASE_CPU_COUNT when `name` is none of the levels. */
base_cpu_level base_cpu_level_by_name(const char *name);
const char *base_cpu_level_name(base_cpu_level level);

/* `cap` brought down to what this processor has: the highest supported level not above it on the ladder.  A level
 * of the other architecture gives REFERENCE. */
base_cpu_level base_cpu_cap(base_cpu_level cap);

/* Processor name for reports ("AMD EPYC"), into dst (terminated). */
void base_cpu_model_name(char *dst, int cap);

#endif
