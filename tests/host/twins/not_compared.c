/* SPDX-License-Identifier: MIT */
/* Broken on purpose: what was written is read back, but believed whatever it is. */
#include "kernel/lib/string.h"

#define memcmp(a, b, n) ((void)(a), (void)(b), (void)(n), 0)
#include "boot/report_file.c"
