/* SPDX-License-Identifier: MIT */
/* Broken on purpose: whatever a counter shows is believed. */
#include "kernel/cpu/pmu_events.h"

#define pmu_is_counting(idle, busy) ((void)(idle), (void)(busy), true)

#include "kernel/cpu/pmu.c"
