/* SPDX-License-Identifier: MIT */
/*
 * The ways of the protocols in the wild to patch one site by their own stores, through an alias.
 * All are of type site_patch (tests/lib/patcher.h): image `to` fits the site's family, text_mutex
 * is held; POKE_E_ADDRESS if there is no alias.
 */
#ifndef TESTS_ERRATA_WILD_PATCH_H
#define TESTS_ERRATA_WILD_PATCH_H

#include "kernel/trap/trap.h"
#include "tests/lib/patcher.h"

/* Whose sites are patched from now on. The set stays until the next call. */
void wild_stores_set(const struct site_set *set);

/* One plain 8-byte store of what the slot's quadword, or else the 8 bytes from it on, will hold. */
enum poke_error wild_quad(const struct site *s, const struct site_image *to);
/* The same, then all cores serialise. */
enum poke_error wild_quad_sync(const struct site *s, const struct site_image *to);
/* The same by a locked exchange. */
enum poke_error wild_quad_locked(const struct site *s, const struct site_image *to);
/* One byte after the other, in ascending order. */
enum poke_error wild_bytewise(const struct site *s, const struct site_image *to);
/* Two short jumps to themselves, then what lies behind them, then the head. 5 bytes. */
enum poke_error wild_self_jump(const struct site *s, const struct site_image *to);
/* An instruction of two bytes by one store. */
enum poke_error wild_two_bytes(const struct site *s, const struct site_image *to);
/* Behind a jump over it the sled is written as it comes; the 2-byte head decides. */
enum poke_error wild_sled(const struct site *s, const struct site_image *to);
/* INT3, tail and head, and wild_wait ticks after each instead of a sync. */
enum poke_error wild_timed_wait(const struct site *s, const struct site_image *to);
extern uint64_t wild_wait;
/* #BP handler for it: back to the INT3, if it is that of a site of the set. */
bool wild_retry_int3(struct trap_frame *frame);
/* All cores are stopped while the bytes change; each serialises before it goes on. */
enum poke_error wild_stop_machine(const struct site *s, const struct site_image *to);

#endif
