/* SPDX-License-Identifier: MIT */
#include "boot/load_options.h"

static size_t skip_blanks(const char *text, size_t at, size_t end)
{
    while (at < end && text[at] == ' ')
        at++;
    return at;
}

/* The end of the first token, which starts at `at`. */
static size_t token_end(const char *text, size_t at, size_t end)
{
    bool quoted = false;

    for (; at < end && (quoted || text[at] != ' '); at++)
        quoted ^= text[at] == '"';
    return at;
}

static bool is_program_name(const char *text, size_t at, size_t end)
{
    if (text[at] == '"')
        return true;
    while (at < end && text[at] != '=')
        at++;
    return at == end;
}

bool load_options_narrow(const uint16_t *raw, size_t count, char *text, struct load_options *out)
{
    size_t start, end;

    for (end = 0; end < count && raw[end] != 0; end++) {
        if (raw[end] < ' ' || raw[end] > '~')
            return false;
        text[end] = (char)raw[end];
    }
    start = skip_blanks(text, 0, end);
    size_t first = token_end(text, start, end);
    if (first > start && is_program_name(text, start, first))
        start = skip_blanks(text, first, end);
    out->start = start;
    out->bytes = end - start;
    return true;
}
