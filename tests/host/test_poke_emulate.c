/* SPDX-License-Identifier: MIT */
/*
 * Emulation: every class, and every condition with every set of flags against this very processor.
 */
#include "tests/host/host_test.h"

#include "poke/emulate.h"

#define AT 0xffffffff80123456ull /* the INT3's address */

/* Does the processor take jump `cc` with these flags? Below the red zone, since PUSHF is used. */
#define JCC(cc_)                                                                                   \
    case cc_:                                                                                      \
        __asm__ volatile("lea -128(%%rsp), %%rsp\n\t"                                              \
                         "push %1\n\t"                                                             \
                         "popf\n\t"                                                                \
                         "mov $1, %0\n\t"                                                          \
                         ".byte 0x70 + %c2, 5\n\t" /* over the 5-byte MOV */                       \
                         ".byte 0xB8, 0, 0, 0, 0\n\t"                                              \
                         "lea 128(%%rsp), %%rsp"                                                   \
                         : "=&a"(taken)                                                            \
                         : "r"(flags), "i"(cc_)                                                    \
                         : "cc", "memory");                                                        \
        return taken

static unsigned processor_jumps(unsigned cc, uint64_t flags)
{
    unsigned taken;

    switch (cc) {
        JCC(0);
        JCC(1);
        JCC(2);
        JCC(3);
        JCC(4);
        JCC(5);
        JCC(6);
        JCC(7);
        JCC(8);
        JCC(9);
        JCC(10);
        JCC(11);
        JCC(12);
        JCC(13);
        JCC(14);
        JCC(15);
    }
    fail();
    return 2;
}

static struct poke_insn decoded(const uint8_t *bytes, size_t len)
{
    struct poke_insn insn;

    assert_int_equal(poke_insn_decode(AT, bytes, len, &insn), POKE_OK);
    return insn;
}

static void jcc_as_the_processor(void **state)
{
    static const uint64_t bits[5] = { 1 << 0, 1 << 2, 1 << 6, 1 << 7, 1 << 11 };
    unsigned taken = 0;

    (void)state;
    for (unsigned cc = 0; cc < 16; cc++) {
        const uint8_t near_form[6] = { 0x0F, (uint8_t)(0x80 + cc), 0x00, 0x10, 0x00, 0x00 };
        const uint8_t short_form[2] = { (uint8_t)(0x70 + cc), 0xF0 };
        struct poke_insn near_insn = decoded(near_form, 6), short_insn = decoded(short_form, 2);

        for (unsigned set = 0; set < 32; set++) {
            uint64_t flags = 0x202;

            for (unsigned i = 0; i < 5; i++)
                flags |= set & (1u << i) ? bits[i] : 0;

            struct poke_regs regs = { .ip = AT + 1, .sp = 0x1000, .flags = flags };
            unsigned jumps = processor_jumps(cc, flags);

            assert_true(poke_emulate(&regs, &near_insn));
            assert_int_equal(regs.ip, jumps ? AT + 6 + 0x1000 : AT + 6);
            assert_int_equal(regs.sp, 0x1000);
            assert_int_equal(regs.flags, flags);

            regs.ip = AT + 1;
            assert_true(poke_emulate(&regs, &short_insn));
            assert_int_equal(regs.ip, jumps ? AT + 2 - 0x10 : AT + 2);
            taken += jumps;
        }
    }
    assert_int_equal(taken, 256); /* each condition and its inverse share the 32 sets */
}

/* Run one image on a stack of marked words, with RSP at any alignment; returns the words. */
static struct poke_regs emulated(const uint8_t *bytes, size_t len, uint8_t *stack, size_t sp,
                                 bool claimed)
{
    struct poke_insn insn = decoded(bytes, len);
    struct poke_regs regs = { .ip = AT + 1, .sp = (uintptr_t)stack + sp, .flags = 0x246 };

    assert_int_equal(poke_emulate(&regs, &insn), claimed);
    assert_int_equal(regs.flags, 0x246);
    regs.sp -= (uintptr_t)stack;
    return regs;
}

