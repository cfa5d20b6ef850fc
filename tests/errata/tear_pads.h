/* SPDX-License-Identifier: MIT */
/*
 * Landing pads: where does a jump go whose displacement is changed while it is executed?
 *
 * Old and new displacement differ in all four bytes, and each of the 16 mixtures of their bytes is
 * another target that names the mixture:
 *
 *     mask (bit i: byte i is new)      target
 *     both high bytes old or new       a pad near the jump, which returns the mask
 *     one of them new                  16 MiB away, where nothing is mapped: a page fault at
 *     exactly
 *                                      the target's address
 */
#ifndef TESTS_ERRATA_TEAR_PADS_H
#define TESTS_ERRATA_TEAR_PADS_H

#include <stdbool.h>
#include <stdint.h>

#define PADS_BYTES 4u /* of a displacement */
#define PADS_MASKS 16u
#define PADS_OLD   0u
#define PADS_NEW   15u

/* Displacement of a mixture. Pure. */
uint32_t pads_displacement(unsigned mask);
/* The mixture that has it, or PADS_MASKS if none does. Pure. */
unsigned pads_mask(uint32_t displacement);
/* Is there a pad, that is, is the target within 64 KiB of the jump? Pure. */
bool pads_is_near(unsigned mask);

#endif
