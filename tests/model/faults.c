/* SPDX-License-Identifier: MIT */
#include "tests/model/faults.h"

#include "tests/selftest/faulty_protocols.h"

static const struct poke_protocol tail_before_int3 = {
    .name = "tail-before-int3",
    .promise = "none: the old first byte runs with the new tail",
    .source = "planted",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_TAIL, POKE_STEP_SYNC, POKE_STEP_INT3, POKE_STEP_SYNC,
               POKE_STEP_FIRST, POKE_STEP_SYNC, POKE_STEP_RETIRE, POKE_STEP_END },
};

static const struct poke_protocol early_retire = {
    .name = "early-retire",
    .promise = "none: an INT3 may be met after the table is gone",
    .source = "planted",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_INT3, POKE_STEP_SYNC, POKE_STEP_TAIL, POKE_STEP_SYNC,
               POKE_STEP_FIRST, POKE_STEP_RETIRE, POKE_STEP_SYNC, POKE_STEP_END },
};

static const struct poke_protocol no_first_byte = {
    .name = "no-first-byte",
    .promise = "none: the INT3 stays",
    .source = "planted",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_INT3, POKE_STEP_SYNC, POKE_STEP_TAIL, POKE_STEP_SYNC,
               POKE_STEP_RETIRE, POKE_STEP_END },
};

#define BIT(clause) (1u << (clause))
#define BOTH(clauses)                                                                              \
    {                                                                                              \
        [VIEW_ANY] = (clauses), [VIEW_VENDOR] = (clauses)                                          \
    }
#define ONLY_ANY(mask)                                                                             \
    {                                                                                              \
        [VIEW_ANY] = (mask), [VIEW_VENDOR] = 0                                                     \
    }

const struct fault faults[] = {
    { "bytewise", "all bytes in ascending order, no INT3, no sync", &engine_real,
      &poke_fault_bytewise, SET_SINGLE, BOTH(BIT(CLAUSE_TORN) | BIT(CLAUSE_STALE)) },
    { "no-int3", "no INT3", &engine_real, &poke_fault_no_int3, SET_SINGLE, BOTH(BIT(CLAUSE_TORN)) },
    { "tail-before-int3", "tail stored before the INT3", &engine_real, &tail_before_int3,
      SET_SINGLE, BOTH(BIT(CLAUSE_TORN)) },
    { "no-sync1", "no sync after the INT3", &engine_real, &poke_fault_no_sync1, SET_SINGLE,
      BOTH(BIT(CLAUSE_TORN)) },
    { "no-sync2", "no sync after the tail", &engine_real, &poke_fault_no_sync2, SET_SINGLE,
      ONLY_ANY(BIT(CLAUSE_TORN)) },
    { "no-sync3", "no sync after the first byte", &engine_real, &poke_fault_no_sync3, SET_SINGLE,
      BOTH(BIT(CLAUSE_ORPHAN)) },
    { "late-publish", "published after the INT3", &engine_real, &poke_fault_late_publish,
      SET_SINGLE, BOTH(BIT(CLAUSE_ORPHAN)) },
    { "early-retire", "retired before the last sync", &engine_real, &early_retire, SET_SINGLE,
      BOTH(BIT(CLAUSE_ORPHAN)) },
    { "no-first-byte", "the first byte is never stored", &engine_real, &no_first_byte, SET_SINGLE,
      BOTH(BIT(CLAUSE_RESULT)) },
    { "retire-without-wait", "retire waits for no handler", &engine_retire_without_wait, NULL,
      SET_SINGLE, BOTH(BIT(CLAUSE_TABLE)) },
    { "stack-descriptor", "what handlers count in is on the patcher's stack (2022)",
      &engine_stack_descriptor, NULL, SET_SINGLE, BOTH(BIT(CLAUSE_TABLE)) },
    { "leaked-reference", "a handler gives back one of two references", &engine_leaked_reference,
      NULL, SET_SINGLE, BOTH(BIT(CLAUSE_HANG)) },
    { "wrong-return", "an emulated CALL returns to the byte after the INT3", &engine_wrong_return,
      NULL, SET_SINGLE, BOTH(BIT(CLAUSE_FLOW)) },
    { "call-as-nop", "an emulated CALL is skipped (2019)", &engine_call_as_nop, NULL, SET_SINGLE,
      BOTH(BIT(CLAUSE_FLOW)) },
    { "changed-flags", "an emulated Jcc clears its flag", &engine_changed_flags, NULL, SET_SINGLE,
      BOTH(BIT(CLAUSE_FLOW)) },
    { "consumed-int3", "an INT3 that is the new instruction is emulated", &engine_consumed_int3,
      NULL, SET_SINGLE, BOTH(BIT(CLAUSE_FOREIGN)) },
    { "unsorted-batch", "batch_add appends wherever the site lies", &engine_unsorted_batch, NULL,
      SET_BATCH, BOTH(BIT(CLAUSE_ORPHAN)) },
    { "unchecked-single", "a single poke appends behind what is queued (2025)",
      &engine_unchecked_single, NULL, SET_QUEUE, BOTH(BIT(CLAUSE_ORPHAN)) },
};
const unsigned fault_count = sizeof(faults) / sizeof(faults[0]);
