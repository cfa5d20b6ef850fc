/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include "boot/text_file.h"
#include "kernel/lib/words.h"

/* A copy of exactly this size, for the sanitizer, becomes `want`. */
static void expect(const char *raw, size_t bytes, const char *want, size_t want_bytes)
{
    char *text = malloc(bytes ? bytes : 1);

    memcpy(text, raw, bytes);
    assert_int_equal(text_file_narrow(text, bytes), want_bytes);
    assert_memory_equal(text, want, want_bytes);
    free(text);
}
#define EXPECT(raw, want) expect(raw, sizeof(raw) - 1, want, sizeof(want) - 1)

static void one_byte_a_character_stays(void **state)
{
    (void)state;
    EXPECT("", "");
    EXPECT("c", "c");
    EXPECT("cpus=2\r\n", "cpus=2\r\n");
    EXPECT("\xef\xbb\xbf"
           "cpus=2",
           "\xef\xbb\xbf"
           "cpus=2");                       /* the parser knows this one */
    EXPECT("c\0p\0u\0s\0", "c\0p\0u\0s\0"); /* no mark: no guess */
    EXPECT("\xff", "\xff");
    EXPECT("\xff\xff\xfe", "\xff\xff\xfe");
    EXPECT("\xfe\xfe\xff", "\xfe\xfe\xff");
}

static void both_byte_orders_are_narrowed(void **state)
{
    (void)state;
    EXPECT("\xff\xfe", "");
    EXPECT("\xfe\xff", "");
    EXPECT("\xff\xfe"
           "c\0p\0u\0s\0=\0"
           "2\0\r\0\n\0",
           "cpus=2\r\n");
    EXPECT("\xfe\xff"
           "\0c\0p\0u\0s\0=\0"
           "2\0\r\0\n",
           "cpus=2\r\n");
}

static void what_is_not_ascii_stays_visible(void **state)
{
    (void)state;
    EXPECT("\xff\xfe"
           "#\0\xfc\0\n\0",
           "#\xff\n"); /* u with dots */
    EXPECT("\xff\xfe"
           "#\0\x3d\xd8\x00\xde",
           "#\xff\xff"); /* a surrogate pair */
    EXPECT("\xff\xfe"
           "a\0b",
           "a\xff"); /* half a character */
    EXPECT("\xff\xfe"
           "a\x01",
           "\xff"); /* its low byte is a letter */
    EXPECT("\xfe\xff"
           "\x01"
           "a",
           "\xff");
    EXPECT("\xff\xfe\0\0"
           "a\0\0\0",
           "\0a\0"); /* UTF-32: the parser refuses the NUL */
    EXPECT("\xff\xfe\xff\xfe"
           "a\0",
           "\xff"
           "a"); /* a second mark is no part of it */
}

/* Write `ascii` as UTF-16 with a mark. Returns its bytes. */
static size_t widen(const char *ascii, size_t length, bool big, char *out)
{
    size_t n = 0;

    out[n++] = big ? (char)0xfe : (char)0xff;
    out[n++] = big ? (char)0xff : (char)0xfe;
    for (size_t i = 0; i < length; i++) {
        out[n + big] = ascii[i];
        out[n + !big] = 0;
        n += 2;
    }
    return n;
}

/* Words in UTF-16, whole and mutilated: read as in ASCII, or refused, and never beyond the end. */
static void mutilated(void **state)
{
    static const char ascii[] =
        "# comment\r\ncpus=3\r\ntests=unit/*,poke/?x seconds=7 colour=red\r\n";
    unsigned long rounds = fuzz_rounds("text_file_narrow", 100000), accepted = 0;
    struct prng random = { FUZZ_SEED };
    char raw[2 * sizeof(ascii) + 2], error[256];
    static struct words w;

    (void)state;
    for (unsigned long round = 0; round < rounds; round++) {
        size_t bytes = widen(ascii, sizeof(ascii) - 1, round & 1, raw);
        unsigned changes = prng_below(&random, 4);

        if (prng_below(&random, 4) == 0)
            bytes = prng_below(&random, (uint32_t)bytes + 1);
        for (unsigned i = 0; i < changes && bytes; i++)
            raw[prng_below(&random, (uint32_t)bytes)] = (char)prng_next(&random);
        char *text = malloc(bytes ? bytes : 1);
        memcpy(text, raw, bytes);
        size_t length = text_file_narrow(text, bytes);
        assert_true(length <= bytes);
        words_defaults(&w);
        if (words_parse_file(&w, "crossmod.cfg", text, length, error, sizeof(error))) {
            accepted++;
            if (!changes && bytes > 2 * sizeof(ascii) - 2) {
                assert_int_equal(w.cpus, 3);
                assert_int_equal(w.seconds, 7);
                assert_string_equal(w.tests, "unit/*,poke/?x");
                assert_int_equal(w.ignored_count, 1);
            }
        }
        free(text);
    }
    if (rounds >= 1000)
        assert_in_range(accepted, rounds / 10, rounds - rounds / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_byte_a_character_stays),
        cmocka_unit_test(both_byte_orders_are_narrowed),
        cmocka_unit_test(what_is_not_ascii_stays_visible),
        cmocka_unit_test(mutilated),
    };
    return cmocka_run_group_tests_name("boot/text_file", tests, NULL, NULL);
}
