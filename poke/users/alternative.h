/* SPDX-License-Identifier: MIT */
/*
 * Alternatives: an instruction sequence that another one replaces at boot, if the processor has a
 * feature. Mirrors Linux's asm/alternative.h.
 *
 *     asm(ALTERNATIVE("call slow", "popcnt %rdi, %rax", "0x1000217") ...);   leaf 1, ECX, bit 23
 *
 * It is done once, by text_poke_early(), while one core runs: afterwards there is nothing to
 * decide any more.
 */
#ifndef POKE_USERS_ALTERNATIVE_H
#define POKE_USERS_ALTERNATIVE_H

#include "poke/poke.h"

/* A bit of CPUID leaf `leaf` (below 256; subleaf 0), register EAX to EDX as 0 to 3. */
#define ALTERNATIVE_FEATURE(leaf, reg, bit) ((leaf) << 24 | (reg) << 8 | (bit))
#define ALTERNATIVE_LEAF(feature)           ((feature) >> 24)
#define ALTERNATIVE_REG(feature)            ((feature) >> 8 & 3)
#define ALTERNATIVE_BIT(feature)            ((feature)&31)

/* One place. Written by the macro below. */
struct alternative {
    uintptr_t code, replacement;
    uint32_t feature;
    uint16_t code_len, replacement_len; /* the second is not above the first */
};

/*
 * For inline assembly: `code`, unless the processor has `feature` (the number, as text); then
 * `replacement` and NOPs. The replacement is executed elsewhere than where it is assembled: nothing
 * in it may be relative to its address. It is an error of the assembler if it is the longer one.
 */
#define ALTERNATIVE(code, replacement, feature)                                                    \
    "771:\n\t" code "\n772:\n\t"                                                                   \
    ".pushsection .alternative_text, \"a\", @progbits\n773:\n\t" replacement "\n774:\n\t"          \
    ".popsection\n\t"                                                                              \
    ".if (774b - 773b) > (772b - 771b)\n\t"                                                        \
    ".error \"the replacement is longer than the code\"\n\t"                                       \
    ".endif\n\t"                                                                                   \
    ".pushsection .alternatives, \"a\", @progbits\n\t"                                             \
    ".balign 8\n\t"                                                                                \
    ".quad 771b, 773b\n\t"                                                                         \
    ".long " feature "\n\t"                                                                        \
    ".word 772b - 771b, 774b - 773b\n\t"                                                           \
    ".popsection\n\t"

/*
 * Replace wherever `has` says that the processor has the feature. Once, on the only core that runs,
 * before any of the code is executed. Errors of text_poke_early().
 */
enum poke_error alternatives_apply(bool (*has)(uint32_t feature));

#endif
