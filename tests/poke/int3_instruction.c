/* SPDX-License-Identifier: MIT */
/*
 * I17: what is written and what is emulated need not be the same. INT3 itself is such an
 * instruction: it belongs to its owner, who gets every hit of it, no more and no fewer. And
 * `emulate` may be another instruction than the one that is written: it is what the site does
 * during the patch, not after it.
 *
 *     entry:  mov eax, 1
 *     slot:   1 or 5 bytes
 *             or al, 16
 *             ret
 *     target: mov eax, 5; ret
 *     other:  mov eax, 9; ret
 *
 * so that EAX tells what the slot did. The owner of INT3 answers 7.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/poke.h"
#include "tests/lib/held.h"
#include "tests/lib/int3_counts.h"
#include "tests/lib/others.h"
#include "tests/lib/own_breakpoints.h"
#include "tests/lib/patience.h"
#include "tests/lib/site.h"

#define LENGTH_MS     250
#define PATCHES_LEAST 80    /* a slow machine gets more time for them */
#define ENTRY_AT      0x339 /* the slot begins with the last two bytes of a line */
#define SLOT_AT       (ENTRY_AT + 5)
#define TARGET_AT     0x400
#define OTHER_AT      0x500
#define ANSWERS       32

enum answer {
    BEHIND = 16, /* execution went on behind the slot */
    ENTERED = 1,
    CALLED = 5,
    OWNED = 7,
    OTHER = 9,
};

struct image {
    const uint8_t *bytes, *emulate;
    uint8_t during, after; /* enum answer: while the patch to it is under way; when it is over */
};

static const uint8_t ret[1] = { RET_INSN_OPCODE }, int3[1] = { INT3_INSN_OPCODE };
static const uint8_t int3_with_tail[5] = { INT3_INSN_OPCODE, 0x11, 0x22, 0x33, 0x44 };
static const uint8_t ret_padded[5] = { RET_INSN_OPCODE, 0xcc, 0xcc, 0xcc, 0xcc };
static const uint8_t clear_rax[5] = { 0x66, 0x66, 0x48, 0x31, 0xc0 }; /* xor rax, rax, padded */
static uint8_t call_target[TEXT_POKE_MAX_OPCODE_SIZE], jmp_other[TEXT_POKE_MAX_OPCODE_SIZE];

/*
 * The boot core writes all but the counts; `begun` before the first byte of a version is stored,
 * `done` when its protocol has returned (releases; the executions' acquires pair with them). The
 * image of version v is v % count. Executing cores add to the counts.
 */
static struct {
    uint8_t *page, *slot;
    unsigned len, count;
    const struct image *images;
    uint64_t begun, done;
    uint64_t executions, overlaps, answers[ANSWERS];
    uint64_t held_owned; /* answers of the owner to held patches: the boot core counts them */
    uint64_t wrong;
    uint32_t faults;
    struct trap_caught caught; /* of the last one */
    struct {
        uint64_t lo, hi;
        uint32_t got;
    } first; /* of the wrong ones */
} run;

static bool build(void)
{
    static const uint8_t entry[] = { 0xb8, ENTERED, 0, 0, 0 };
    static const uint8_t target[] = { 0xb8, CALLED, 0, 0, 0, RET_INSN_OPCODE };
    static const uint8_t behind[] = { 0x0c, BEHIND, RET_INSN_OPCODE };
    static const uint8_t other[] = { 0xb8, OTHER, 0, 0, 0, RET_INSN_OPCODE };
    uint8_t *page = (uint8_t *)mm_text_alloc(1);
    size_t len;

    if (!page)
        return false;
    run.page = page;
    run.slot = page + SLOT_AT;
    return text_gen_insn(CALL_INSN_OPCODE, run.slot, page + TARGET_AT, call_target, &len) ==
               POKE_OK &&
           text_gen_insn(JMP32_INSN_OPCODE, run.slot, page + OTHER_AT, jmp_other, &len) ==
               POKE_OK &&
           text_poke_copy(page + ENTRY_AT, entry, sizeof entry) == POKE_OK &&
           text_poke_copy(run.slot, run.images[0].bytes, run.len) == POKE_OK &&
           text_poke_copy(run.slot + run.len, behind, sizeof behind) == POKE_OK &&
           text_poke_copy(page + TARGET_AT, target, sizeof target) == POKE_OK &&
           text_poke_copy(page + OTHER_AT, other, sizeof other) == POKE_OK;
}

