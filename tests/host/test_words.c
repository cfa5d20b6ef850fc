/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include "kernel/lib/words.h"

static char error[512];

typedef bool parser(struct words *, const char *, const char *, size_t, char *, size_t);

/* Parse a copy of exactly this size, so that the sanitizer sees a read behind its end. */
static bool parse_by(parser *parse, struct words *w, const char *text, size_t bytes)
{
    char *exact = malloc(bytes ? bytes : 1);

    memcpy(exact, text, bytes);
    strcpy(error, "untouched");
    bool ok = parse(w, "test.cfg", exact, bytes, error, sizeof(error));
    free(exact);
    return ok;
}

static bool parse_bytes(struct words *w, const char *text, size_t bytes)
{
    return parse_by(words_parse, w, text, bytes);
}

static void accept(struct words *w, const char *text)
{
    words_defaults(w);
    if (!parse_bytes(w, text, strlen(text)))
        fail_msg("refused: %s", error);
    assert_string_equal(error, "untouched");
}

static void refuse_bytes(const char *text, size_t bytes, const char *want)
{
    struct words w;

    words_defaults(&w);
    assert_false(parse_bytes(&w, text, bytes));
    assert_string_equal(error, want);
}

static void refuse(const char *text, const char *want)
{
    refuse_bytes(text, strlen(text), want);
}

