/* SPDX-License-Identifier: MIT */
#include "poke/users/insn_copy.h"

#include "kernel/lib/little_endian.h"

/*
 * What follows an opcode, as a letter (SDM vol 2, appendix A, tables ):
 *
 *   -  not an instruction of 64-bit mode, or a prefix or escape, which is read before
 *
 *   .  nothing                      e  3 bytes (ENTER)
 *   b  1 byte                       o  8 bytes, 4 with 67: an address
 *   w  2 bytes                      s  1 byte, the displacement of a short branch
 *   z  4 bytes, 2 with 66           n  4 bytes, that of a near one
 *   v  as z, 8 with REX.W
 *
 * and behind ModRM with all that it asks for, capitals:
 *
 *   M  nothing                      C  nothing; ModRM names registers, whatever its mod says
 *   B  1 byte                       F  1 byte for /0 and /1
 *   Z  as z                         G  as z for /0 and /1
 */
static const char one_byte_map[257] =
    /* 0123456789abcdef */
    "MMMMbz--MMMMbz--"  /* 0 */
    "MMMMbz--MMMMbz--"  /* 1 */
    "MMMMbz--MMMMbz--"  /* 2 */
    "MMMMbz--MMMMbz--"  /* 3 */
    "----------------"  /* 4: REX */
    "................"  /* 5 */
    "---M----zZbB...."  /* 6 */
    "ssssssssssssssss"  /* 7 */
    "BZ-BMMMMMMMMMMMM"  /* 8 */
    "..........-....."  /* 9 */
    "oooo....bz......"  /* A */
    "bbbbbbbbvvvvvvvv"  /* B */
    "BBw.--BZe.w..b-."  /* C: C4 and C5 are VEX */
    "MMMM---.MMMMMMMM"  /* D */
    "ssssbbbbnn-s...."  /* E */
    "-.--..FG......MM"; /* F */

static const char map_0f[257] =
    /* 0123456789abcdef */
    "MMMM-.....-.-M--"  /* 0: 0E and 0F are 3DNow! */
    "MMMMMMMMMMMMMMMM"  /* 1 */
    "CCCC----MMMMMMMM"  /* 2 */
    "......-.--------"  /* 3: 38 and 3A lead to maps */
    "MMMMMMMMMMMMMMMM"  /* 4 */
    "MMMMMMMMMMMMMMMM"  /* 5 */
    "MMMMMMMMMMMMMMMM"  /* 6 */
    "BBBBMMM.MM--MMMM"  /* 7 */
    "nnnnnnnnnnnnnnnn"  /* 8 */
    "MMMMMMMMMMMMMMMM"  /* 9 */
    "...MBM--...MBMMM"  /* A */
    "MMMMMMMMMMBMMMMM"  /* B */
    "MMBMBBBM........"  /* C */
    "MMMMMMMMMMMMMMMM"  /* D */
    "MMMMMMMMMMMMMMMM"  /* E */
    "MMMMMMMMMMMMMMMM"; /* F */

/* Numbered as VEX and EVEX do. */
enum map { MAP_ONE_BYTE, MAP_0F, MAP_0F38, MAP_0F3A, MAP_5 = 5, MAP_6 };

/* Prefixes seen. The REX bit also says so of one that a later prefix has made void. */
enum { P_66 = 1, P_67 = 2, P_F2 = 4, P_F3 = 8, P_LOCK = 16, P_SEGMENT = 32, P_REX = 64 };

#define REX_W 8

struct decoder {
    const uint8_t *bytes;
    size_t available, at;
    uint8_t prefixes, rex; /* rex: 0 unless the opcode follows it */
    uint8_t map, opcode;
    bool vector; /* VEX or EVEX */
    uint8_t modrm;
    uint8_t disp_at;
};

/* Is there room for n more bytes? */
static enum poke_error need(const struct decoder *d, size_t n)
{
    if (d->at + n > INSN_MAX_SIZE)
        return POKE_E_OPCODE;
    return d->at + n > d->available ? POKE_E_LENGTH : POKE_OK;
}

static enum poke_error next(struct decoder *d, uint8_t *byte)
{
    enum poke_error e = need(d, 1);

    if (!e)
        *byte = d->bytes[d->at++];
    return e;
}

