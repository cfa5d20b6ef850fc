/* SPDX-License-Identifier: MIT */
#include "tests/lib/int3_counts.h"

#include "poke/machine.h"

struct int3_counts int3_counts(void)
{
    struct int3_counts sum = { 0 };

    for (unsigned core = 0; core < machine_cores(); core++) {
        sum.hits += load_relaxed(&machine_poke_core(core)->int3_hits);
        sum.foreign += load_relaxed(&machine_poke_core(core)->int3_foreign);
    }
    return sum;
}
