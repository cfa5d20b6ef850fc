/* SPDX-License-Identifier: MIT */
#include "tests/harness/live_text.h"

#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"

/* As if so much had been guessed right: the first short tests do not decide alone. */
#define TRUSTED_MS 5000

uint64_t live_time_left(const struct live_time *t)
{
    uint64_t scaled =
        t->guessed_left * (t->guessed_took + TRUSTED_MS) / (t->guessed_done + TRUSTED_MS);
    uint64_t left = scaled + t->chosen_left;
    uint64_t gone = t->current < t->current_max ? t->current : t->current_max;

    return left > gone ? left - gone : 0;
}

void live_duration(uint64_t ms, char *out, size_t size)
{
    unsigned long long s = (ms + 500) / 1000;

    if (s >= 3600)
        fmt_print(out, size, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
    else
        fmt_print(out, size, "%llu:%02llu", s / 60, s % 60);
}

static unsigned with_gaps(unsigned cores)
{
    return cores + (cores - 1) / 8;
}

struct strip strip_layout(unsigned cores, unsigned columns)
{
    struct strip s = { .per_row = 8 };

    while (s.per_row < 128 && STRIP_LABEL + with_gaps(2 * s.per_row) <= columns)
        s.per_row *= 2;
    s.rows = (cores + s.per_row - 1) / s.per_row;
    if (s.rows > STRIP_ROWS_MAX) {
        s.rows = STRIP_ROWS_MAX;
        s.hidden = cores - s.rows * s.per_row;
    }
    return s;
}

unsigned strip_column(const struct strip *s, unsigned core)
{
    unsigned at = core % s->per_row;

    return STRIP_LABEL + at + at / 8;
}

const char *text_wrap(const char *text, unsigned columns, char *out)
{
    size_t length = strlen(text), cut = columns;

    if (length <= columns) {
        memcpy(out, text, length + 1);
        return NULL;
    }
    while (cut > 0 && text[cut] != ' ')
        cut--;
    while (cut > 0 && text[cut - 1] == ' ')
        cut--;
    if (cut == 0)
        cut = columns; /* a word longer than the line */
    memcpy(out, text, cut);
    out[cut] = '\0';
    text += cut;
    while (*text == ' ')
        text++;
    return *text ? text : NULL;
}

void text_grouped(uint64_t value, char *out, size_t size)
{
    char digits[24];
    int length = fmt_print(digits, sizeof digits, "%llu", (unsigned long long)value);
    size_t used = 0;

    for (int i = 0; i < length && used + 2 < size; i++) {
        if (i && (length - i) % 3 == 0)
            out[used++] = ' ';
        out[used++] = digits[i];
    }
    out[used] = '\0';
}

void text_time(uint64_t ns, char *out, size_t size)
{
    static const char *const units[] = { "us", "ms", "s" };
    uint64_t unit = 1000;
    unsigned i = 0;

    if (ns < 1000) {
        fmt_print(out, size, "%llu ns", (unsigned long long)ns);
        return;
    }
    while (i < 2 && ns / unit >= 1000) {
        unit *= 1000;
        i++;
    }
    unsigned long long whole = ns / unit, percent = ns % unit * 100 / unit;
    if (whole < 10)
        fmt_print(out, size, "%llu.%02llu %s", whole, percent, units[i]);
    else if (whole < 100)
        fmt_print(out, size, "%llu.%llu %s", whole, percent / 10, units[i]);
    else
        fmt_print(out, size, "%llu %s", whole, units[i]);
}