static void defaults_are_what_the_table_says(void **state)
{
    struct words w;

    (void)state;
    memset(&w, 0xff, sizeof(w));
    words_defaults(&w);
    assert_int_equal(w.given, 0);
#define WORD_NUMBER(name, lo, hi, def, scope, help) assert_int_equal(w.name, def);
#define WORD_CHOICE(name, choices, def, scope, help)                                               \
    assert_string_equal(words_choice_text(&w, #name), def);
#define WORD_TEXT(name, def, scope, help) assert_string_equal(w.name, def);
#include "kernel/lib/words.def"
}

/* 0 below the range is allowed as a default only: "decide yourself". */
static void assert_number(uint64_t value, uint64_t lo, uint64_t hi, uint64_t def)
{
    if (value != 0 || def != 0)
        assert_in_range(value, lo, hi);
}

static void the_table_is_sound(void **state)
{
    (void)state;
#define WORD_NUMBER(name, lo, hi, def, scope, help)  assert_number(def, lo, hi, def);
#define WORD_CHOICE(name, choices, def, scope, help) accept(&w, #name "=" def);
#define WORD_TEXT(name, def, scope, help)            accept(&w, #name "=" def);
    struct words w;
#include "kernel/lib/words.def"
}

static void values(void **state)
{
    struct words w;

    (void)state;
    accept(&w, "cpus=8 tests=stress/*,poke/?x seconds=0x14\tseed=0xDEADbeef sync=cr2");
    assert_int_equal(w.cpus, 8);
    assert_string_equal(w.tests, "stress/*,poke/?x");
    assert_int_equal(w.seconds, 20);
    assert_int_equal(w.seed, 0xdeadbeef);
    assert_string_equal(words_choice_text(&w, "sync"), "cr2");
    assert_null(words_choice_text(&w, "cpus"));
    assert_null(words_choice_text(&w, "nothing"));
    assert_int_equal(w.given, 1 << WORD_ID_cpus | 1 << WORD_ID_tests | 1 << WORD_ID_seconds |
                                  1 << WORD_ID_seed | 1 << WORD_ID_sync);

    accept(&w, "tests=a=b"); /* the first '=' ends the name */
    assert_string_equal(w.tests, "a=b");
    accept(&w, "seed=18446744073709551615");
    assert_int_equal(w.seed, UINT64_MAX);
    accept(&w, "accel=tcg-mt");
    assert_int_equal(w.accel, ACCEL_TCG_MT);
    accept(&w, "accel=kvm");
    assert_int_equal(w.accel, ACCEL_KVM);
}

static void later_words_win(void **state)
{
    struct words w;

    (void)state;
    accept(&w, "cpus=2 cpus=4\ncpus=3 tests=longer-one tests=short");
    assert_int_equal(w.cpus, 3);
    assert_string_equal(w.tests, "short");
    assert_true(parse_bytes(&w, "seconds=9", 9)); /* a second source */
    assert_int_equal(w.cpus, 3);
    assert_int_equal(w.seconds, 9);
}

static void files_of_all_editors(void **state)
{
    struct words w;

    (void)state;
    accept(&w, "");
    accept(&w, " \t\r\n\v\f");
    accept(&w, "\xef\xbb\xbf"
               "cpus=2\r\n# seed=3\r\nseconds=5 # cpus=7\r\n");
    assert_int_equal(w.cpus, 2);
    assert_int_equal(w.seed, 0);
    assert_int_equal(w.seconds, 5);
    accept(&w, "cpus=2#cpus=3\nseconds=6");
    assert_int_equal(w.cpus, 2);
    assert_int_equal(w.seconds, 6);
    accept(&w, "# only a comment");

    words_defaults(&w);
    assert_true(parse_bytes(&w, "cpus=2\0", 7));
    assert_int_equal(w.cpus, 2);
    assert_true(parse_bytes(&w, "\0", 1));
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    refuse_bytes("cpus=2\0\0", 8, "test.cfg: not a text file: byte 0x00 at offset 6");
    refuse_bytes("\0cpus=2", 7, "test.cfg: not a text file: byte 0x00 at offset 0");
    refuse("zzzz\ncpus=2\x7f", "test.cfg: not a text file: byte 0x7f at offset 11");
    refuse("# caf\xc3\xa9", "test.cfg: not a text file: byte 0xc3 at offset 5");
    refuse("cpus=2\x1b", "test.cfg: not a text file: byte 0x1b at offset 6");
    refuse("\xef\xbb\xbf\xef\xbb\xbf", "test.cfg: not a text file: byte 0xef at offset 3");
    refuse("\xef\xbb", "test.cfg: not a text file: byte 0xef at offset 0");
    refuse_bytes("c\0p\0u\0", 6, "test.cfg: not a text file: byte 0x00 at offset 1");
}

static void unknown_words(void **state)
{
    (void)state;
    refuse("cpuz=3", "test.cfg: unknown word 'cpuz'; did you mean 'cpus'?");
    refuse("cpu=3", "test.cfg: unknown word 'cpu'; did you mean 'cpus'?");
    refuse("secnods=3", "test.cfg: unknown word 'secnods'; did you mean 'seconds'?");
    refuse("Seed=3", "test.cfg: unknown word 'Seed'; did you mean 'seed'?");
#define ALL_WORDS                                                                                  \
    "the words are cpus tests seconds seed sync pcid hang slice nvram accel store "                \
    "placement protocol transition mapping reader rsync screen dangerous vcpus mem "               \
    "icount limit"
    refuse("colour=3", "test.cfg: unknown word 'colour'; " ALL_WORDS);
    refuse("--help", "test.cfg: unknown word '--help'; " ALL_WORDS);
    refuse("xxxxxxxxxxyyyyyyyyyyxxxxxxxxxxyyyyyyyyyyxxxxxxxxxxyyyyyyyyyyZ=1",
           "test.cfg: unknown word 'xxxxxxxxxxyyyyyyyyyyxxxxxxxxxxyyyyyyyyyyxxxxxxxxxxyyyyyyyyyy'"
           "; " ALL_WORDS);
}

/* Of a file: passed over, and named. */
static void unknown_words_of_a_file(void **state)
{
    static const char text[] = "cpus=3 cpuz=4\r\n# f\xc3\xbcr mich: colour=1\r\n"
                               "colour=2 seconds=5 --help\n=7 hello";
    struct words w;

    (void)state;
#define PARSE_FILE(text) parse_by(words_parse_file, &w, text, sizeof(text) - 1)
    words_defaults(&w);
    assert_true(PARSE_FILE("cpus=3 seconds=5"));
    assert_int_equal(w.ignored_count, 0);

    words_defaults(&w);
    assert_false(PARSE_FILE(text));
    assert_string_equal(error, "test.cfg line 4: '=7': a name must stand before '='");
    assert_int_equal(w.cpus, 3);
    assert_int_equal(w.seconds, 5);
    assert_int_equal(w.given, 1 << WORD_ID_cpus | 1 << WORD_ID_seconds);
    assert_int_equal(w.ignored_count, 3);
    assert_string_equal(w.ignored[0],
                        "test.cfg line 1: unknown word 'cpuz' is ignored; did you mean 'cpus'?");
    assert_string_equal(w.ignored[1], "test.cfg line 3: unknown word 'colour' is ignored");
    assert_string_equal(w.ignored[2], "test.cfg line 3: unknown word '--help' is ignored");

    /* Known, with a wrong value: not what was asked. */
    words_defaults(&w);
    assert_false(PARSE_FILE("cpus=many"));
    assert_string_equal(error, "test.cfg: cpus=many: not a number, must be 0 to 4096");
    assert_false(PARSE_FILE("cpus"));
    assert_string_equal(error, "test.cfg: 'cpus' has no value; write cpus=VALUE");

    /* Outside ASCII: in comments, on their own line only. */
    assert_true(PARSE_FILE("#\xfc\ncpus=4 # \xff\x80\r\nseed=2"));
    assert_int_equal(w.cpus, 4);
    assert_false(PARSE_FILE("#\n\xfc=4"));
    assert_string_equal(error, "test.cfg: not a text file: byte 0xfc at offset 2");
    assert_false(PARSE_FILE("#\r\xfc=4"));
    assert_false(PARSE_FILE("# \x01"));
    assert_false(PARSE_FILE("# \x7f"));
}

/* Each line is whole, however long the word and its neighbours; what is too much is counted. */
static void many_unknown_words(void **state)
{
    char text[20 * 200], *end = text;
    struct words w;

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        end += sprintf(end, "\n%0*d", i < 2 ? 150 : 40, i + 1);
    words_defaults(&w);
    assert_true(parse_by(words_parse_file, &w, text, (size_t)(end - text)));
    assert_int_equal(w.ignored_count, 20);
    for (unsigned i = 0; i < WORDS_IGNORED_MAX; i++) {
        assert_non_null(strstr(w.ignored[i], "' is ignored"));
        assert_true(strlen(w.ignored[i]) < WORDS_IGNORED_LINE - 1);
    }
    /* The longest line that there is: a source's name, a line's number, a long word near none. */
    words_defaults(&w);
    memset(text, '\n', sizeof(text) - 40);
    memset(text + sizeof(text) - 40, 'x', 40);
    assert_true(words_parse_file(&w, "load options", text, sizeof(text), error, sizeof(error)));
    assert_string_equal(w.ignored[0], "load options line 3961: unknown word "
                                      "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' is ignored");
}

static void wrong_values(void **state)
{
    (void)state;
    refuse("cpus", "test.cfg: 'cpus' has no value; write cpus=VALUE");
    refuse("cpus =3", "test.cfg: 'cpus' has no value; write cpus=VALUE");
    refuse("cpus= 3", "test.cfg: cpus=: the value is missing, must be 0 to 4096");
    refuse("tests=", "test.cfg: tests=: the value is missing, must be 1 to 511 characters");
    refuse("=3", "test.cfg: '=3': a name must stand before '='");
    refuse("cpus=abc", "test.cfg: cpus=abc: not a number, must be 0 to 4096");
    refuse("cpus=-1", "test.cfg: cpus=-1: not a number, must be 0 to 4096");
    refuse("cpus=8k", "test.cfg: cpus=8k: not a number, must be 0 to 4096");
    refuse("cpus=0x", "test.cfg: cpus=0x: not a number, must be 0 to 4096");
    refuse("cpus=0xfg", "test.cfg: cpus=0xfg: not a number, must be 0 to 4096");
    refuse("cpus=1f", "test.cfg: cpus=1f: not a number, must be 0 to 4096");
    refuse("accel=fast", "test.cfg: accel=fast: must be auto, kvm, tcg or tcg-mt");
    refuse("accel=tcg-", "test.cfg: accel=tcg-: must be auto, kvm, tcg or tcg-mt");
    refuse("accel=TCG", "test.cfg: accel=TCG: must be auto, kvm, tcg or tcg-mt");
}

static void ranges(void **state)
{
    struct words w;

    (void)state;
    accept(&w, "cpus=4096");
    refuse("cpus=4097", "test.cfg: cpus=4097: must be 0 to 4096");
    accept(&w, "seconds=1");
    refuse("seconds=0", "test.cfg: seconds=0: must be 1 to 86400");
    accept(&w, "mem=0");
    accept(&w, "mem=256");
    refuse("mem=255", "test.cfg: mem=255: must be 0 or 256 to 65536");

    accept(&w, "seed=0xffffffffffffffff");
    accept(&w, "seed=0x0000000000000000001");
    refuse("seed=18446744073709551616",
           "test.cfg: seed=18446744073709551616: must be 0 to 0xffffffffffffffff");
    refuse("seed=0x10000000000000000",
           "test.cfg: seed=0x10000000000000000: must be 0 to 0xffffffffffffffff");
    /* 2^64 + 1 would be a good value if it wrapped. */
    refuse("cpus=18446744073709551617", "test.cfg: cpus=18446744073709551617: must be 0 to 4096");
}

static void text_fills_its_place(void **state)
{
    char text[6 + WORDS_TEXT_MAX + 1];
    struct words w;

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "tests=", 6);
    text[6 + WORDS_TEXT_MAX - 1] = '\0';
    accept(&w, text);
    assert_int_equal(strlen(w.tests), WORDS_TEXT_MAX - 1);

    text[6 + WORDS_TEXT_MAX - 1] = 'x';
    text[6 + WORDS_TEXT_MAX] = '\0';
    refuse(text, "test.cfg: tests=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: "
                 "must be 1 to 511 characters");
}

static void errors_name_the_line(void **state)
{
    (void)state;
    refuse("cpuz=1\n", "test.cfg line 1: unknown word 'cpuz'; did you mean 'cpus'?");
    refuse("# one\r\n\r\n  cpus=4\r\nseed=x\r\n",
           "test.cfg line 4: seed=x: not a number, must be 0 to 0xffffffffffffffff");
    refuse("cpus=1 seed=2\nmem=1 cpus=9999", "test.cfg line 2: mem=1: must be 0 or 256 to 65536");
}

/* An error text that does not fit is cut and still ends in its place. */
static void short_error_buffer(void **state)
{
    static const char whole[] = "test.cfg: cpus=9999: must be 0 to 4096";
    struct guarded g;
    struct words w;

    (void)state;
    words_defaults(&w);
    for (size_t size = 0; size <= sizeof(whole); size++) {
        char want[sizeof(whole)];

        assert_false(words_parse(&w, "test.cfg", "cpus=9999", 9, guard(&g, size), size));
        assert_guard_whole(&g);
        if (size) {
            snprintf(want, size < sizeof(want) ? size : sizeof(want), "%s", whole);
            assert_string_equal(g.text, want);
        }
    }
}

static void help_has_a_line_for_each_word(void **state)
{
    struct guarded g;
    char text[8192];
    size_t length = words_help(text, sizeof(text));
    unsigned lines = 0;

    (void)state;
    assert_int_equal(length, strlen(text));
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, WORD_COUNT);
    assert_non_null(strstr(text, "cpus     0 to 4096 "));
    assert_non_null(strstr(text, " auto, kvm, tcg or tcg-mt "));

    for (size_t size = 0; size < length + 2; size += 13) {
        assert_int_equal(words_help(guard(&g, size), size), length);
        assert_guard_whole(&g);
        if (size)
            assert_int_equal(strncmp(g.text, text, size - 1), 0);
    }
}

