/* SPDX-License-Identifier: MIT */
/*
 * I22: the end of a patch says that nobody enters the old target any more, not that nobody is
 * inside. Who frees it has to wait for both: here until each executing core has come by a point
 * outside since the patch ended. The target dwells in a loop, so that cores are inside when the
 * patch ends, and compares its own number at its end, so that a core that comes back to freed or
 * other code is noticed.
 */
#include "tests/poke/freed_target.h"

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/trap/trap.h"
#include "poke/poke.h"
#include "tests/lib/others.h"
#include "tests/lib/patience.h"
#include "tests/lib/site.h"

#define LENGTH_MS   400
#define DWELL_MIN   24 /* rounds of a target's loop */
#define DWELL_MAX   0x10000
#define PLACES      2
#define PLACE_AT(n) (0x1000 + 0x800 * ((n) % PLACES))
#define SLOT_AT     0x33e
#define LATE_MIN    20 /* executions that left an old target after its patch's end */

/*
 * The boot core writes `begun` before the first byte of a generation and `done` when its protocol
 * has returned (releases; the executions' acquires pair with them). Executing cores add to the
 * counts, and each to its own passes.
 */
static struct {
    uint8_t *text;
    uint32_t dwell; /* boot core only */
    uint64_t begun, done;
    uint64_t executions, late, wrong;
    uint32_t faults;
    struct trap_caught caught; /* of the last one */
} run;

/* By core, in lines of their own: times that it was outside. */
static struct {
    uint64_t count __attribute__((aligned(CACHE_LINE)));
} * passes;

/* ---- targets ---- */

static enum poke_error build_target(uint64_t generation)
{
    /* clang-format off */
    uint8_t code[] = {
        0xb8, 0, 0, 0, 0, /* mov eax, generation */
        0xb9, 0, 0, 0, 0, /* mov ecx, dwell */
        0xf3, 0x90,       /* pause */
        0xff, 0xc9,       /* dec ecx */
        0x75, 0xfa,       /* jnz to the pause */
        0x3d, 0, 0, 0, 0, /* cmp eax, generation */
        0x75, 0x01,       /* jne over the return */
        RET_INSN_OPCODE,
        0x0f, 0x0b,       /* ud2 */
    };
    /* clang-format on */

    memcpy(code + 1, &generation, 4);
    memcpy(code + 6, &run.dwell, 4);
    memcpy(code + 17, &generation, 4);
    return text_poke_copy(run.text + PLACE_AT(generation), code, sizeof code);
}

static enum poke_error free_target(uint64_t generation)
{
    return text_poke_set(run.text + PLACE_AT(generation), INT3_INSN_OPCODE, 64);
}

static enum poke_error call_target(uint64_t generation)
{
    uint8_t bytes[TEXT_POKE_MAX_OPCODE_SIZE];
    uint8_t *slot = run.text + SLOT_AT;
    size_t len;
    enum poke_error e =
        text_gen_insn(CALL_INSN_OPCODE, slot, run.text + PLACE_AT(generation), bytes, &len);

    if (e)
        return e;
    store_release(&run.begun, generation); /* pairs with the acquire in execute() */
    text_mutex_lock();
    e = smp_text_poke_single(slot, bytes, len, NULL);
    text_mutex_unlock();
    store_release(&run.done, generation); /* pairs with the acquires in execute() */
    return e;
}

static bool build(void)
{
    static const uint8_t ret = RET_INSN_OPCODE;

    run.text = (uint8_t *)mm_text_alloc(2);
    run.dwell = DWELL_MIN;
    if (!passes)
        passes = pages_alloc_virt((smp_possible() * sizeof *passes + PAGE_SIZE - 1) / PAGE_SIZE);
    return run.text && passes &&
           text_poke_copy(run.text + SLOT_AT + CALL_INSN_SIZE, &ret, 1) == POKE_OK &&
           build_target(0) == POKE_OK && call_target(0) == POKE_OK;
}

/* ---- executing cores ---- */

