/* SPDX-License-Identifier: MIT */
#ifndef POKE_LOCK_H
#define POKE_LOCK_H

#include <stdbool.h>

/* Does the core that asks hold text_mutex? Thread context. */
bool text_mutex_held(void);

#endif
