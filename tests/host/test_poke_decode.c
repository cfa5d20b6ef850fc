/* SPDX-License-Identifier: MIT */
/*
 * Images: generated and decoded; a disassembler is the second opinion on whatever the decoder
 * accepts.
 */
#include "tests/host/host_test.h"

#include <capstone/capstone.h>

#include "poke/insn.h"

#define AT 0xffffffff80123456ull /* where the images lie */

static const char *const jcc_names[16] = { "jo", "jno", "jb", "jae", "je", "jne", "jbe", "ja",
                                           "js", "jns", "jp", "jnp", "jl", "jge", "jle", "jg" };

static csh disassembler;

static int open_disassembler(void **state)
{
    (void)state;
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &disassembler) != CS_ERR_OK)
        return -1;
    return cs_option(disassembler, CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK;
}

/* The image is one instruction of the kind, with the target, that the decoder says, and padding. */
static void expect_agreement(const uint8_t *bytes, size_t len, const struct poke_insn *insn)
{
    static const char *const names[] = {
        [POKE_INSN_NOP] = "nop", [POKE_INSN_JMP] = "jmp",   [POKE_INSN_CALL] = "call",
        [POKE_INSN_RET] = "ret", [POKE_INSN_INT3] = "int3",
    };
    cs_insn *seen;

    assert_int_equal(cs_disasm(disassembler, bytes, len, AT, 1, &seen), 1);
    assert_string_equal(seen->mnemonic,
                        insn->kind == POKE_INSN_JCC ? jcc_names[insn->cc] : names[insn->kind]);
    assert_int_equal(insn->len, len);
    assert_true(seen->size <= len);
    if (seen->size < len)
        assert_true(insn->kind == POKE_INSN_JMP || insn->kind == POKE_INSN_RET);
    for (size_t i = seen->size; i < len; i++)
        assert_int_equal(bytes[i], 0xCC);

    uint64_t target = insn->kind == POKE_INSN_NOP ? AT + len : 0;

    if (insn->kind == POKE_INSN_JMP || insn->kind == POKE_INSN_CALL || insn->kind == POKE_INSN_JCC)
        target = (uint64_t)seen->detail->x86.operands[0].imm;
    assert_int_equal(insn->target, target);
    cs_free(seen, 1);
}

static void expect(const uint8_t *bytes, size_t len, enum poke_error want, unsigned kind)
{
    struct poke_insn insn = { .kind = 0xFF };

    assert_int_equal(poke_insn_decode(AT, bytes, len, &insn), want);
    if (want) {
        assert_int_equal(insn.kind, 0xFF);
        return;
    }
    assert_int_equal(insn.kind, kind);
    expect_agreement(bytes, len, &insn);
}

#define IMAGE(...) ((const uint8_t[6]){ __VA_ARGS__ })

static void every_legal_image(void **state)
{
    (void)state;
    expect(IMAGE(0xCC), 1, POKE_OK, POKE_INSN_INT3);
    expect(IMAGE(0xC3), 1, POKE_OK, POKE_INSN_RET);
    expect(IMAGE(0x66, 0x90), 2, POKE_OK, POKE_INSN_NOP);
    expect(IMAGE(0xEB, 0x80), 2, POKE_OK, POKE_INSN_JMP);
    expect(IMAGE(0xC3, 0xCC), 2, POKE_OK, POKE_INSN_RET);
    expect(IMAGE(0x0F, 0x1F, 0x44, 0, 0), 5, POKE_OK, POKE_INSN_NOP);
    expect(IMAGE(0xE8, 0, 0, 0, 0x80), 5, POKE_OK, POKE_INSN_CALL);
    expect(IMAGE(0xE9, 0xFF, 0xFF, 0xFF, 0x7F), 5, POKE_OK, POKE_INSN_JMP);
    expect(IMAGE(0xEB, 0x7F, 0xCC, 0xCC, 0xCC), 5, POKE_OK, POKE_INSN_JMP);
    expect(IMAGE(0xC3, 0xCC, 0xCC, 0xCC, 0xCC), 5, POKE_OK, POKE_INSN_RET);
    expect(IMAGE(0x66, 0x0F, 0x1F, 0x44, 0, 0), 6, POKE_OK, POKE_INSN_NOP);
    expect(IMAGE(0xE9, 1, 2, 3, 4, 0xCC), 6, POKE_OK, POKE_INSN_JMP);
    expect(IMAGE(0xEB, 0xFE, 0xCC, 0xCC, 0xCC, 0xCC), 6, POKE_OK, POKE_INSN_JMP);
    expect(IMAGE(0xC3, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC), 6, POKE_OK, POKE_INSN_RET);
    for (unsigned cc = 0; cc < 16; cc++) {
        expect(IMAGE(0x70 + cc, 0x12), 2, POKE_OK, POKE_INSN_JCC);
        expect(IMAGE(0x0F, 0x80 + cc, 1, 2, 3, 0x84), 6, POKE_OK, POKE_INSN_JCC);
    }
}

