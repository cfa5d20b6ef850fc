/* SPDX-License-Identifier: MIT */
/* The report on the medium: \crossmod\report.tap and \crossmod\report.jsonl. */
#ifndef BOOT_REPORT_FILE_H
#define BOOT_REPORT_FILE_H

struct boot_info;

/*
 * Delete an older report from the boot volume: a run that ends in an error or a crash must not
 * leave it there as its own.
 */
void report_remove_old(void);

/*
 * Write both text buffers to the boot volume, else to the first other volume that takes them, read
 * them back and compare. Says on the console where they are, or that no volume took them.
 */
void report_write(const struct boot_info *info);

#endif
