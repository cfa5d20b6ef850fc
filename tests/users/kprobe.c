/* SPDX-License-Identifier: MIT */
/* Probes: every execution is counted, none is lost and none invented, and all does what it did. */
#include "poke/users/kprobe.h"

#include "kernel/mm/mm.h"
#include "poke/users/ftrace.h"
#include "poke/users/jump_label.h"
#include "poke/users/kprobe_slot.h"
#include "poke/users/reclaim.h"
#include "poke/users/redirect.h"
#include "poke/users/static_call.h"
#include "poke/users/text_switch.h"
#include "tests/harness/test.h"
#include "tests/users/probed.h"

#define NOINLINE __attribute__((noinline, noclone))
#define PASSES   10u

/* ---- what a probe sees ---- */

static struct {
    const struct probed *of;
    uint64_t wrong; /* calls with registers that cannot be */
} seen;

static void count(struct kprobe *p, const struct kprobe_regs *regs)
{
    uint64_t *counter = (uint64_t *)regs->rdi;

    seen.wrong += p->addr != seen.of->site || regs->at.ip != (uintptr_t)p->addr + 1 ||
                  regs->at.sp < (uintptr_t)&regs || regs->at.sp > (uintptr_t)counter;
    ++*counter;
}

/* Does each pass answer as without a probe, with `hits` calls of the handler? */
static void expect_passes(struct test_run *t, const struct probed *f, uint64_t answer,
                          uint64_t *counter, uint64_t hits)
{
    for (unsigned i = 0; i < PASSES; i++) {
        uint64_t before = *counter;

        if (f->run(counter) != answer || *counter - before != hits)
            FAIL("%s: %llu hits, %llu expected, or another answer", f->what,
                 (unsigned long long)(*counter - before), (unsigned long long)hits);
        saw(SEE_TRAPS, hits);
    }
}

TEST_BARE("text of its own that can be patched", users, kprobe_counts,
          "a probe is called once for each execution, and its instruction does what it did",
          .budget_ms = 50, .must_see = { { SEE_TRAPS, 20 } })
{
    for (const struct probed *f = users_probed; f < users_probed_end; f++) {
        struct kprobe probe = { .addr = f->site, .pre_handler = count };
        uint64_t counter = 0, answer = f->run(&counter);

        seen.of = f;
        seen.wrong = 0;
        EXPECT_EQ(unregister_kprobe(&probe), POKE_E_EXPECTED);
        EXPECT_EQ(register_kprobe(&probe), POKE_OK);
        expect_passes(t, f, answer, &counter, 1);
        EXPECT_EQ(unregister_kprobe(&probe), POKE_OK);
        expect_passes(t, f, answer, &counter, 0);
        EXPECT_EQ(seen.wrong, 0);
    }
}

TEST_BARE("text of its own that can be patched", users, kprobe_optimized,
          "a probe becomes a jump where nothing can be between the bytes, and counts the same",
          .budget_ms = 50, .must_see = { { SEE_TRAPS, 100 } })
{
    for (const struct probed *f = users_probed; f < users_probed_end; f++) {
        struct kprobe probe = { .addr = f->site, .pre_handler = count };
        uint64_t counter = 0, answer = f->run(&counter);
        enum poke_error can = f->optimises ? POKE_OK : POKE_E_OPCODE;

        seen.of = f;
        seen.wrong = 0;
        EXPECT_EQ(optimize_kprobe(&probe), POKE_E_EXPECTED);
        EXPECT_EQ(register_kprobe(&probe), POKE_OK);
        EXPECT_EQ(unoptimize_kprobe(&probe), POKE_E_EXPECTED);
        for (unsigned i = 0; i < 2; i++) {
            if (optimize_kprobe(&probe) != can)
                FAIL("%s: %s", f->what, can ? "was optimised" : "was not optimised");
            EXPECT_EQ(*f->site, f->optimises ? JMP32_INSN_OPCODE : INT3_INSN_OPCODE);
            expect_passes(t, f, answer, &counter, 1);
            EXPECT_EQ(optimize_kprobe(&probe), f->optimises ? POKE_E_EXPECTED : POKE_E_OPCODE);
            if (i)
                continue;
            EXPECT_EQ(unoptimize_kprobe(&probe), f->optimises ? POKE_OK : POKE_E_EXPECTED);
            EXPECT_EQ(*f->site, INT3_INSN_OPCODE);
            expect_passes(t, f, answer, &counter, 1);
        }
        EXPECT_EQ(unregister_kprobe(&probe), POKE_OK);
        expect_passes(t, f, answer, &counter, 0);
        EXPECT_EQ(seen.wrong, 0);
    }
}