static void nops_and_jumps_touch_only_ip(void **state)
{
    static const struct {
        uint8_t bytes[6];
        uint8_t len;
        uint64_t ip;
    } images[] = {
        { { 0x66, 0x90 }, 2, AT + 2 },
        { { 0x0F, 0x1F, 0x44, 0, 0 }, 5, AT + 5 },
        { { 0x66, 0x0F, 0x1F, 0x44, 0, 0 }, 6, AT + 6 },
        { { 0xEB, 0x7F }, 2, AT + 2 + 0x7F },
        { { 0xEB, 0x80 }, 2, AT + 2 - 0x80 },
        { { 0xEB, 0x7F, 0xCC, 0xCC, 0xCC }, 5, AT + 2 + 0x7F },
        { { 0xE9, 0, 0, 0, 0x10 }, 5, AT + 5 + 0x10000000 },
        { { 0xE9, 0xF0, 0xFF, 0xFF, 0xFF, 0xCC }, 6, AT + 5 - 0x10 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
        struct poke_regs regs = emulated(images[i].bytes, images[i].len, NULL, 0x1000, true);

        assert_int_equal(regs.ip, images[i].ip);
        assert_int_equal(regs.sp, 0x1000);
    }
}

static void call_pushes_one_word(void **state)
{
    static const uint8_t call[5] = { 0xE8, 0x00, 0x01, 0x00, 0x00 };

    (void)state;
    for (size_t sp = 64; sp < 80; sp++) { /* RSP of every alignment */
        uint8_t stack[128], want[128];
        uint64_t back = AT + 5;

        memset(stack, 0x5A, sizeof(stack));
        memset(want, 0x5A, sizeof(want));
        memcpy(want + sp - 8, &back, 8);

        struct poke_regs regs = emulated(call, 5, stack, sp, true);

        assert_int_equal(regs.ip, AT + 5 + 0x100);
        assert_int_equal(regs.sp, sp - 8);
        assert_memory_equal(stack, want, sizeof(stack));
    }
}

static void ret_pops_one_word(void **state)
{
    static const uint8_t ret[6] = { 0xC3, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC };
    static const uint8_t lens[] = { 1, 2, 5, 6 };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t stack[128], want[128];
        uint64_t back = 0x123456789ABCDEF0;
        size_t sp = 61;

        memset(stack, 0x5A, sizeof(stack));
        memcpy(stack + sp, &back, 8);
        memcpy(want, stack, sizeof(stack));

        struct poke_regs regs = emulated(ret, lens[i], stack, sp, true);

        assert_int_equal(regs.ip, back);
        assert_int_equal(regs.sp, sp + 8);
        assert_memory_equal(stack, want, sizeof(stack));
    }
}

static void int3_is_left_to_its_owner(void **state)
{
    static const uint8_t int3[1] = { 0xCC };
    struct poke_regs regs = emulated(int3, 1, NULL, 0x1000, false);

    (void)state;
    assert_int_equal(regs.ip, AT + 1);
    assert_int_equal(regs.sp, 0x1000);
}

static void push_and_pop(void **state)
{
    uint8_t stack[16] = { 0 };
    struct poke_regs regs = { .sp = (uintptr_t)stack + 11 };

    (void)state;
    int3_emulate_push(&regs, 0x1122334455667788);
    assert_int_equal(regs.sp, (uintptr_t)stack + 3);
    assert_int_equal(int3_emulate_pop(&regs), 0x1122334455667788);
    assert_int_equal(regs.sp, (uintptr_t)stack + 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jcc_as_the_processor),      cmocka_unit_test(nops_and_jumps_touch_only_ip),
        cmocka_unit_test(call_pushes_one_word),      cmocka_unit_test(ret_pops_one_word),
        cmocka_unit_test(int3_is_left_to_its_owner), cmocka_unit_test(push_and_pop),
    };

    return cmocka_run_group_tests_name("poke emulate", tests, NULL, NULL);
}
