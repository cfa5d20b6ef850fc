/* SPDX-License-Identifier: MIT */
#ifndef POKE_ORDER_CHECK_H
#define POKE_ORDER_CHECK_H

#include "poke/table.h"

/* Remember where the rings stand, before the batch of `table`. Under text_mutex. */
void poke_order_check_begin(const struct poke_table *table);

/*
 * Check what the rings say since then about the sites of `table`, whose batch has run its steps:
 * all of them, so the next batch may have begun or ended. Under text_mutex.
 */
void poke_order_check_finish(const struct poke_table *table, uint64_t batch);

#endif
