/* SPDX-License-Identifier: MIT */
/*
 * The decoder of instructions that are to be executed elsewhere. Capstone is the second opinion: on
 * all the code of this process, its libraries' vector code included, and on random bytes. Where the
 * two are allowed to differ is listed in allowed_length() and allowed_refusal(), and nowhere else.
 * What this decoder alone accepts is counted, not judged: it has opcodes that are newer than
 * Capstone, and passes undefined ones of known length (poke/users/insn_copy.h). The kinds are
 * tests/host/test_insn_kinds.c's.
 */
#include "tests/host/host_test.h"

#include <link.h>

#include <capstone/capstone.h>

#include "poke/users/insn_copy.h"

#define FROM 0xffffffff80123456ull /* where the random instructions stand */

static csh capstone;
static cs_insn *seen; /* of the last call of disassemble() */

static int open_capstone(void **state)
{
    (void)state;
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &capstone) != CS_ERR_OK)
        return 1;
    cs_option(capstone, CS_OPT_DETAIL, CS_OPT_ON);
    seen = cs_malloc(capstone);
    return !seen;
}

static int close_capstone(void **state)
{
    (void)state;
    cs_free(seen, 1);
    cs_close(&capstone);
    return 0;
}

static bool disassemble(const uint8_t *bytes, size_t available, uint64_t addr)
{
    return cs_disasm_iter(capstone, &bytes, &available, &addr, seen);
}

/* ---- where the two may differ ---- */

struct shape {
    bool p66, p67, f2f3, lock, rex_w, rexes, any_rex;
    const uint8_t *op; /* behind the prefixes */
};

static struct shape shape_of(const uint8_t *bytes)
{
    struct shape s = { .op = bytes };
    uint8_t before = 0;

    for (;; before = *s.op++) {
        bool rex = (*s.op & 0xF0) == 0x40;

        if (!rex && (!*s.op || !memchr("\x26\x2E\x36\x3E\x64\x65\x66\x67\xF0\xF2\xF3", *s.op, 11)))
            return s;
        s.p66 |= *s.op == 0x66;
        s.p67 |= *s.op == 0x67;
        s.lock |= *s.op == 0xF0;
        s.f2f3 |= *s.op == 0xF2 || *s.op == 0xF3;
        s.rexes |= rex && (before & 0xF0) == 0x40;
        s.any_rex |= rex;
        s.rex_w = rex && (*s.op & 8);
    }
}

static bool is_vex(const uint8_t *op)
{
    return *op == 0x62 || *op == 0xC4 || *op == 0xC5;
}

/* Errors of Capstone 4 in lengths. GNU objdump agrees with the manual, and with this decoder. */
static bool allowed_length(const uint8_t *bytes, unsigned ours)
{
    struct shape s = shape_of(bytes);

    if (s.op[0] == 0x0F && (s.op[1] == 0xB9 || s.op[1] == 0xFF))
        return true; /* it leaves out the ModRM of UD0 and UD1 */
    if (s.op[0] == 0x0F && s.op[1] == 0x78)
        return s.p66 || s.p67 || s.f2f3; /* it confuses VMREAD with EXTRQ and INSERTQ */
    if (s.op[0] == 0x62 && (s.op[3] & 0x10) && s.op[5] >= 0xC0)
        return seen->size == ours + 1; /* it takes a byte for EVEX's rounding in P2 */
    if (s.op[0] == 0xC2 || s.op[0] == 0xE8)
        return s.rex_w && (s.p66 || s.p67); /* RET imm16 has 2 bytes, CALL 4, whatever the size */
    return s.op[0] == 0x68 && s.p66 && s.f2f3; /* it forgets the 66 */
}

/* And in targets: it cuts them to 16 bits. */
static bool allowed_target(const uint8_t *bytes)
{
    struct shape s = shape_of(bytes);

    return s.rex_w && (s.p66 || s.p67);
}

/* What Capstone accepts and this decoder does not, by design. */
static bool allowed_refusal(const uint8_t *bytes)
{
    struct shape s = shape_of(bytes);
    bool near = s.op[0] == 0xE8 || s.op[0] == 0xE9 || (s.op[0] == 0x0F && s.op[1] >> 4 == 8);
    bool branch = near || s.op[0] == 0xEB || s.op[0] >> 4 == 7 || s.op[0] >> 2 == 0xE0 >> 2;

    if (s.rexes)
        return true; /* there can be one REX */
    if (branch && s.lock)
        return true; /* #UD, which an emulated branch would not raise */
    if (near)
        return s.p66; /* AMD's have two bytes of displacement, Intel's four */
    if (is_vex(s.op))
        return s.p66 || s.f2f3 || s.lock || s.any_rex; /* #UD */
    if (s.op[0] == 0x0F)
        return s.op[1] == 0x0E || s.op[1] == 0x0F ||                     /* 3DNow! */
               s.op[1] == 0xA6 || s.op[1] == 0xA7 ||                     /* VIA's */
               (s.op[1] == 0x78 && (s.p66 || s.f2f3) && s.op[2] < 0xC0); /* no such VMREAD */
    return s.op[0] == 0x8F ||                                            /* XOP */
           (s.op[0] == 0x8E && (s.op[1] >> 3 & 7) == 1);                 /* MOV CS */
}

