/* SPDX-License-Identifier: MIT */
/*
 * The encoder and the decoder of instructions against Capstone: any bytes at any address and in any
 * slot, and every instruction that can be generated, decoded back.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/host/disassembler.h"

enum { REFUSED, UNREACHABLE, GENERATED, BY_KIND };
static const char *const names[] = { "refused", "unreachable", "generated", "nop", "jmp",
                                     "call",    "ret",         "jcc",       "int3" };
static unsigned long reached[COUNT(names)];

static void print_reached(void)
{
    fuzz_print_reached(names, reached, COUNT(names));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    fuzz_check(disassembler_open());
    atexit(print_reached);
    return 0;
}

/* Both decoders say the same of a slot. */
static void decode(uintptr_t addr, const uint8_t *bytes, size_t len, struct poke_insn *insn)
{
    struct poke_insn wanted = { .kind = 0xFF };

    *insn = wanted;
    fuzz_check(poke_insn_decode(addr, bytes, len, insn) ==
               disassembler_decode(addr, bytes, len, &wanted));
    fuzz_check(disassembler_agrees(insn, &wanted)); /* untouched on error */
}

/* A displacement: near the limits of one of the two widths, or of any size. */
static int64_t take_distance(struct fuzz_input *in)
{
    static const int64_t near[] = { 0, INT8_MAX, INT8_MIN, INT32_MAX, INT32_MIN };
    unsigned shape = (unsigned)fuzz_take(in, 1) % 8;

    if (shape < COUNT(near))
        return near[shape] + (int8_t)fuzz_take(in, 1);
    return (int64_t)fuzz_take(in, 8) >> (shape - COUNT(near)) * 24;
}

/* Generated for `addr`, with `len` bytes of which `disp` are a displacement of `distance`. */
static void check_generated(enum poke_error e, uintptr_t addr, const uint8_t *out, size_t len,
                            size_t disp, int64_t distance, unsigned kind)
{
    int64_t reach = disp == 1 ? INT8_MAX : INT32_MAX;
    bool reaches = !disp || (distance <= reach && distance >= -reach - 1);
    static const uint8_t untouched[TEXT_POKE_MAX_OPCODE_SIZE];
    struct poke_insn insn;

    fuzz_check(e == (reaches ? POKE_OK : POKE_E_DISPLACEMENT));
    reached[reaches ? GENERATED : UNREACHABLE]++;
    if (!reaches) {
        fuzz_check(!memcmp(out, untouched, sizeof(untouched)));
        return;
    }
    decode(addr, out, len, &insn);
    fuzz_check(insn.kind == kind);
    if (disp)
        fuzz_check(insn.target == addr + len + (uintptr_t)distance);
}

static void generate(struct fuzz_input *in, uintptr_t addr)
{
    static const struct {
        uint8_t opcode, len, disp, kind;
    } forms[] = {
        { 0xE8, 5, 4, POKE_INSN_CALL }, { 0xE9, 5, 4, POKE_INSN_JMP },
        { 0xEB, 2, 1, POKE_INSN_JMP },  { 0xC3, 1, 0, POKE_INSN_RET },
        { 0xCC, 1, 0, POKE_INSN_INT3 },
    };
    uint8_t choice = (uint8_t)fuzz_take(in, 1), opcode = (uint8_t)fuzz_take(in, 1);
    typeof(&forms[0]) form = &forms[choice % COUNT(forms)];
    uint8_t out[TEXT_POKE_MAX_OPCODE_SIZE] = { 0 };
    int64_t distance = take_distance(in);
    size_t len = 0;
    bool known = false;

    uintptr_t dest = addr + form->len + (uintptr_t)distance;
    enum poke_error e = text_gen_insn(form->opcode, (void *)addr, (void *)dest, out, &len);

    fuzz_check(len == (e ? 0 : form->len));
    check_generated(e, addr, out, form->len, form->disp, distance, form->kind);

    for (size_t i = 0; i < COUNT(forms); i++)
        known |= forms[i].opcode == opcode;
    if (!known)
        fuzz_check(text_gen_insn(opcode, (void *)addr, (void *)dest, out, &len) == POKE_E_OPCODE);
}

static void generate_jcc(struct fuzz_input *in, uintptr_t addr)
{
    uint8_t choice = (uint8_t)fuzz_take(in, 1);
    unsigned cc = choice & 31;
    size_t len = choice & 32 ? 2 : choice & 64 ? 6 : (size_t)fuzz_take(in, 1);
    uint8_t out[TEXT_POKE_MAX_OPCODE_SIZE] = { 0 };
    int64_t distance = take_distance(in);
    uintptr_t dest = addr + len + (uintptr_t)distance;
    enum poke_error e = text_gen_jcc(cc, len, (void *)addr, (void *)dest, out);

    if (cc > 15)
        fuzz_check(e == POKE_E_OPCODE);
    else if (len != 2 && len != 6)
        fuzz_check(e == POKE_E_LENGTH);
    else
        check_generated(e, addr, out, len, len == 2 ? 1 : 4, distance, POKE_INSN_JCC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    uintptr_t addr = (uintptr_t)fuzz_take(&in, 8);
    struct poke_insn insn;

    generate(&in, addr);
    generate_jcc(&in, addr);

    size_t len = in.left; /* the slot is what is left: 0 bytes and more */
    uint8_t *bytes = fuzz_take_bytes(&in, len);

    decode(addr, bytes, len, &insn);
    reached[insn.kind == 0xFF ? REFUSED : BY_KIND + insn.kind]++;
    free(bytes);
    return 0;
}
