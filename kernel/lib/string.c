/* SPDX-License-Identifier: MIT */
#include "kernel/lib/string.h"

/*
 * A loop that copies, fills or counts must not become a call of memcpy, memset or strlen, which
 * would be a call of itself (GCC bug 56888). -ffreestanding forbids GCC to see these patterns.
 */

void *(memcpy)(void *restrict to, const void *restrict from, size_t n)
{
    void *d = to;

    __asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n)::"memory");
    return to;
}

void *(memset)(void *to, int c, size_t n)
{
    void *d = to;

    __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    char *d = to;
    const char *s = from;

    /* One unsigned comparison covers both "below" and "behind the end": forwards is safe. */
    if ((size_t)(d - s) >= n)
        return memcpy(to, from, n);
    /* Backwards by a loop and not by `std; rep movsb`: a trap in between would run with DF set. */
    while (n--)
        d[n] = s[n];
    return to;
}

int(memcmp)(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;

    for (size_t i = 0; i < n; i++) {
        if (x[i] != y[i])
            return x[i] - y[i];
    }
    return 0;
}

size_t strlen(const char *s)
{
    const char *end = s;

    while (*end)
        end++;
    return (size_t)(end - s);
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, (size_t)-1);
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)a[i], y = (unsigned char)b[i];

        if (x != y || x == 0)
            return x - y;
    }
    return 0;
}