static void print_bytes(const char *what, const uint8_t *bytes)
{
    printf("%s:", what);
    for (unsigned i = 0; i < INSN_MAX_SIZE; i++)
        printf(" %02x", bytes[i]);
    printf(", Capstone: %u bytes, %s %s\n", seen->size, seen->mnemonic, seen->op_str);
}

static struct statistics {
    unsigned long both, differ, refused, ours, neither, rip, relative;
} count;

/* Is there an operand in memory relative to RIP? */
static bool names_rip(uint64_t *address)
{
    const cs_x86 *x86 = &seen->detail->x86;

    for (unsigned i = 0; i < x86->op_count; i++) {
        const cs_x86_op *op = &x86->operands[i];

        if (op->type == X86_OP_MEM &&
            (op->mem.base == X86_REG_RIP || op->mem.base == X86_REG_EIP)) {
            *address = seen->address + seen->size + (uint64_t)op->mem.disp;
            return true;
        }
    }
    return false;
}

/* What both say of the same instruction, of the same length. */
static void compare_details(const uint8_t *bytes, const struct insn_info *info)
{
    const cs_x86 *x86 = &seen->detail->x86;
    bool jumps = cs_insn_group(capstone, seen, CS_GRP_JUMP) ||
                 cs_insn_group(capstone, seen, CS_GRP_CALL) || x86->opcode[0] >> 2 == 0xE0 >> 2;
    bool relative = jumps && x86->op_count == 1 && x86->operands[0].type == X86_OP_IMM;
    uint64_t named;

    if (names_rip(&named) != !!info->disp_at ||
        (info->disp_at && x86->encoding.disp_offset != info->disp_at)) {
        print_bytes("displacement from RIP", bytes);
        fail();
    }
    count.rip += !!info->disp_at;
    if (info->kind == INSN_RELATIVE) {
        count.relative++;
        if (allowed_target(bytes))
            return;
        if (!relative || seen->address + info->len + (uint64_t)(int64_t)info->rel !=
                             (uint64_t)x86->operands[0].imm) {
            print_bytes("target", bytes);
            fail();
        }
    } else if (relative && info->kind != INSN_REFUSED) {
        print_bytes("a branch taken for something else", bytes);
        fail();
    }
}

/* Look in both ways at the 15 bytes; what this decoder answers. */
static enum poke_error compare(const uint8_t *bytes, uint64_t addr, struct insn_info *info)
{
    bool known = disassemble(bytes, INSN_MAX_SIZE, addr);
    enum poke_error e = insn_look(bytes, INSN_MAX_SIZE, info);

    assert_true(e == POKE_OK || e == POKE_E_OPCODE); /* no instruction goes on behind 15 bytes */
    if (known && !e && seen->size == info->len) {
        count.both++;
        compare_details(bytes, info);
    } else if (known && !e) {
        count.differ++;
        if (!allowed_length(bytes, info->len)) {
            print_bytes("length", bytes);
            assert_int_equal(info->len, seen->size);
        }
    } else if (known) {
        count.refused++;
        if (!allowed_refusal(bytes)) {
            print_bytes("refused", bytes);
            fail();
        }
    } else if (!e) {
        count.ours++;
    } else {
        count.neither++;
    }
    return e;
}

/* ---- the code of this process ---- */

static void walk(const uint8_t *from, const uint8_t *end)
{
    while (from + INSN_MAX_SIZE <= end) {
        struct insn_info info;
        bool known = disassemble(from, INSN_MAX_SIZE, (uintptr_t)from);

        compare(from, (uintptr_t)from, &info);
        from += known ? seen->size : 1; /* in a constant among the code */
    }
}

static int walk_object(struct dl_phdr_info *object, size_t size, void *objects)
{
    (void)size;
    if (!strncmp(object->dlpi_name, "linux-vdso", 10))
        return 0; /* its tables lie in the same segment */
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &object->dlpi_phdr[i];
        const uint8_t *text = (const uint8_t *)(object->dlpi_addr + p->p_vaddr);

        if (p->p_type == PT_LOAD && (p->p_flags & PF_X))
            walk(text, text + p->p_memsz);
    }
    (*(unsigned *)objects)++;
    return 0;
}

static void print_counts(const char *what)
{
    printf("%s: %lu alike (%lu with RIP, %lu relative), %lu other lengths, %lu refused, %lu more, "
           "%lu in neither\n",
           what, count.both, count.rip, count.relative, count.differ, count.refused, count.ours,
           count.neither);
}

