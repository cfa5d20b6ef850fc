/* SPDX-License-Identifier: MIT */
/*
 * The report of a run on a medium: \reports\NNNN-YYYYMMDD-HHMM\ with report.tap, report.jsonl and
 * summary.txt. NNNN is one above the highest there is. The medium is the volume that was booted
 * from, else the first other removable one that takes it; without any, the summary goes to the
 * screen and, with word nvram=yes, into a variable. What is written, and how, is report_file.h's.
 */
#ifndef BOOT_REPORT_H
#define BOOT_REPORT_H

#include <stddef.h>
#include <stdint.h>

struct boot_info;

/*
 * Find out whether the run before finished (info->previous), make this run's directory and write
 * "started" there. What goes wrong stands in info->medium_note.
 */
void report_begin(struct boot_info *info);

/* Between two slices: append what the report has gained; the kernel's summary says what comes. */
void report_slice(struct boot_info *info);

/* The same at the end, after the kernel has returned `code`; says where it all is. */
void report_end(struct boot_info *info, uint64_t code);

/*
 * The summary and its CRC-32 ("crc32 1234abcd", of all before that line), for whoever copies it
 * from a screen. Returns the length; ends with NUL.
 */
size_t report_for_screen(const struct boot_info *info, char *out, size_t size);

#endif
