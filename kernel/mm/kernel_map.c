/* SPDX-License-Identifier: MIT */
/* The kernel's own tables: built once on the boot core, then only grown. */
#include "boot/boot_info.h"
#include "kernel/cpu/regs.h"
#include "kernel/mm/tables.h"
#include "kernel/trap/trap.h"

_Static_assert(MM_IMAGE_BASE == BOOT_KERNEL_BASE, "one link address");

extern const char image_start[], text_start[], text_end[], rodata_start[], rodata_end[];
extern const char data_start[], data_end[], kernel_boot_stack[];

static uint64_t root;

uint64_t mm_root(void)
{
    return root;
}

/*
 * All RAM that the firmware describes, write-back and never executable, in 2 MiB pages where a
 * whole one fits. Ranges may overlap or repeat: what is mapped already stays.
 */
static void map_range_direct(const struct boot_range *r)
{
    uint64_t phys = r->base, end = r->base + r->pages * PAGE_SIZE, span;

    while (phys < end) {
        uint64_t virt = MM_DIRECT_BASE + phys;
        uint64_t step = PAGE_SIZE;
        if (!leaf_find(root, virt, &span)) {
            uint64_t *large = NULL;
            if (phys % LARGE_PAGE == 0 && end - phys >= LARGE_PAGE)
                large = large_make(root, virt);
            if (large) {
                *large = phys | leaf_flags(virt, MM_W) | PTE_LARGE;
                step = LARGE_PAGE;
            } else {
                uint64_t *leaf = leaf_make(root, virt);
                if (!leaf)
                    panic(NULL, "no memory for the direct map");
                *leaf = phys | leaf_flags(virt, MM_W);
            }
        }
        phys += step;
    }
}

static bool is_ram(const struct boot_range *r)
{
    return r->kind != BOOT_MEM_MMIO;
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

/* Root slots of the kernel half are shared by value with other roots: all that will be used exist
 * from the start. */
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
    const struct boot_range *ranges = (const struct boot_range *)info->ranges;

    if (read_cr4() & CR4_LA57)
        panic(NULL, "5-level paging is on");
    pages_init(info->arena_phys, info->arena_bytes);
    root = pages_alloc(1);
    make_root_slots();
    for (uint32_t i = 0; i < info->range_count; i++) {
        if (is_ram(&ranges[i]))
            map_range_direct(&ranges[i]);
    }
    map_image_part(info, text_start, text_end, MM_X);
    map_image_part(info, rodata_start, rodata_end, MM_R);
    map_image_part(info, data_start, data_end, MM_W);
    mm_unmap((uint64_t)kernel_boot_stack - PAGE_SIZE, 1);
    map_switch_stub(info);
    window_init(root);

    write_cr0(read_cr0() | CR0_WP);
    write_cr4(read_cr4() & ~(CR4_PGE | CR4_PCIDE));
    write_cr3(root);
    write_cr4(read_cr4() | CR4_PGE);
    tables_use_direct_map();
}

const void *mm_read_phys(uint64_t phys, size_t bytes)
{
    uint64_t first = phys & ~(PAGE_SIZE - 1);

    /* Beyond the direct map's size, or around the end of the address space. */
    if (phys + bytes < phys || phys + bytes > MM_DEVICE_BASE - MM_DIRECT_BASE)
        return NULL;
    for (uint64_t p = first; p < phys + bytes; p += PAGE_SIZE) {
        if (!mm_leaf(MM_DIRECT_BASE + p))
            return NULL;
    }
    return phys_to_virt(phys);
}

void *mm_map_device(uint64_t phys, size_t bytes)
{
    static uint64_t next = MM_DEVICE_BASE;
    uint64_t offset = phys % PAGE_SIZE;
    uint64_t pages = (offset + bytes + PAGE_SIZE - 1) / PAGE_SIZE;
    uint64_t virt = next;

    if (!mm_map(virt, phys - offset, pages, MM_W | MM_UNCACHED))
        return NULL;
    next += pages * PAGE_SIZE;
    return (void *)(virt + offset);
}
