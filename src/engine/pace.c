/* Rates of guessing. */
#include "engine/pace.h"

#include <stdbool.h>

/* A trial counts a fifteenth less with each that follows it. */
static const double FADE = 14.0 / 15;
/* The first guess counts as so many trials. */
static const double FIRST_TRIALS = 4;
/* Fewer than so many percent more tokens are not worth the uncertainty. */
static const double WORTH = 1.03;
/* Share of a plain step that a further token takes, until it is known. */
static const double MORE_GUESSED = 0.15;
enum {
    REST_MIN = 16,
    REST_MAX = 512,
    PERFECT = 8, /* guesses, all right: whether those would pay */
    DEAR_MOST = 3,
    REST_DEAR = 8192
};

void eng_pace_open(struct eng_pace *p, const double likely[PACE_KINDS])
{
    *p = (struct eng_pace){.plain_ns = 0};
    for (int i = 0; i < PACE_KINDS; i++) {
        p->kinds[i] = (struct eng_pace_kind){
            .kept = likely[i] * FIRST_TRIALS,
            .tried = FIRST_TRIALS,
            .rest = REST_MIN,
            .wait = REST_MIN,
        };
    }
}

/* The number of guesses, up to most, with the most tokens per time, when each is right with probability `right`. */
static int32_t best_count(const struct eng_pace *p, double right, int32_t most)
{
    double more = p->more_ns > 0 ? p->more_ns : MORE_GUESSED * p->plain_ns;
    double each = (more + p->guess_ns) / p->plain_ns; /* in plain steps */
    double tokens = 1, chain = 1, best = WORTH;
    int32_t count = 0;
    for (int32_t k = 1; k <= most; k++) {
        chain *= right; /* the first k are all right */
        tokens += chain;
        double rate = tokens / (1 + k * each);
        if (rate > best) {
            best = rate;
            count = k;
        }
    }
    return count;
}

int32_t eng_pace_choose(struct eng_pace *p, int kind, int32_t most)
{
    struct eng_pace_kind *x = &p->kinds[kind];
    if (most <= 0 || p->plain_ns <= 0) {
        return 0;
    }
    const bool given_up = x->dear >= DEAR_MOST && x->rest > 0; /* what guesses cost was measured long ago by now */
    int32_t n = given_up ? 0 : best_count(p, x->kept / x->tried, most);
    if (n > 0) {
        return n;
    }
    if (x->rest > 0) {
        x->rest--;
        return 0;
    }
    x->rest = x->wait;
    x->wait = x->wait < REST_MAX ? 2 * x->wait : REST_MAX;
    return 1;
}

/* Newer times count a quarter; one far off is an interruption and counts as twice what is usual. */
static double smooth(double old, double now)
{
    if (old <= 0) {
        return now;
    }
    return old + ((now < 2 * old ? now : 2 * old) - old) / 4;
}

void eng_pace_step(struct eng_pace *p, int32_t n_guesses, uint64_t ns)
{
    if (n_guesses == 0) {
        p->plain_ns = smooth(p->plain_ns, (double)ns);
    } else if (p->plain_ns > 0) {
        double more = ((double)ns - p->plain_ns) / n_guesses;
        double least = p->plain_ns / 100; /* a step that seems to cost nothing was compared with a slow one */
        p->more_ns = smooth(p->more_ns, more > least ? more : least);
    }
}

void eng_pace_guess(struct eng_pace *p, int32_t n, uint64_t ns)
{
    p->guess_ns = smooth(p->guess_ns, (double)ns / n);
}

void eng_pace_result(struct eng_pace *p, int kind, int32_t n, int32_t n_kept)
{
    struct eng_pace_kind *x = &p->kinds[kind];
    for (int32_t i = 0; i < n && i <= n_kept; i++) { /* those after the first wrong one say nothing */
        bool kept = i < n_kept;
        x->kept = FADE * x->kept + (kept ? 1 : 0);
        x->tried = FADE * x->tried + 1;
    }
    x->dear = best_count(p, 1, PERFECT) > 0 ? 0 : x->dear + 1;
    if (x->dear >= DEAR_MOST) {
        x->rest = REST_DEAR; /* a trial costs, too: a draft has to catch up with the text */
    } else if (n_kept > 0 && x->dear == 0) {
        x->rest = x->wait = REST_MIN;
    }
}
