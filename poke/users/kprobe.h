/* SPDX-License-Identifier: MIT */
/*
 * Probes: a function of one's own is called whenever a chosen instruction is about to be executed.
 * Mirrors Linux's struct kprobe, as far as instructions go that the engine can emulate: those of
 * static keys, static calls, traced functions, and every other NOP2, NOP5, NOP6, CALL, JMP, Jcc and
 * RET. There is no single stepping of others.
 *
 *     static struct kprobe probe = { .addr = site, .len = 5, .pre_handler = count };
 *
 *     register_kprobe(&probe);
 */
#ifndef POKE_USERS_KPROBE_H
#define POKE_USERS_KPROBE_H

#include "poke/insn.h"

#define KPROBES_MAX 64

struct kprobe {
    uint8_t *addr; /* of the instruction's first byte */
    uint8_t len;   /* of its slot, as poke_insn_decode() wants it */
    /*
     * Called in the #BP handler: any context including NMI, interrupts off. regs->ip is behind the
     * INT3. It may be called on several cores at once, and must not execute patchable text that
     * is probed itself.
     */
    void (*pre_handler)(struct kprobe *p, const struct poke_regs *regs);

    /* The file's own. */
    struct poke_insn insn; /* what stands there */
    uint8_t first_byte;
};

/*
 * From its return on every execution of the instruction, on any core, calls the handler first. The
 * first byte becomes INT3, and all cores serialise. Takes text_mutex (POKE_E_LOCK if it is held).
 * POKE_E_OPCODE and the other errors of poke_insn_decode(): not an instruction of the list.
 * POKE_E_ADDRESS: not patchable. POKE_E_PENDING: KPROBES_MAX are registered. POKE_E_EXPECTED: an
 * INT3 stands there already, of another probe or of a patch.
 */
enum poke_error register_kprobe(struct kprobe *p);

/*
 * Take it back: the old first byte is stored, and all cores serialise. When it returns no core is
 * in the handler nor will be, and *p may go. POKE_E_EXPECTED: it is not registered.
 */
enum poke_error unregister_kprobe(struct kprobe *p);

/*
 * In the #BP handler, for an INT3 that the engine has left: true if it was a probe's, with regs as
 * after the probed instruction. Any context including NMI, interrupts off. Mirrors Linux
 * `kprobe_int3_handler`.
 */
bool kprobe_int3_handler(struct poke_regs *regs);

#endif