/* ---- registers ---- */

static struct kprobe_regs seen_regs;
static uint64_t stack_at_call;

static void keep_regs(__attribute__((unused)) struct kprobe *p, const struct kprobe_regs *regs)
{
    seen_regs = *regs;
    stack_at_call = (uint64_t)__builtin_frame_address(0);
}

#define RFLAGS_CF 1u
#define RFLAGS_DF (1u << 10)

/* Were all registers at the site as they should be, in the handler and behind it? */
static void expect_registers(struct test_run *t, uint64_t misaligned)
{
    const uint64_t *regs = &seen_regs.r15, wanted = RFLAGS_CF | RFLAGS_DF;
    struct probed_state state = { 0 };

    users_probed_state(&state, misaligned);
    for (unsigned i = 0; i < 15; i++) {
        EXPECT_EQ(state.values[i], PROBED_VALUE + i);
        EXPECT_EQ(regs[i], PROBED_VALUE + i);
    }
    EXPECT_EQ(state.flags & wanted, wanted);
    EXPECT_EQ(seen_regs.at.flags & wanted, wanted);
    EXPECT_EQ(seen_regs.at.sp, state.sp);
    EXPECT_EQ(stack_at_call % 16, 0); /* of a frame: the return address and RBP lie above */
    saw(SEE_TRAPS, 1);
}

TEST_BARE("text of its own that can be patched", users, kprobe_registers,
          "a handler sees all registers of the site, and the code behind it does", .budget_ms = 50,
          .must_see = { { SEE_TRAPS, 6 } })
{
    struct kprobe probe = { .addr = users_probed_state_site, .pre_handler = keep_regs };

    EXPECT_EQ(register_kprobe(&probe), POKE_OK);
    expect_registers(t, 0);
    expect_registers(t, 8);
    EXPECT_EQ(optimize_kprobe(&probe), POKE_OK);
    expect_registers(t, 0);
    expect_registers(t, 8);
    EXPECT_EQ(unoptimize_kprobe(&probe), POKE_OK);
    expect_registers(t, 0);
    expect_registers(t, 8);
    EXPECT_EQ(unregister_kprobe(&probe), POKE_OK);
}

/* ---- what is refused ---- */

static DEFINE_STATIC_KEY_FALSE(reserved_key);
long users_reserved_target(long x);
long users_reserved_target(long x)
{
    return x + 1;
}
DEFINE_STATIC_CALL(users_reserved, users_reserved_target);
DEFINE_STATIC_CALL(users_uncalled, users_reserved_target);

NOINLINE static bool reserved_branch(void)
{
    return static_branch_unlikely(&reserved_key);
}

NOINLINE static long reserved_call(long x)
{
    return static_call(users_reserved)(x) + 1;
}

REDIRECTABLE static long reserved_entry(long x)
{
    return x + 2;
}

static enum poke_error try_to_probe(const void *addr)
{
    struct kprobe probe = { .addr = (uint8_t *)addr, .pre_handler = count };
    uint8_t before = *(const uint8_t *)addr;
    enum poke_error e = register_kprobe(&probe);

    if (!e)
        unregister_kprobe(&probe);
    return *(const uint8_t *)addr == before ? e : POKE_E_READBACK;
}