static bool own(struct trap_frame *frame)
{
    if (frame->rip != (uint64_t)run.slot + INT3_INSN_SIZE)
        return false;
    frame->rax = OWNED;
    frame->rip = (uint64_t)run.slot + run.len + 2; /* to the RET */
    return true;
}

static const struct image *image_of(uint64_t version)
{
    return &run.images[version % run.count];
}

/* Executions that overlapped more than one patch may have seen anything that was ever there. */
static bool is_legal(uint64_t lo, uint64_t hi, uint32_t got)
{
    if (hi > lo + 1)
        return true;
    if (got == image_of(lo)->after)
        return true;
    return hi != lo && (got == image_of(hi)->during || got == image_of(hi)->after);
}

static void execute(unsigned n)
{
    uint64_t lo = load_acquire(&run.done); /* pairs with the release in patch() */
    uint32_t got = site_call(run.page + ENTRY_AT, n & 1 ? 8 : 0);
    uint64_t hi = load_acquire(&run.begun); /* pairs with the release in patch() */

    fetch_add(&run.executions, 1);
    fetch_add(&run.answers[got % ANSWERS], 1);
    if (hi == lo + 1)
        fetch_add(&run.overlaps, 1);
    if (is_legal(lo, hi, got) || fetch_add(&run.wrong, 1))
        return;
    run.first.lo = lo;
    run.first.hi = hi;
    run.first.got = got;
}

static void execute_loop(__attribute__((unused)) void *arg)
{
    for (unsigned n = 0; others_go_on(); n++) {
        execute(n);
        if (n % 4 == 0)
            cpu_relax();
    }
}

static void try_execute(__attribute__((unused)) void *arg)
{
    struct trap_caught caught;

    if (trap_try(execute_loop, NULL, &caught))
        return;
    run.caught = caught;
    fetch_add(&run.faults, 1);
}

static void call_entry(void *got)
{
    *(uint32_t *)got = site_call(run.page + ENTRY_AT, 0);
}

static void execute_held(void *got)
{
    if (!trap_try(call_entry, got, &run.caught))
        fetch_add(&run.faults, 1);
}

static enum poke_error patch(uint64_t version)
{
    const struct image *image = image_of(version);

    text_mutex_lock();
    store_release(&run.begun, version); /* pairs with the acquire in execute() */
    enum poke_error e = smp_text_poke_single(run.slot, image->bytes, run.len, image->emulate);
    store_release(&run.done, version); /* pairs with the acquire in execute() */
    text_mutex_unlock();
    return e;
}

/*
 * Patch to `version` while another core holds the patch at its INT3: there it does exactly what is
 * to be emulated. Where the INT3 stands already, there is nothing to hold the patch by.
 */
static void patch_held(struct test_run *t, uint64_t version)
{
    bool hold = run.slot[0] != INT3_INSN_OPCODE;
    uint32_t got = 0;

    if (hold)
        REQUIRE(hold_begin((unsigned)smp_next_online(0), run.slot, execute_held, &got));
    EXPECT_EQ(patch(version), POKE_OK);
    if (!hold)
        return;
    EXPECT(hold_end());
    if (got != image_of(version)->during)
        FAIL("answer %u between versions %llu and %llu of a site of %u bytes, held at its INT3: "
             "expected %u",
             got, (unsigned long long)version - 1, (unsigned long long)version, run.len,
             image_of(version)->during);
    run.held_owned += got == OWNED;
}

