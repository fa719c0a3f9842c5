/* Defaults and checks of choir_sampling.  A message names the field, the value found and the range: "temp: nan must be a
 * finite number, 0 or more". */
#include "engine/sampler_options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static const char *const step_names[SMP_STEP_COUNT] = {
#define X(name, text) [SMP_##name] = text,
    SMP_STEPS(X)
#undef X
};

#define X(name, text) ", " text
static const char known_steps[] = SMP_STEPS(X);
#undef X

/* A number as a message shows it: printf's sign of a NaN differs between machines. */
static const char *show(char dst[32], double value)
{
    if (isnan(value)) {
        return "nan";
    }
    snprintf(dst, 32, "%g", value);
    return dst;
}

static choir_status refuse(const char *field, double value, const char *range, choir_error *err)
{
    char number[32];
    return base_fail(err, CHOIR_USAGE, "%s: %s must be %s", field, show(number, value), range);
}

void choir_sampling_default(choir_sampling *s)
{
    *s = (choir_sampling){
        .temp = 0.8f,
        .top_k = 40,
        .top_p = 0.95f,
        .min_p = 0.05f,
        .typical = 1.0f,
        .repeat_penalty = 1.0f,
        .repeat_last_n = 64,
    };
}

static enum smp_step step_by_name(const char *name, size_t n)
{
    int step = 0;
    while (step < SMP_STEP_COUNT && (strlen(step_names[step]) != n || memcmp(step_names[step], name, n) != 0)) {
        step++;
    }
    return (enum smp_step)step;
}

static bool has_step(const struct smp_order *order, enum smp_step step)
{
    for (int i = 0; i < order->n_steps; i++) {
        if (order->steps[i] == step) {
            return true;
        }
    }
    return false;
}

choir_status smp_order_parse(struct smp_order *order, const char *samplers, choir_error *err)
{
    *order = (struct smp_order){0};
    if (samplers == NULL) {
        for (int step = 0; step < SMP_STEP_COUNT; step++) {
            order->steps[order->n_steps++] = (enum smp_step)step;
        }
        return CHOIR_OK;
    }
    const char *name = samplers;
    while (*samplers != '\0') {
        size_t n = strcspn(name, ";");
        enum smp_step step = step_by_name(name, n);
        if (step == SMP_STEP_COUNT) {
            char shown[BASE_ESCAPE_CAP];
            return base_fail(err, CHOIR_USAGE, "samplers: unknown step \"%s\"; known: %s", base_escape(shown, name, n),
                             known_steps + 2);
        }
        if (has_step(order, step)) {
            return base_fail(err, CHOIR_USAGE, "samplers: \"%s\" is named twice", step_names[step]);
        }
        order->steps[order->n_steps++] = step;
        if (name[n] == '\0') {
            break;
        }
        name += n + 1;
    }
    return CHOIR_OK;
}

static choir_status check_fraction(const char *field, double value, choir_error *err)
{
    if (!(value >= 0 && value <= 1)) {
        return refuse(field, value, "a number from 0 to 1", err);
    }
    return CHOIR_OK;
}

static choir_status check_penalties(const choir_sampling *s, choir_error *err)
{
    if (!isfinite(s->repeat_penalty) || s->repeat_penalty <= 0) {
        return refuse("repeat_penalty", s->repeat_penalty, "a finite number above 0", err);
    }
    if (s->repeat_last_n < -1) {
        return refuse("repeat_last_n", s->repeat_last_n, "-1 (all), 0 (off) or more", err);
    }
    if (!isfinite(s->presence_penalty)) {
        return refuse("presence_penalty", s->presence_penalty, "a finite number", err);
    }
    if (!isfinite(s->frequency_penalty)) {
        return refuse("frequency_penalty", s->frequency_penalty, "a finite number", err);
    }
    return CHOIR_OK;
}

static choir_status check_logit_bias(const choir_sampling *s, choir_error *err)
{
    if (s->n_logit_bias > 0 && s->logit_bias == NULL) {
        return base_fail(err, CHOIR_USAGE, "logit_bias: %zu entries are said to be there, but there is no list",
                         s->n_logit_bias);
    }
    for (size_t i = 0; i < s->n_logit_bias; i++) {
        const choir_logit_bias *b = &s->logit_bias[i];
        if (b->id < 0) {
            return refuse("logit_bias", b->id, "a token id, 0 or more", err);
        }
        if (isnan(b->bias) || b->bias == INFINITY) {
            char number[32];
            return base_fail(err, CHOIR_USAGE, "logit_bias: %s for id %d must be a finite number or -inf",
                             show(number, b->bias), (int)b->id);
        }
    }
    return CHOIR_OK;
}

choir_status choir_sampling_check(const choir_sampling *s, choir_error *err)
{
    if (!isfinite(s->temp) || s->temp < 0) {
        return refuse("temp", s->temp, "a finite number, 0 or more", err);
    }
    if (s->top_k < 0) {
        return refuse("top_k", s->top_k, "0 (off) or more", err);
    }
    choir_status status = check_fraction("top_p", s->top_p, err);
    if (status == CHOIR_OK) {
        status = check_fraction("min_p", s->min_p, err);
    }
    if (status == CHOIR_OK) {
        status = check_fraction("typical", s->typical, err);
    }
    if (status == CHOIR_OK) {
        status = check_penalties(s, err);
    }
    if (status == CHOIR_OK) {
        status = check_logit_bias(s, err);
    }
    struct smp_order order;
    return status == CHOIR_OK ? smp_order_parse(&order, s->samplers, err) : status;
}
