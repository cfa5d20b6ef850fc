/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include "tests/harness/live_text.h"

static void assert_strip(unsigned cores, unsigned columns, unsigned per_row, unsigned rows,
                         unsigned hidden)
{
    struct strip s = strip_layout(cores, columns);
    unsigned last = 0;

    assert_int_equal(s.per_row, per_row);
    assert_int_equal(s.rows, rows);
    assert_int_equal(s.hidden, hidden);
    for (unsigned core = 0; core < cores - hidden; core++) {
        unsigned column = strip_column(&s, core);

        assert_in_range(column, STRIP_LABEL, columns - 1);
        assert_in_range(core / s.per_row, 0, s.rows - 1);
        if (core % s.per_row)
            assert_int_equal(column, last + (core % 8 ? 1 : 2));
        else
            assert_int_equal(column, STRIP_LABEL);
        last = column;
    }
}

static void strips(void **state)
{
    (void)state;
    assert_strip(1, 80, 64, 1, 0);
    assert_strip(64, 80, 64, 1, 0);
    assert_strip(65, 80, 64, 2, 0);
    assert_strip(512, 80, 64, 8, 0);
    assert_strip(513, 80, 64, 8, 1);
    assert_strip(512, 160, 128, 4, 0);
    assert_strip(512, 120, 64, 8, 0);
    assert_strip(4096, 160, 128, 8, 4096 - 1024);
    assert_strip(64, 40, 32, 2, 0);
    assert_strip(64, 39, 16, 4, 0);
    /* Just wide enough for 64 with their seven gaps, and one column less. */
    assert_strip(64, STRIP_LABEL + 71, 64, 1, 0);
    assert_strip(64, STRIP_LABEL + 70, 32, 2, 0);
}

static uint64_t left(struct live_time t)
{
    return live_time_left(&t);
}

static void time_left(void **state)
{
    (void)state;
    /* Nothing is known: the guess. */
    assert_int_equal(left((struct live_time){ .guessed_left = 10000, .chosen_left = 4000 }), 14000);
    /* Tests take half as long as they were guessed, in the limit. */
    assert_in_range(left((struct live_time){ .guessed_done = 1000000,
                                             .guessed_took = 500000,
                                             .guessed_left = 10000,
                                             .chosen_left = 4000 }),
                    9000, 9100);
    /* The first fast ones do not promise much. */
    assert_in_range(left((struct live_time){ .guessed_done = 1000, .guessed_left = 12000 }), 9000,
                    11000);
    /* Slow machines take longer, but not for what has a chosen length. */
    assert_in_range(left((struct live_time){ .guessed_done = 100000,
                                             .guessed_took = 1000000,
                                             .guessed_left = 1000,
                                             .chosen_left = 60000 }),
                    68000, 71000);
    /* The current test has used up some of it, but never more than it was to have. */
    struct live_time t = { .chosen_left = 20000, .current = 5000, .current_max = 20000 };
    assert_int_equal(left(t), 15000);
    t.chosen_left = 30000;
    t.current = 90000;
    assert_int_equal(left(t), 10000);
    t.current_max = 90000;
    assert_int_equal(left(t), 0);
    assert_int_equal(left((struct live_time){ 0 }), 0);
}

static void assert_duration(uint64_t ms, const char *text)
{
    char out[16];

    live_duration(ms, out, sizeof out);
    assert_string_equal(out, text);
}

static void durations(void **state)
{
    (void)state;
    assert_duration(0, "0:00");
    assert_duration(7499, "0:07");
    assert_duration(7500, "0:08");
    assert_duration(750000, "12:30");
    assert_duration(3599499, "59:59");
    assert_duration(3599500, "1:00:00");
    assert_duration(86400000, "24:00:00");
}

/* `lines` with '|' between. */
static void assert_wrapped(const char *text, unsigned columns, const char *lines)
{
    char out[64], all[256] = "";

    while (text) {
        memset(out, 'Z', sizeof out);
        text = text_wrap(text, columns, out);
        assert_in_range(strlen(out), 0, columns);
        assert_int_equal(out[columns + 1], 'Z');
        strcat(strcat(all, all[0] ? "|" : ""), out);
    }
    assert_string_equal(all, lines);
}

static void wrapping(void **state)
{
    (void)state;
    assert_wrapped("", 10, "");
    assert_wrapped("short", 10, "short");
    assert_wrapped("exactly 10", 10, "exactly 10");
    assert_wrapped("exactly 10 more", 10, "exactly 10|more");
    assert_wrapped("exactly 101 more", 10, "exactly|101 more");
    assert_wrapped("averylongwordindeed", 10, "averylongw|ordindeed");
    assert_wrapped("a averylongwordindeed", 10, "a|averylongw|ordindeed");
    assert_wrapped("two  blanks     here", 4, "two|blan|ks|here");
    assert_wrapped("ends in blank ", 13, "ends in blank");
}

static void assert_grouped(uint64_t value, const char *text)
{
    char out[32];

    text_grouped(value, out, sizeof out);
    assert_string_equal(out, text);
}

static void assert_time(uint64_t ns, const char *text)
{
    char out[16];

    text_time(ns, out, sizeof out);
    assert_string_equal(out, text);
}

static void numbers(void **state)
{
    (void)state;
    assert_grouped(0, "0");
    assert_grouped(999, "999");
    assert_grouped(1000, "1 000");
    assert_grouped(1234567, "1 234 567");
    assert_grouped(UINT64_MAX, "18 446 744 073 709 551 615");
    assert_time(0, "0 ns");
    assert_time(999, "999 ns");
    assert_time(1000, "1.00 us");
    assert_time(9999, "9.99 us");
    assert_time(12345, "12.3 us");
    assert_time(123456, "123 us");
    assert_time(999999, "999 us");
    assert_time(1000000, "1.00 ms");
    assert_time(4560000000, "4.56 s");
    assert_time(4560000000000, "4560 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strips),   cmocka_unit_test(time_left), cmocka_unit_test(durations),
        cmocka_unit_test(wrapping), cmocka_unit_test(numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
