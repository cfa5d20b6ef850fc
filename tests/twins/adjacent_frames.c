/* SPDX-License-Identifier: MIT */
/* Broken on purpose: pages that follow each other are taken for adjacent frames. */
#include "kernel/mm/mm.h"

/* `shown` and `i` are machine_window_open()'s. */
#define mm_translate(virt) (mm_translate(i ? shown[0].page - 1 : (virt)) + i * PAGE_SIZE)

#include "kernel/mm/window.c"
