/* SPDX-License-Identifier: MIT */
#include "tests/lib/numbered_race.h"

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/trap/trap.h"
#include "poke/poke.h"
#include "smp/watchdog.h"
#include "tests/lib/int3_counts.h"
#include "tests/lib/others.h"
#include "tests/lib/patience.h"
#include "tests/lib/site.h"

#define TARGET_BYTES  8
#define TARGET_PAGES  (NUMBERED_VERSIONS * TARGET_BYTES / PAGE_SIZE)
#define SLOT_OFFSET   0x33e /* two bytes in one line, three in the next */
#define PATCHES_LEAST 150   /* a slow machine gets more time for them */
#define PAUSE_US      50    /* between two patches */
#define TIMER_US      250   /* times the number of cores, which may share a host */

/*
 * The boot core writes `begun` before the first byte of a version is stored, and `done` after its
 * protocol has returned (releases; the executions' acquires pair with them). Executing cores add to
 * the counts; the boot core reads them when they have stopped.
 */
static struct {
    const struct numbered_race *race;
    uint8_t *slot, *targets;
    uint64_t begun, done;
    uint64_t executions, timer_executions, overlaps, ahead;
    uint64_t stale, backwards, unborn, faults;
    uint32_t findings; /* takers of a number for `first`; the one that got 0 fills it in */
    struct {
        unsigned core;
        uint64_t lo, hi;
        uint32_t got;
    } first;
    struct trap_caught caught; /* of a fault; the last one */
} run;

/*
 * Per core: the newest version that it has executed; own, thread and interrupts. An interrupt
 * between a thread's look and its store may leave an older one there: that misses something at
 * most.
 */
struct newest {
    uint32_t version;
} __attribute__((aligned(CACHE_LINE)));
static struct newest *newest;

static bool forget_newest(void)
{
    size_t bytes = smp_possible() * sizeof *newest;

    if (!newest)
        newest = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    if (newest)
        memset(newest, 0, bytes);
    return newest;
}

static bool build(void)
{
    static uint8_t image[TARGET_PAGES * PAGE_SIZE];
    uint64_t text = mm_text_alloc(1 + TARGET_PAGES);

    if (!text)
        return false;
    run.slot = (uint8_t *)text + SLOT_OFFSET;
    run.targets = (uint8_t *)text + PAGE_SIZE;
    memset(image, INT3_INSN_OPCODE, sizeof image);
    for (uint32_t version = 0; version < NUMBERED_VERSIONS; version++) {
        uint8_t *target = image + version * TARGET_BYTES;

        target[0] = 0xb8; /* mov eax, imm32 */
        memcpy(target + 1, &version, sizeof version);
        target[5] = RET_INSN_OPCODE;
    }

    static const uint8_t ret = RET_INSN_OPCODE;

    if (text_poke_copy(run.targets, image, sizeof image) != POKE_OK ||
        text_poke_copy(run.slot + CALL_INSN_SIZE, &ret, 1) != POKE_OK)
        return false;
    text_mutex_lock();
    enum poke_error e = numbered_patch(0);
    text_mutex_unlock();
    return e == POKE_OK;
}

enum poke_error numbered_patch(uint64_t version)
{
    uint8_t bytes[TEXT_POKE_MAX_OPCODE_SIZE];
    uint8_t opcode = version & 1 ? JMP32_INSN_OPCODE : CALL_INSN_OPCODE;
    size_t len;
    enum poke_error e =
        text_gen_insn(opcode, run.slot, run.targets + version * TARGET_BYTES, bytes, &len);

    return e ? e : smp_text_poke_single(run.slot, bytes, len, NULL);
}

/* ---- one execution ---- */

static void finding(uint64_t *count, uint64_t lo, uint64_t hi, uint32_t got)
{
    fetch_add(count, 1);
    if (fetch_add(&run.findings, 1) != 0)
        return;
    run.first.core = cpu_index();
    run.first.lo = lo;
    run.first.hi = hi;
    run.first.got = got;
}

struct seen {
    uint64_t executions, overlaps, ahead;
};

