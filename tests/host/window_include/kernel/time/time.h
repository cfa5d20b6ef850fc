/* SPDX-License-Identifier: MIT */
/* kernel/time/time.h as the window's host test sees it: the only entropy is the test's. */
#ifndef WINDOW_TIME_H
#define WINDOW_TIME_H

#include <stdint.h>

uint64_t rdtsc(void);

#endif