/* The bit of a legacy prefix; 0: not one. */
static unsigned prefix_of(uint8_t byte)
{
    switch (byte) {
    case 0x26:
    case 0x2E:
    case 0x36:
    case 0x3E:
    case 0x64:
    case 0x65:
        return P_SEGMENT;
    case 0x66:
        return P_66;
    case 0x67:
        return P_67;
    case 0xF0:
        return P_LOCK;
    case 0xF2:
        return P_F2;
    case 0xF3:
        return P_F3;
    }
    return 0;
}

/* Up to the first byte that is no prefix, which goes into the opcode. */
static enum poke_error read_prefixes(struct decoder *d)
{
    for (;;) {
        enum poke_error e = next(d, &d->opcode);

        if (e)
            return e;
        if ((d->opcode & 0xF0) == 0x40) {
            if (d->rex)
                return POKE_E_OPCODE; /* there can be one */
            d->prefixes |= P_REX;
            d->rex = d->opcode;
        } else if (prefix_of(d->opcode)) {
            d->prefixes |= prefix_of(d->opcode);
            d->rex = 0; /* SDM vol 2, 2.2.1: ignored unless the opcode follows */
        } else {
            return POKE_OK;
        }
    }
}

/*
 * The bytes behind 62, C4 or C5 and the opcode: SDM vol 2, 2.3.5 and 2.7.1. A bit that is fixed
 * there and has another value is APX's, or nobody's.
 */
static enum poke_error read_vector_prefix(struct decoder *d)
{
    unsigned payload = d->opcode == 0x62 ? 3 : d->opcode == 0xC4 ? 2 : 1;
    uint8_t p[3];
    enum poke_error e = POKE_OK;

    if (d->prefixes & (P_66 | P_F2 | P_F3 | P_LOCK | P_REX))
        return POKE_E_OPCODE; /* #UD */
    for (unsigned i = 0; i < payload && !e; i++)
        e = next(d, &p[i]);
    if (e)
        return e;

    d->vector = true;
    if (payload == 1)
        d->map = MAP_0F;
    else if (payload == 2)
        d->map = p[0] & 0x1F;
    else
        d->map = p[0] & 0x07;
    if (payload == 3 && ((p[0] & 0x08) || !(p[1] & 0x04)))
        return POKE_E_OPCODE;
    if (d->map == MAP_ONE_BYTE || d->map == 4 || d->map > (payload == 3 ? MAP_6 : MAP_0F3A))
        return POKE_E_OPCODE;
    e = next(d, &d->opcode);
    return !e && d->map == MAP_0F && d->opcode == 0x77 && payload == 3 ? POKE_E_OPCODE : e;
}

static enum poke_error read_opcode(struct decoder *d)
{
    enum poke_error e = read_prefixes(d);

    if (e)
        return e;
    if (d->opcode == 0x62 || d->opcode == 0xC4 || d->opcode == 0xC5)
        return read_vector_prefix(d);
    if (d->opcode != 0x0F)
        return POKE_OK;
    d->map = MAP_0F;
    e = next(d, &d->opcode);
    if (!e && (d->opcode == 0x38 || d->opcode == 0x3A)) {
        d->map = d->opcode == 0x38 ? MAP_0F38 : MAP_0F3A;
        e = next(d, &d->opcode);
    }
    return e;
}

/* The letter of the maps above for what has been read. */
static char form_of(const struct decoder *d)
{
    switch (d->map) {
    case MAP_ONE_BYTE:
        return one_byte_map[d->opcode];
    case MAP_0F:
        if (!d->vector)
            return map_0f[d->opcode];
        switch (d->opcode) {
        case 0x77: /* VZEROUPPER, VZEROALL */
            return '.';
        case 0x70 ... 0x73:
        case 0xC2:
        case 0xC4 ... 0xC6:
            return 'B';
        }
        return 'M';
    case MAP_0F3A:
        return 'B';
    }
    return 'M';
}

static bool has_modrm(char form)
{
    return form >= 'A' && form <= 'Z';
}

static unsigned reg_of(const struct decoder *d)
{
    return d->modrm >> 3 & 7;
}

/* ModRM, and SIB and displacement that it asks for: SDM vol 2, tables 2-2, 2-3 and 2-7. */
static enum poke_error read_modrm(struct decoder *d, char form)
{
    enum poke_error e = next(d, &d->modrm);
    unsigned mod = d->modrm >> 6, base = d->modrm & 7, disp = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    uint8_t sib;

