/* SPDX-License-Identifier: MIT */
#include "tests/errata/levels.h"

#include "kernel/lib/fmt.h"
#include "kernel/lib/glob.h"

/* Copy the item that begins at `list`; returns where the next one begins, or NULL. */
static const char *next_item(const char *list, char *out, size_t size)
{
    size_t n = 0;

    for (; *list && *list != ','; list++) {
        if (n + 1 < size)
            out[n++] = *list;
    }
    out[n] = '\0';
    return *list ? list + 1 : NULL;
}

/* ---- names ---- */

static void list_levels(const struct levels *levels, char *out, size_t size)
{
    for (unsigned i = 0; i < levels->count; i++) {
        size_t used = strlen(out);

        fmt_print(out + used, size - used, " %s", levels->names[i]);
    }
}

bool levels_parse(const struct levels *levels, const char *asked, uint64_t *wanted, char *error,
                  size_t size)
{
    char item[WORDS_TEXT_MAX];

    *wanted = 0;
    for (const char *at = asked; at;) {
        uint64_t matches = 0;

        at = next_item(at, item, sizeof item);
        for (unsigned i = 0; i < levels->count; i++)
            matches |= (uint64_t)glob_match(item, levels->names[i]) << i;
        if (!matches) {
            fmt_print(error, size, "%s=%s: no level matches '%s'; there are:", levels->word, asked,
                      item);
            list_levels(levels, error, size);
            return false;
        }
        *wanted |= matches;
    }
    return true;
}

/* ---- offsets ---- */

/* A decimal number at *at, which moves behind it. PLACEMENTS if there is none below 64. */
static unsigned parse_offset(const char **at)
{
    unsigned value = 0;

    if (**at < '0' || **at > '9')
        return PLACEMENTS;
    for (; **at >= '0' && **at <= '9'; ++*at)
        value = value < PLACEMENT_PAGE ? value * 10 + (unsigned)(**at - '0') : value;
    return value < PLACEMENT_PAGE ? value : PLACEMENTS;
}

static bool parse_placement(const char *item, unsigned *first, unsigned *last)
{
    if (strcmp(item, "page") == 0) {
        *first = *last = PLACEMENT_PAGE;
        return true;
    }
    *first = *last = parse_offset(&item);
    if (*item == '-') {
        item++;
        *last = parse_offset(&item);
    }
    return !*item && *first <= *last && *last < PLACEMENT_PAGE;
}

bool placements_parse(const char *asked, bool wanted[static PLACEMENTS], char *error, size_t size)
{
    char item[WORDS_TEXT_MAX];
    unsigned first, last;

    memset(wanted, levels_is_default(asked), PLACEMENTS);
    if (levels_is_default(asked))
        return true;
    for (const char *at = asked; at;) {
        at = next_item(at, item, sizeof item);
        if (!parse_placement(item, &first, &last)) {
            fmt_print(error, size,
                      "placement=%s: '%s' is no offset 0 to 63, no range of them and not 'page'",
                      asked, item);
            return false;
        }
        for (unsigned i = first; i <= last; i++)
            wanted[i] = true;
    }
    return true;
}

/* ---- inside a test ---- */

bool levels_wanted(struct test_run *t, const struct levels *levels, const char *asked,
                   uint64_t *wanted)
{
    char error[sizeof t->reason];

    if (levels_parse(levels, asked, wanted, error, sizeof error))
        return true;
    ERROR("%s", error);
    return false;
}

bool placements_wanted(struct test_run *t, bool wanted[static PLACEMENTS])
{
    char error[sizeof t->reason];

    if (placements_parse(test_words()->placement, wanted, error, sizeof error))
        return true;
    ERROR("%s", error);
    return false;
}