static void execute(void *arg)
{
    struct seen *seen = arg;
    uint32_t *own = &newest[cpu_index()].version;
    uint32_t before = load_relaxed(own);
    uint64_t lo = run.race->oldest();
    bool ahead = lo > load_acquire(&run.done);
    uint32_t got = site_call(run.slot, seen->executions & 1 ? 8 : 0);
    uint64_t hi = load_acquire(&run.begun); /* pairs with the release in patch_to() */

    seen->executions++;
    seen->overlaps += lo != hi;
    seen->ahead += ahead;
    if (got > load_relaxed(own))
        store_relaxed(own, got);
    if (got < lo)
        finding(&run.stale, lo, hi, got);
    else if (got < before)
        finding(&run.backwards, before, hi, got);
    else if (got > hi)
        finding(&run.unborn, lo, hi, got);
}

static bool try_execute(struct seen *seen)
{
    struct trap_caught caught;

    if (trap_try(execute, seen, &caught))
        return true;
    run.caught = caught;
    fetch_add(&run.faults, 1);
    return false;
}

static void add_up(const struct seen *seen)
{
    fetch_add(&run.executions, seen->executions);
    fetch_add(&run.overlaps, seen->overlaps);
    fetch_add(&run.ahead, seen->ahead);
}

static void on_timer(void)
{
    struct seen seen = { 0 };

    try_execute(&seen);
    add_up(&seen);
    fetch_add(&run.timer_executions, seen.executions);
}

static void execute_loop(__attribute__((unused)) void *arg)
{
    struct seen seen = { 0 };

    store_release(&this_cpu()->timer_hook, on_timer); /* pairs with the timer interrupt's load */
    smp_timer_start(TIMER_US * smp_online());
    while (others_go_on() && try_execute(&seen))
        cpu_relax();
    store_release(&this_cpu()->timer_hook, NULL);
    watchdog_start_core(); /* the default tick again */
    add_up(&seen);
}

/* ---- the race ---- */

static enum poke_error patch_to(uint64_t version)
{
    text_mutex_lock();
    store_release(&run.begun, version); /* pairs with the acquire in execute() */
    enum poke_error e = run.race->patch(version);
    store_release(&run.done, version); /* pairs with the acquire in execute() */
    text_mutex_unlock();
    return e;
}

static void judge(struct test_run *t)
{
    if (run.findings)
        FAIL("core %u executed version %u when versions %llu to %llu were legal (%llu stale, %llu "
             "backwards on one core, %llu not yet begun)",
             run.first.core, run.first.got, (unsigned long long)run.first.lo,
             (unsigned long long)run.first.hi, (unsigned long long)run.stale,
             (unsigned long long)run.backwards, (unsigned long long)run.unborn);
    if (run.faults)
        FAIL("%llu executions faulted, the last by %s at 0x%llx", (unsigned long long)run.faults,
             trap_name((unsigned)run.caught.vector), (unsigned long long)run.caught.rip);
    saw(SEE_EXECUTIONS, run.executions);
    saw(SEE_OVERLAPS, run.overlaps);
    saw(SEE_TIMER_EXECUTIONS, run.timer_executions);
    saw(SEE_PATCHES, run.done);
}

uint64_t numbered_race_run(struct test_run *t, const struct numbered_race *race)
{
    uint64_t begin = rdtsc();
    enum poke_error e = POKE_OK;

    memset(&run, 0, sizeof run);
    run.race = race;
    if (!forget_newest() || !build()) {
        ERROR("the site could not be built");
        return 0;
    }
    uint64_t hits = int3_counts().hits;

    saw(SEE_CORES, 1 + others_start(t, 0, execute_loop, NULL));
    store_release(&this_cpu()->timer_hook, on_timer);
    for (uint64_t version = 1; version < NUMBERED_VERSIONS; version++) {
        if (loop_is_over(begin, race->ms, version > PATCHES_LEAST))
            break;
        e = patch_to(version);
        if (e != POKE_OK || load_relaxed(&run.findings) || load_relaxed(&run.faults))
            break;
        time_delay_us(PAUSE_US);
    }
    store_release(&this_cpu()->timer_hook, NULL);
    others_stop();
    EXPECT_EQ(e, POKE_OK);
    saw(SEE_INT3_HITS, int3_counts().hits - hits);
    judge(t);
    return run.ahead;
}
