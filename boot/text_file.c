/* SPDX-License-Identifier: MIT */
#include "boot/text_file.h"

#include <stdbool.h>
#include <stdint.h>

#define NOT_ASCII ((char)0xff)

size_t text_file_narrow(char *text, size_t bytes)
{
    const uint8_t *raw = (const uint8_t *)text;
    size_t length = 0;

    if (bytes < 2)
        return bytes;
    bool little = raw[0] == 0xff && raw[1] == 0xfe, big = raw[0] == 0xfe && raw[1] == 0xff;
    if (!little && !big)
        return bytes;
    for (size_t i = 2; i < bytes; i += 2) {
        bool whole = i + 1 < bytes;
        unsigned unit = !whole ? 0xffff
                        : big  ? (unsigned)raw[i] << 8 | raw[i + 1]
                               : (unsigned)raw[i + 1] << 8 | raw[i];

        text[length++] = unit <= 0x7f ? (char)unit : NOT_ASCII;
    }
    return length;
}
