/* SPDX-License-Identifier: MIT */
/* Volumes with a file system of the firmware's. */
#ifndef BOOT_VOLUME_H
#define BOOT_VOLUME_H

#include <efi.h>

/* The root directory of the volume on `device`; the caller closes it. NULL if there is none. */
EFI_FILE *volume_open(EFI_HANDLE device);

/* Bytes that are free on the volume on `device`; 0 if that cannot be known. */
UINT64 volume_free(EFI_HANDLE device);

/*
 * Let the firmware's drivers start all devices, which can take seconds: for its own boot it starts
 * only what it needs. Before the kernel has taken the other cores only: a driver that is started
 * may have the firmware call them.
 */
void volume_connect_all(void);

/*
 * All devices with a file system whose drivers have been started. The caller frees the list with
 * FreePool if it is not NULL. Returns how many.
 */
UINTN volume_list(EFI_HANDLE **devices);

#endif