TEST_BARE("text of its own that can be patched", users, kprobe_refusals,
          "sites of other users, bytes inside instructions and what cannot be moved are refused",
          .budget_ms = 50)
{
    EXPECT(!reserved_branch() && reserved_call(1) == 3 && reserved_entry(1) == 3);
    EXPECT_EQ(try_to_probe((const void *)reserved_key.sites[0].code), POKE_E_ADDRESS);
    EXPECT_EQ(try_to_probe((const void *)(STATIC_CALL_KEY(users_reserved).sites[0].disp - 1)),
              POKE_E_ADDRESS);
    EXPECT_EQ(try_to_probe((const void *)STATIC_CALL_TRAMP(users_uncalled)), POKE_E_ADDRESS);
    EXPECT_EQ(try_to_probe((const void *)reserved_entry), POKE_E_ADDRESS);
    EXPECT_EQ(try_to_probe(kprobe_slots[1].text), POKE_E_ADDRESS);
    EXPECT_EQ(try_to_probe((const void *)smp_text_poke_sync_each_cpu), POKE_E_ADDRESS);
    EXPECT_EQ(try_to_probe(users_probed[0].site + 1), POKE_E_ADDRESS);
    for (const struct unprobed *u = users_unprobed; u < users_unprobed_end; u++)
        if (try_to_probe(u->site) != POKE_E_OPCODE)
            FAIL("%s was not refused", u->what);

    struct kprobe probe = { .addr = users_probed[0].site, .pre_handler = count };

    EXPECT_EQ(register_kprobe(&probe), POKE_OK);
    EXPECT_EQ(register_kprobe(&probe), POKE_E_EXPECTED);
    EXPECT_EQ(try_to_probe(probe.addr), POKE_E_EXPECTED);
    text_mutex_lock();
    EXPECT_EQ(unregister_kprobe(&probe), POKE_E_LOCK);
    EXPECT_EQ(optimize_kprobe(&probe), POKE_E_LOCK);
    text_mutex_unlock();
    EXPECT_EQ(optimize_kprobe(&probe), POKE_OK);
    EXPECT_EQ(try_to_probe(probe.addr + JMP32_INSN_SIZE), POKE_OK);
    EXPECT_EQ(unregister_kprobe(&probe), POKE_OK);

    /* Of two instructions in five bytes either one is probed, or both are traps. */
    struct kprobe second = { .addr = users_probed_lead[2], .pre_handler = count };

    probe.addr = users_probed_lead[1];
    EXPECT_EQ(register_kprobe(&probe), POKE_OK);
    EXPECT_EQ(register_kprobe(&second), POKE_OK);
    EXPECT_EQ(optimize_kprobe(&probe), POKE_E_OPCODE);
    EXPECT_EQ(unregister_kprobe(&second), POKE_OK);
    EXPECT_EQ(optimize_kprobe(&probe), POKE_OK);
    EXPECT_EQ(register_kprobe(&second), POKE_E_EXPECTED);
    EXPECT_EQ(unregister_kprobe(&probe), POKE_OK);
}

static void nothing(void)
{
}

TEST_BARE("text of its own that can be patched", users, kprobe_beside_switch,
          "a site that a probe executes copies of cannot be switched", .budget_ms = 50)
{
    uint8_t *site = users_probed_switch[1];
    struct kprobe probe = { .addr = users_probed_switch[0], .pre_handler = count };
    struct text_target call = TEXT_CALL(nothing);

    EXPECT_EQ(register_kprobe(&probe), POKE_OK);
    EXPECT_EQ(text_switch(site, TEXT_NOP, call, NULL), POKE_OK);
    EXPECT_EQ(optimize_kprobe(&probe), POKE_E_OPCODE);
    EXPECT_EQ(text_switch(site, call, TEXT_NOP, NULL), POKE_OK);
    EXPECT_EQ(optimize_kprobe(&probe), POKE_OK);
    EXPECT_EQ(text_switch(site, TEXT_NOP, call, NULL), POKE_E_EXPECTED);
    EXPECT_EQ(unoptimize_kprobe(&probe), POKE_OK);
    EXPECT_EQ(text_switch(site, TEXT_NOP, call, NULL), POKE_E_EXPECTED);
    EXPECT_EQ(unregister_kprobe(&probe), POKE_OK);
    EXPECT_EQ(text_switch(site, TEXT_NOP, call, NULL), POKE_OK);
    EXPECT_EQ(text_switch(site, call, TEXT_NOP, NULL), POKE_OK);

    struct text_target jump = TEXT_JMP(users_probed_lead[2]);

    probe.addr = users_probed_lead[1];
    EXPECT_EQ(register_kprobe(&probe), POKE_OK);
    EXPECT_EQ(optimize_kprobe(&probe), POKE_OK);
    EXPECT_EQ(text_switch(users_probed_lead[0], TEXT_NOP, jump, NULL), POKE_E_EXPECTED);
    EXPECT_EQ(unregister_kprobe(&probe), POKE_OK);
    EXPECT_EQ(text_switch(users_probed_lead[0], TEXT_NOP, jump, NULL), POKE_OK);
    EXPECT_EQ(text_switch(users_probed_lead[0], jump, TEXT_NOP, NULL), POKE_OK);
}

