/* SPDX-License-Identifier: MIT */
/* What befalls the cores from outside: SMIs, foreign NMIs, machine-check errors. */
#ifndef SMP_HEALTH_H
#define SMP_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/cpu/machine_check.h"

struct core_health {
    bool sees_smis; /* the core counts its system-management interrupts; */
    uint64_t smis;  /* since reset */
    uint64_t unexpected_nmis;
    struct mc_errors errors;
};

/* The state of each online core, cores[smp_possible()]. Boot core, thread context. */
void health_read(struct core_health *cores);

/*
 * All NMIs that were sent have been taken, alone or merged with another: from now on one more is
 * not ours. Boot core, when nobody sends any; some time after the last.
 */
void health_settle_nmis(void);

#endif
