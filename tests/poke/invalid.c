/* SPDX-License-Identifier: MIT */
/* I5: a caller's mistake is an error, and not one byte of text changes. */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/poke.h"
#include "tests/harness/test.h"

static const struct {
    uint8_t bytes[6];
    uint8_t len;
    enum poke_error error;
} mistakes[] = {
    { { 0xcc }, 0, POKE_E_LENGTH },
    { { 0x66, 0x66, 0x90 }, 3, POKE_E_LENGTH },
    { { 0x0f, 0x1f, 0x40, 0x00 }, 4, POKE_E_LENGTH },
    { { 0xe8, 0, 0, 0, 0, 0xcc }, 6, POKE_E_LENGTH },       /* CALL must fill its slot */
    { { 0xe9, 0 }, 2, POKE_E_LENGTH },                      /* half a jump */
    { { 0x90, 0x90 }, 2, POKE_E_OPCODE },                   /* two instructions */
    { { 0x66, 0x66, 0x66, 0x66, 0x90 }, 5, POKE_E_OPCODE }, /* a NOP, but not ours */
    { { 0xb8, 1, 2, 3, 4 }, 5, POKE_E_OPCODE },
    { { 0x0f, 0x0b }, 2, POKE_E_OPCODE },
    { { 0xc3, 0x90 }, 2, POKE_E_PADDING },
    { { 0xeb, 0, 0xcc, 0xcc, 0x90 }, 5, POKE_E_PADDING },
};

static bool all_int3(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != INT3_INSN_OPCODE)
            return false;
    }
    return true;
}

TEST(poke, i5_bad_instructions_refused, "what is not one legal instruction is refused untouched")
{
    uint8_t *text = (uint8_t *)mm_text_alloc(1);

    REQUIRE(text);
    text_mutex_lock();
    for (unsigned i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        enum poke_error e =
            smp_text_poke_single(text + 64, mistakes[i].bytes, mistakes[i].len, NULL);
        if (e != mistakes[i].error)
            FAIL("mistake %u: %s, expected %s", i, poke_error_text(e),
                 poke_error_text(mistakes[i].error));
    }
    text_mutex_unlock();
    EXPECT(all_int3(text, PAGE_SIZE));
}

static uint8_t not_text[16];

TEST(poke, i5_bad_addresses_refused, "only patchable text is ever written")
{
    uint8_t *text = (uint8_t *)mm_text_alloc(1);
    /* Data, the engine itself, the end of the last page, and nothing at all. */
    void *addresses[] = { not_text, (void *)text_poke, text + PAGE_SIZE - 4, NULL };
    uint8_t before = *(uint8_t *)text_poke;

    REQUIRE(text);
    text_mutex_lock();
    for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        EXPECT_EQ(smp_text_poke_single(addresses[i], poke_nop5, 5, NULL), POKE_E_ADDRESS);
        EXPECT_EQ(text_poke(addresses[i], poke_nop5, 5), POKE_E_ADDRESS);
    }
    EXPECT_EQ(text_poke(text, poke_nop5, 0), POKE_E_LENGTH);
    EXPECT_EQ(text_poke(text, text, PAGE_SIZE + 1), POKE_E_LENGTH);
    text_mutex_unlock();
    EXPECT_EQ(text_poke_copy(not_text, poke_nop5, 5), POKE_E_ADDRESS);
    EXPECT_EQ(text_poke_set(not_text, 0xcc, 5), POKE_E_ADDRESS);
    EXPECT_EQ(not_text[0], 0);
    EXPECT_EQ(*(uint8_t *)text_poke, before);
    EXPECT(all_int3(text, PAGE_SIZE));
}

TEST(poke, i5_lock_is_asked_for, "whoever does not hold text_mutex is told so")
{
    uint8_t *text = (uint8_t *)mm_text_alloc(1);

    REQUIRE(text);
    EXPECT_EQ(text_poke(text, poke_nop5, 5), POKE_E_LOCK);
    EXPECT_EQ(smp_text_poke_batch_add(text, poke_nop5, 5, NULL, NULL), POKE_E_LOCK);
    EXPECT_EQ(smp_text_poke_batch_finish(), POKE_E_LOCK);
    EXPECT_EQ(smp_text_poke_single(text, poke_nop5, 5, NULL), POKE_E_LOCK);
    EXPECT_EQ(poke_select_protocol(NULL), POKE_E_LOCK);
    EXPECT(all_int3(text, PAGE_SIZE));
}

TEST(poke, i5_displacement_range, "a target that the displacement cannot reach is refused")
{
    uint8_t out[TEXT_POKE_MAX_OPCODE_SIZE] = { 0 };
    uint8_t *at = (uint8_t *)0x100000000;
    size_t len = 0;

    EXPECT_EQ(text_gen_insn(JMP8_INSN_OPCODE, at, at + 2 + 127, out, &len), POKE_OK);
    EXPECT_EQ(text_gen_insn(JMP8_INSN_OPCODE, at, at + 2 - 128, out, &len), POKE_OK);
    EXPECT_EQ(text_gen_insn(JMP8_INSN_OPCODE, at, at + 2 + 128, out, &len), POKE_E_DISPLACEMENT);
    EXPECT_EQ(text_gen_insn(JMP8_INSN_OPCODE, at, at + 2 - 129, out, &len), POKE_E_DISPLACEMENT);
    EXPECT_EQ(text_gen_insn(CALL_INSN_OPCODE, at, at + 5 + 0x7fffffff, out, &len), POKE_OK);
    EXPECT_EQ(text_gen_insn(CALL_INSN_OPCODE, at, at + 5 + 0x80000000ull, out, &len),
              POKE_E_DISPLACEMENT);
    EXPECT_EQ(text_gen_jcc(4, 2, at, at + 2 + 128, out), POKE_E_DISPLACEMENT);
    EXPECT_EQ(text_gen_jcc(16, 2, at, at, out), POKE_E_OPCODE);
}
