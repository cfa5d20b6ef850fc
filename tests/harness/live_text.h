/* SPDX-License-Identifier: MIT */
/* What the live view computes. Pure. */
#ifndef TESTS_HARNESS_LIVE_TEXT_H
#define TESTS_HARNESS_LIVE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* ---- time ---- */

/*
 * Milliseconds that the plan still takes. Part of a test's time is chosen (word seconds=), and is
 * what it is; the rest was guessed, and is scaled by how the guesses were until now.
 */
struct live_time {
    uint64_t guessed_done, guessed_took; /* of the tests that have ended: budget, truth */
    uint64_t guessed_left, chosen_left;  /* of the others, the current one included */
    uint64_t current;                    /* how long the current one runs already */
    uint64_t current_max;                /* guess and choice of the current one */
};
uint64_t live_time_left(const struct live_time *t);

/* "0:07", "12:30", "3:00:00". */
void live_duration(uint64_t ms, char *out, size_t size);

/* ---- cores ---- */

#define STRIP_ROWS_MAX 8
#define STRIP_LABEL    5 /* columns for the number of a row's first core, and a blank */

/* Rows of the same length in groups of eight, one character per core. */
struct strip {
    unsigned per_row, rows;
    unsigned hidden; /* cores that have no place */
};
struct strip strip_layout(unsigned cores, unsigned columns);
/* Where the character of a core stands in its row. */
unsigned strip_column(const struct strip *s, unsigned core);

/* ---- text ---- */

/*
 * Copy the next line of at most `columns` characters from `text` to `out` (columns + 1 bytes),
 * broken at a blank where there is one. Returns where the next line begins, NULL after the last.
 */
const char *text_wrap(const char *text, unsigned columns, char *out);

/* 1234567 as "1 234 567". */
void text_grouped(uint64_t value, char *out, size_t size);
/* Nanoseconds with three digits: "850 ns", "12.3 us", "4.56 ms". */
void text_time(uint64_t ns, char *out, size_t size);

#endif