static void execute(uint64_t n)
{
    uint64_t lo = load_acquire(&run.done); /* pairs with the release in call_target() */
    uint32_t got = site_call(run.text + SLOT_AT, n & 1 ? 8 : 0);

    /* Pair with the releases in call_target(). */
    fetch_add(&run.late, got < load_acquire(&run.done));
    if (got < lo || got > load_acquire(&run.begun))
        fetch_add(&run.wrong, 1);
}

static void execute_loop(__attribute__((unused)) void *arg)
{
    uint64_t *mine = &passes[cpu_index()].count;

    while (others_go_on()) {
        execute(*mine);
        store_release(mine, *mine + 1); /* pairs with wait_until_quiescent() */
    }
    fetch_add(&run.executions, *mine);
}

static void try_execute(__attribute__((unused)) void *arg)
{
    struct trap_caught caught;

    passes[cpu_index()].count = 0;
    if (trap_try(execute_loop, NULL, &caught))
        return;
    run.caught = caught;
    fetch_add(&run.faults, 1);
}

/* ---- the patcher ---- */

/* Wait until each executing core has been outside once more; in vain if one has faulted. */
static void wait_until_quiescent(void)
{
    for (int core = smp_next_online(0); core >= 0; core = smp_next_online(core)) {
        uint64_t before = load_acquire(&passes[core].count);

        /* Pairs with the release in execute_loop(): it has left what it executed before. */
        while (load_acquire(&passes[core].count) == before && !load_relaxed(&run.faults))
            cpu_relax();
    }
}

static enum poke_error next_generation(uint64_t generation, enum free_when when)
{
    enum poke_error e = build_target(generation);

    if (!e && when == FREE_AT_ONCE) {
        e = free_target(generation - 1);
        cpu_relax(); /* on an emulator that takes turns, the other cores' turn */
    }
    if (!e)
        e = call_target(generation);
    if (!e && when == FREE_WHEN_QUIESCENT)
        wait_until_quiescent();
    if (!e && when != FREE_AT_ONCE)
        e = free_target(generation - 1);
    return e;
}

/* A processor leaves a target faster than it is patched out: longer, until some are met inside. */
static void dwell_longer(void)
{
    static uint64_t late_before;
    uint64_t late = load_relaxed(&run.late);

    if (late == late_before && run.dwell < DWELL_MAX)
        run.dwell *= 2;
    late_before = late;
}

void race_for_freed_target(struct test_run *t, enum free_when when)
{
    enum poke_error e = POKE_OK;

    memset(&run, 0, sizeof run);
    REQUIRE(build());
    others_start(t, 0, try_execute, NULL);
    uint64_t begin = rdtsc();

    while (!loop_is_over(begin, LENGTH_MS, load_relaxed(&run.late) >= 2 * LATE_MIN) && !e &&
           !load_relaxed(&run.faults)) {
        e = next_generation(run.done + 1, when);
        dwell_longer();
        cpu_relax();
    }
    others_stop();
    EXPECT_EQ(e, POKE_OK);
    if (run.faults)
        FAIL("a core was caught by %s at 0x%llx, in a target that was freed in generation %llu",
             trap_name((unsigned)run.caught.vector), (unsigned long long)run.caught.rip,
             (unsigned long long)run.done);
    EXPECT_EQ(run.wrong, 0);
    json_uint(&t->data, "left_old_target_after_patch", run.late);
    if (run.late < LATE_MIN)
        WEAK("%llu executions were inside an old target when its patch ended, needs %u",
             (unsigned long long)run.late, LATE_MIN);
    saw(SEE_EXECUTIONS, run.executions);
    saw(SEE_PATCHES, run.done);
}

TEST(poke, i22_freed_target,
     "a call's old target can be freed and used again once each core has been outside it",
     .cpus = 2, .budget_ms = 500, .must_see = { { SEE_PATCHES, 50 }, { SEE_EXECUTIONS, 200 } })
{
    race_for_freed_target(t, FREE_WHEN_QUIESCENT);
}
