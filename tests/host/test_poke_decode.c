/* SPDX-License-Identifier: MIT */
/*
 * Images: generated and decoded. Capstone is the second opinion on every slot, on what the decoder
 * refuses as on what it accepts.
 */
#include "tests/host/host_test.h"

#include "poke/insn.h"
#include "tests/host/disassembler.h"

#define AT 0xffffffff80123456ull /* where the images lie, unless a test says otherwise */

static int open_disassembler(void **state)
{
    (void)state;
    return !disassembler_open();
}

static int close_disassembler(void **state)
{
    (void)state;
    disassembler_close();
    return 0;
}

/* Decode in both ways and compare; returns what both say. */
static enum poke_error decode_at(uintptr_t addr, const uint8_t *bytes, size_t len,
                                 struct poke_insn *insn)
{
    struct poke_insn wanted = { .kind = 0xFF };

    *insn = wanted;
    enum poke_error e = poke_insn_decode(addr, bytes, len, insn);

    assert_int_equal(e, disassembler_decode(addr, bytes, len, &wanted));
    assert_true(disassembler_agrees(insn, &wanted)); /* untouched on error */
    return e;
}

static void expect(const uint8_t *bytes, size_t len, enum poke_error want, unsigned kind)
{
    struct poke_insn insn;

    assert_int_equal(decode_at(AT, bytes, len, &insn), want);
    if (!want)
        assert_int_equal(insn.kind, kind);
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
    for (size_t len = 0; len <= 300; len++) {
        uint8_t rets[300];

        memset(rets, 0xCC, sizeof(rets));
        rets[0] = 0xC3;
        expect(rets, len, len == 1 || len == 2 || len == 5 || len == 6 ? POKE_OK : POKE_E_LENGTH,
               POKE_INSN_RET);
    }
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

/* Every first byte and, for 0F, every second one, in every length; what follows is INT3 or not. */
static void every_opcode(void **state)
{
    unsigned accepted = 0;

    (void)state;
    for (unsigned opcode = 0; opcode < 0x200; opcode++) {
        for (unsigned fill = 0; fill < 0x200; fill++) {
            uint8_t bytes[8];
            struct poke_insn insn;

            memset(bytes, fill < 0x100 ? (int)fill : 0xCC, sizeof(bytes));
            bytes[0] = opcode < 0x100 ? (uint8_t)opcode : 0x0F;
            if (opcode >= 0x100)
                bytes[1] = (uint8_t)opcode;
            else if (fill >= 0x100)
                bytes[1] = (uint8_t)fill; /* any second byte, and INT3s behind it */
            for (size_t len = 0; len <= 8; len++)
                if (!decode_at(AT, bytes, len, &insn) && fill == 0xCC)
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
        size_t len = 1 + prng_below(&rng, 7);
        uint8_t *bytes = malloc(len); /* exact size: reading past the slot is seen */
        struct poke_insn insn;

        for (size_t k = 0; k < len; k++)
            bytes[k] = prng_below(&rng, 3) ? 0xCC : (uint8_t)prng_next(&rng);
        if (prng_below(&rng, 4))
            bytes[0] = openings[prng_below(&rng, sizeof(openings))];
        if (len > 1 && prng_below(&rng, 2))
            bytes[1] = (uint8_t)prng_next(&rng);
        accepted += !decode_at(prng_next(&rng), bytes, len, &insn);
        free(bytes);
    }
    assert_true(accepted > rounds / 50);
}

static void *at(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

/* Where instructions lie: the kernel, user space, both ends of memory and of its halves. */
static const uintptr_t places[] = { AT, 0x401000, 0, 3, UINT64_MAX, UINT64_MAX - 4, INT64_MAX - 2 };

/* Around the reach of both displacements. */
static const int64_t distances[] = { 0,
                                     1,
                                     -1,
                                     INT8_MAX,
                                     INT8_MAX + 1,
                                     INT8_MIN,
                                     INT8_MIN - 1,
                                     INT32_MAX - 1,
                                     INT32_MAX,
                                     INT32_MAX + 1ll,
                                     INT32_MIN + 1,
                                     INT32_MIN,
                                     INT32_MIN - 1ll,
                                     INT64_MAX,
                                     INT64_MIN };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void generated_images_decode_to_what_was_asked(void **state)
{
    static const struct {
        uint8_t opcode, len, kind;
        int64_t reach;
    } forms[] = { { 0xE8, 5, POKE_INSN_CALL, INT32_MAX },
                  { 0xE9, 5, POKE_INSN_JMP, INT32_MAX },
                  { 0xEB, 2, POKE_INSN_JMP, INT8_MAX } };

    (void)state;
    for (unsigned i = 0; i < COUNT(forms) * COUNT(places) * COUNT(distances); i++) {
        typeof(&forms[0]) form = &forms[i % COUNT(forms)];
        uintptr_t addr = places[i / COUNT(forms) % COUNT(places)];
        int64_t distance = distances[i / COUNT(forms) / COUNT(places)];
        uintptr_t dest = addr + form->len + (uintptr_t)distance;
        bool reached = distance <= form->reach && distance >= -form->reach - 1;
        uint8_t out[6] = { 0 };
        struct poke_insn insn;
        size_t len = 99;

        assert_int_equal(text_gen_insn(form->opcode, at(addr), at(dest), out, &len),
                         reached ? POKE_OK : POKE_E_DISPLACEMENT);
        assert_int_equal(len, reached ? form->len : 99);
        assert_int_equal(out[0], reached ? form->opcode : 0);
        if (!reached)
            continue;
        assert_int_equal(decode_at(addr, out, len, &insn), POKE_OK);
        assert_int_equal(insn.kind, form->kind);
        assert_int_equal(insn.target, dest);
    }
}

static void generated_jcc(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * 16 * COUNT(places) * COUNT(distances); i++) {
        size_t len = i & 1 ? 2 : 6;
        unsigned cc = i / 2 % 16;
        uintptr_t addr = places[i / 32 % COUNT(places)];
        int64_t distance = distances[i / 32 / COUNT(places)];
        int64_t reach = len == 2 ? INT8_MAX : INT32_MAX;
        uintptr_t dest = addr + len + (uintptr_t)distance;
        bool reached = distance <= reach && distance >= -reach - 1;
        uint8_t out[6] = { 0 };
        struct poke_insn insn;

        assert_int_equal(text_gen_jcc(cc, len, at(addr), at(dest), out),
                         reached ? POKE_OK : POKE_E_DISPLACEMENT);
        assert_int_equal(out[0], reached ? (len == 2 ? 0x70 + cc : 0x0F) : 0);
        if (!reached)
            continue;
        assert_int_equal(decode_at(addr, out, len, &insn), POKE_OK);
        assert_int_equal(insn.kind, POKE_INSN_JCC);
        assert_int_equal(insn.cc, cc);
        assert_int_equal(insn.target, dest);
    }
}

static void jcc_that_cannot_be_made(void **state)
{
    uint8_t out[6] = { 0 };

    (void)state;
    assert_int_equal(text_gen_jcc(16, 2, at(AT), at(AT), out), POKE_E_OPCODE);
    assert_int_equal(text_gen_jcc(UINT32_MAX, 6, at(AT), at(AT), out), POKE_E_OPCODE);
    for (size_t len = 0; len <= 16; len++)
        if (len != 2 && len != 6)
            assert_int_equal(text_gen_jcc(0, len, at(AT), at(AT), out), POKE_E_LENGTH);
    assert_memory_equal(out, ((uint8_t[6]){ 0 }), 6);
}

/* Every opcode but the three above: two that need no target, and no others. */
static void opcodes_without_displacement(void **state)
{
    (void)state;
    for (unsigned opcode = 0; opcode < 0x100; opcode++) {
        bool known = opcode == RET_INSN_OPCODE || opcode == INT3_INSN_OPCODE;
        uint8_t out[6] = { 0 };
        size_t len = 99;

        if (opcode == 0xE8 || opcode == 0xE9 || opcode == 0xEB)
            continue;
        assert_int_equal(text_gen_insn((uint8_t)opcode, NULL, NULL, out, &len),
                         known ? POKE_OK : POKE_E_OPCODE);
        assert_int_equal(len, known ? 1 : 99);
        assert_int_equal(out[0], known ? opcode : 0);
    }
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
        cmocka_unit_test(jcc_that_cannot_be_made),
        cmocka_unit_test(opcodes_without_displacement),
    };

    return cmocka_run_group_tests_name("poke decode", tests, open_disassembler, close_disassembler);
}
