/* SPDX-License-Identifier: MIT */
/* What tests ask about the kind of machine; hosted/ has a process's answers. */
#include "smp/smp.h"

bool smp_has_nmis(void)
{
    return true;
}

uint64_t smp_preemptions(void)
{
    return 0;
}
