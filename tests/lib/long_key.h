/* SPDX-License-Identifier: MIT */
/* A static key with as many sites as one likes, made at run time, eight bytes apart. */
#ifndef TESTS_LIB_LONG_KEY_H
#define TESTS_LIB_LONG_KEY_H

#include "poke/users/jump_label.h"

/*
 * Make *key, disabled, with `sites` sites, 1 or more. False if memory is short. Each is a function
 * that begins with its branch: (*(unsigned (*)(void))key->sites[i].code)() is whether that is
 * taken. For ever. Boot core, thread context.
 */
bool long_key_make(struct static_key *key, unsigned sites);

#endif
