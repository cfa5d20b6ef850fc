/* SPDX-License-Identifier: MIT */
/*
 * Probes: a function of one's own is called whenever a chosen instruction is about to be executed.
 * Mirrors Linux's struct kprobe, without post-handlers.
 *
 *     static struct kprobe probe = { .addr = site, .pre_handler = count };
 *
 *     register_kprobe(&probe);
 *     optimize_kprobe(&probe);    if the instructions there allow it: a jump instead of a trap
 *
 * The first byte becomes INT3. The instruction is then emulated, or a copy of it executed that
 * lies elsewhere and is followed by a jump back: no single step, so there is no state that a probe
 * in an interrupt or NMI could disturb.
 */
#ifndef POKE_USERS_KPROBE_H
#define POKE_USERS_KPROBE_H

#include "poke/insn.h"

#define KPROBES_MAX 64

/* Registers before the instruction. */
struct kprobe_regs {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    struct poke_regs at; /* ip: one byte behind the instruction's first */
};

struct kprobe {
    /*
     * Of the instruction's first byte. register_kprobe() moves it behind the NOP or CALL that a
     * traced function begins with, so that the tracer and the probe both see each pass.
     */
    uint8_t *addr;
    /*
     * Called in the #BP handler, with interrupts off, or by an optimised probe in the context that
     * executes the instruction: any, NMI included. It may be called on several cores at once. It
     * must not execute text that is probed itself, and call nothing that takes text_mutex, waits as
     * text_synchronise() does, or passes a quiescent point.
     */
    void (*pre_handler)(struct kprobe *p, const struct kprobe_regs *regs);
};

/*
 * From its return on every execution of the instruction, on any core, calls the handler first.
 * Takes text_mutex (POKE_E_LOCK if it is held). With nothing changed: POKE_E_ADDRESS if the text is
 * not patchable, the address is none of an instruction, or the site belongs to a static key, a
 * static call, a redirected function or a tracer; POKE_E_OPCODE if the instruction can neither be
 * emulated nor be executed elsewhere (poke/users/insn_copy.h); POKE_E_DISPLACEMENT if that is too
 * far away; POKE_E_EXPECTED if the bytes belong to another probe, or hold an INT3; POKE_E_PENDING
 * if KPROBES_MAX are registered. POKE_E_READBACK is the end of patching; the probe stays then, as
 * its INT3 may. Thread context, interrupts on.
 *
 * Not noticed: that the instruction before it is STI or MOV SS, whose shadow over this one is lost.
 */
enum poke_error register_kprobe(struct kprobe *p);

/*
 * Take it back. When it returns no core is in the handler nor will be, and *p may go. Waits as
 * text_synchronise() does (poke/users/reclaim.h), whose rules hold, unless the instruction was
 * emulated. POKE_E_EXPECTED: it is not registered. POKE_E_PENDING: another core is in
 * optimize_kprobe() with it. POKE_E_READBACK. Context as above.
 */
enum poke_error unregister_kprobe(struct kprobe *p);

/*
 * Make a JMP of five bytes of the INT3: to a detour that calls the handler, then executes copies of
 * the instructions in these bytes. Waits, as text_synchronise() does, until no core is between
 * them. Each execution calls the handler once throughout. POKE_E_EXPECTED: not registered, or
 * optimised already, or another core is doing it. It stays a trap with POKE_E_OPCODE, since
 * something in the function may lead between these instructions, or they cannot all be executed
 * elsewhere, and with POKE_E_DISPLACEMENT. POKE_E_READBACK. Context as above. Mirrors Linux's
 * function of this name, which a worker calls there.
 */
enum poke_error optimize_kprobe(struct kprobe *p);

/* A trap again. POKE_E_EXPECTED: it is not optimised. POKE_E_READBACK. As above; does not wait. */
enum poke_error unoptimize_kprobe(struct kprobe *p);

/*
 * Does a probe have a byte of [addr, addr + len)? One that has been optimised, as many as its JMP
 * covers: copies of these instructions are executed instead, also when it is a trap again. For who
 * patches sites that register_kprobe() does not know to refuse. Under text_mutex.
 */
bool kprobe_has_text(const void *addr, size_t len);

/* Must nothing lead to `target`, since a JMP covers it, or is about to? Under text_mutex. */
bool kprobe_covers(const void *target);

/*
 * The text that copies and detours are made in: `text`, kprobe_text_bytes() bytes of patchable
 * text. Once, at boot; before it register_kprobe() answers POKE_E_PENDING.
 */
size_t kprobe_text_bytes(void);
void kprobe_init(uint8_t *text);

/*
 * In the #BP handler, for an INT3 that the engine has left: true if it was a probe's, with regs->at
 * as after the probed instruction, or before its copy. Any context including NMI, interrupts off.
 * Mirrors Linux `kprobe_int3_handler`.
 */
bool kprobe_int3_handler(struct kprobe_regs *regs);

#endif
