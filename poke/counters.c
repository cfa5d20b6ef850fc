/* SPDX-License-Identifier: MIT */
#include "poke/counters.h"

struct poke_counters poke_count;

const struct poke_counters *poke_counters(void)
{
    return &poke_count;
}