static void all_code_of_this_process(void **state)
{
    unsigned objects = 0;

    (void)state;
    count = (struct statistics){ 0 };
    dl_iterate_phdr(walk_object, &objects);
    print_counts("this process");
    assert_true(objects >= 4); /* itself, libcmocka, libcapstone, libc */
    assert_true(count.both > 300000);
    assert_true(count.rip > 10000);
    assert_true(count.relative > 50000);
    /* Compilers emit next to nothing that one of the two does not know. */
    assert_true(count.differ + count.refused + count.ours + count.neither < count.both / 500);
}

/* ---- random instructions ---- */

/* 15 random bytes that begin as an instruction of one of the maps might. */
static void random_insn(struct prng *rng, uint8_t bytes[INSN_MAX_SIZE])
{
    static const uint8_t prefixes[] = { 0x66, 0x67, 0xF2, 0xF3, 0xF0, 0x2E,
                                        0x3E, 0x26, 0x36, 0x64, 0x65 };
    unsigned at = 0;

    for (unsigned i = 0; i < INSN_MAX_SIZE; i++)
        bytes[i] = (uint8_t)prng_next(rng);
    if (prng_below(rng, 16) == 0)
        return;
    for (unsigned n = prng_below(rng, 3); n; n--)
        bytes[at++] = prefixes[prng_below(rng, sizeof(prefixes))];
    if (prng_below(rng, 2))
        bytes[at++] = (uint8_t)(0x40 | prng_below(rng, 16));
    switch (prng_below(rng, 10)) {
    case 0 ... 2:
        bytes[at] = 0x0F;
        return;
    case 3:
        bytes[at++] = 0x0F;
        bytes[at] = prng_below(rng, 2) ? 0x38 : 0x3A;
        return;
    case 4: /* VEX of three bytes, in its maps mostly */
        bytes[0] = 0xC4;
        bytes[1] = (uint8_t)((bytes[1] & 0xE0) | prng_below(rng, 5));
        return;
    case 5:
        bytes[0] = 0xC5;
        return;
    case 6: /* EVEX */
        bytes[0] = 0x62;
        bytes[1] = (uint8_t)((bytes[1] & 0xF0) | prng_below(rng, 8));
        bytes[2] |= 0x04;
        return;
    }
}

static void random_insns(void **state)
{
    unsigned long rounds = fuzz_rounds("instructions", 400000);
    struct prng rng = prng_stream(FUZZ_SEED, 20);

    (void)state;
    count = (struct statistics){ 0 };
    for (unsigned long i = 0; i < rounds; i++) {
        uint8_t bytes[INSN_MAX_SIZE];
        struct insn_info info;

        random_insn(&rng, bytes);
        compare(bytes, FROM, &info);
    }
    print_counts("random");
    assert_true(count.both > rounds / 2);
    assert_true(count.rip > rounds / 200);
    assert_true(count.relative > rounds / 200);
    assert_true(count.differ < rounds / 200);
    assert_true(count.refused < rounds / 20);
}

/* Every instruction is LENGTH until it is whole, and nothing behind what is available is read. */
static void cut_off(void **state)
{
    unsigned long rounds = fuzz_rounds("instructions cut off", 40000), accepted = 0;
    struct prng rng = prng_stream(FUZZ_SEED, 21);

    (void)state;
    for (unsigned long i = 0; i < rounds; i++) {
        uint8_t bytes[INSN_MAX_SIZE];
        struct insn_info whole;
        enum poke_error e;

        random_insn(&rng, bytes);
        e = insn_look(bytes, sizeof(bytes), &whole);
        accepted += !e;
        for (size_t n = 0; n <= sizeof(bytes); n++) {
            uint8_t *exact = n ? malloc(n) : NULL; /* the address sanitizer sees what goes beyond */
            struct insn_info info, untouched;

            if (n)
                memcpy(exact, bytes, n);
            memset(&info, 0x5a, sizeof(info));
            untouched = info;
            enum poke_error cut = insn_look(exact, n, &info);

            free(exact);
            if (!e && n >= whole.len) {
                assert_int_equal(cut, POKE_OK);
                assert_memory_equal(&info, &whole, sizeof(info));
                continue;
            }
            assert_true(cut == POKE_E_LENGTH || (e == POKE_E_OPCODE && cut == POKE_E_OPCODE));
            assert_memory_equal(&info, &untouched, sizeof(info));
        }
    }
    assert_true(accepted > rounds / 2);
}

