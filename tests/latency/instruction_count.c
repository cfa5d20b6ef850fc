/* SPDX-License-Identifier: MIT */
#include "tests/latency/instruction_count.h"

#include "kernel/time/time.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/lib/figure.h"

static uint64_t scale; /* ticks per instruction */

/* A loop of two instructions a turn. */
static uint64_t loop(uint64_t turns)
{
    uint64_t begin = rdtsc();

    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(turns)::"cc");
    return rdtsc() - begin;
}

/* Ticks of the counter in an instruction: always the same number, else 0. */
static uint64_t ticks_per_instruction(void)
{
    uint64_t ticks = loop(1000) - loop(500);

    for (unsigned i = 0; i < INSTRUCTION_REPEATS; i++)
        if (loop(1000) - loop(500) != ticks)
            return 0;
    return ticks % 1000 ? 0 : ticks / 1000;
}

bool instructions_begin(struct test_run *t)
{
    if (smp_online() > 1) {
        SKIP("needs a machine of one core, so that nothing else counts");
        return false;
    }
    smp_timer_start(0);
    scale = ticks_per_instruction();
    if (scale)
        return true;
    watchdog_start_core();
    SKIP("the time stamp counter does not count instructions here: needs ./run.sh bench-count");
    return false;
}

void instructions_end(void)
{
    watchdog_start_core();
}

uint64_t instructions_in(uint64_t ticks)
{
    return ticks / scale;
}

static void nothing(__attribute__((unused)) struct op *op)
{
}

__attribute__((noinline)) static uint64_t count(operation *fn, struct op *op)
{
    uint64_t begin = rdtsc();

    fn(op);
    return (rdtsc() - begin) / scale;
}

void instructions_add(struct instructions *all, operation *fn, struct op *op)
{
    uint64_t overhead = count(nothing, op), took = count(fn, op) - overhead;

    all->min = took < all->min ? took : all->min;
    all->max = took > all->max ? took : all->max;
}

struct instructions instructions_beyond(struct instructions one, struct instructions other)
{
    return (struct instructions){ one.min - other.max, one.max - other.min };
}

void figure_of_instructions(struct test_run *t, const char *name, struct instructions of,
                            unsigned n)
{
    if (of.min != of.max)
        FAIL("%s: between %llu and %llu instructions: not repeatable, or an operation failed", name,
             (unsigned long long)of.min, (unsigned long long)of.max);
    figure_count(t, name, "instructions", of.min * 1000 / n);
}
