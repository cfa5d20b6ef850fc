/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include <fnmatch.h>

#include "kernel/lib/glob.h"

static void literals_stars_and_question_marks(void **state)
{
    (void)state;
    assert_true(glob_match("poke/int3", "poke/int3"));
    assert_false(glob_match("poke/int3", "poke/int"));
    assert_false(glob_match("poke/int", "poke/int3"));
    assert_true(glob_match("*", ""));
    assert_true(glob_match("", ""));
    assert_false(glob_match("", "a"));
    assert_false(glob_match("?", ""));
    assert_true(glob_match("poke/*", "poke/"));
    assert_true(glob_match("*int3*", "poke/int3_nop5"));
    assert_true(glob_match("p?ke/*5", "poke/int3_nop5"));
    assert_false(glob_match("p?ke/*5", "poke/int3_nop2"));
    assert_true(glob_match("*ab*ac", "xabababac"));
    assert_true(glob_match("***", "abc"));
    assert_true(glob_match("a*", "a/b"));
}

/* Every short pattern on every short text, against the C library's. */
static void agrees_with_fnmatch(void **state)
{
    static const char pattern_letters[] = "ab?*", text_letters[] = "ab/";
    char pattern[6], text[6];

    (void)state;
    for (unsigned p = 0; p < 5 * 5 * 5 * 5; p++) {
        unsigned length = 0;

        for (unsigned rest = p; rest; rest /= 5) {
            if (rest % 5)
                pattern[length++] = pattern_letters[rest % 5 - 1];
        }
        pattern[length] = '\0';
        for (unsigned t = 0; t < 4 * 4 * 4 * 4 * 4; t++) {
            length = 0;
            for (unsigned rest = t; rest; rest /= 4) {
                if (rest % 4)
                    text[length++] = text_letters[rest % 4 - 1];
            }
            text[length] = '\0';
            assert_int_equal(glob_match(pattern, text), fnmatch(pattern, text, 0) == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_stars_and_question_marks),
        cmocka_unit_test(agrees_with_fnmatch),
    };

    return cmocka_run_group_tests_name("glob", tests, NULL, NULL);
}