    if (e || mod == 3 || form == 'C')
        return e;
    if (mod == 0 && base == 5) {
        d->disp_at = d->at;
        disp = 4;
    }
    if (base == 4) {
        e = next(d, &sib);
        if (e)
            return e;
        if (mod == 0 && (sib & 7) == 5)
            disp = 4;
    }
    e = need(d, disp);
    if (!e)
        d->at += disp;
    return e;
}

/* Does the 66 prefix make the operand one of 16 bits? REX.W goes before it. */
static bool operand_is_16_bit(const struct decoder *d)
{
    return (d->prefixes & P_66) && !(d->rex & REX_W);
}

/*
 * EXTRQ and INSERTQ of SSE4A have two immediates. Without prefix the opcode is VMREAD, which has
 * none.
 */
static bool is_sse4a(const struct decoder *d)
{
    return d->map == MAP_0F && !d->vector && d->opcode == 0x78 && (d->prefixes & (P_66 | P_F2));
}

static unsigned immediate_size(const struct decoder *d, char form)
{
    unsigned z = operand_is_16_bit(d) ? 2 : 4;

    switch (form) {
    case 'b':
    case 'B':
    case 's':
        return 1;
    case 'w':
        return 2;
    case 'e':
        return 3;
    case 'n':
        return 4;
    case 'z':
    case 'Z':
        return z;
    case 'v':
        return d->rex & REX_W ? 8 : z;
    case 'o':
        return d->prefixes & P_67 ? 4 : 8;
    case 'F':
        return reg_of(d) < 2 ? 1 : 0;
    case 'G':
        return reg_of(d) < 2 ? z : 0;
    }
    return is_sse4a(d) ? 2 : 0;
}

static bool is_branch(char form)
{
    return form == 's' || form == 'n';
}

/* Holes in the maps that only ModRM or a prefix shows. */
static bool is_hole(const struct decoder *d, char form)
{
    unsigned reg = reg_of(d);
    bool memory = d->modrm < 0xC0;

    if (is_branch(form))
        return (d->prefixes & P_LOCK) || (form == 'n' && operand_is_16_bit(d));
    if (d->map == MAP_0F && !d->vector) {
        if (d->opcode == 0xBA)
            return reg < 4;
        if (is_sse4a(d))
            return memory;
        return d->opcode == 0xB8 && !(d->prefixes & P_F3); /* JMPE of another architecture */
    }
    if (d->map != MAP_ONE_BYTE)
        return false;
    switch (d->opcode) {
    case 0x8C:
        return reg > 5;
    case 0x8D:
        return !memory;
    case 0x8E:
        return reg == 1 || reg > 5;
    case 0x8F: /* also XOP */
        return reg != 0;
    case 0xC6:
    case 0xC7:
        return reg != 0 && d->modrm != 0xF8;
    case 0xFE:
        return reg > 1;
    case 0xFF:
        return reg == 7 || (!memory && (reg == 3 || reg == 5));
    }
    return false;
}

/* 0F 01 with registers: each value of ModRM is an instruction of its own. */
static bool is_transition(const struct decoder *d)
{
    switch (d->modrm) {
    case 0xC9: /* MWAIT, MWAITX: as HLT */
    case 0xFB:
    case 0xC0: /* ENCLV */
    case 0xC2: /* VMLAUNCH */
    case 0xC3: /* VMRESUME */
    case 0xCC: /* TDCALL */
    case 0xCD: /* SEAMRET */
    case 0xCE: /* SEAMOPS */
    case 0xCF: /* ENCLS, SEAMCALL */
    case 0xD7: /* ENCLU */
    case 0xD8: /* VMRUN */
    case 0xDE: /* SKINIT */
    case 0xEC: /* UIRET */
        return true;
    case 0xCA: /* ERETS and ERETU of FRED; without prefix CLAC */
        return d->prefixes & (P_F2 | P_F3);
    }
    return false;
}

static enum insn_kind kind_in_0f(const struct decoder *d)
{
    bool refused = false;

