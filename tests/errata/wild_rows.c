/* SPDX-License-Identifier: MIT */
/* The table of the protocols in the wild, with the steps of those that are the engine's. */
#include "tests/errata/wild.h"
#include "tests/errata/wild_patch.h"

static const struct poke_protocol int3_two_syncs = {
    .name = "int3-2",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_INT3, POKE_STEP_SYNC, POKE_STEP_TAIL, POKE_STEP_FIRST,
               POKE_STEP_SYNC, POKE_STEP_RETIRE, POKE_STEP_END },
};

static const struct poke_protocol int3_one_sync = {
    .name = "int3-1",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_INT3, POKE_STEP_TAIL, POKE_STEP_FIRST, POKE_STEP_SYNC,
               POKE_STEP_RETIRE, POKE_STEP_END },
};

static const struct poke_protocol int3_echo = {
    .name = "int3+echo",
    .steps = { POKE_STEP_PUBLISH, POKE_STEP_INT3, POKE_STEP_SYNC, POKE_STEP_TAIL, POKE_STEP_SYNC,
               POKE_STEP_FIRST, POKE_STEP_SYNC, POKE_STEP_ECHO, POKE_STEP_RETIRE, POKE_STEP_END },
};

/* By enum wild_place. */
#define EVERYWHERE(kind)                                                                           \
    {                                                                                              \
        kind, kind, kind, kind, kind, kind                                                         \
    }
#define UNSPECIFIED EVERYWHERE(PROMISE_UNSPECIFIED)
#define GUARANTEED  EVERYWHERE(PROMISE_WHOLE)
#define TORN        EVERYWHERE(PROMISE_TORN)
#define ONLY_IN_8                                                                                  \
    {                                                                                              \
        PROMISE_WHOLE, PROMISE_UNSPECIFIED, PROMISE_UNSPECIFIED, PROMISE_UNSPECIFIED,              \
            PROMISE_UNSPECIFIED, PROMISE_UNSPECIFIED                                               \
    }

const struct wild_row wild_rows[] = {
    { .name = "int3-3",
      .promise = "old or new at every moment, new when it returns",
      .source = "Linux text_poke; Anvin 2010",
      .protocol = &poke_int3,
      .family = SITE_5,
      .synchronises = true,
      .intel = GUARANTEED,
      .amd = GUARANTEED },
    { .name = "int3+echo",
      .promise = "the same, on an emulator that translates too early as well",
      .source = "the last byte once more",
      .protocol = &int3_echo,
      .family = SITE_5,
      .synchronises = true,
      .intel = GUARANTEED,
      .amd = GUARANTEED },
    { .name = "int3-2",
      .promise = "the same without the sync after the tail",
      .source = "Anvin 2010, unofficial; AMD APM vol 2, 7.6.1: stores are seen in order",
      .protocol = &int3_two_syncs,
      .family = SITE_5,
      .synchronises = true,
      .intel = UNSPECIFIED,
      .amd = GUARANTEED },
    { .name = "int3-1",
      .promise = "the same with the last sync alone",
      .source = "nobody",
      .protocol = &int3_one_sync,
      .family = SITE_5,
      .synchronises = true,
      .intel = UNSPECIFIED,
      .amd = UNSPECIFIED },
    { .name = "stop-machine",
      .promise = "nobody executes anything while the bytes change",
      .source = "SDM vol 3A and APM vol 2, cross-modifying code",
      .patch = wild_stop_machine,
      .family = SITE_5,
      .synchronises = true,
      .intel = GUARANTEED,
      .amd = GUARANTEED },
    { .name = "quadword",
      .promise = "one 8-byte store: old or new, at some time",
      .source = "APM vol 2, 7.6.1 inside an aligned quadword; HotSpot since 2022",
      .patch = wild_quad,
      .family = SITE_5,
      .intel = UNSPECIFIED,
      .amd = ONLY_IN_8 },
    { .name = "quadword+sync",
      .promise = "one 8-byte store: old or new, new when it returns",
      .source = "APM vol 2, 7.6.1 inside an aligned quadword",
      .patch = wild_quad_sync,
      .family = SITE_5,
      .synchronises = true,
      .intel = UNSPECIFIED,
      .amd = ONLY_IN_8 },
    { .name = "quadword-locked",
      .promise = "one locked exchange: old or new, at some time",
      .source = "SDM vol 3A, locked operations: should not be used so",
      .patch = wild_quad_locked,
      .family = SITE_5,
      .only_in_8 = true,
      .intel = UNSPECIFIED,
      .amd = ONLY_IN_8 },
    { .name = "self-jump",
      .promise = "whoever comes meanwhile spins",
      .source = "HotSpot until 2022",
      .patch = wild_self_jump,
      .family = SITE_5,
      .only_in_8 = true,
      .intel = UNSPECIFIED,
      .amd = ONLY_IN_8 },
    { .name = "two-byte-head",
      .promise = "one 2-byte store: old or new, at some time",
      .source = "Windows hotpatch; APM vol 2, 7.6.1",
      .patch = wild_two_bytes,
      .family = SITE_2,
      .intel = UNSPECIFIED,
      .amd = ONLY_IN_8 },
    { .name = "xray-sled",
      .promise = "the tail is behind a jump, the 2-byte head decides",
      .source = "LLVM XRay; APM vol 2, 7.6.1: stores are seen in order",
      .patch = wild_sled,
      .family = SITE_11,
      .intel = UNSPECIFIED,
      .amd = UNSPECIFIED },
    { .name = "timed-wait",
      .promise = "INT3 and waits of 3000 ticks instead of syncs",
      .source = "Chamith et al., PLDI 2016",
      .patch = wild_timed_wait,
      .retries_int3 = true,
      .family = SITE_5,
      .intel = UNSPECIFIED,
      .amd = UNSPECIFIED },
    { .name = "five-nops",
      .promise = "none: a core may stand between the NOPs",
      .source = "APM vol 2, 7.6.1, case 3; LiteInst",
      .patch = wild_quad,
      .family = SITE_5_NOPS,
      .only_in_8 = true,
      .intel = TORN,
      .amd = TORN },
    { .name = "bytewise",
      .promise = "none: byte after byte",
      .source = "the control",
      .patch = wild_bytewise,
      .family = SITE_5,
      .tears_in_turns = true,
      .intel = TORN,
      .amd = TORN },
};
const unsigned wild_row_count = sizeof wild_rows / sizeof wild_rows[0];
