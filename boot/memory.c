/* SPDX-License-Identifier: MIT */
#include "boot/memory.h"

#include "boot/boot_info.h"
#include "boot/firmware.h"
#include "boot/say.h"

#define MIB           0x100000ull
#define ARENA_ALIGN   (2 * MIB)
#define ARENA_MOST    (128 * MIB)
#define ARENA_LEAST   (16 * MIB)
#define TAP_BYTES     (1 * MIB)
#define JSON_BYTES    (8 * MIB)
#define SUMMARY_BYTES EFI_PAGE_SIZE
#define LOW_PAGES     2
#define LOW_LAST      0x9ffffull /* above: the EBDA, video memory and ROMs of a PC */

/*
 * `bytes` of memory aligned to ARENA_ALIGN: the firmware aligns to pages only, so take more and
 * give back.
 */
static uint64_t alloc_aligned(uint64_t bytes)
{
    uint64_t slack = ARENA_ALIGN - EFI_PAGE_SIZE;
    uint64_t got = firmware_alloc_below(UINT32_MAX, pages_of(bytes + slack));

    if (got == 0)
        return 0;
    uint64_t base = (got + slack) & ~(ARENA_ALIGN - 1);
    uint64_t tail = got + slack - base;
    if (base > got)
        firmware.services->FreePages(got, pages_of(base - got));
    if (tail > 0)
        firmware.services->FreePages(base + bytes, pages_of(tail));
    return base;
}

static void reserve_arena(struct boot_info *info)
{
    for (uint64_t bytes = ARENA_MOST; bytes >= ARENA_LEAST; bytes /= 2) {
        info->arena_phys = alloc_aligned(bytes);
        if (info->arena_phys != 0) {
            info->arena_bytes = bytes;
            return;
        }
    }
    bail(EFI_OUT_OF_RESOURCES, "no %llu MiB of contiguous memory below 4 GiB", ARENA_LEAST / MIB);
}

static void reserve_text(struct boot_text *text, uint64_t bytes, const char *what)
{
    text->base = firmware_alloc(pages_of(bytes), what);
    text->capacity = bytes;
}

struct boot_info *memory_boot_info(void)
{
    struct boot_info *info = (void *)firmware_alloc(pages_of(sizeof(*info)), "the boot block");

    info->magic = BOOT_INFO_MAGIC;
    info->size = sizeof(*info);
    return info;
}

void memory_reserve(struct boot_info *info)
{
    reserve_arena(info);
    reserve_text(&info->tap, TAP_BYTES, "report.tap");
    reserve_text(&info->json, JSON_BYTES, "report.jsonl");
    reserve_text(&info->summary, SUMMARY_BYTES, "summary.txt");

    info->low_phys = firmware_alloc_below(LOW_LAST, LOW_PAGES);
    if (info->low_phys == 0)
        say("No free memory below 1 MiB: the other cores cannot be started.\n");
}
