/* SPDX-License-Identifier: MIT */
/*
 * What must be known of an instruction to execute it at another address, as a probe does that has
 * stored INT3 over its first byte: its length, whether it may run elsewhere at all, and what in it
 * depends on where it stands. 64-bit mode. Sources: SDM vol 2, chapter 2 (formats) and appendix A
 * (opcode maps); APM vol 3, appendix A, where AMD's own instructions or behaviour differ.
 *
 * Known: all of the one-byte map and of 0F, 0F38 and 0F3A, and all that VEX and EVEX encode in
 * these and in EVEX maps 5 and 6. Not known, hence POKE_E_OPCODE: 3DNow!, XOP, APX, and what
 * processors decode to different lengths: a near branch with a 16-bit displacement (66 E8, 66 E9,
 * 66 0F 8x).
 *
 * An opcode that nothing defines can pass as plain where its length is certain all the same; above
 * all in 0F38, 0F3A, VEX and EVEX maps, which each generation adds to, while what follows the
 * opcode is the same throughout a map. So can LOCK where it may not stand, except before a branch.
 * All these raise #UD wherever they stand.
 *
 * What is left to the caller: a fault in a copy reports the copy's address, and so does the x87
 * instruction pointer that FNSAVE stores; PUSHF and POPF see the TF of who steps through a copy; an
 * instruction behind MOV SS or STI loses the shadow of these when it is taken away from there.
 */
#ifndef POKE_USERS_INSN_COPY_H
#define POKE_USERS_INSN_COPY_H

#include "poke/poke.h"

#define INSN_MAX_SIZE 15 /* a longer one raises #GP */

enum insn_kind {
    INSN_PLAIN,    /* a copy does the same, and goes on behind itself unless it faults */
    INSN_JUMP,     /* a copy does the same, and never goes on behind itself: RET, indirect JMP */
    INSN_RELATIVE, /* a near branch to an address relative to its own: to be emulated */
    /*
     * Must not be executed elsewhere or on its own:
     *  - CALL indirect, which pushes the copy's address; all far transfers and IRET;
     *  - INT3, INT1, INT n, UD0, UD1, UD2: their handlers look at the address;
     *  - system calls and returns from them, VM entry, SMM, SGX and SEAM transitions, SKINIT,
     *    UIRET: the address goes elsewhere or comes from there;
     *  - MOV SS and STI, whose shadow over the next instruction would cover the wrong one, and HLT,
     *    MWAIT, which STI's shadow commonly covers: the interrupt that should end them would come
     *    before;
     *  - ENDBR, since a landing pad is one at its own address only;
     *  - XBEGIN, whose fallback address is relative; LOOP and JCXZ that count in ECX;
     *  - near branches and RET with a 66 that REX.W does not override: AMD truncates RIP.
     */
    INSN_REFUSED,
};

struct insn_info {
    int32_t rel;     /* of a relative branch: target less the address behind it. Else 0 */
    uint8_t len;     /* in bytes, 1..15, prefixes included */
    uint8_t kind;    /* enum insn_kind */
    uint8_t disp_at; /* where the four bytes of a displacement from RIP begin; 0: there is none */
    /*
     * The opcode's last byte if it leads elsewhere, of whatever kind it is. Relative: E8 CALL; E9,
     * EB JMP; 70..7F and 80..8F (behind 0F) Jcc, the condition in the low four bits; E0 LOOPNE, E1
     * LOOPE, E2 LOOP, E3 JRCXZ; C7 XBEGIN. Indirect: C2, C3 RET; FF JMP, near or far. Else 0.
     */
    uint8_t branch;
};

/*
 * Look at the instruction that begins at `bytes`, of which the first `available` may be read. The
 * bytes must not change meanwhile. Pure; any context.
 * POKE_E_LENGTH: it goes on behind `available`. POKE_E_OPCODE: not an instruction of 64-bit mode,
 * or not a known one. On error *out is not changed.
 */
enum poke_error insn_look(const uint8_t *bytes, size_t available, struct insn_info *out);

/*
 * Write into `out`, which may be text that is not executed yet, the instruction of `bytes`, so that
 * at address `to` it does what `bytes` do at address `from`: a displacement from RIP is adapted.
 * `info` is insn_look()'s answer to `bytes`; info->len bytes are written, which must not overlap
 * `bytes`. Pure; any context.
 * POKE_E_OPCODE: neither INSN_PLAIN nor INSN_JUMP. POKE_E_DISPLACEMENT: what the displacement names
 * is too far from `to`. On error nothing is written.
 */
enum poke_error insn_copy(uint8_t *out, uintptr_t to, const uint8_t *bytes, uintptr_t from,
                          const struct insn_info *info);

#endif
