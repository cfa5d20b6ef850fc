/* SPDX-License-Identifier: MIT */
/* Formatting by stb_sprintf (public domain, Debian's libstb-dev), without floating point. Pure. */
#ifndef KERNEL_LIB_FMT_H
#define KERNEL_LIB_FMT_H

#include <stdarg.h>
#include <stddef.h>

/* As C's snprintf, without %f %e %g %a. Returns the length that the text would have. */
__attribute__((format(printf, 3, 4))) int fmt_print(char *out, size_t size, const char *fmt, ...);
int fmt_vprint(char *out, size_t size, const char *fmt, va_list args);

#endif