static void fifteen_bytes_at_most(void **state)
{
    uint8_t bytes[32];
    struct insn_info info;

    (void)state;
    memset(bytes, 0x2E, sizeof(bytes));
    assert_int_equal(insn_look(bytes, 14, &info), POKE_E_LENGTH);
    assert_int_equal(insn_look(bytes, 15, &info), POKE_E_OPCODE);
    bytes[14] = 0x90;
    assert_int_equal(insn_look(bytes, sizeof(bytes), &info), POKE_OK);
    assert_int_equal(info.len, 15);
    bytes[14] = 0x04; /* ADD AL, imm8 has 16 */
    assert_int_equal(insn_look(bytes, sizeof(bytes), &info), POKE_E_OPCODE);
    memcpy(bytes + 9, "\x81\x05\0\0\0\0\0\0\0\0",
           10); /* its displacement fits, its immediate not */
    assert_int_equal(insn_look(bytes, sizeof(bytes), &info), POKE_E_OPCODE);
}

/* ---- copies ---- */

/* The copy names what the original names, and is otherwise the same. */
static void copies_name_the_same(void **state)
{
    unsigned long rounds = fuzz_rounds("copies", 200000), compared = 0;
    struct prng rng = prng_stream(FUZZ_SEED, 22);

    (void)state;
    for (unsigned long i = 0; i < rounds; i++) {
        uint8_t bytes[INSN_MAX_SIZE], copy[INSN_MAX_SIZE + 1];
        uint64_t to = FROM + (int32_t)prng_next(&rng), named, named_by_copy;
        struct insn_info info;
        enum poke_error e;

        random_insn(&rng, bytes);
        memset(copy, 0x5a, sizeof(copy));
        if (insn_look(bytes, sizeof(bytes), &info))
            continue;
        e = insn_copy(copy, to, bytes, FROM, &info);
        for (unsigned k = e ? 0 : info.len; k < sizeof(copy); k++)
            assert_int_equal(copy[k], 0x5a);
        if (info.kind == INSN_RELATIVE || info.kind == INSN_REFUSED) {
            assert_int_equal(e, POKE_E_OPCODE);
            continue;
        }
        if (e) {
            assert_int_equal(e, POKE_E_DISPLACEMENT);
            assert_true(info.disp_at);
            continue;
        }
        for (unsigned k = 0; k < info.len; k++)
            if (!info.disp_at || k < info.disp_at || k >= info.disp_at + 4u)
                assert_int_equal(copy[k], bytes[k]);
        if (!disassemble(bytes, sizeof(bytes), FROM) || seen->size != info.len ||
            !names_rip(&named))
            continue;
        assert_true(disassemble(copy, info.len, to));
        assert_true(names_rip(&named_by_copy));
        assert_int_equal(named, named_by_copy);
        compared++;
    }
    printf("copies: %lu compared\n", compared);
    assert_true(compared > rounds / 400);
}

/* MOV EAX, [RIP + disp] at FROM, copied to `to`. */
static enum poke_error copy_mov(int32_t disp, uintptr_t to, int32_t *copied)
{
    uint8_t bytes[6] = { 0x8B, 0x05 }, copy[6] = { 0 };
    struct insn_info info;
    enum poke_error e;

    memcpy(bytes + 2, &disp, sizeof(disp));
    assert_int_equal(insn_look(bytes, sizeof(bytes), &info), POKE_OK);
    assert_int_equal(info.disp_at, 2);
    e = insn_copy(copy, to, bytes, FROM, &info);
    memcpy(copied, copy + 2, sizeof(*copied));
    return e;
}

static void displacement_at_its_ends(void **state)
{
    int32_t copied;

    (void)state;
    assert_int_equal(copy_mov(100, FROM - 0x1000, &copied), POKE_OK);
    assert_int_equal(copied, 0x1000 + 100);
    assert_int_equal(copy_mov(0, FROM - INT32_MAX, &copied), POKE_OK);
    assert_int_equal(copied, INT32_MAX);
    assert_int_equal(copy_mov(1, FROM - INT32_MAX, &copied), POKE_E_DISPLACEMENT);
    assert_int_equal(copied, 0);
    assert_int_equal(copy_mov(0, FROM + 0x80000000ull, &copied), POKE_OK);
    assert_int_equal(copied, INT32_MIN);
    assert_int_equal(copy_mov(-1, FROM + 0x80000000ull, &copied), POKE_E_DISPLACEMENT);
    assert_int_equal(copy_mov(INT32_MAX, 0x100000000000, &copied), POKE_E_DISPLACEMENT);
    assert_int_equal(copy_mov(5, FROM + 0x100000000ull, &copied), POKE_E_DISPLACEMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_code_of_this_process),
        cmocka_unit_test(random_insns),
        cmocka_unit_test(cut_off),
        cmocka_unit_test(fifteen_bytes_at_most),
        cmocka_unit_test(copies_name_the_same),
        cmocka_unit_test(displacement_at_its_ends),
    };

    return cmocka_run_group_tests(tests, open_capstone, close_capstone);
}
