/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose: a probe becomes a jump without waiting for the threads that were interrupted
 * between the instructions that the jump covers.
 */
#include "poke/users/reclaim.h"

#define text_synchronise() ((void)0)

#include "poke/users/kprobe_optimize.c"
