/* SPDX-License-Identifier: MIT */
#ifndef BOOT_EFI_STATUS_H
#define BOOT_EFI_STATUS_H

#include <efi.h>

/* "EFI_VOLUME_FULL", as the UEFI specification (appendix D) names it; "EFI_STATUS 0x..." if not. */
const char *efi_status_name(EFI_STATUS status);

#endif
