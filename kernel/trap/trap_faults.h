/* SPDX-License-Identifier: MIT */
/* Faults planted in the trap entry, for the tests that must catch them. Never used otherwise. */
#ifndef KERNEL_TRAP_TRAP_FAULTS_H
#define KERNEL_TRAP_TRAP_FAULTS_H

#include <stdbool.h>

/*
 * Install (true) or remove (false) a #BP entry that leaves no gap between its frame and the
 * interrupted stack, so that an emulated push overwrites the frame's own SS. All cores at once.
 */
void trap_use_faulty_bp_entry(bool on);

#endif
