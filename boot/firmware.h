/* SPDX-License-Identifier: MIT */
/*
 * The firmware as the loader sees it. Boot services, TPL_APPLICATION, boot core: the whole loader
 * but handoff.c.
 */
#ifndef BOOT_FIRMWARE_H
#define BOOT_FIRMWARE_H

#include <efi.h>
#include <stddef.h>
#include <stdint.h>

struct firmware {
    EFI_HANDLE image; /* this program */
    EFI_SYSTEM_TABLE *table;
    EFI_BOOT_SERVICES *services;
    EFI_LOADED_IMAGE *loaded; /* where this program came from and its load options */
};
extern struct firmware firmware;

/*
 * Keep the handles and switch off the firmware's watchdog, which resets the machine after 5
 * minutes.
 */
void firmware_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

/*
 * `pages` pages of EfiLoaderData that end at or below `last_byte`, not cleared. Returns their
 * physical address, which is also their pointer (the firmware maps memory 1:1), or 0 if there are
 * none.
 */
uint64_t firmware_alloc_below(uint64_t last_byte, size_t pages);

/*
 * The same below 4 GiB, cleared. Ends the loader with an error that names `what` if memory is
 * short.
 */
uint64_t firmware_alloc(size_t pages, const char *what);

/* Pages that hold `bytes`. */
static inline size_t pages_of(uint64_t bytes)
{
    return (size_t)((bytes + EFI_PAGE_SIZE - 1) / EFI_PAGE_SIZE);
}

#endif
