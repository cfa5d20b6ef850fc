/* SPDX-License-Identifier: MIT */
#include "tests/errata/tear.h"

#define IMM_BYTES 8u

/* REX.W or REX.WB, B8+r: into the registers that tear_run() reads, in this order. */
static const uint8_t opcodes[TEAR_INSNS_MAX][TEAR_INSN_IMM] = {
    { 0x48, 0xb8 }, /* rax */
    { 0x48, 0xbb }, /* rbx */
    { 0x48, 0xbe }, /* rsi */
    { 0x48, 0xbf }, /* rdi */
    { 0x49, 0xb8 }, /* r8 */
    { 0x49, 0xb9 }, /* r9 */
    { 0x49, 0xba }, /* r10 */
};

void tear_image_make(struct tear_image *image, unsigned bytes)
{
    unsigned insns = (bytes + TEAR_INSN_BYTES - 1) / TEAR_INSN_BYTES;

    *image = (struct tear_image){ .bytes = bytes,
                                  .site = { .code_bytes = insns * TEAR_INSN_BYTES,
                                            .store_at = TEAR_INSN_IMM,
                                            .registers = insns } };
    for (unsigned i = 0; i < insns; i++)
        memcpy(image->site.code + i * TEAR_INSN_BYTES, opcodes[i], TEAR_INSN_IMM);
    for (unsigned i = 0; i < 2; i++)
        memcpy(image->store[i], image->site.code + TEAR_INSN_IMM, bytes);
    for (unsigned i = 0; i < bytes; i++) {
        unsigned insn = i / TEAR_INSN_BYTES, at = i % TEAR_INSN_BYTES;

        if (at >= IMM_BYTES)
            continue; /* the next one's opcode */
        image->toggled[insn] |= 0xffull << 8 * at;
        image->bytes_toggled |= 1ull << i;
        image->store[1][i] = 0xff;
    }
}

/* One instruction's immediate: TEAR_OLD, TEAR_NEW, TEAR_TORN or TEAR_FOREIGN. */
static enum tear_outcome judge_immediate(uint64_t value, uint64_t toggled, uint64_t *mask)
{
    *mask = 0;
    if (value == 0)
        return TEAR_OLD;
    for (unsigned i = 0; i < IMM_BYTES; i++) {
        uint64_t byte = value >> 8 * i & 0xff;

        if (byte != 0 && (byte != 0xff || !(toggled >> 8 * i & 0xff)))
            return TEAR_FOREIGN;
        *mask |= (uint64_t)(byte != 0) << i;
    }
    return value == toggled ? TEAR_NEW : TEAR_TORN;
}

enum tear_outcome tear_judge_text(const struct tear_image *image, const uint64_t *registers,
                                  uint64_t *mask)
{
    unsigned outcomes = 0; /* bit per outcome of an instruction */

    *mask = 0;
    for (unsigned i = 0; i < image->site.registers; i++) {
        uint64_t bytes;

        outcomes |= 1u << judge_immediate(registers[i], image->toggled[i], &bytes);
        *mask |= bytes << i * TEAR_INSN_BYTES;
    }
    if (outcomes & 1u << TEAR_FOREIGN)
        return TEAR_FOREIGN;
    if (outcomes & 1u << TEAR_TORN)
        return TEAR_TORN;
    if (outcomes == 1u << TEAR_OLD)
        return TEAR_OLD;
    return outcomes == 1u << TEAR_NEW ? TEAR_NEW : TEAR_BETWEEN;
}

enum tear_outcome tear_judge_data(const struct tear_image *image, const uint8_t *seen,
                                  uint64_t *mask)
{
    *mask = 0;
    for (unsigned i = 0; i < image->bytes; i++) {
        bool is_new = seen[i] == image->store[1][i] && image->bytes_toggled >> i & 1;

        if (!is_new && seen[i] != image->store[0][i])
            return TEAR_FOREIGN;
        *mask |= (uint64_t)is_new << i;
    }
    if (*mask == 0)
        return TEAR_OLD;
    return *mask == image->bytes_toggled ? TEAR_NEW : TEAR_TORN;
}
