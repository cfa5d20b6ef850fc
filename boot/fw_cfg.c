/* SPDX-License-Identifier: MIT */
#include "boot/fw_cfg.h"

#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"

#define FW_CFG_SELECTOR 0x510
#define FW_CFG_DATA     0x511
#define FW_CFG_FILE_DIR 0x19

struct fw_cfg_file {
    uint32_t size_be;
    uint16_t select_be;
    uint16_t reserved;
    char name[56]; /* ends with NUL */
};
_Static_assert(sizeof(struct fw_cfg_file) == 64, "an entry of QEMU's file directory");

static void select_item(uint16_t item)
{
    outw(FW_CFG_SELECTOR, item);
}

static void read_on(void *to, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        ((uint8_t *)to)[i] = inb(FW_CFG_DATA);
}

bool fw_cfg_find(const char *name, uint16_t *item, uint32_t *bytes)
{
    struct fw_cfg_file file;
    uint32_t count_be;

    select_item(FW_CFG_FILE_DIR);
    read_on(&count_be, sizeof(count_be));
    for (uint32_t left = __builtin_bswap32(count_be); left > 0; left--) {
        read_on(&file, sizeof(file));
        if (strncmp(file.name, name, sizeof(file.name)) == 0) {
            *item = __builtin_bswap16(file.select_be);
            *bytes = __builtin_bswap32(file.size_be);
            return true;
        }
    }
    return false;
}

void fw_cfg_read(uint16_t item, void *to, uint32_t bytes)
{
    select_item(item);
    read_on(to, bytes);
}
