/* SPDX-License-Identifier: MIT */
/*
 * Protocols that are wrong on purpose: what the laboratory's detectors must catch. Rows for
 * poke_select_protocol(); the promise says what is wrong, or that there is none.
 */
#ifndef TESTS_SELFTEST_FAULTY_PROTOCOLS_H
#define TESTS_SELFTEST_FAULTY_PROTOCOLS_H

#include "poke/poke.h"

/* All bytes in ascending order with nothing around them: torn executions. */
extern const struct poke_protocol poke_fault_bytewise;

/* Tail, then first byte, with no INT3: the old first byte runs with the new tail. */
extern const struct poke_protocol poke_fault_no_int3;

/* No sync 1: a core that still holds the old first byte may fetch the new tail. */
extern const struct poke_protocol poke_fault_no_sync1;

/* No sync 2: a core may see the new first byte before the new tail. */
extern const struct poke_protocol poke_fault_no_sync2;

/* No sync 3: a core may meet the INT3 when the table is gone: nobody's breakpoint. */
extern const struct poke_protocol poke_fault_no_sync3;

/* INT3 before publish: a core that meets it in between finds no table: nobody's breakpoint. */
extern const struct poke_protocol poke_fault_late_publish;

/* Two syncs before the INT3 is stored: the old instruction runs when the first one has ended. */
extern const struct poke_protocol poke_fault_early_sync;

/* INT3, a sync, then publish: cores have time to meet nobody's breakpoint. */
extern const struct poke_protocol poke_fault_sync_before_publish;

/* Retire and a sync before the first byte: cores have time to meet nobody's breakpoint. */
extern const struct poke_protocol poke_fault_early_retire;

#endif
