/* SPDX-License-Identifier: MIT */
/*
 * The local APIC in each mode that firmware may hand over: smp/apic.c and smp/apic_ipi.c as they
 * are, with the registers of a simulated core. An access or a change of mode that would fault on a
 * processor is a failure (SDM vol 3A, "x2APIC State Transitions" and "MSR Access in x2APIC Mode").
 */
#include "tests/host/host_test.h"

#include "kernel/cpu/regs.h"
#include "kernel/mm/mm.h"
#include "kernel/trap/trap.h"
#include "smp/apic.h"
#include "smp/apic_regs.h"

#define ADDRESS  0xfee00000ull
#define BSP      (1ull << 8)
#define DISABLED 0ull
#define XAPIC    (1ull << 11)
#define X2APIC   (3ull << 10)

#define ID_OF_CORE 0x12345

static struct {
    uint64_t base;
    bool locked;           /* in x2APIC mode, which then cannot be left */
    bool has_capabilities; /* the MSRs that say so */
    unsigned changes;      /* of the mode */
    uint64_t x2apic[0x40]; /* MSRs 0x800 .. */
    uint32_t memory[1024]; /* the xAPIC's page */
    bool mapped;
} core;

static void faults(const char *what, uint32_t msr)
{
    fail_msg("#GP: %s 0x%x", what, msr);
}

uint64_t rdmsr(uint32_t msr)
{
    switch (msr) {
    case MSR_APIC_BASE:
        return core.base;
    case 0x10a:
        if (!core.has_capabilities)
            faults("reads", msr);
        return core.locked ? 1ull << 21 : 0;
    case 0xbd:
        if (!core.locked)
            faults("reads", msr);
        return 1;
    case 0x802: /* the whole id, read-only */
        if ((core.base & X2APIC) == X2APIC)
            return ID_OF_CORE;
        break;
    }
    if ((core.base & X2APIC) != X2APIC || msr < 0x800 || msr >= 0x840 || msr == 0x831)
        faults("reads", msr);
    return core.x2apic[msr - 0x800];
}

static void change_mode(uint64_t value)
{
    uint64_t from = core.base & X2APIC, to = value & X2APIC;

    core.changes++;
    if (to == (1ull << 10) || (from == X2APIC && to == XAPIC) ||
        (from == DISABLED && to == X2APIC) || (core.locked && to != X2APIC))
        fail_msg("#GP: mode %llx to %llx", (unsigned long long)from, (unsigned long long)to);
    core.base = value;
}

void wrmsr(uint32_t msr, uint64_t value)
{
    if (msr == MSR_APIC_BASE) {
        change_mode(value);
        return;
    }
    if ((core.base & X2APIC) != X2APIC || msr < 0x800 || msr >= 0x840 || msr == 0x802 ||
        msr == 0x831)
        faults("writes", msr);
    if (msr != 0x830 && value >> 32)
        faults("writes a high half to", msr);
    core.x2apic[msr - 0x800] = value;
}

struct cpuid cpuid_basic(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    return (struct cpuid){ .edx = leaf == 7 && core.has_capabilities ? 1u << 29 : 0 };
}

void *mm_map_device(uint64_t phys, size_t bytes)
{
    assert_int_equal(phys, ADDRESS);
    assert_int_equal(bytes, 4096);
    core.mapped = true;
    return core.memory;
}

void panic(const struct trap_frame *frame, const char *fmt, ...)
{
    (void)frame;
    fail_msg("%s", fmt);
    abort();
}

void apic_timer_start(unsigned us, unsigned vector)
{
    apic_write(APIC_LVT_TIMER, us ? vector : vector | APIC_LVT_MASKED);
}

/* A core as it is handed over, and what the boot core finds. */
static void hand_over(uint64_t mode)
{
    memset(&core, 0, sizeof core);
    core.base = ADDRESS | BSP | mode;
    core.memory[APIC_ID / 4] = 7u << 24;
    apic_detect();
}

static uint32_t memory(unsigned reg)
{
    return core.memory[reg / 4];
}

/* ---- the boot core ---- */

static void the_mode_found_is_kept(void **state)
{
    (void)state;
    hand_over(XAPIC);
    assert_false(apic_is_x2apic());
    assert_int_equal(apic_id(), 7);
    hand_over(X2APIC);
    assert_true(apic_is_x2apic());
    assert_int_equal(apic_id(), ID_OF_CORE);
    assert_int_equal(core.changes, 0);
    assert_false(core.mapped);
    hand_over(DISABLED);
    assert_int_equal(core.base & X2APIC, XAPIC);
    assert_int_equal(core.base & ~X2APIC, ADDRESS | BSP);
    hand_over(X2APIC);
    core.locked = core.has_capabilities = true;
    apic_save();
    apic_enable();
    apic_restore();
    assert_int_equal(core.base & X2APIC, X2APIC);
}

