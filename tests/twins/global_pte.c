/* SPDX-License-Identifier: MIT */
/* Broken on purpose: the window's entries are global, and outlive the loads of CR3 in the TLB. */
#include "kernel/mm/tables.h"

#define leaf_flags(virt, prot) (leaf_flags(virt, prot) | PTE_G)

#include "kernel/mm/window.c"
