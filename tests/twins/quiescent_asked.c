/* SPDX-License-Identifier: MIT */
/* Broken on purpose: quiescent cores are interrupted and waited for like all others. */
#include "smp/percpu.h"

#define CORE_QUIESCENT UINT32_MAX

#include "smp/ipi.c"
