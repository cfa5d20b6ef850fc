/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose: closing the window asks every core to flush. (Linux, 2024: a mask of cores
 * that was updated late made the flush of text_poke() send interrupts.)
 */
#include "poke/machine.h"
#include "smp/smp.h"

#define machine_window_close close_window
void close_window(struct machine_window *w);
#include "kernel/mm/window.c"
#undef machine_window_close

void machine_window_close(struct machine_window *w)
{
    close_window(w);
    smp_tlb_flush();
}
