/* SPDX-License-Identifier: MIT */
#include "tests/errata/litmus_run.h"

#include "kernel/time/time.h"
#include "smp/smp.h"
#include "tests/errata/litmus_batch.h"
#include "tests/errata/litmus_verdict.h"

/* A cell that has not met its race runs so many times longer: the cores may have been busy. */
#define PATIENCE 10u

/* On bare metal an alias is open with interrupts off: not for long. A batch comes on top. */
#define OPEN_NS 300000ull

static struct litmus_round round;
static struct litmus_cell *cell; /* thread 0's, while the threads run */
static uint64_t duration;        /* of this run, in ticks */
static unsigned core_of[LITMUS_THREADS];
static bool refused; /* thread 0 writes; boot core reads when all are done */

/* ---- results: thread 0, while the others wait ---- */

static void complete_violation(struct litmus_violation *v, unsigned instance)
{
    const struct litmus_memory *m = round.memory;

    v->base = litmus_number(&round, 0);
    v->batch = round.batch;
    v->instance = instance;
    memcpy(v->bytes, m->text + m->place[instance][LITMUS_F], sizeof v->bytes);
    for (unsigned thread = 0; thread < round.shape->threads; thread++) {
        const struct trap_caught *caught = &round.role[thread].caught[instance];

        memcpy(v->raw[thread], m->results[thread][instance], sizeof v->raw[thread]);
        v->core[thread] = core_of[thread];
        v->vector[thread] = caught->vector;
        v->fault_rip[thread] = caught->rip;
    }
}

static struct litmus_outcome outcome_of(unsigned instance)
{
    struct litmus_outcome outcome = { 0 };

    for (unsigned thread = 0; thread < round.shape->threads; thread++) {
        bool fault = round.role[thread].caught[instance].vector != 0;

        for (unsigned reg = 0; reg < cell->registers[thread]; reg++) {
            uint32_t raw = round.memory->results[thread][instance][reg];

            outcome.reg[thread][reg] = fault ? LITMUS_FAULT : litmus_value_of(&round, raw);
        }
    }
    return outcome;
}

static void collect(void)
{
    for (unsigned i = 0; i < LITMUS_INSTANCES; i++) {
        struct litmus_outcome outcome = outcome_of(i);

        if (litmus_cell_count(cell, &outcome))
            complete_violation(&cell->violation, i);
    }
    cell->batches++;
    for (unsigned thread = 0; thread < round.shape->threads; thread++) {
        struct litmus_role *role = &round.role[thread];

        cell->between += role->between;
        cell->stale_between += role->stale_between;
        if (role->stale_between && !cell->violation.between)
            cell->violation.between = role->stale_raw;
        role->between = role->stale_between = 0;
        memset(role->caught, 0, sizeof role->caught);
    }
}

/* ---- threads ---- */

static bool writes_through_alias(void)
{
    return cell->mapping == LITMUS_ALIAS && litmus_does(round.shape, LITMUS_CODE);
}

static bool is_over(uint64_t begin)
{
    uint64_t elapsed = rdtsc() - begin;

    return refused || elapsed >= PATIENCE * duration ||
           (elapsed >= duration && litmus_cell_is_exposed(cell));
}

/* Open the alias, or open it again after a while. */
static bool keep_open(uint64_t *opened)
{
    struct litmus_memory *m = round.memory;

    if (m->view && rdtsc() - *opened < time_ns_to_ticks(OPEN_NS))
        return true;
    if (m->view)
        litmus_memory_alias_close(m);
    *opened = rdtsc();
    return litmus_memory_alias_open(m);
}

static void lead(struct litmus_role *role)
{
    bool alias = writes_through_alias();
    uint64_t begin = rdtsc(), opened = 0;

    for (;;) {
        refused = refused || (alias && !keep_open(&opened)) || !litmus_batch_reset(&round);
        round.stop = is_over(begin);
        litmus_meet(&round);
        if (round.stop)
            break;
        litmus_batch_run(role);
        litmus_meet(&round);
        collect();
    }
    if (alias && round.memory->view)
        litmus_memory_alias_close(round.memory);
}

static void follow(struct litmus_role *role)
{
    for (;;) {
        litmus_meet(&round);
        if (round.stop)
            return;
        litmus_batch_run(role);
        litmus_meet(&round);
    }
}

static void thread_main(void *arg)
{
    struct litmus_role *role = arg;

    if (role->thread == 0)
        lead(role);
    else
        follow(role);
}

/* ---- set-up: boot core ---- */

/* Which core runs which thread: core 0 and others, all at random. */
static void draw_cores(unsigned threads, struct prng *random)
{
    unsigned chosen[LITMUS_THREADS] = { 0 }, seen = 0, count = 1;

    for_each_online_cpu (core) {
        if (core == 0)
            continue;
        /* Each core has the same chance (reservoir sampling). */
        seen++;
        if (count < threads)
            chosen[count++] = (unsigned)core;
        else if (prng_below(random, seen) < threads - 1)
            chosen[1 + prng_below(random, threads - 1)] = (unsigned)core;
    }
    for (unsigned i = 0; i < threads; i++) {
        unsigned j = i + prng_below(random, threads - i), kept = chosen[j];

        chosen[j] = chosen[i];
        core_of[i] = kept;
    }
}

static void run_threads(void)
{
    struct litmus_role *mine = NULL;

    for (unsigned thread = 0; thread < round.shape->threads; thread++) {
        if (core_of[thread] == 0)
            mine = &round.role[thread];
        else /* between tests every core is idle */
            ASSERT(smp_start_work(core_of[thread], thread_main, &round.role[thread]));
    }
    thread_main(mine);
    for (unsigned thread = 0; thread < round.shape->threads; thread++) {
        if (core_of[thread] != 0)
            smp_wait_work(core_of[thread]);
    }
}

static void prepare_round(struct litmus_memory *memory, struct prng *random)
{
    uint64_t batch = round.batch; /* counts on: the next cell's numbers are new too */

    memset(&round, 0, sizeof round);
    round.shape = cell->shape;
    round.memory = memory;
    round.batch = batch;
    for (unsigned thread = 0; thread < LITMUS_THREADS; thread++) {
        round.role[thread].round = &round;
        round.role[thread].thread = thread;
        round.role[thread].random = prng_stream(prng_next(random), thread);
    }
    refused = false;
    draw_cores(cell->shape->threads, random);
}

bool litmus_run(struct litmus_cell *c, uint64_t ticks, struct prng *random, const char **error)
{
    struct litmus_memory *memory = litmus_memory_get();
    uint64_t begin;

    *error = "no memory for the litmus tests";
    if (!memory)
        return false;
    cell = c;
    prepare_round(memory, random);
    litmus_memory_shuffle(memory, random);
    *error = "the engine refused to write text";
    if (!litmus_memory_fill(memory, c->shape, c->fence, litmus_batch_poke, random))
        return false;
    *error = "no mapping that is writable and executable";
    if (c->mapping == LITMUS_SAME && !litmus_memory_same_open(memory))
        return false;
    begin = rdtsc();
    duration = ticks;
    run_threads();
    c->ticks += rdtsc() - begin;
    if (c->mapping == LITMUS_SAME)
        litmus_memory_same_close(memory);
    *error = "the engine refused to write text";
    return !refused;
}
