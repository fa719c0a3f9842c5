/* The order of the sampler's steps, as users write it. */
#ifndef ENG_SAMPLER_OPTIONS_H
#define ENG_SAMPLER_OPTIONS_H

#include "choir.h"

/* THE list of steps, in the default order: X(NAME, text) */
#define SMP_STEPS(X)                                                                                                   \
    X(PENALTIES, "penalties")                                                                                          \
    X(TOP_K, "top_k")                                                                                                  \
    X(TYPICAL, "typical")                                                                                              \
    X(TOP_P, "top_p")                                                                                                  \
    X(MIN_P, "min_p")                                                                                                  \
    X(TEMPERATURE, "temperature")

enum smp_step {
#define X(name, text) SMP_##name,
    SMP_STEPS(X)
#undef X
        SMP_STEP_COUNT
};

struct smp_order {
    int n_steps;
    enum smp_step steps[SMP_STEP_COUNT];
};

/* Names separated by ';', each at most once; a step that is not named is off, "" names none; NULL: the default order.
 * CHOIR_USAGE naming what is wrong. */
choir_status smp_order_parse(struct smp_order *order, const char *samplers, choir_error *err);

#endif
