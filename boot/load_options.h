/* SPDX-License-Identifier: MIT */
/*
 * Load options (UEFI 2.10, 9.1): UCS-2 from a shell or a boot entry, or whatever else the starter
 * put there. Pure.
 */
#ifndef BOOT_LOAD_OPTIONS_H
#define BOOT_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_options {
    size_t start, bytes; /* the words, within the narrowed text */
};

/*
 * Narrow `count` UCS-2 units to ASCII in `text` (at least `count` bytes) and leave out a first
 * token that is the program's own name, as the shell passes it: one in quotes, or without '='.
 * False if it is not text at all: a unit is not printable ASCII (firmware's own boot entries carry
 * binary data).
 */
bool load_options_narrow(const uint16_t *raw, size_t count, char *text, struct load_options *out);

#endif
