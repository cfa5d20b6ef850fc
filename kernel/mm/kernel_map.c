/* SPDX-License-Identifier: MIT */
/* The kernel's own tables: built once on the boot core, then only grown. */
#include "boot/boot_info.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/fixed_text.h"
#include "kernel/mm/ranges.h"
#include "kernel/mm/tables.h"
#include "kernel/trap/trap.h"

#define CPUID_ADDRESS_BITS 0x80000008

_Static_assert(MM_IMAGE_BASE == BOOT_KERNEL_BASE, "one link address");

extern const char image_start[], text_start[], text_end[], rodata_start[], rodata_end[];
extern const char data_start[], data_end[], kernel_boot_stack[];

static uint64_t root;

/* A panic looks at the tables for its backtrace. */
FIXED_TEXT uint64_t mm_root(void)
{
    return root;
}

unsigned mm_paging_levels(void)
{
    return read_cr4() & CR4_LA57 ? 5 : 4;
}

static uint64_t cr3;

FIXED_TEXT uint64_t mm_cr3(void)
{
    return cr3;
}

/* The firmware's map; kept in the loader's memory. */
static const struct boot_range *ranges;
static uint32_t range_count;

/* The end of what the direct map can show and the processor can address; page aligned. */
static uint64_t phys_limit;

/*
 * Map what is not mapped yet of [phys, end) into the direct map, in 2 MiB pages where a whole one
 * fits: ranges may overlap or repeat. False if memory is short.
 */
static bool map_direct(uint64_t phys, uint64_t end, enum mm_prot prot)
{
    uint64_t span;

    while (phys < end) {
        uint64_t virt = MM_DIRECT_BASE + phys;
        uint64_t step = PAGE_SIZE;
        if (!leaf_find(root, virt, &span)) {
            uint64_t *large = NULL;
            if (phys % LARGE_PAGE == 0 && end - phys >= LARGE_PAGE)
                large = large_make(root, virt);
            if (large) {
                *large = phys | leaf_flags(virt, prot) | PTE_LARGE;
                step = LARGE_PAGE;
            } else {
                uint64_t *leaf = leaf_make(root, virt);
                if (!leaf)
                    return false;
                *leaf = phys | leaf_flags(virt, prot);
            }
        }
        phys += step;
    }
    return true;
}

/*
 * Only what is ours, however much memory there is and however the firmware cuts it up. All other
 * memory is mapped for reading, page by page, where mm_read_phys() is pointed to it: it may be
 * poisoned, or a device's.
 */
static void map_all_direct(void)
{
    uint64_t from, to;

    for (uint32_t i = 0; i < range_count; i++) {
        if (ranges[i].kind != BOOT_MEM_LOADER || !range_pages(&ranges[i], phys_limit, &from, &to))
            continue;
        if (!map_direct(from, to, MM_W))
            panic(NULL, "no memory for the direct map");
    }
}

static void map_image_part(const struct boot_info *info, const char *from, const char *to,
                           enum mm_prot prot)
{
    uint64_t virt = (uint64_t)from, pages = (uint64_t)(to - from) / PAGE_SIZE;
    uint64_t phys = info->kernel_phys + (virt - MM_IMAGE_BASE);

    if (!mm_map(virt, phys, pages, prot))
        panic(NULL, "cannot map the image");
    /* No writable alias of what is executed or constant. */
    if (!(prot & MM_W) && !mm_protect(MM_DIRECT_BASE + phys, pages, MM_R))
        panic(NULL, "cannot protect the image's direct map");
}

static void map_switch_stub(const struct boot_info *info)
{
    if (!mm_map(info->stub_phys, info->stub_phys, info->stub_pages, MM_X) ||
        !mm_protect(MM_DIRECT_BASE + info->stub_phys, info->stub_pages, MM_R))
        panic(NULL, "cannot map the switch stub");
}

static uint64_t find_phys_limit(void)
{
    unsigned bits = cpuid_extended(CPUID_ADDRESS_BITS).eax & 0xff;
    uint64_t most = MM_DEVICE_BASE - MM_DIRECT_BASE;

    return bits >= 32 && bits < 47 && 1ull << bits < most ? 1ull << bits : most;
}

/*
 * Root slots of the kernel half are shared by value with other roots: all that will be used exist
 * from the start.
 */
static void make_root_slots(void)
{
    static const uint64_t regions[] = { MM_DEVICE_BASE, MM_STACK_BASE, MM_IMAGE_BASE };

    for (unsigned i = 0; i < sizeof regions / sizeof regions[0]; i++) {
        if (!leaf_make(root, regions[i]))
            panic(NULL, "no memory for page tables");
    }
}

void mm_init(const struct boot_info *info)
{
    phys_limit = find_phys_limit();
    pages_init(info->arena_phys, info->arena_bytes);
    root = pages_alloc(1);
    make_root_slots();
    ranges = (const struct boot_range *)info->ranges;
    range_count = info->range_count;
    map_all_direct();
    map_image_part(info, text_start, text_end, MM_X);
    map_image_part(info, rodata_start, rodata_end, MM_R);
    map_image_part(info, data_start, data_end, MM_W);
    mm_unmap((uint64_t)kernel_boot_stack - PAGE_SIZE, 1);
    map_switch_stub(info);
    if (!text_pool_init())
        panic(NULL, "no memory for patchable text");
    window_init(root);
    cr3 = tables_cr3(root);
    if (!cr3)
        panic(NULL, "no memory for page tables");

    write_cr0(read_cr0() | CR0_WP);
    write_cr4(read_cr4() & ~(CR4_PGE | CR4_PCIDE));
    write_cr3(cr3);
    write_cr4(read_cr4() | CR4_PGE);
    tables_use_direct_map();
    ranges = phys_to_virt((uint64_t)ranges);
}

/* Is the page at `phys` readable, mapped now if the firmware's map allows it? */
static bool readable(uint64_t phys)
{
    if (mm_leaf(MM_DIRECT_BASE + phys))
        return true;
    return ranges_allow_reading(ranges, range_count, phys) &&
           map_direct(phys, phys + PAGE_SIZE, MM_R);
}

const void *mm_read_phys(uint64_t phys, size_t bytes)
{
    if (phys + bytes < phys || phys + bytes > phys_limit)
        return NULL;
    for (uint64_t p = phys & ~(PAGE_SIZE - 1); p < phys + bytes; p += PAGE_SIZE) {
        if (!readable(p))
            return NULL;
    }
    return phys_to_virt(phys);
}

static void *map_device(uint64_t phys, size_t bytes, enum mm_prot type)
{
    static uint64_t next = MM_DEVICE_BASE;
    uint64_t offset = phys % PAGE_SIZE;
    uint64_t pages = (offset + bytes + PAGE_SIZE - 1) / PAGE_SIZE;
    uint64_t virt = next;

    if (!mm_map(virt, phys - offset, pages, MM_W | type))
        return NULL;
    next += pages * PAGE_SIZE;
    return (void *)(virt + offset);
}

void *mm_map_device(uint64_t phys, size_t bytes)
{
    return map_device(phys, bytes, MM_UNCACHED);
}

void *mm_map_framebuffer(uint64_t phys, size_t bytes)
{
    for (uint32_t i = 0; i < range_count; i++) {
        const struct boot_range *r = &ranges[i];
        if (r->kind == BOOT_MEM_LOADER && phys < r->base + r->pages * PAGE_SIZE &&
            r->base < phys + bytes)
            return NULL;
    }
    return map_device(phys, bytes, MM_WRITE_COMBINING);
}
