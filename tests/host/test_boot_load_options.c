/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include <uchar.h>

#include "boot/load_options.h"

/* Are `count` units of load options refused (NULL), or narrowed to these words? */
static void expect(const char16_t *raw, size_t count, const char *words)
{
    /* Exactly as large as promised, for the sanitizer. */
    uint16_t *copy = malloc(count * sizeof(*copy) + 1);
    char *text = malloc(count + 1);
    struct load_options out;

    memcpy(copy, raw, count * sizeof(*copy));
    bool is_text = load_options_narrow(copy, count, text, &out);
    assert_int_equal(is_text, words != NULL);
    if (words) {
        assert_int_equal(out.bytes, strlen(words));
        assert_memory_equal(text + out.start, words, out.bytes);
    }
    free(copy);
    free(text);
}
#define EXPECT_WORDS(raw, words) expect(raw, sizeof(raw) / sizeof(char16_t), words)

static void shell_name_is_left_out(void **state)
{
    (void)state;
    EXPECT_WORDS(u"crossmod.efi cpus=2 seed=5", "cpus=2 seed=5");
    EXPECT_WORDS(u"  fs0:\\crossmod.efi   cpus=2", "cpus=2");
    EXPECT_WORDS(u"\"fs0:\\my stick\\a=b.efi\" cpus=2", "cpus=2");
    EXPECT_WORDS(u"crossmod.efi", "");
    EXPECT_WORDS(u"\"crossmod.efi", "");
}

static void boot_entry_has_words_only(void **state)
{
    (void)state;
    EXPECT_WORDS(u"cpus=2", "cpus=2");
    EXPECT_WORDS(u" cpus=2  seed=1 ", "cpus=2  seed=1 ");
    EXPECT_WORDS(u"cpus=2\0garbage", "cpus=2");
    EXPECT_WORDS(u"", "");
    expect(u"cpus=2", 6, "cpus=2"); /* no NUL */
    expect(u"", 0, "");
}

static void binary_data_is_refused(void **state)
{
    (void)state;
    EXPECT_WORDS(u"cpus=2\x0007", NULL);
    EXPECT_WORDS(u"cpus=\x2082", NULL);
    EXPECT_WORDS(u"\xac4e\x7f16", NULL);
    EXPECT_WORDS(u"a\tb=c", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shell_name_is_left_out),
        cmocka_unit_test(boot_entry_has_words_only),
        cmocka_unit_test(binary_data_is_refused),
    };
    return cmocka_run_group_tests_name("boot/load_options", tests, NULL, NULL);
}
