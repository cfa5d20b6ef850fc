/* SPDX-License-Identifier: MIT */
/*
 * The pace is shown a stall, and so is its opposite, a loop that begins the next operation when the
 * last one has ended: the first must make it seen in all that it delays, the second hides it.
 */
#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"
#include "tests/harness/test.h"
#include "tests/latency/pacing.h"

#define PERIOD_NS  50000
#define OPERATIONS 120
#define STALL      40 /* periods, at the operation of this number */
#define DELAYED    30 /* operations that are then at least STALL - DELAYED periods late */

struct stalling {
    unsigned done;
    uint64_t ticks;
};

static void stall_once(void *arg)
{
    struct stalling *s = arg;

    if (s->done++ == STALL)
        for (uint64_t begin = rdtsc(); rdtsc() - begin < s->ticks;)
            cpu_relax();
}

static void without_pace(struct stalling *s, struct hist *ns)
{
    for (unsigned i = 0; i < OPERATIONS; i++) {
        uint64_t begin = rdtsc();

        stall_once(s);
        hist_add(ns, time_ticks_to_ns(rdtsc() - begin));
    }
}

/* The latency that DELAYED operations have or exceed. */
static uint64_t late(const struct hist *ns)
{
    return hist_percentile(ns, (unsigned)ns->count - DELAYED + 1, (unsigned)ns->count);
}

TEST(latency, pacing, "a stall is seen in every operation that was due while it lasted",
     .budget_ms = 50)
{
    static struct hist paced, unpaced;
    struct pace pace = { time_ns_to_ticks(PERIOD_NS), OPERATIONS * time_ns_to_ticks(PERIOD_NS) };
    struct stalling stall = { .ticks = STALL * pace.period };
    /* A bucket of the histogram is one part in 32 wide. */
    uint64_t expected = time_ticks_to_ns((STALL - DELAYED) * pace.period) * 31 / 32;

    hist_init(&paced);
    paced_run(&pace, stall_once, &stall, &paced);
    stall.done = 0;
    hist_init(&unpaced);
    without_pace(&stall, &unpaced);

    EXPECT_EQ(paced.count, OPERATIONS);
    if (late(&paced) < expected)
        FAIL("%u operations must be %llu ns late, but one of them is %llu", DELAYED,
             (unsigned long long)expected, (unsigned long long)late(&paced));
    if (late(&unpaced) >= expected)
        WEAK("blind: a loop without a pace shows the stall as well");
}
