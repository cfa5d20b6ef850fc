/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include "tests/errata/levels.h"

static const char *const names[] = { "mov8", "mov64", "sse128", "split-2x32" };
static const struct levels levels = { "store", names, 4 };
static char error[300];

/* levels.c tells a test's body of mistakes; there is none here. */
void test_verdict(struct test_run *t, enum verdict v, const char *fmt, ...)
{
    (void)t;
    (void)v;
    (void)fmt;
}

const struct words *test_words(void)
{
    return NULL;
}

static void selects(const char *asked, uint64_t want)
{
    uint64_t wanted;

    if (!levels_parse(&levels, asked, &wanted, error, sizeof error))
        fail_msg("refused: %s", error);
    assert_int_equal(wanted, want);
}

static void names_and_patterns(void **state)
{
    (void)state;
    selects("*", 0xf);
    selects("mov8", 0x1);
    selects("mov?", 0x1);
    selects("mov*", 0x3);
    selects("split-2x32,mov8", 0x9);
    selects("mov8,mov8", 0x1);
}

static void what_selects_nothing(void **state)
{
    uint64_t wanted;

    (void)state;
    assert_false(levels_parse(&levels, "mov8,movv", &wanted, error, sizeof error));
    assert_string_equal(error, "store=mov8,movv: no level matches 'movv'; there are: mov8 mov64 "
                               "sse128 split-2x32");
    assert_false(levels_parse(&levels, "mov8,", &wanted, error, sizeof error));
    assert_false(levels_parse(&levels, "", &wanted, error, sizeof error));
    assert_false(levels_parse(&levels, "x", &wanted, error, 12));
    assert_string_equal(error, "store=x: no");
}

static void places(const char *asked, const char *want)
{
    bool wanted[PLACEMENTS];

    if (!placements_parse(asked, wanted, error, sizeof error))
        fail_msg("refused: %s", error);
    for (unsigned i = 0; i < PLACEMENTS; i++)
        assert_int_equal(wanted[i], want[i] == 'x');
}

static void offsets_and_the_page(void **state)
{
    bool wanted[PLACEMENTS];
    char text[PLACEMENTS + 1];

    (void)state;
    memset(text, 'x', PLACEMENTS);
    places("*", text);
    text[PLACEMENT_PAGE] = '.';
    places("0-63", text);
    memset(text, '.', PLACEMENTS);
    text[7] = text[8] = text[63] = text[PLACEMENT_PAGE] = 'x';
    places("63,7-8,page", text);
    for (const char **bad = (const char *[]){ "64", "5-", "-5", "8-7", "0-64", "x", "", "1,", "1 2",
                                              "99999999999999999999", "pages", NULL };
         *bad; bad++) {
        if (placements_parse(*bad, wanted, error, sizeof error))
            fail_msg("accepted: %s", *bad);
        assert_memory_equal(error, "placement=", 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_patterns),
        cmocka_unit_test(what_selects_nothing),
        cmocka_unit_test(offsets_and_the_page),
    };

    return cmocka_run_group_tests_name("levels", tests, NULL, NULL);
}