    switch (d->opcode) {
    case 0x01:
        refused = is_transition(d);
        break;
    case 0x1E: /* ENDBR64, ENDBR32 */
        refused = (d->prefixes & P_F3) && (d->modrm == 0xFA || d->modrm == 0xFB);
        break;
    case 0x05: /* SYSCALL */
    case 0x07: /* SYSRET */
    case 0x0B: /* UD2 */
    case 0x34: /* SYSENTER */
    case 0x35: /* SYSEXIT */
    case 0x37: /* GETSEC */
    case 0xAA: /* RSM */
    case 0xB9: /* UD1 */
    case 0xFF: /* UD0 */
        refused = true;
    }
    return refused ? INSN_REFUSED : INSN_PLAIN;
}

static enum insn_kind kind_in_one_byte_map(const struct decoder *d)
{
    unsigned reg = reg_of(d);

    switch (d->opcode) {
    case 0xC2: /* RET */
    case 0xC3:
        return operand_is_16_bit(d) ? INSN_REFUSED : INSN_JUMP;
    case 0xFF: /* 2 CALL, 3 CALL far, 4 JMP, 5 JMP far */
        if (reg == 4)
            return operand_is_16_bit(d) ? INSN_REFUSED : INSN_JUMP;
        return reg == 2 || reg == 3 || reg == 5 ? INSN_REFUSED : INSN_PLAIN;
    case 0x8E: /* 2 MOV SS */
        return reg == 2 ? INSN_REFUSED : INSN_PLAIN;
    case 0xC7: /* 7 XBEGIN */
        return reg == 7 ? INSN_REFUSED : INSN_PLAIN;
    case 0xCA: /* RET far */
    case 0xCB:
    case 0xCC: /* INT3 */
    case 0xCD: /* INT n */
    case 0xCF: /* IRET */
    case 0xF1: /* INT1 */
    case 0xF4: /* HLT */
    case 0xFB: /* STI */
        return INSN_REFUSED;
    }
    return INSN_PLAIN;
}

static bool is_one_byte(const struct decoder *d, uint8_t opcode)
{
    return d->map == MAP_ONE_BYTE && !d->vector && d->opcode == opcode;
}

static enum insn_kind kind_of(const struct decoder *d, char form)
{
    if (is_branch(form)) {
        bool counts_in_ecx = (d->opcode & 0xFC) == 0xE0 && (d->prefixes & P_67);

        return operand_is_16_bit(d) || counts_in_ecx ? INSN_REFUSED : INSN_RELATIVE;
    }
    if (d->vector)
        return INSN_PLAIN;
    if (d->map == MAP_ONE_BYTE)
        return kind_in_one_byte_map(d);
    return d->map == MAP_0F ? kind_in_0f(d) : INSN_PLAIN;
}

/* Can it lead to an address relative to its own? XBEGIN's is where an abort goes. */
static bool is_relative(const struct decoder *d, char form)
{
    return is_branch(form) || (is_one_byte(d, 0xC7) && reg_of(d) == 7);
}

/* RET, or a jump to where an operand says, near or far? */
static bool is_indirect(const struct decoder *d)
{
    return is_one_byte(d, 0xC2) || is_one_byte(d, 0xC3) ||
           (is_one_byte(d, 0xFF) && (reg_of(d) == 4 || reg_of(d) == 5));
}

enum poke_error insn_look(const uint8_t *bytes, size_t available, struct insn_info *out)
{
    struct decoder d = { .bytes = bytes, .available = available };
    enum poke_error e = read_opcode(&d);
    unsigned immediate;
    char form;

    if (e)
        return e;
    form = form_of(&d);
    if (form == '-')
        return POKE_E_OPCODE;
    if (has_modrm(form)) {
        e = read_modrm(&d, form);
        if (e)
            return e;
    }
    if (is_hole(&d, form))
        return POKE_E_OPCODE;
    immediate = immediate_size(&d, form);
    e = need(&d, immediate);
    if (e)
        return e;
    d.at += immediate;

    *out = (struct insn_info){ .len = d.at, .kind = kind_of(&d, form), .disp_at = d.disp_at };
    if (is_relative(&d, form)) {
        unsigned unused = 32 - 8 * immediate;

        out->rel = (int32_t)(read_le(bytes + d.at - immediate, immediate) << unused) >> unused;
    }
    if (is_relative(&d, form) || is_indirect(&d))
        out->branch = d.opcode;
    return POKE_OK;
}
