/* SPDX-License-Identifier: MIT */
/* Shell-like patterns: `*` is any run of characters ('/' too), `?` any one character. Pure. */
#ifndef KERNEL_LIB_GLOB_H
#define KERNEL_LIB_GLOB_H

#include <stdbool.h>

/* Does the whole of `text` match `pattern`? Quadratic at worst. */
bool glob_match(const char *pattern, const char *text);

#endif