static void cycle(struct test_run *t, unsigned len, const struct image *images, unsigned count)
{
    memset(&run, 0, sizeof run);
    run.len = len;
    run.images = images;
    run.count = count;
    REQUIRE(build());
    struct int3_counts before = int3_counts();

    own_breakpoints_begin(own);
    for (uint64_t version = 1; version <= count; version++)
        patch_held(t, version);
    others_start(t, 0, try_execute, NULL);
    uint64_t begin = rdtsc();

    for (uint64_t version = count + 1; !loop_is_over(begin, LENGTH_MS, version > PATCHES_LEAST);
         version++) {
        if (load_relaxed(&run.faults))
            break;
        EXPECT_EQ(patch(version), POKE_OK);
        time_delay_us(20); /* for what the site does after its patch */
    }
    others_stop();
    uint64_t owned = own_breakpoints_end();
    struct int3_counts after = int3_counts();

    if (run.wrong)
        FAIL("answer %u between versions %llu and %llu of a site of %u bytes with %u images "
             "(%llu wrong ones)",
             run.first.got, (unsigned long long)run.first.lo, (unsigned long long)run.first.hi, len,
             count, (unsigned long long)run.wrong);
    if (run.faults)
        FAIL("%s at 0x%llx, in a site of %u bytes with %u images",
             trap_name((unsigned)run.caught.vector), (unsigned long long)run.caught.rip, len,
             count);
    EXPECT_EQ(run.answers[OWNED] + run.held_owned, owned);
    EXPECT_EQ(after.foreign - before.foreign, owned);
    for (unsigned i = 0; i < count; i++) {
        if (!run.answers[images[i].during] || !run.answers[images[i].after])
            WEAK("image %u was not seen both during and after its patch", i);
    }
    saw(SEE_EXECUTIONS, run.executions);
    saw(SEE_OVERLAPS, run.overlaps);
    saw(SEE_INT3_HITS, after.hits - before.hits);
    saw(SEE_TRAPS, owned);
    saw(SEE_PATCHES, run.done);
}

TEST(poke, i17_int3_as_instruction,
     "a site that becomes INT3 and back reaches the INT3's owner exactly when it is one", .cpus = 2,
     .budget_ms = 350,
     .must_see = { { SEE_TRAPS, 50 }, { SEE_PATCHES, 50 }, { SEE_OVERLAPS, 100 } })
{
    static const struct image images[] = { { ret, NULL, ENTERED, ENTERED },
                                           { int3, NULL, OWNED, OWNED } };

    cycle(t, 1, images, 2);
}

TEST(
    poke, i17_int3_with_tail,
    "five bytes that become INT3 and a tail are emulated during the patch and the owner's after it",
    .cpus = 2, .budget_ms = 350,
    .must_see = {
        { SEE_TRAPS, 50 }, { SEE_INT3_HITS, 100 }, { SEE_PATCHES, 50 }, { SEE_OVERLAPS, 100 } })
{
    static const struct image images[] = { { poke_nop5, NULL, ENTERED | BEHIND, ENTERED | BEHIND },
                                           { int3_with_tail, call_target, CALLED | BEHIND,
                                             OWNED } };

    cycle(t, 5, images, 2);
}

TEST(
    poke, i17_emulate_differs,
    "an emulated image that is not the written one is what runs during the patch, and not after it",
    .cpus = 2, .budget_ms = 350,
    .must_see = { { SEE_INT3_HITS, 100 }, { SEE_PATCHES, 50 }, { SEE_OVERLAPS, 100 } })
{
    static const struct image images[] = { { poke_nop5, NULL, ENTERED | BEHIND, ENTERED | BEHIND },
                                           { clear_rax, call_target, CALLED | BEHIND, BEHIND },
                                           { jmp_other, ret_padded, ENTERED, OTHER } };

    cycle(t, 5, images, 3);
}
