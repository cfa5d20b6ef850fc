/* SPDX-License-Identifier: MIT */
#include "poke/users/insn_copy.h"

#include "kernel/lib/string.h"

enum poke_error insn_copy(uint8_t *out, uintptr_t to, const uint8_t *bytes, uintptr_t from,
                          const struct insn_info *info)
{
    int32_t disp;
    uintptr_t moved;

    if (info->kind != INSN_PLAIN && info->kind != INSN_JUMP)
        return POKE_E_OPCODE;
    if (!info->disp_at) {
        memcpy(out, bytes, info->len);
        return POKE_OK;
    }
    memcpy(&disp, bytes + info->disp_at, sizeof(disp));
    moved = (uintptr_t)(intptr_t)disp + from - to; /* addresses wrap */
    disp = (int32_t)moved;
    if ((uintptr_t)(intptr_t)disp != moved)
        return POKE_E_DISPLACEMENT;
    memcpy(out, bytes, info->len);
    memcpy(out + info->disp_at, &disp, sizeof(disp));
    return POKE_OK;
}
