/* SPDX-License-Identifier: MIT */
/* Broken on purpose: the window shows only the first page of a range. */
#include "poke/window.h"

#define text_window_cover cover
void cover(uintptr_t addr, size_t len);
#include "poke/window.c"
#undef text_window_cover

void text_window_cover(uintptr_t addr, size_t len)
{
    (void)len;
    cover(addr, 1);
}
