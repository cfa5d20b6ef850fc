/* SPDX-License-Identifier: MIT */
#include "tests/latency/bare_bp.h"

#include <stdint.h>

#include "kernel/trap/trap.h"
#include "poke/poke.h"

#ifdef CROSSMOD_HOSTED

/* Written while `do_nothing` is not installed; any core may be in it a little longer. */
static trap_handler usual;

/* An INT3 of a patch lies in patchable text, and its signal may come late: it is the engine's. */
static bool do_nothing(struct trap_frame *frame)
{
    return !machine_is_patchable(frame->rip - INT3_INSN_SIZE, INT3_INSN_SIZE) || usual(frame);
}

void bare_bp_init(void)
{
    usual = trap_set_handler(TRAP_BP, NULL);
    trap_set_handler(TRAP_BP, do_nothing);
}

void bare_bp_exit(void)
{
    trap_set_handler(TRAP_BP, usual);
}

void bare_bp_begin(void)
{
}

void bare_bp_end(void)
{
}

#else

struct idt_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

/* SDM vol 3A, "64-Bit Mode IDT": the offset's parts lie in bits 15:0, 63:48 and 95:64. */
struct gate {
    uint64_t low, high;
};
#define GATE_OFFSET_LOW (0xffffull | 0xffffull << 48)

static struct gate copy[256] __attribute__((aligned(16)));
static struct idt_pointer usual;

static __attribute__((naked)) void entry(void)
{
    __asm__ volatile("iretq");
}

static void load_idt(const struct idt_pointer *pointer)
{
    __asm__ volatile("lidt %0" ::"m"(*pointer));
}

void bare_bp_init(void)
{
    uint64_t at = (uint64_t)(uintptr_t)entry;

    __asm__ volatile("sidt %0" : "=m"(usual));
    for (unsigned v = 0; v < 256; v++)
        copy[v] = ((const struct gate *)usual.base)[v];
    copy[TRAP_BP].low =
        (copy[TRAP_BP].low & ~GATE_OFFSET_LOW) | (at & 0xffff) | (at >> 16 & 0xffff) << 48;
    copy[TRAP_BP].high = at >> 32;
}

void bare_bp_exit(void)
{
}

void bare_bp_begin(void)
{
    struct idt_pointer pointer = { sizeof copy - 1, (uint64_t)(uintptr_t)copy };

    load_idt(&pointer);
}

void bare_bp_end(void)
{
    load_idt(&usual);
}

#endif
