/* SPDX-License-Identifier: MIT */
/* The tear map's oracle, the bounds of its rates, and what vendors promise. */
#include "tests/host/host_test.h"

#include "tests/errata/tear.h"
#include "tests/errata/tear_bound.h"
#include "tests/errata/tear_pads.h"

static const unsigned widths[] = { 1, 2, 4, 8, 16, 32, 64 };

/* What the processor would have in its registers after executing `code`. */
static void execute(const uint8_t *code, unsigned insns, uint64_t *registers)
{
    for (unsigned i = 0; i < insns; i++)
        memcpy(&registers[i], code + i * TEAR_INSN_BYTES + TEAR_INSN_IMM, 8);
}

/* A mixture: byte i of the store is new where bit i of `news` is set. */
static enum tear_outcome judge(const struct tear_image *image, uint64_t news, uint64_t *mask)
{
    uint8_t code[sizeof image->site.code];
    uint64_t registers[TEAR_INSNS_MAX];

    memcpy(code, image->site.code, sizeof code);
    for (unsigned i = 0; i < image->bytes; i++)
        code[TEAR_INSN_IMM + i] = image->store[news >> i & 1][i];
    execute(code, image->site.registers, registers);
    return tear_judge_text(image, registers, mask);
}

static void images_differ_in_immediates_only(void **state)
{
    (void)state;
    for (unsigned w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        struct tear_image image;
        unsigned toggled = 0;

        tear_image_make(&image, widths[w]);
        assert_int_equal(image.bytes, widths[w]);
        assert_in_range(image.site.registers, 1, TEAR_INSNS_MAX);
        assert_memory_equal(image.store[0], image.site.code + TEAR_INSN_IMM, widths[w]);
        for (unsigned i = 0; i < widths[w]; i++) {
            bool differs = image.store[0][i] != image.store[1][i];

            assert_int_equal(differs, image.bytes_toggled >> i & 1);
            assert_int_equal(differs, i % TEAR_INSN_BYTES < 8);
            toggled += differs;
        }
        for (unsigned i = 0; i < image.site.registers; i++)
            toggled -= (unsigned)__builtin_popcountll(image.toggled[i]) / 8;
        assert_int_equal(toggled, 0);
    }
}

static void every_mixture_of_eight_bytes(void **state)
{
    struct tear_image image;
    uint64_t mask;

    (void)state;
    tear_image_make(&image, 8);
    for (unsigned news = 0; news < 256; news++) {
        enum tear_outcome want = news == 0 ? TEAR_OLD : news == 255 ? TEAR_NEW : TEAR_TORN;

        assert_int_equal(judge(&image, news, &mask), want);
        assert_int_equal(mask, news);
    }
}

static void mixtures_of_wide_stores(void **state)
{
    struct tear_image image;
    uint64_t mask;

    (void)state;
    tear_image_make(&image, 64);
    assert_int_equal(judge(&image, 0, &mask), TEAR_OLD);
    assert_int_equal(judge(&image, UINT64_MAX, &mask), TEAR_NEW);
    assert_int_equal(mask, image.bytes_toggled);
    assert_int_equal(judge(&image, 0xff, &mask), TEAR_BETWEEN); /* the first instruction only */
    assert_int_equal(mask, 0xff);
    assert_int_equal(judge(&image, UINT64_MAX << 20, &mask), TEAR_BETWEEN);
    assert_int_equal(judge(&image, UINT64_MAX << 32, &mask), TEAR_TORN);
    assert_int_equal(judge(&image, 0x1ff << 10, &mask), TEAR_BETWEEN); /* opcodes do not count */
    assert_int_equal(judge(&image, 1ull << 63, &mask), TEAR_TORN);
}

static void bytes_that_nobody_stored(void **state)
{
    struct tear_image image;
    uint64_t mask, registers[TEAR_INSNS_MAX] = { 0x0100 };
    uint8_t seen[STORE_BYTES_MAX];

    (void)state;
    tear_image_make(&image, 8);
    assert_int_equal(tear_judge_text(&image, registers, &mask), TEAR_FOREIGN);
    tear_image_make(&image, 2);
    registers[0] = 0xff0000; /* behind the store */
    assert_int_equal(tear_judge_text(&image, registers, &mask), TEAR_FOREIGN);

    tear_image_make(&image, 16);
    memcpy(seen, image.store[1], 16);
    assert_int_equal(tear_judge_data(&image, seen, &mask), TEAR_NEW);
    seen[0] = 0;
    assert_int_equal(tear_judge_data(&image, seen, &mask), TEAR_TORN);
    assert_int_equal(mask, image.bytes_toggled & ~1ull);
    seen[8] ^= 1; /* an opcode */
    assert_int_equal(tear_judge_data(&image, seen, &mask), TEAR_FOREIGN);
    memcpy(seen, image.store[0], 16);
    assert_int_equal(tear_judge_data(&image, seen, &mask), TEAR_OLD);
}

