/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose, as Linux was until its temporary mapping disarmed watchpoints (2019): one that
 * is set on the window's address fires in the middle of a poke.
 */
#include "poke/machine.h"

#define machine_window_open open_window
bool open_window(struct machine_window *w, const uintptr_t *pages, unsigned n);
#include "kernel/mm/window.c"
#undef machine_window_open

bool machine_window_open(struct machine_window *w, const uintptr_t *pages, unsigned n)
{
    bool open = open_window(w, pages, n);

    if (open)
        write_dr7(w->saved[SAVED_DR7]);
    return open;
}
