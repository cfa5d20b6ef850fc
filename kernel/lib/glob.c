/* SPDX-License-Identifier: MIT */
#include "kernel/lib/glob.h"

#include <stddef.h>

/*
 * Only the last `*` can need another try: whatever an earlier one took, the text between the two
 * matched already, so a longer take of the earlier one gains nothing.
 */
bool glob_match(const char *pattern, const char *text)
{
    const char *after_star = NULL;
    const char *retry = NULL;

    while (*text) {
        if (*pattern == '*') {
            after_star = ++pattern;
            retry = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (after_star) {
            pattern = after_star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}
