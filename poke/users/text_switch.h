/* SPDX-License-Identifier: MIT */
/*
 * Switch a site of five bytes between nothing, a call and a jump, by who knows what it holds.
 * Mirrors Linux's `bpf_arch_text_poke`.
 *
 *     text_switch(site, TEXT_NOP, TEXT_CALL(program), NULL);
 *     text_switch(site, TEXT_CALL(program), TEXT_JMP(other), NULL);
 */
#ifndef POKE_USERS_TEXT_SWITCH_H
#define POKE_USERS_TEXT_SWITCH_H

#include "poke/poke.h"

/* What a site does; made by the macros below. */
struct text_target {
    uint8_t opcode; /* CALL, JMP32; 0: NOP5 */
    const void *to;
};

#define TEXT_NOP        ((struct text_target){ .opcode = 0 })
#define TEXT_CALL(func) ((struct text_target){ CALL_INSN_OPCODE, (const void *)(func) })
#define TEXT_JMP(func)  ((struct text_target){ JMP32_INSN_OPCODE, (const void *)(func) })

/*
 * Switch `site` from what it holds to another target, through the breakpoint protocol: each core
 * executes the one or the other, and when it returns no core enters the old target any more. It
 * may still be inside (poke/users/reclaim.h). *switched, if not NULL: false if the two are the
 * same, or on an error. Takes text_mutex (POKE_E_LOCK if it is held). POKE_E_EXPECTED if the site
 * does not hold `from`, or if a probe covers it or its target (kprobe.h); POKE_E_ADDRESS, _OPCODE,
 * _DISPLACEMENT; all these with nothing changed. Thread context, interrupts on.
 */
enum poke_error text_switch(void *site, struct text_target from, struct text_target to,
                            bool *switched);

#endif
