/* SPDX-License-Identifier: MIT */
/* Broken on purpose: parked cores are interrupted and waited for like those that run. */
#include "smp/smp.h"

#undef for_each_online_cpu
#define for_each_online_cpu(i) for (int i = 0; i < (int)smp_possible(); i++)

#include "smp/ipi.c"
