/* SPDX-License-Identifier: MIT */
/* The users that users/all_at_once runs; each is defined beside its own tests or in user_*.c. */
#ifndef TESTS_USERS_ALL_AT_ONCE_H
#define TESTS_USERS_ALL_AT_ONCE_H

#include "tests/users/load.h"

/*
 * Define `name_`: its load, begin and end. In a process it is compiled, as its tests are, but not
 * linked.
 */
#ifdef CROSSMOD_HOSTED
#define TEXT_USER(name_, ...)                                                                      \
    static __attribute__((unused))                                                                 \
    const struct text_user unlinked_user_##name_ = { #name_, __VA_ARGS__ }
#else
#define TEXT_USER(name_, ...) const struct text_user user_##name_ = { #name_, __VA_ARGS__ }
#endif

extern const struct text_user user_static_key, user_long_key, user_static_call, user_event,
    user_ftrace, user_text_switch, user_redirect, user_probes, user_reclaim, user_queue;

#endif
