/* SPDX-License-Identifier: MIT */
/* kernel/cpu/regs.h as the counters' host tests see it: registers of a simulated core. */
#include "tests/host/fake_pmu.h"
