/* SPDX-License-Identifier: MIT */
/* Probes on a NOP, a CALL and a JMP of one function: an execution has its own hits, counted. */
#include "poke/users/kprobe.h"
#include "tests/users/all_at_once.h"
#include "tests/users/met.h"

#define PROBES 3u
#define SLOT   5   /* bytes, of each */
#define ANSWER 7u  /* of a pass */
#define PASSES 16u /* in an execution: most of its time is a probe's */

uint64_t users_three(void);
extern uint8_t users_three_sites[PROBES][SLOT];
__asm__(".pushsection .text.users_three, \"ax\", @progbits\n"
        "users_three:\n\t"
        "xor %eax, %eax\n"
        "users_three_sites:\n\t"
        ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n\t"
        ".byte 0xe8; .long 2f - . - 4\n\t"
        ".byte 0xe9; .long 1f - . - 4\n\t"
        "xor %eax, %eax\n"
        "1:\tret\n"
        "2:\tmov $7, %eax\n\t"
        "ret\n\t"
        ".popsection");

/*
 * Hits under way, of all cores; what the patcher found there when its probes were gone, and when
 * there must be none.
 */
static uint32_t inside[PROBES], left_inside;

/* A byte for each probe. */
static void hit(struct kprobe *p, __attribute__((unused)) const struct kprobe_regs *regs)
{
    size_t which = (size_t)(p->addr - users_three_sites[0]) / SLOT;

    fetch_add(&inside[which], 1);
    *met_here() += 1ull << 8 * which;
    cpu_relax(); /* on an emulator that takes turns, the patcher's */
    fetch_sub(&inside[which], 1);
}

static struct kprobe probes[PROBES];

static uint64_t run(__attribute__((unused)) uint64_t turn)
{
    struct met met;

    met_begin(&met);
    uint64_t answers = 0;

    for (unsigned i = 0; i < PASSES; i++)
        answers += users_three();
    return answers << 32 | met_end(&met);
}

static enum probes_are { NONE, TRAPS, FIRST_JUMPS, STATES } state; /* the patcher's */

static enum probes_are state_in(uint64_t version)
{
    return version % STATES;
}

/* One hit of each in a pass while there are probes; at most that as they come and go. */
static bool allowed(uint64_t value, __attribute__((unused)) uint64_t turn, uint64_t first,
                    uint64_t last)
{
    uint64_t least = PASSES, most = 0;

    for (uint64_t v = first; v <= last; v++) {
        if (state_in(v) == NONE)
            least = 0;
        else
            most = PASSES;
    }
    if (value >> 32 != PASSES * ANSWER)
        return false;
    for (unsigned i = 0; i < PROBES; i++) {
        uint64_t hits = value >> 8 * i & 0xff;

        if (hits < least || hits > most)
            return false;
    }
    return true;
}

static enum poke_error arm(struct kprobe *p)
{
    *p = (struct kprobe){ .addr = users_three_sites[p - probes], .pre_handler = hit };
    return register_kprobe(p);
}

static enum poke_error disarm(struct kprobe *p)
{
    enum poke_error e = unregister_kprobe(p);

    left_inside += load_acquire(&inside[p - probes]) != 0;
    return e;
}

static enum poke_error go_to(uint64_t version)
{
    enum poke_error e = POKE_OK;

    state = state_in(version);
    if (state == FIRST_JUMPS)
        return optimize_kprobe(&probes[0]);
    for (unsigned i = 0; i < PROBES && !e; i++)
        e = state == TRAPS ? arm(&probes[i]) : disarm(&probes[i]);
    return e;
}

static void begin(struct test_run *t)
{
    EXPECT(met_ready());
    left_inside = 0;
}

static void end(struct test_run *t)
{
    if (state != NONE)
        EXPECT_EQ(go_to(0), POKE_OK);
    EXPECT_EQ(left_inside, 0);
}

TEXT_USER(probes, { run, allowed, go_to }, begin, end);
