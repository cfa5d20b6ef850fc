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
 * May anything but the instruction before it lead to [from, to), which lies in one function? Told
 * by the function's branches and those of its cold parts, and the targets of static keys. Yes if
 * that cannot be known: of an indirect jump, an instruction that is not known, text without
 * functions.
 */
bool kprobe_is_target(const uint8_t *from, const uint8_t *to);

#endif
