/* SPDX-License-Identifier: MIT */
/*
 * Core sync: every online core executes a serialising instruction (SDM vol 3A, "Serializing
 * Instructions") between the request and the answer, so that no core runs on with instructions
 * that it fetched before.
 *
 * Shared words. `round` is written by the sender, one at a time in the whole machine, and read by
 * the handlers. The stores that were to be synchronised, then round (release), then the interrupt
 * (apic_ipi.c orders them); the handler acquires round, serialises, logs, and releases its own
 * sync_ack; the sender acquires each sync_ack. So all that a core logged and counted for a round
 * is visible to the sender when the round ends, and a core that acknowledged fetches the new code.
 * `finished` is written by the sender for smp_sync_silent() alone.
 *
 * Who is asked: every core that runs, but those that are quiescent. The stores and round, then a
 * full barrier, then the look at each core (must_ask() in ipi.c). A core that leaves its quiescence
 * does so by a locked operation, and serialises afterwards: quiescent.c has the argument. A
 * core that was asked and then becomes quiescent waits with interrupts on: it leaves, and answers.
 *
 * Who is waited for: up to ACK_GROUP cores one by one; more through the tree (ack_tree.h), so that
 * the sender does not fetch a line from each. `by_tree` is written by the sender before it sends,
 * and read by the handlers of the cores that were asked in that round: no other core gets one.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/cpu/cpu_tables.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "smp/ack_tree.h"
#include "smp/apic.h"

#define CPUID7_EDX_SERIALIZE (1u << 14)

/* Read by all cores in each round, written before patching starts. */
static enum sync_method method __attribute__((aligned(CACHE_LINE)));

static uint64_t round __attribute__((aligned(CACHE_LINE)));
static bool by_tree;
static uint64_t finished;

static bool has_serialize(void)
{
    return cpuid_basic(7, 0).edx & CPUID7_EDX_SERIALIZE;
}

bool sync_works_here(void)
{
    return method != SYNC_SERIALIZE || has_serialize();
}

bool smp_sync_select(enum sync_method wanted)
{
    if (wanted == SYNC_AUTO)
        wanted = has_serialize() ? SYNC_SERIALIZE : SYNC_IRET;
    if (wanted == SYNC_SERIALIZE && !has_serialize())
        return false;
    method = wanted;
    return true;
}

const char *smp_sync_name(void)
{
    switch (method) {
    case SYNC_SERIALIZE:
        return "serialize";
    case SYNC_CR2:
        return "cr2";
    case SYNC_CPUID:
        return "cpuid";
    default:
        return "iret";
    }
}

/* IRET to the next instruction. It ends the blocking of NMIs, so it is not for NMI handlers. */
static void iret_to_self(void)
{
    uint64_t scratch;

    __asm__ volatile("mov %%rsp, %0\n\t"
                     "push %1\n\t"
                     "push %0\n\t"
                     "pushfq\n\t"
                     "push %2\n\t"
                     "lea 1f(%%rip), %0\n\t"
                     "push %0\n\t"
                     "iretq\n"
                     "1:"
                     : "=&r"(scratch)
                     : "i"(KERNEL_DS), "i"(KERNEL_CS)
                     : "memory", "cc");
}

/* The same value: a page fault that is being handled must find its address. */
static void mov_to_cr2(void)
{
    __asm__ volatile("mov %%cr2, %%rax\n\t"
                     "mov %%rax, %%cr2\n\t"
                     "jmp 1f\n"
                     "1:" ::
                         : "rax", "memory");
}

void sync_core(void)
{
    switch (method) {
    case SYNC_SERIALIZE:
        __asm__ volatile(".byte 0x0f, 0x01, 0xe8" ::: "memory"); /* SERIALIZE: binutils < 2.35 */
        break;
    case SYNC_CR2:
        mov_to_cr2();
        break;
    case SYNC_CPUID:
        cpuid(0, 0); /* leaf 0: some parts need ten times as long for others */
        break;
    default: /* SYNC_IRET, and until a method is selected */
        iret_to_self();
    }
}

void sync_core_in_nmi(void)
{
    if (method == SYNC_SERIALIZE || method == SYNC_CPUID)
        sync_core();
    else
        mov_to_cr2();
}

static void acknowledge(struct percpu *cpu, uint64_t r)
{
    sync_core();
    poke_log_ack(r);
    store_relaxed(&cpu->sync_count, cpu->sync_count + 1);
    store_release(&cpu->sync_ack, r); /* pairs with the acquire in wait_for_each() */
}

bool sync_handler(struct trap_frame *frame)
{
    (void)frame;
    uint64_t r = load_acquire(&round); /* pairs with the release in smp_sync_cores() */
    /* Before the acknowledgement: after it the sender may be in its next round. */
    bool tree = load_relaxed(&by_tree);
    acknowledge(this_cpu(), r);
    if (tree)
        ack_tree_arrive(cpu_index());
    apic_eoi();
    return true;
}

static void expect_by_tree(uint64_t r)
{
    for (unsigned i = 0; i < smp_possible(); i++) {
        if (ipi_was_asked(i, IPI_SYNC, r))
            ack_tree_expect(i);
    }
}

static void wait_for_each(uint64_t r)
{
    for (unsigned i = 0; i < smp_possible(); i++) {
        /* Pairs with the release in acknowledge(). A core that never answers is the watchdog's. */
        while (ipi_was_asked(i, IPI_SYNC, r) && load_acquire(&percpu(i)->sync_ack) < r)
            cpu_relax();
    }
}

void smp_sync_cores(uint64_t r)
{
    store_release(&round, r); /* pairs with the acquire in sync_handler() */
    full_barrier();           /* pairs with the one in quiescent_leave() */
    unsigned asked = ipi_choose_others(IPI_SYNC, r);
    store_relaxed(&by_tree, asked > ACK_GROUP);
    if (by_tree)
        expect_by_tree(r);
    ipi_ask_others(IPI_SYNC, r, asked);
    acknowledge(this_cpu(), r);
    if (by_tree) {
        while (!ack_tree_complete())
            cpu_relax();
    } else if (asked != 0) {
        wait_for_each(r);
    }
    store_release(&finished, r);
}

int smp_sync_silent(uint64_t *r)
{
    uint64_t waiting = load_acquire(&round);

    *r = waiting;
    if (waiting == load_acquire(&finished))
        return -1;
    for (unsigned i = 0; i < smp_possible(); i++) {
        struct percpu *cpu = percpu(i);

        if (load_relaxed(&cpu->asked[IPI_SYNC]) == waiting &&
            load_acquire(&cpu->sync_ack) < waiting)
            return (int)i;
    }
    return -1;
}
