/* SPDX-License-Identifier: MIT */
/* The state of the simulated machine as a value: to compare, to go back to, to keep for later. */
#ifndef TESTS_MODEL_STATE_H
#define TESTS_MODEL_STATE_H

#include <stdint.h>

/* Remember the present state, and go back to it. There is one such place. */
void state_save(void);
void state_restore(void);

/* Hash of everything that the future depends on. After state_save(). */
uint64_t state_hash(void);

/*
 * A copy of the present state, from malloc(), and back to it: as long as no other scenario has
 * been reset.
 */
struct packed;
struct packed *state_pack(void);
void state_unpack(struct packed *packed);

#endif
