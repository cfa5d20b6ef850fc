/* SPDX-License-Identifier: MIT */
/* What earlier runs left on a volume. */
#ifndef BOOT_PREVIOUS_H
#define BOOT_PREVIOUS_H

#include <efi.h>

struct boot_previous;

#define REPORTS "\\reports"

/*
 * The highest number NNNN of a directory \reports\NNNN-...; 0: there is none. If that run did not
 * finish, *previous says so; it may be NULL.
 */
unsigned previous_find(EFI_HANDLE device, struct boot_previous *previous);

#endif
