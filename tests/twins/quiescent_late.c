/* SPDX-License-Identifier: MIT */
/* Broken on purpose: a core that waits stays quiescent until the trap that woke it has ended. */
#include "smp/internal.h"

#define quiescent_leave leave
void leave(void);
#include "smp/quiescent.c"
#undef quiescent_leave

void quiescent_leave(void)
{
    if (trap_depth() == 0)
        leave();
}