/* A text that is near a good one: pieces of good texts, then a few bytes changed. */
static size_t make_text(struct prng *random, char *text, size_t size)
{
    static const char *const pieces[] = {
        "cpus=",        "tests=", "seed=0x",   "accel=", "tcg", "12", "99999999999999999999",
        "ffff",         " ",      "\n",        "\r\n",   "#",   "=",  "mem=300",
        "\xef\xbb\xbf", "cpsu=1", "sync=iret", "a/*,b?"
    };
    unsigned count = prng_below(random, 12);
    size_t bytes = 0;

    for (unsigned i = 0; i < count; i++) {
        const char *piece = pieces[prng_below(random, sizeof(pieces) / sizeof(pieces[0]))];
        unsigned times = prng_below(random, 40) == 0 ? 200 : 1;

        while (times-- && bytes + strlen(piece) <= size) {
            memcpy(text + bytes, piece, strlen(piece));
            bytes += strlen(piece);
        }
    }
    for (unsigned i = prng_below(random, 4); i-- && bytes > 0;)
        text[prng_below(random, (uint32_t)bytes)] = (char)prng_next(random);
    return bytes;
}

static void mutations(void **state)
{
    unsigned long rounds = fuzz_rounds("words_parse", 200000), accepted = 0;
    struct prng random = { FUZZ_SEED };
    char text[1024];
    struct words w;

    (void)state;
    for (unsigned long round = 0; round < rounds; round++) {
        parser *parse = round & 1 ? words_parse_file : words_parse;

        words_defaults(&w);
        if (parse_by(parse, &w, text, make_text(&random, text, sizeof(text)))) {
            accepted++;
            assert_true(parse == words_parse_file || w.ignored_count == 0);
            assert_string_equal(error, "untouched");
        } else {
            assert_memory_equal(error, "test.cfg", 8);
            assert_true(strlen(error) < sizeof(error));
            for (const char *c = error; *c; c++)
                assert_in_range((unsigned char)*c, ' ', '~');
        }
        for (unsigned i = 0; i < w.ignored_count && i < WORDS_IGNORED_MAX; i++) {
            assert_memory_equal(w.ignored[i], "test.cfg", 8);
            for (const char *c = w.ignored[i]; *c; c++)
                assert_in_range((unsigned char)*c, ' ', '~');
        }
        /* Whatever was read is in its range. */
#define WORD_NUMBER(name, lo, hi, def, scope, help)  assert_number(w.name, lo, hi, def);
#define WORD_CHOICE(name, choices, def, scope, help) assert_non_null(words_choice_text(&w, #name));
#define WORD_TEXT(name, def, scope, help)            assert_in_range(strlen(w.name), 1, 511);
#include "kernel/lib/words.def"
    }
    if (rounds >= 1000) /* both ways are taken often, else the texts are badly chosen */
        assert_in_range(accepted, rounds / 10, rounds - rounds / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_what_the_table_says),
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(values),
        cmocka_unit_test(later_words_win),
        cmocka_unit_test(files_of_all_editors),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(unknown_words),
        cmocka_unit_test(unknown_words_of_a_file),
        cmocka_unit_test(many_unknown_words),
        cmocka_unit_test(wrong_values),
        cmocka_unit_test(ranges),
        cmocka_unit_test(text_fills_its_place),
        cmocka_unit_test(errors_name_the_line),
        cmocka_unit_test(short_error_buffer),
        cmocka_unit_test(help_has_a_line_for_each_word),
        cmocka_unit_test(mutations),
    };

    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