static void padded_jump_counts_from_its_own_end(void **state)
{
    struct poke_insn insn;

    (void)state;
    assert_int_equal(poke_insn_decode(AT, IMAGE(0xEB, 0x10, 0xCC, 0xCC, 0xCC), 5, &insn), POKE_OK);
    assert_int_equal(insn.target, AT + 2 + 0x10);
    assert_int_equal(poke_insn_decode(AT, IMAGE(0xE9, 0x10, 0, 0, 0, 0xCC), 6, &insn), POKE_OK);
    assert_int_equal(insn.target, AT + 5 + 0x10);
}

static void illegal_images(void **state)
{
    (void)state;
    expect(IMAGE(0xC3, 0xCC, 0xCC), 3, POKE_E_LENGTH, 0);
    expect(IMAGE(0xC3, 0xCC, 0xCC, 0xCC), 4, POKE_E_LENGTH, 0);
    expect(IMAGE(0xE9), 1, POKE_E_LENGTH, 0);
    expect(IMAGE(0xEB), 1, POKE_E_LENGTH, 0);
    expect(IMAGE(0xE8, 0), 2, POKE_E_LENGTH, 0);
    expect(IMAGE(0xCC, 0xCC), 2, POKE_E_LENGTH, 0); /* padding behind INT3 is reached */
    expect(IMAGE(0x74, 0, 0xCC, 0xCC, 0xCC), 5, POKE_E_LENGTH, 0);
    expect(IMAGE(0x0F, 0x84, 0, 0, 0), 5, POKE_E_LENGTH, 0);
    expect(IMAGE(0xE8, 0, 0, 0, 0, 0xCC), 6, POKE_E_LENGTH, 0);
    expect(IMAGE(0xC3, 0x90), 2, POKE_E_PADDING, 0);
    expect(IMAGE(0xEB, 0, 0xCC, 0xCC, 0), 5, POKE_E_PADDING, 0);
    expect(IMAGE(0xE9, 0, 0, 0, 0, 0x90), 6, POKE_E_PADDING, 0);
    expect(IMAGE(0x90), 1, POKE_E_OPCODE, 0);
    expect(IMAGE(0x90, 0x90), 2, POKE_E_OPCODE, 0);
    expect(IMAGE(0x0F), 1, POKE_E_OPCODE, 0);
    expect(IMAGE(0x0F, 0x1F, 0x44, 0, 1), 5, POKE_E_OPCODE, 0);
    expect(IMAGE(0x66, 0x0F, 0x1F, 0x44, 0, 0), 5, POKE_E_OPCODE, 0);
    expect(IMAGE(0x0F, 0x90, 0, 0, 0, 0), 6, POKE_E_OPCODE, 0);
}

/* Every first byte and, for 0F, every second one, in every length: only the known ones pass. */
static void every_opcode(void **state)
{
    unsigned accepted = 0;

    (void)state;
    for (size_t len = 0; len <= 7; len++) {
        for (unsigned opcode = 0; opcode < 0x200; opcode++) {
            uint8_t bytes[8] = { 0x0F, (uint8_t)opcode, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC };
            struct poke_insn insn;

            if (opcode < 0x100) {
                bytes[0] = (uint8_t)opcode;
                bytes[1] = 0xCC;
            }
            if (poke_insn_decode(AT, bytes, len, &insn))
                continue;
            expect_agreement(bytes, len, &insn);
            accepted++;
        }
    }
    /* RET x4, INT3, JMP8 x3, JMP32 x2, CALL, 16 short and 16 near Jcc. */
    assert_int_equal(accepted, 4 + 1 + 3 + 2 + 1 + 16 + 16);
}