static void settings_come_back(uint64_t mode)
{
    static const unsigned kept[] = { APIC_SVR,          APIC_TPR,          APIC_LVT_TIMER,
                                     APIC_LVT_LINT0,    APIC_LVT_LINT1,    APIC_LVT_ERROR,
                                     APIC_TIMER_DIVIDE, APIC_TIMER_INITIAL };

    hand_over(mode);
    for (unsigned i = 0; i < sizeof kept / sizeof kept[0]; i++)
        apic_write(kept[i], 0x10 + i);
    apic_save();
    apic_enable();
    assert_int_equal(apic_read(APIC_SVR) & 0x1ff, 0x1ff);
    assert_int_equal(apic_read(APIC_TPR), 0xe0);
    assert_true(apic_read(APIC_LVT_LINT0) & APIC_LVT_MASKED);
    apic_restore();
    for (unsigned i = 0; i < sizeof kept / sizeof kept[0]; i++)
        assert_int_equal(apic_read(kept[i]), 0x10 + i);
}

static void settings_come_back_in_each_mode(void **state)
{
    (void)state;
    settings_come_back(XAPIC);
    settings_come_back(X2APIC);
}

/* ---- the others ---- */

/* Another core, whose APIC is in `own` mode, beside a boot core in `mode`. */
static void join(uint64_t mode, uint64_t own)
{
    hand_over(mode);
    core.base = 0xfec80000ull | own; /* INIT need not bring its address back */
    assert_true(apic_adopt_mode());
    assert_int_equal(core.base, ADDRESS | mode);
}

static void other_cores_take_the_same_mode(void **state)
{
    static const uint64_t modes[] = { DISABLED, XAPIC, X2APIC };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        join(XAPIC, modes[i]);
        join(X2APIC, modes[i]);
    }
    hand_over(XAPIC);
    core.base &= ~BSP;
    core.changes = 0;
    assert_true(apic_adopt_mode());
    assert_int_equal(core.changes, 0);
}

static void a_locked_core_is_left_alone(void **state)
{
    (void)state;
    hand_over(XAPIC);
    core.base = ADDRESS | X2APIC;
    core.locked = core.has_capabilities = true;
    assert_false(apic_adopt_mode());
    assert_int_equal(core.changes, 0);
    /* It has the MSRs, and is not locked. */
    core.locked = false;
    assert_true(apic_adopt_mode());
    assert_int_equal(core.base, ADDRESS | XAPIC);
    /* Locked in the mode that is wanted. */
    hand_over(X2APIC);
    core.base = ADDRESS | X2APIC;
    core.locked = core.has_capabilities = true;
    assert_true(apic_adopt_mode());
}

/* ---- interrupts ---- */

static void reach(void **state)
{
    (void)state;
    hand_over(XAPIC);
    assert_true(apic_can_reach(254));
    assert_false(apic_can_reach(255)); /* all cores */
    assert_false(apic_can_reach(256));
    assert_false(apic_can_reach(0xfffffffe));
    hand_over(X2APIC);
    assert_true(apic_can_reach(255));
    assert_true(apic_can_reach(0xfffffffe));
}

static void destinations(void **state)
{
    (void)state;
    hand_over(XAPIC);
    core.memory[APIC_ICR_HIGH / 4] = 0x55000000; /* a sender that this one interrupts */
    apic_send(254, APIC_NMI);
    assert_int_equal(memory(APIC_ICR), APIC_ICR_ASSERT | APIC_NMI);
    assert_int_equal(memory(APIC_ICR_HIGH), 0x55000000);
    apic_send_others(APIC_FIXED | 0xf2);
    assert_int_equal(memory(APIC_ICR), APIC_ICR_OTHERS | APIC_ICR_ASSERT | 0xf2);

    hand_over(X2APIC);
    apic_send(0x12345678, APIC_STARTUP | 0x9e);
    assert_int_equal(core.x2apic[0x30], 0x1234567800000000ull | APIC_ICR_ASSERT | 0x69e);
    apic_send_others(APIC_FIXED | 0xf2);
    assert_int_equal(core.x2apic[0x30], APIC_ICR_OTHERS | APIC_ICR_ASSERT | 0xf2);
    apic_eoi();
    assert_int_equal(core.x2apic[0x0b], 0);
    for (unsigned i = 0; i < 1024; i++)
        assert_int_equal(core.memory[i], i == APIC_ID / 4 ? 7u << 24 : 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mode_found_is_kept),
        cmocka_unit_test(settings_come_back_in_each_mode),
        cmocka_unit_test(other_cores_take_the_same_mode),
        cmocka_unit_test(a_locked_core_is_left_alone),
        cmocka_unit_test(reach),
        cmocka_unit_test(destinations),
    };

    return cmocka_run_group_tests_name("apic", tests, NULL, NULL);
}
