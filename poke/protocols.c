/* SPDX-License-Identifier: MIT */
#include "poke/poke.h"

/*
 * Sync 1: every core has dropped the old first byte, so none pairs it with the new tail.
 * Sync 2: every core sees the tail before the first byte becomes real. Believed needless on Intel
 *         processors (Anvin, 2010), promised by nobody for the others.
 * Sync 3: no core can meet the INT3, and no handler of one is still running. Nothing but the end of
 *         the table waits for it, so it may come later, as sync 1 of the batch that follows.
 */
const struct poke_protocol poke_int3 = {
    .name = "int3",
    .promise = "every execution is of the old or of the new instruction, from sync 1 on of the new",
    .source = "Linux smp_text_poke_batch_finish(); Anvin (Intel), 12 Jan 2010",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_INT3, POKE_STEP_SYNC, POKE_STEP_TAIL, POKE_STEP_SYNC,
               POKE_STEP_FIRST, POKE_STEP_SYNC_LATE, POKE_STEP_RETIRE, POKE_STEP_END },
};
