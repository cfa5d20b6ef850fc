/* SPDX-License-Identifier: MIT */
/* What the code around a probe says of it. Under text_mutex: patches in it have come to an end. */
#ifndef POKE_USERS_KPROBE_FUNCTION_H
#define POKE_USERS_KPROBE_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Does an instruction begin at `addr`? Told by decoding from the function's beginning. Text that is
 * not the kernel's image has no functions: yes.
 */
bool kprobe_is_instruction(const uint8_t *addr);

/*
 * May anything but the instruction before it lead to [from, to)? Told by the branches of the
 * function and of its cold parts, by the addresses that they name (who pushes one may return
 * there), and by the targets of static keys. Yes if that cannot be known: of an indirect jump, an
 * instruction that is not known, text without functions, a range that is not in one.
 *
 * Not seen: a jump into the middle from another function, or through an address that only data
 * has. No compiled function has one, but for the tables of indirect jumps.
 */
bool kprobe_is_target(const uint8_t *from, const uint8_t *to);

#endif
