/* SPDX-License-Identifier: MIT */
/*
 * I3: an emulated CALL changes of the interrupted stack the one word that the CALL would have
 * pushed, and of the trap's own frame the two registers that it would have changed. That the callee
 * and all registers see the same as under the real CALL is I1's (emulation.c); here is what cannot
 * be seen from there: the bytes around that word, and the frame that lies below them.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/trap/trap.h"
#include "poke/poke.h"
#include "tests/harness/test.h"
#include "tests/lib/held.h"
#include "tests/lib/site.h"

#define ROUNDS    4
#define CALLED    0x77
#define TARGET_AT 0x1800
#define ABOVE     16 /* words above the interrupted stack pointer: of call_both()'s frames */
#define BELOW     7  /* most words between the frame and that: the gap, and the alignment's word */

/*
 * The callee begins with an INT3 of this test: its #BP frame is built right below the word that the
 * emulation has pushed. Then it checks that word itself.
 */
static uint8_t *text;
static const unsigned slots[] = { 0x200, 0x33e, 0xffd };

/* The boot core writes the slot; the rest is the other core's. */
static struct {
    trap_handler engine;
    const uint8_t *slot;
    uint32_t emulated, nested, aligned; /* aligned: with a stack pointer of 0 modulo 16 */
    uint32_t gap_short, other_words, wrong_return, wrong_frame, wrong_answer, faults;
} seen;

static bool build(void)
{
    static const uint8_t entry[] = { 0x0f, 0x1f, 0x00, 0x31, 0xc0, /* nop; xor eax, eax: sets ZF */
                                     0x0f, 0x1f, 0x44, 0x00, 0x00, RET_INSN_OPCODE };
    static const uint8_t callee[] = { INT3_INSN_OPCODE, 0xb8, CALLED, 0, 0, 0, RET_INSN_OPCODE };

    text = (uint8_t *)mm_text_alloc(2);
    for (unsigned i = 0; text && i < sizeof slots / sizeof slots[0]; i++) {
        if (text_poke_copy(text + slots[i] - 5, entry, sizeof entry) != POKE_OK)
            return false;
    }
    return text && text_poke_copy(text + TARGET_AT, callee, sizeof callee) == POKE_OK;
}

static bool is_only_change(const uint64_t *before, const uint64_t *after, unsigned words,
                           unsigned changed)
{
    for (unsigned i = 0; i < words; i++) {
        if (i != changed && before[i] != after[i])
            return false;
    }
    return true;
}

/* The engine's handler, between two looks at the frame and at the stack above it. */
static bool emulate(struct trap_frame *frame)
{
    struct trap_frame old = *frame, *end = frame + 1;
    uint64_t *stack = (uint64_t *)frame->rsp, words[BELOW + ABOVE];
    unsigned below = (unsigned)(stack - (uint64_t *)end);

    seen.gap_short += below * sizeof *stack < POKE_STACK_GAP;
    if (below > BELOW)
        below = BELOW;
    memcpy(words, stack - below, (below + ABOVE) * sizeof *stack);
    seen.aligned += frame->rsp % 16 == 0;
    if (!seen.engine(frame))
        return false;
    seen.emulated++;
    seen.other_words += !is_only_change(words, stack - below, below + ABOVE, below - 1);
    seen.wrong_return += stack[-1] != (uint64_t)seen.slot + CALL_INSN_SIZE;
    old.rip = (uint64_t)text + TARGET_AT;
    old.rsp -= sizeof *stack;
    seen.wrong_frame += memcmp(&old, frame, sizeof old) != 0;
    return true;
}

static bool on_breakpoint(struct trap_frame *frame)
{
    if (frame->rip == (uint64_t)seen.slot + INT3_INSN_SIZE)
        return emulate(frame);
    if (frame->rip != (uint64_t)text + TARGET_AT + INT3_INSN_SIZE)
        return seen.engine(frame);
    /* In the callee: the word that it will return to is still there. */
    seen.nested++;
    seen.wrong_return += *(uint64_t *)frame->rsp != (uint64_t)seen.slot + CALL_INSN_SIZE;
    return true;
}

static void call_once(void *shift)
{
    seen.wrong_answer += site_call((void *)(seen.slot - 5), *(uint64_t *)shift) != CALLED;
}

static void call_both(__attribute__((unused)) void *arg)
{
    struct trap_caught caught;

    for (uint64_t shift = 0; shift <= 8; shift += 8)
        seen.faults += !trap_try(call_once, &shift, &caught);
}

static void patch_held(struct test_run *t, uint8_t *slot, unsigned core)
{
    uint8_t call[TEXT_POKE_MAX_OPCODE_SIZE];
    size_t len;

    EXPECT_EQ(text_gen_insn(CALL_INSN_OPCODE, slot, text + TARGET_AT, call, &len), POKE_OK);
    seen.slot = slot;
    REQUIRE(hold_begin(core, slot, call_both, NULL));
    text_mutex_lock();
    EXPECT_EQ(smp_text_poke_single(slot, call, len, NULL), POKE_OK);
    text_mutex_unlock();
    EXPECT(hold_end());
    saw(SEE_PATCHES, 1);
}

TEST_BARE(
    "trap frames on the interrupted stack", poke, i3_call_frame,
    "an emulated CALL writes the one word below the old stack pointer, and no other part of a "
    "frame",
    .cpus = 2, .budget_ms = 100,
    .must_see = { { SEE_PATCHES, ROUNDS * 3 },
                  { SEE_INT3_HITS, ROUNDS * 3 * 2 },
                  { SEE_TRAPS, ROUNDS * 3 * 2 } })
{
    unsigned other = (unsigned)smp_next_online(0);

    memset(&seen, 0, sizeof seen);
    REQUIRE(build());
    seen.engine = trap_set_handler(TRAP_BP, NULL);
    trap_set_handler(TRAP_BP, on_breakpoint);
    for (unsigned n = 0; n < ROUNDS * 3; n++)
        patch_held(t, text + slots[n % 3], other);
    trap_set_handler(TRAP_BP, seen.engine);

    EXPECT_EQ(seen.gap_short, 0);
    EXPECT_EQ(seen.other_words, 0);
    EXPECT_EQ(seen.wrong_return, 0);
    EXPECT_EQ(seen.wrong_frame, 0);
    EXPECT_EQ(seen.wrong_answer, 0);
    EXPECT_EQ(seen.faults, 0);
    EXPECT_EQ(seen.aligned * 2, seen.emulated);
    saw(SEE_INT3_HITS, seen.emulated);
    saw(SEE_TRAPS, seen.nested);
}
