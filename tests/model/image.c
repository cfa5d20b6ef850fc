/* SPDX-License-Identifier: MIT */
#include "tests/model/image.h"

struct flow image_run(const struct image *image, uintptr_t addr, uint64_t flags, uint64_t stack)
{
    uintptr_t next = addr + image->slot;
    uintptr_t target = addr + image->len + (uintptr_t)(intptr_t)image->disp;

    switch (image->kind) {
    case IMAGE_JMP:
        return (struct flow){ .ip = target };
    case IMAGE_CALL:
        return (struct flow){ .ip = target, .sp_words = -1, .pushed = next };
    case IMAGE_RET:
        return (struct flow){ .ip = stack, .sp_words = 1 };
    case IMAGE_JE:
        return (struct flow){ .ip = flags & FLAG_ZF ? target : next };
    case IMAGE_JNE:
        return (struct flow){ .ip = flags & FLAG_ZF ? next : target };
    case IMAGE_NOP:
    case IMAGE_XOR:
    case IMAGE_INT3:
        break;
    }
    return (struct flow){ .ip = next };
}

bool image_is_conditional(const struct image *image)
{
    return image->kind == IMAGE_JE || image->kind == IMAGE_JNE;
}

unsigned image_length(const uint8_t *bytes, unsigned have)
{
    if (!have)
        return 1;
    switch (bytes[0]) {
    case 0xCC: /* INT3 */
    case 0xC3: /* RET */
        return 1;
    case 0xE8: /* CALL rel32 */
    case 0xE9: /* JMP rel32 */
        return 5;
    case 0xEB: /* JMP rel8 */
    case 0x74: /* JE rel8 */
    case 0x75: /* JNE rel8 */
        return 2;
    case 0x0F:
        if (have < 2)
            return 2;
        if (bytes[1] == 0x84 || bytes[1] == 0x85) /* JE, JNE rel32 */
            return 6;
        return bytes[1] == 0x1F ? 5 : 0; /* NOP5, as ModRM 44 says, which is in every image */
    case 0x66:
        if (have < 2)
            return 2;
        if (bytes[1] == 0x90) /* NOP2 */
            return 2;
        if (bytes[1] == 0x66) /* XOR RAX, RAX behind 66 66 */
            return 5;
        return bytes[1] == 0x0F ? 6 : 0; /* NOP6 */
    }
    return 0;
}
