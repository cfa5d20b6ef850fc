/* SPDX-License-Identifier: MIT */
#include "kernel/lib/fmt.h"

#include <limits.h>
#include <stdint.h>

/* stb negates even the smallest number to print it; that is to wrap. */
#pragma GCC optimize("wrapv")

/*
 * Without floating point stb_sprintf still steps over the argument of a %f with va_arg(va, double),
 * which GCC refuses under -mgeneral-regs-only. No caller uses %f, so the type only has to compile.
 * The headers that stb includes stand above: they must not see the macro.
 */
#define STB_SPRINTF_IMPLEMENTATION
#define STB_SPRINTF_STATIC
#define STB_SPRINTF_NOFLOAT
#define STB_SPRINTF_NOUNALIGNED
#define double long long
#include <stb_sprintf.h>
#undef double

int fmt_vprint(char *out, size_t size, const char *fmt, va_list args)
{
    /* stb takes an int, and with a buffer of size 0 it would write before its start. */
    if (size == 0)
        return stbsp_vsnprintf(NULL, 0, fmt, args);
    return stbsp_vsnprintf(out, size > INT_MAX ? INT_MAX : (int)size, fmt, args);
}

int fmt_print(char *out, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int length = fmt_vprint(out, size, fmt, args);
    va_end(args);
    return length;
}
