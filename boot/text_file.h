/* SPDX-License-Identifier: MIT */
/* The text of a file as one byte a character, whatever editor wrote it. Pure. */
#ifndef BOOT_TEXT_FILE_H
#define BOOT_TEXT_FILE_H

#include <stddef.h>

/*
 * Narrow a text of `bytes` bytes in place if it begins with UTF-16's byte order mark of either
 * byte order (the UEFI shell's editor and Windows write such files); any other text stays as it is.
 * A character outside ASCII, and half a one at the end, becomes the byte 0xff, which is no text.
 * Returns the length, never more than `bytes`.
 */
size_t text_file_narrow(char *text, size_t bytes);

#endif