TEST_BARE("text of its own that can be patched", users, kprobe_many,
          "as many probes as there is room for, and each has its place again", .budget_ms = 50)
{
    static struct kprobe probes[KPROBES_MAX];
    static const uint8_t code[] = { 0x90, 0x90, 0xc3 };
    uint8_t *text = (uint8_t *)mm_text_alloc(1);
    struct kprobe other = { .addr = users_probed[0].site, .pre_handler = count };

    REQUIRE(text);
    for (unsigned i = 0; i < 2 * KPROBES_MAX; i++) {
        struct kprobe *p = &probes[i % KPROBES_MAX];

        if (i >= KPROBES_MAX)
            EXPECT_EQ(unregister_kprobe(p), POKE_OK);
        *p = (struct kprobe){ .addr = text + i * sizeof code, .pre_handler = count };
        EXPECT_EQ(text_poke_copy(p->addr, code, sizeof code), POKE_OK);
        EXPECT_EQ(register_kprobe(p), POKE_OK);
    }
    EXPECT_EQ(register_kprobe(&other), POKE_E_PENDING);
    EXPECT_EQ(text_free(text, PAGE_SIZE), POKE_E_EXPECTED);
    for (unsigned i = 0; i < KPROBES_MAX; i++)
        EXPECT_EQ(unregister_kprobe(&probes[i]), POKE_OK);
    EXPECT_EQ(text_free(text, PAGE_SIZE), POKE_OK);
    EXPECT_EQ(register_kprobe(&other), POKE_OK);
    EXPECT_EQ(unregister_kprobe(&other), POKE_OK);
}

/* ---- a traced function ---- */

static uint64_t traced, probed;

notrace static void trace(__attribute__((unused)) uintptr_t ip,
                          __attribute__((unused)) uintptr_t parent_ip,
                          __attribute__((unused)) struct tracer *self)
{
    traced++;
}

DEFINE_TRACER(beside_probe, trace);

static void count_probed(__attribute__((unused)) struct kprobe *p,
                         __attribute__((unused)) const struct kprobe_regs *regs)
{
    probed++;
}

NOINLINE static uint64_t traced_function(uint64_t x)
{
    __asm__ volatile("" ::: "memory");
    return 3 * x + 1;
}

TEST_BARE("text of its own that can be patched", users, kprobe_of_traced,
          "a traced function's entry has a tracer and a probe, and both see each pass",
          .budget_ms = 50)
{
    struct kprobe probe = { .addr = (uint8_t *)traced_function, .pre_handler = count_probed };

    traced = probed = 0;
    EXPECT_EQ(register_kprobe(&probe), POKE_OK);
    EXPECT_EQ(probe.addr, (uint8_t *)traced_function + sizeof poke_nop5);
    EXPECT_EQ(traced_function(2), 7);
    EXPECT_EQ(probed, 1);
    EXPECT_EQ(ftrace_set_function((const void *)traced_function, &beside_probe), POKE_OK);
    EXPECT_EQ(traced_function(3), 10);
    EXPECT_EQ(probed, 2);
    EXPECT_EQ(traced, 1);
    EXPECT_EQ(unregister_kprobe(&probe), POKE_OK);
    EXPECT_EQ(traced_function(4), 13);
    EXPECT_EQ(probed, 2);
    EXPECT_EQ(traced, 2);
    EXPECT_EQ(ftrace_set_function((const void *)traced_function, NULL), POKE_OK);
    EXPECT_EQ(traced_function(5), 16);
    EXPECT_EQ(traced, 2);
}