static void random_bytes(void **state)
{
    static const uint8_t openings[] = { 0xCC, 0xC3, 0xE8, 0xE9, 0xEB, 0x0F, 0x66, 0x74, 0x7F };
    unsigned long rounds = fuzz_rounds("images", 300000);
    struct prng rng = prng_stream(FUZZ_SEED, 2);
    unsigned long accepted = 0;

    (void)state;
    for (unsigned long i = 0; i < rounds; i++) {
        size_t len = 1 + prng_below(&rng, 6);
        uint8_t *bytes = malloc(len); /* exact size: reading past the slot is seen */
        struct poke_insn insn;

        for (size_t k = 0; k < len; k++)
            bytes[k] = prng_below(&rng, 3) ? 0xCC : (uint8_t)prng_next(&rng);
        if (prng_below(&rng, 4))
            bytes[0] = openings[prng_below(&rng, sizeof(openings))];
        if (len > 1 && prng_below(&rng, 2))
            bytes[1] = (uint8_t)prng_next(&rng);
        if (poke_insn_decode(AT, bytes, len, &insn) == POKE_OK) {
            expect_agreement(bytes, len, &insn);
            accepted++;
        }
        free(bytes);
    }
    assert_true(accepted > rounds / 50);
}

static void *at(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

static void generated_images_decode_to_what_was_asked(void **state)
{
    static const int64_t distances[] = { 0, 1, -1, 127, -128, 1000, -1000, INT32_MAX, INT32_MIN };
    static const struct {
        uint8_t opcode;
        int64_t reach;
    } forms[] = { { 0xE8, INT32_MAX }, { 0xE9, INT32_MAX }, { 0xEB, 127 } };

    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        for (unsigned d = 0; d < sizeof(distances) / sizeof(distances[0]); d++) {
            size_t len = forms[f].opcode == 0xEB ? 2 : 5;
            uint64_t dest = AT + len + (uint64_t)distances[d];
            bool reached = distances[d] <= forms[f].reach && distances[d] >= -forms[f].reach - 1;
            uint8_t out[6] = { 0 };
            struct poke_insn insn;
            size_t made = 99;

            assert_int_equal(text_gen_insn(forms[f].opcode, at(AT), at(dest), out, &made),
                             reached ? POKE_OK : POKE_E_DISPLACEMENT);
            assert_int_equal(made, reached ? len : 99);
            assert_int_equal(out[0], reached ? forms[f].opcode : 0);
            if (!reached)
                continue;
            assert_int_equal(poke_insn_decode(AT, out, len, &insn), POKE_OK);
            assert_int_equal(insn.target, dest);
            expect_agreement(out, len, &insn);
        }
    }
}

static void generated_jcc(void **state)
{
    uint8_t out[6];
    struct poke_insn insn;

    (void)state;
    for (unsigned cc = 0; cc < 16; cc++) {
        for (size_t len = 2; len <= 6; len += 4) {
            assert_int_equal(text_gen_jcc(cc, len, at(AT), at(AT + 100), out), POKE_OK);
            assert_int_equal(poke_insn_decode(AT, out, len, &insn), POKE_OK);
            assert_int_equal(insn.cc, cc);
            assert_int_equal(insn.target, AT + 100);
            expect_agreement(out, len, &insn);
        }
    }
    assert_int_equal(text_gen_jcc(16, 2, at(AT), at(AT), out), POKE_E_OPCODE);
    assert_int_equal(text_gen_jcc(0, 5, at(AT), at(AT), out), POKE_E_LENGTH);
    assert_int_equal(text_gen_jcc(0, 2, at(AT), at(AT + 130), out), POKE_E_DISPLACEMENT);
    assert_int_equal(text_gen_jcc(0, 2, at(AT), at(AT + 129), out), POKE_OK);
    assert_int_equal(text_gen_jcc(0, 6, at(AT), at(AT + (1ull << 31) + 6), out),
                     POKE_E_DISPLACEMENT);
}

static void one_byte_instructions(void **state)
{
    uint8_t out[6];
    size_t len;

    (void)state;
    assert_int_equal(text_gen_insn(RET_INSN_OPCODE, NULL, NULL, out, &len), POKE_OK);
    assert_true(len == 1 && out[0] == 0xC3);
    assert_int_equal(text_gen_insn(INT3_INSN_OPCODE, NULL, NULL, out, &len), POKE_OK);
    assert_true(len == 1 && out[0] == 0xCC);
    assert_int_equal(text_gen_insn(0x90, NULL, NULL, out, &len), POKE_E_OPCODE);
}

static int close_disassembler(void **state)
{
    (void)state;
    return cs_close(&disassembler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_legal_image),
        cmocka_unit_test(padded_jump_counts_from_its_own_end),
        cmocka_unit_test(illegal_images),
        cmocka_unit_test(every_opcode),
        cmocka_unit_test(random_bytes),
        cmocka_unit_test(generated_images_decode_to_what_was_asked),
        cmocka_unit_test(generated_jcc),
        cmocka_unit_test(one_byte_instructions),
    };

    return cmocka_run_group_tests_name("poke decode", tests, open_disassembler, close_disassembler);
}
