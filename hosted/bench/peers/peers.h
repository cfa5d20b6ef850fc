/* SPDX-License-Identifier: MIT */
/*
 * What a user would otherwise have on these very processors: the running kernel's own patching of
 * its text, the core sync of the system call alone, and LLVM XRay. Each is measured by the same
 * program, one sample of each in turn.
 */
#ifndef HOSTED_BENCH_PEERS_H
#define HOSTED_BENCH_PEERS_H

#include <stdbool.h>

/* ---- sysctl.c: files that only flip a static key of the kernel when they are written ---- */

/*
 * Take the first of `files` (NULL at the end) that can be written. Its value is put back by a
 * process of its own, however this one ends. Before any thread is started.
 * Returns NULL, or why there is none.
 */
const char *sysctl_open(char *const *files);
/* Of the one that was taken, for the report. */
const char *sysctl_name(void);
/* Write the value that it has. */
void sysctl_same(void);
/* Write the other value: the key is flipped. */
void sysctl_flip(void);
/* Put the value back. False: it is not as it was. */
bool sysctl_close(void);

/* ---- membarrier.c ---- */

const char *membarrier_open(void);
void membarrier_once(void);
void membarrier_thrice(void);

/* ---- xray.c: built only with clang -fxray-instrument (PEERS_XRAY) ---- */

const char *xray_open(void);
/* Sleds that xray_all() patches, or puts back. */
unsigned xray_sleds(void);
void xray_all(void);
/* One function: its entry and its exit. */
void xray_function(void);

#endif
