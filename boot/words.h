/* SPDX-License-Identifier: MIT */
/* The `name=value` words of all sources, as they were found. The kernel parses and judges them. */
#ifndef BOOT_WORDS_H
#define BOOT_WORDS_H

struct boot_info;

/*
 * Fill in info->words. A source that does not exist stays 0. Ends the loader if \crossmod.cfg
 * exists and cannot be read, or if a source is larger than 64 KiB.
 */
void words_collect(struct boot_info *info);

#endif
