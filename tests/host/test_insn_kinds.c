/* SPDX-License-Identifier: MIT */
/*
 * What may be executed elsewhere, what is to be emulated, and what is refused: a table of
 * instructions by name. Each array is padded with zeros to the longest instruction.
 */
#include "tests/host/host_test.h"

#include "poke/users/insn_copy.h"

#define REFUSED_AS(error) (0x80 | (error))

static const struct {
    const char *name;
    uint8_t bytes[INSN_MAX_SIZE];
    uint8_t len, kind; /* kind: REFUSED_AS(): not decoded at all */
} kinds[] = {
    { "nop", { 0x90 }, 1, INSN_PLAIN },
    { "nopl 0(%rax,%rax)", { 0x0F, 0x1F, 0x44, 0, 0 }, 5, INSN_PLAIN },
    { "push %rbp", { 0x55 }, 1, INSN_PLAIN },
    { "lock incl (%rax)", { 0xF0, 0xFF, 0x00 }, 3, INSN_PLAIN },
    { "rep movsb", { 0xF3, 0xA4 }, 2, INSN_PLAIN },
    { "lea 1(%rip), %rax", { 0x48, 0x8D, 0x05, 1, 0, 0, 0 }, 7, INSN_PLAIN },
    { "movabs $1, %rax", { 0x48, 0xB8, 1 }, 10, INSN_PLAIN },
    { "mov $1, %ax", { 0x66, 0xB8, 1 }, 4, INSN_PLAIN },
    { "data16 movabs $1, %rax", { 0x66, 0x48, 0xB8, 1 }, 11, INSN_PLAIN },
    { "mov $1, %eax, its REX void", { 0x48, 0x2E, 0xB8, 1 }, 7, INSN_PLAIN },
    { "movabs 1, %al", { 0xA0, 1 }, 9, INSN_PLAIN },
    { "addr32 mov 1, %al", { 0x67, 0xA0, 1 }, 6, INSN_PLAIN },
    { "testb $1, (%rax)", { 0xF6, 0x00, 1 }, 3, INSN_PLAIN },
    { "notb (%rax)", { 0xF6, 0x10, 1 }, 2, INSN_PLAIN },
    { "testl $1, (%rax)", { 0xF7, 0x00, 1 }, 6, INSN_PLAIN },
    { "testw $1, (%rax)", { 0x66, 0xF7, 0x08, 1 }, 5, INSN_PLAIN },
    { "mull (%rax)", { 0xF7, 0x20 }, 2, INSN_PLAIN },
    { "enter $1, $2", { 0xC8, 1, 0, 2 }, 4, INSN_PLAIN },
    { "mov %cr0, %rax, mod of memory", { 0x0F, 0x20, 0x05 }, 3, INSN_PLAIN },
    { "extrq $1, $2, %xmm0", { 0x66, 0x0F, 0x78, 0xC0, 1, 2 }, 6, INSN_PLAIN },
    { "vzeroupper", { 0xC5, 0xF8, 0x77 }, 3, INSN_PLAIN },
    { "vpblendw $1, %xmm0", { 0xC4, 0xE3, 0x79, 0x0E, 0xC0, 1 }, 6, INSN_PLAIN },
    { "vpshufd $1, %zmm0, %zmm0", { 0x62, 0xF1, 0x7D, 0x48, 0x70, 0xC0, 1 }, 7, INSN_PLAIN },
    { "vaddph %zmm0, %zmm0, %zmm0", { 0x62, 0xF5, 0x7C, 0x48, 0x58, 0xC0 }, 6, INSN_PLAIN },
    { "pushf", { 0x9C }, 1, INSN_PLAIN },
    { "popf", { 0x9D }, 1, INSN_PLAIN },
    { "cli", { 0xFA }, 1, INSN_PLAIN },
    { "monitor", { 0x0F, 0x01, 0xC8 }, 3, INSN_PLAIN },
    { "mwait", { 0x0F, 0x01, 0xC9 }, 3, INSN_REFUSED },
    { "monitor", { 0x0F, 0x01, 0xC8 }, 3, INSN_PLAIN },
    { "clac", { 0x0F, 0x01, 0xCA }, 3, INSN_PLAIN },
    { "lgdt (%rax), the row of VMLAUNCH", { 0x0F, 0x01, 0x10 }, 3, INSN_PLAIN },
    { "mov %ds, %eax", { 0x8C, 0xD8 }, 2, INSN_PLAIN },
    { "mov %eax, %ds", { 0x8E, 0xD8 }, 2, INSN_PLAIN },
    { "push (%rax)", { 0xFF, 0x30 }, 2, INSN_PLAIN },
    { "nop %edx, ENDBR without F3", { 0x0F, 0x1E, 0xFA }, 3, INSN_PLAIN },
    { "rdsspq %rax", { 0xF3, 0x48, 0x0F, 0x1E, 0xC8 }, 5, INSN_PLAIN },

    { "ret", { 0xC3 }, 1, INSN_JUMP },
    { "repz ret", { 0xF3, 0xC3 }, 2, INSN_JUMP },
    { "ret $8", { 0xC2, 8 }, 3, INSN_JUMP },
    { "jmp *%rax", { 0xFF, 0xE0 }, 2, INSN_JUMP },
    { "jmp *1(%rip)", { 0xFF, 0x25, 1 }, 6, INSN_JUMP },
    { "notrack jmp *%rax", { 0x3E, 0xFF, 0xE0 }, 3, INSN_JUMP },

    { "call", { 0xE8 }, 5, INSN_RELATIVE },
    { "data16 data16 rex.W call, of TLS", { 0x66, 0x66, 0x48, 0xE8 }, 8, INSN_RELATIVE },
    { "jmp", { 0xE9 }, 5, INSN_RELATIVE },
    { "jmp short", { 0xEB }, 2, INSN_RELATIVE },
    { "jg", { 0x7F }, 2, INSN_RELATIVE },
    { "bnd jo", { 0xF2, 0x70 }, 3, INSN_RELATIVE },
    { "jo near", { 0x0F, 0x80 }, 6, INSN_RELATIVE },
    { "jg near", { 0x0F, 0x8F }, 6, INSN_RELATIVE },
    { "loopne", { 0xE0 }, 2, INSN_RELATIVE },
    { "jrcxz", { 0xE3 }, 2, INSN_RELATIVE },

    { "int3", { 0xCC }, 1, INSN_REFUSED },
    { "int $0x80", { 0xCD, 0x80 }, 2, INSN_REFUSED },
    { "int1", { 0xF1 }, 1, INSN_REFUSED },
    { "iretq", { 0x48, 0xCF }, 2, INSN_REFUSED },
    { "lret", { 0xCB }, 1, INSN_REFUSED },
    { "lret $8", { 0xCA, 8 }, 3, INSN_REFUSED },
    { "call *%rax", { 0xFF, 0xD0 }, 2, INSN_REFUSED },
    { "call *1(%rip)", { 0xFF, 0x15, 1 }, 6, INSN_REFUSED },
    { "lcall *(%rax)", { 0xFF, 0x18 }, 2, INSN_REFUSED },
    { "ljmp *(%rax)", { 0xFF, 0x28 }, 2, INSN_REFUSED },
    { "mov %eax, %ss", { 0x8E, 0xD0 }, 2, INSN_REFUSED },
    { "sti", { 0xFB }, 1, INSN_REFUSED },
    { "hlt", { 0xF4 }, 1, INSN_REFUSED },
    { "syscall", { 0x0F, 0x05 }, 2, INSN_REFUSED },
    { "sysretq", { 0x48, 0x0F, 0x07 }, 3, INSN_REFUSED },
    { "sysenter", { 0x0F, 0x34 }, 2, INSN_REFUSED },
    { "sysexit", { 0x0F, 0x35 }, 2, INSN_REFUSED },
    { "getsec", { 0x0F, 0x37 }, 2, INSN_REFUSED },
    { "rsm", { 0x0F, 0xAA }, 2, INSN_REFUSED },
    { "ud2", { 0x0F, 0x0B }, 2, INSN_REFUSED },
    { "ud1 %eax, %eax", { 0x0F, 0xB9, 0xC0 }, 3, INSN_REFUSED },
    { "ud0 %eax, %eax", { 0x0F, 0xFF, 0xC0 }, 3, INSN_REFUSED },
    { "xbegin", { 0xC7, 0xF8 }, 6, INSN_REFUSED },
    { "endbr64", { 0xF3, 0x0F, 0x1E, 0xFA }, 4, INSN_REFUSED },
    { "vmlaunch", { 0x0F, 0x01, 0xC2 }, 3, INSN_REFUSED },
    { "vmrun", { 0x0F, 0x01, 0xD8 }, 3, INSN_REFUSED },
    { "skinit", { 0x0F, 0x01, 0xDE }, 3, INSN_REFUSED },
    { "erets", { 0xF2, 0x0F, 0x01, 0xCA }, 4, INSN_REFUSED },
    { "uiret", { 0xF3, 0x0F, 0x01, 0xEC }, 4, INSN_REFUSED },
    { "jecxz", { 0x67, 0xE3 }, 3, INSN_REFUSED },
    { "data16 ret", { 0x66, 0xC3 }, 2, INSN_REFUSED },
    { "data16 jmp *%rax", { 0x66, 0xFF, 0xE0 }, 3, INSN_REFUSED },
    { "data16 jmp short", { 0x66, 0xEB }, 3, INSN_REFUSED },

    { "data16 call", { 0x66, 0xE8 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "data16 jo near", { 0x66, 0x0F, 0x80 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "lock jmp", { 0xF0, 0xEB }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "push %es", { 0x06 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "into", { 0xCE }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "pop %ss", { 0x17 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "lcall $0, $0", { 0x9A }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "3DNow!", { 0x0F, 0x0F, 0xC0, 0x9E }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "XOP", { 0x8F, 0xE8, 0x78, 0xC0, 0xC0, 1 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "REX2 of APX", { 0xD5, 0x00, 0x90 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "EVEX map 4 of APX", { 0x62, 0xF4, 0x7C, 0x08, 0x01, 0xC0 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "EVEX, B4 of APX", { 0x62, 0xF9, 0x7C, 0x48, 0x58, 0xC0 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "EVEX, X4 of APX", { 0x62, 0xF1, 0x78, 0x48, 0x58, 0xC0 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "EVEX map 7", { 0x62, 0xF7, 0x7C, 0x48, 0x58, 0xC0 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "EVEX has no VZEROUPPER",
      { 0x62, 0xF1, 0x7C, 0x08, 0x77, 0xC0 },
      0,
      REFUSED_AS(POKE_E_OPCODE) },
    { "VEX map 0", { 0xC4, 0xE0, 0x78, 0x77 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "VEX behind 66", { 0x66, 0xC5, 0xF8, 0x77 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "VEX behind a void REX", { 0x40, 0x2E, 0xC5, 0xF8, 0x77 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "two REX", { 0x48, 0x48, 0x90 }, 0, REFUSED_AS(POKE_E_OPCODE) },
    { "lea of a register", { 0x8D, 0xC0 }, 0, REFUSED_AS(POKE_E_OPCODE) },
};

static void kind_of_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct insn_info info = { 0 };
        enum poke_error e = insn_look(kinds[i].bytes, INSN_MAX_SIZE, &info);
        unsigned kind = e ? REFUSED_AS(e) : info.kind;

        if (kind != kinds[i].kind || info.len != kinds[i].len)
            fail_msg("%s: kind 0x%x, length %u", kinds[i].name, kind, info.len);
    }
}

/*
 * Undefined in 64-bit mode, whatever ModRM, without prefixes: restated from the SDM's maps. 62 is
 * EVEX and C4 is VEX, which zeros are no valid rest of; 0F 0E and 0F 0F are 3DNow!.
 */
static const uint8_t undefined_one_byte[] = {
    0x06, 0x07, 0x0E, 0x16, 0x17, 0x1E, 0x1F, 0x27, 0x2F, 0x37, 0x3F,
    0x60, 0x61, 0x62, 0x82, 0x9A, 0xC4, 0xCE, 0xD4, 0xD5, 0xD6, 0xEA,
};
static const uint8_t undefined_0f[] = {
    0x04, 0x0A, 0x0C, 0x0E, 0x0F, 0x24, 0x25, 0x26, 0x27, 0x36, 0x39,
    0x3B, 0x3C, 0x3D, 0x3E, 0x3F, 0x7A, 0x7B, 0xA6, 0xA7, 0xB8,
};

static void every_undefined_opcode(void **state)
{
    (void)state;
    for (unsigned opcode = 0; opcode < 0x200; opcode++) {
        uint8_t bytes[INSN_MAX_SIZE] = { 0x0F };
        uint8_t *at = opcode < 0x100 ? bytes : bytes + 1;
        struct insn_info info;
        const void *undefined =
            opcode < 0x100 ? memchr(undefined_one_byte, (int)opcode, sizeof(undefined_one_byte))
                           : memchr(undefined_0f, (int)opcode - 0x100, sizeof(undefined_0f));
        bool accepted;

        at[0] = (uint8_t)opcode;
        accepted = !insn_look(bytes, sizeof(bytes), &info); /* group member 0 */
        at[1] = 0x20;                                       /* and 4 */
        accepted |= !insn_look(bytes, sizeof(bytes), &info);
        if (accepted == !!undefined)
            fail_msg("opcode 0x%x: %s", opcode, accepted ? "accepted" : "refused");
    }
}

/* 0F 01: which values of ModRM are transitions. CA is in the table above. */
static void every_transition(void **state)
{
    static const uint8_t refused[] = {
        0xC0, 0xC2, 0xC3, 0xC9, 0xCC, 0xCD, 0xCE, 0xCF, 0xD7, 0xD8, 0xDE, 0xEC, 0xFB,
    };

    (void)state;
    for (unsigned modrm = 0; modrm < 0x100; modrm++) {
        const uint8_t bytes[INSN_MAX_SIZE] = { 0x0F, 0x01, (uint8_t)modrm };
        bool is_refused = memchr(refused, (int)modrm, sizeof(refused));
        struct insn_info info;

        assert_int_equal(insn_look(bytes, sizeof(bytes), &info), POKE_OK);
        if (info.kind != (is_refused ? INSN_REFUSED : INSN_PLAIN))
            fail_msg("0F 01 %02X: kind %u", modrm, info.kind);
    }
}

static void branches_say_which_and_where(void **state)
{
    struct insn_info info;

    (void)state;
    assert_int_equal(insn_look((const uint8_t *)"\xEB\x80", 2, &info), POKE_OK);
    assert_int_equal(info.branch, 0xEB);
    assert_int_equal(info.rel, -128);
    assert_int_equal(insn_look((const uint8_t *)"\x2E\x0F\x8F\xFE\xFF\xFF\x7F", 7, &info), POKE_OK);
    assert_int_equal(info.branch, 0x8F);
    assert_int_equal(info.rel, 0x7ffffffe);
    assert_int_equal(insn_look((const uint8_t *)"\xE8\x00\x00\x00\x80", 5, &info), POKE_OK);
    assert_int_equal(info.branch, 0xE8);
    assert_int_equal(info.rel, INT32_MIN);
    assert_int_equal(insn_look((const uint8_t *)"\xE3\x7F", 2, &info), POKE_OK);
    assert_int_equal(info.branch, 0xE3);
    assert_int_equal(info.rel, 127);
    assert_int_equal(insn_look((const uint8_t *)"\xFF\xE0", 2, &info), POKE_OK);
    assert_int_equal(info.branch, 0xFF);
    assert_int_equal(info.rel, 0);
    assert_int_equal(insn_look((const uint8_t *)"\xF3\xC3", 2, &info), POKE_OK);
    assert_int_equal(info.branch, 0xC3);
    assert_int_equal(insn_look((const uint8_t *)"\x67\xE3\xFD", 3, &info), POKE_OK);
    assert_int_equal(info.kind, INSN_REFUSED); /* but it is known where it leads */
    assert_int_equal(info.branch, 0xE3);
    assert_int_equal(info.rel, -3);
    assert_int_equal(insn_look((const uint8_t *)"\x66\xC7\xF8\xFE\xFF", 5, &info), POKE_OK);
    assert_int_equal(info.branch, 0xC7);
    assert_int_equal(info.rel, -2);
    assert_int_equal(insn_look((const uint8_t *)"\xFF\x2B", 2, &info), POKE_OK);
    assert_int_equal(info.kind, INSN_REFUSED);
    assert_int_equal(info.branch, 0xFF);
    assert_int_equal(insn_look((const uint8_t *)"\xFF\x13", 2, &info), POKE_OK);
    assert_int_equal(info.branch, 0); /* a CALL comes back */
    assert_int_equal(insn_look((const uint8_t *)"\x90", 1, &info), POKE_OK);
    assert_int_equal(info.branch, 0);
    assert_int_equal(info.rel, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kind_of_each),
        cmocka_unit_test(every_undefined_opcode),
        cmocka_unit_test(every_transition),
        cmocka_unit_test(branches_say_which_and_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