/* Against Wilson's interval as tables have it. */
static void bounds(void **state)
{
    static const struct {
        uint64_t k, n;
        double low, high;
    } known[] = {
        { 1, 10, 0.017876, 0.404150 },      { 5, 10, 0.236593, 0.763407 },
        { 10, 10, 0.722467, 1.0 },          { 50, 1000, 0.038107, 0.065313 },
        { 1, 1000000, 1.765e-7, 5.665e-6 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct rate rate = rate_bounds(known[i].k, known[i].n);

        assert_float_equal((double)rate.low / RATE_ONE / known[i].low, 1, 0.002);
        assert_float_equal((double)rate.high / RATE_ONE / known[i].high, 1, 0.002);
    }
    assert_int_equal(rate_bounds(0, 3000).high, RATE_ONE / 1000);
    assert_int_equal(rate_bounds(0, 0).high, RATE_ONE);
    assert_int_equal(rate_bounds(0, 2).high, RATE_ONE);
    for (uint64_t n = 1; n < 1ull << 34; n = n * 3 + 1) {
        for (uint64_t k = 1; k <= n; k = k * 5 + 1) {
            struct rate rate = rate_bounds(k, n);

            assert_true(rate.low <= rate_of(k, n) && rate_of(k, n) <= rate.high);
            assert_true(rate.high <= RATE_ONE);
        }
    }
}

static enum promise_kind promised(enum vendor vendor, unsigned bytes, unsigned pieces,
                                  unsigned offset)
{
    struct store_kind kind = { .bytes = bytes, .alignment = 1, .pieces = pieces };

    return promise_of_store(vendor, &kind, offset).kind;
}

static void promises(void **state)
{
    (void)state;
    assert_int_equal(promised(VENDOR_AMD, 8, 1, 0), PROMISE_WHOLE);
    assert_int_equal(promised(VENDOR_AMD, 8, 1, 56), PROMISE_WHOLE);
    assert_int_equal(promised(VENDOR_AMD, 8, 1, 1), PROMISE_UNSPECIFIED);
    assert_int_equal(promised(VENDOR_AMD, 4, 1, 3), PROMISE_WHOLE);
    assert_int_equal(promised(VENDOR_AMD, 4, 1, 5), PROMISE_UNSPECIFIED);
    assert_int_equal(promised(VENDOR_AMD, 16, 1, 0), PROMISE_UNSPECIFIED);
    assert_int_equal(promised(VENDOR_INTEL, 8, 1, 0), PROMISE_UNSPECIFIED);
    assert_int_equal(promised(VENDOR_INTEL, 8, 1, 57), PROMISE_TORN);
    assert_int_equal(promised(VENDOR_INTEL, 1, 1, 63), PROMISE_WHOLE);
    assert_int_equal(promised(VENDOR_AMD, 8, 8, 0), PROMISE_TORN);
    assert_int_equal(promised(VENDOR_OTHER, 8, 1, 0), PROMISE_UNSPECIFIED);
}

/* Sixteen mixtures, sixteen targets; those that have a pad have one to themselves. */
static void landing_pads(void **state)
{
    (void)state;
    for (unsigned a = 0; a < PADS_MASKS; a++) {
        int32_t target = (int32_t)pads_displacement(a);

        assert_int_equal(pads_mask((uint32_t)target), a);
        assert_int_equal(pads_is_near(a), target > -0x10400 && target < 0x10400);
        for (unsigned b = 0; b < a; b++)
            assert_true(llabs((int64_t)target - (int32_t)pads_displacement(b)) >= 16);
        for (unsigned i = 0; i < PADS_BYTES; i++) {
            uint32_t from = pads_displacement(a >> i & 1 ? PADS_NEW : PADS_OLD);

            assert_int_equal((uint32_t)target >> 8 * i & 0xff, from >> 8 * i & 0xff);
        }
    }
    for (unsigned i = 0; i < PADS_BYTES; i++)
        assert_int_not_equal(pads_displacement(PADS_OLD) >> 8 * i & 0xff,
                             pads_displacement(PADS_NEW) >> 8 * i & 0xff);
    assert_int_equal(pads_mask(0x12345678), PADS_MASKS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_differ_in_immediates_only),
        cmocka_unit_test(every_mixture_of_eight_bytes),
        cmocka_unit_test(mixtures_of_wide_stores),
        cmocka_unit_test(bytes_that_nobody_stored),
        cmocka_unit_test(bounds),
        cmocka_unit_test(promises),
        cmocka_unit_test(landing_pads),
    };

    return cmocka_run_group_tests_name("tear", tests, NULL, NULL);
}
