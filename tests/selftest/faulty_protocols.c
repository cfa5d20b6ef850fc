/* SPDX-License-Identifier: MIT */
#include "tests/selftest/faulty_protocols.h"

const struct poke_protocol poke_fault_bytewise = {
    .name = "fault-bytewise",
    .promise = "none: torn executions",
    .source = "planted",
    .steps = { POKE_STEP_BYTES, POKE_STEP_END },
};

const struct poke_protocol poke_fault_no_int3 = {
    .name = "fault-no-int3",
    .promise = "none: the old first byte runs with the new tail",
    .source = "planted",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_TAIL, POKE_STEP_SYNC, POKE_STEP_FIRST, POKE_STEP_SYNC,
               POKE_STEP_RETIRE, POKE_STEP_END },
};

const struct poke_protocol poke_fault_no_sync1 = {
    .name = "fault-no-sync1",
    .promise = "none: a core may run the old first byte with the new tail",
    .source = "planted",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_INT3, POKE_STEP_TAIL, POKE_STEP_SYNC, POKE_STEP_FIRST,
               POKE_STEP_SYNC, POKE_STEP_RETIRE, POKE_STEP_END },
};

const struct poke_protocol poke_fault_no_sync2 = {
    .name = "fault-no-sync2",
    .promise = "none: a core may run the new first byte with the old tail",
    .source = "planted",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_INT3, POKE_STEP_SYNC, POKE_STEP_TAIL, POKE_STEP_FIRST,
               POKE_STEP_SYNC, POKE_STEP_RETIRE, POKE_STEP_END },
};

const struct poke_protocol poke_fault_no_sync3 = {
    .name = "fault-no-sync3",
    .promise = "none: an INT3 may be met after the table is gone",
    .source = "planted",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_INT3, POKE_STEP_SYNC, POKE_STEP_TAIL, POKE_STEP_SYNC,
               POKE_STEP_FIRST, POKE_STEP_RETIRE, POKE_STEP_END },
};

const struct poke_protocol poke_fault_late_publish = {
    .name = "fault-late-publish",
    .promise = "none: an INT3 may be met before the table is there",
    .source = "planted",
    .steps = { POKE_STEP_INT3, POKE_STEP_PUBLISH, POKE_STEP_SYNC, POKE_STEP_TAIL, POKE_STEP_SYNC,
               POKE_STEP_FIRST, POKE_STEP_SYNC, POKE_STEP_RETIRE, POKE_STEP_END },
};

const struct poke_protocol poke_fault_early_sync = {
    .name = "fault-early-sync",
    .promise = "none: the old instruction runs after the first sync",
    .source = "planted",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_SYNC, POKE_STEP_SYNC, POKE_STEP_INT3, POKE_STEP_SYNC,
               POKE_STEP_TAIL, POKE_STEP_SYNC, POKE_STEP_FIRST, POKE_STEP_SYNC, POKE_STEP_RETIRE,
               POKE_STEP_END },
};

const struct poke_protocol poke_fault_sync_before_publish = {
    .name = "fault-sync-before-publish",
    .promise = "none: an INT3 is met before the table is there",
    .source = "planted",
    .steps = { POKE_STEP_INT3, POKE_STEP_SYNC, POKE_STEP_PUBLISH, POKE_STEP_SYNC, POKE_STEP_TAIL,
               POKE_STEP_SYNC, POKE_STEP_FIRST, POKE_STEP_SYNC, POKE_STEP_RETIRE, POKE_STEP_END },
};

const struct poke_protocol poke_fault_early_retire = {
    .name = "fault-early-retire",
    .promise = "none: an INT3 is met when the table is gone",
    .source = "planted",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_INT3, POKE_STEP_SYNC, POKE_STEP_TAIL, POKE_STEP_SYNC,
               POKE_STEP_RETIRE, POKE_STEP_SYNC, POKE_STEP_FIRST, POKE_STEP_SYNC, POKE_STEP_END },
};
