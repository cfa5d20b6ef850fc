/* SPDX-License-Identifier: MIT */
/*
 * The one place where writing happens. Whatever Crossmod stores outside its own memory goes through
 * the functions below and the firmware's own drivers: files below \reports on the volume that they
 * are given, and one variable if somebody asked for it.
 *
 * Everything that is written is flushed, closed, read back and compared: a stick that is worn out,
 * full or write-protected may lie.
 */
#ifndef BOOT_REPORT_FILE_H
#define BOOT_REPORT_FILE_H

#include <efi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_PATH_MAX 80

/* The call of the firmware that failed, for a message: "Write: EFI_VOLUME_FULL". */
struct report_failure {
    const char *call;
    EFI_STATUS status;
};

/*
 * Paths are ASCII and begin with a backslash; `device` has a file system. False: `why` says which
 * call failed and how; then nothing, a part or all may have been written.
 */

/* Make a directory, in one that exists; it may exist already. */
bool report_directory(EFI_HANDLE device, const char *path, struct report_failure *why);

/* Append to a file that is `at` bytes long; 0: it may not exist yet. */
bool report_append(EFI_HANDLE device, const char *path, uint64_t at, const char *text, size_t bytes,
                   struct report_failure *why);

/* Make the file's content `text`. A crash in the middle may leave no file. */
bool report_replace(EFI_HANDLE device, const char *path, const char *text, size_t bytes,
                    struct report_failure *why);

/* Keep `text`, at most 1 KiB, in the firmware's variable "CrossmodReport", until it is replaced. */
#define REPORT_VARIABLE_MAX 1024
bool report_variable(const char *text, size_t bytes, struct report_failure *why);

#endif
