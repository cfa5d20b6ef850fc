/* SPDX-License-Identifier: MIT */
#include "kernel/lib/glob.h"
#include "kernel/lib/string.h"

/*
 * Match the pattern [p, end). Only the last `*` can need another try: whatever an earlier one took,
 * the text between the two matched already, so a longer take of the earlier one gains nothing.
 */
static bool match(const char *p, const char *end, const char *text)
{
    const char *after_star = NULL;
    const char *retry = NULL;

    while (*text) {
        if (p < end && *p == '*') {
            after_star = ++p;
            retry = text;
        } else if (p < end && (*p == '?' || *p == *text)) {
            p++;
            text++;
        } else if (after_star) {
            p = after_star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (p < end && *p == '*')
        p++;
    return p == end;
}

bool glob_match(const char *pattern, const char *text)
{
    return match(pattern, pattern + strlen(pattern), text);
}

bool glob_match_list(const char *list, const char *text)
{
    for (;;) {
        const char *end = list;

        while (*end && *end != ',')
            end++;
        if (match(list, end, text))
            return true;
        if (!*end)
            return false;
        list = end + 1;
    }
}
