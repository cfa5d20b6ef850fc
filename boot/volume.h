/* SPDX-License-Identifier: MIT */
/* Volumes with a file system of the firmware's. */
#ifndef BOOT_VOLUME_H
#define BOOT_VOLUME_H

#include <efi.h>

/* The root directory of the volume on `device`; the caller closes it. NULL if there is none. */
EFI_FILE *volume_open(EFI_HANDLE device);

/*
 * All devices with a file system, those too that the firmware has left alone so far (which can take
 * seconds). The caller frees the list with FreePool if it is not NULL. Returns how many.
 */
UINTN volume_list(EFI_HANDLE **devices);

#endif
