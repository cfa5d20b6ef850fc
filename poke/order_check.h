/* SPDX-License-Identifier: MIT */
#ifndef POKE_ORDER_CHECK_H
#define POKE_ORDER_CHECK_H

#include <stdint.h>

/* Remember where the rings stand, before a batch. Under text_mutex. */
void poke_order_check_begin(void);

/*
 * Check what the rings say since then about the sites of poke_table, whose batch has run its
 * steps. Under text_mutex.
 */
void poke_order_check_finish(uint64_t batch);

#endif
