/* SPDX-License-Identifier: MIT */
/* Broken on purpose: a breakpoint register that was armed is not armed again. */
#include "poke/machine.h"

#define machine_window_close close_window
void close_window(struct machine_window *w);
#include "kernel/mm/window.c"
#undef machine_window_close

void machine_window_close(struct machine_window *w)
{
    w->saved[SAVED_DR7] = 0;
    close_window(w);
}
