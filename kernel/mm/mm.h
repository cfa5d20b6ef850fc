/* SPDX-License-Identifier: MIT */
/*
 * Memory of the machine: one set of tables for the kernel half, shared by every root. The addresses
 * are those of 4-level paging, whatever the firmware hands over.
 *
 *   0x0000000000000000  user half: only what must be at its identity address (the switch stub, the
 *                       trampoline while cores start); in the poking root only the window
 *   0xffff800000000000  direct map of RAM, NX; writable is only what the loader allocated, and of
 *                       that nothing that is executed or constant
 *   0xffffc00000000000  device registers, uncached
 *   0xffffd00000000000  guarded stacks
 *   0xffffffff80000000  the kernel image, W^X by segment
 *   0xffffffffa0000000  patchable text made at run time, read-only and executable
 *
 * No page that is executable through one address is writable through another, but through the open
 * window of text_poke on the one core that has it open. mm_audit() proves it by walking every
 * table.
 */
#ifndef KERNEL_MM_MM_H
#define KERNEL_MM_MM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE      4096ull
#define MM_DIRECT_BASE 0xffff800000000000ull
#define MM_DEVICE_BASE 0xffffc00000000000ull
#define MM_STACK_BASE  0xffffd00000000000ull
#define MM_IMAGE_BASE  0xffffffff80000000ull
#define MM_TEXT_BASE   0xffffffffa0000000ull /* within +-2 GiB of the image: rel32 reaches it */

struct boot_info;

enum mm_prot {
    MM_R = 0,
    MM_W = 1,
    MM_X = 2, /* never together with MM_W */
    MM_UNCACHED = 4,
    MM_WRITE_COMBINING = 8, /* needs mm_use_memory_types() on the core that writes */
};

/*
 * Build the kernel's own tables and switch to them. Boot core, interrupts off. Panics if memory is
 * short.
 */
void mm_init(const struct boot_info *info);

/* ---- physical pages, from the arena ---- */

/*
 * `n` contiguous pages, zeroed; physical address, or 0 if there are none. Boot core's thread
 * context only.
 */
uint64_t pages_alloc(size_t n);
/* The same as memory of the direct map. NULL if there are none. Never freed. */
void *pages_alloc_virt(size_t n);
uint64_t pages_free_count(void);

static inline void *phys_to_virt(uint64_t phys)
{
    return (void *)(MM_DIRECT_BASE + phys);
}

/*
 * `bytes` readable bytes at a physical address, or NULL if they are not RAM: for tables that the
 * firmware points to (an acpi_memory callback). Reserved memory, where some firmware keeps them, is
 * mapped read-only when it is asked for. Boot core, thread context, after mm_init().
 */
const void *mm_read_phys(uint64_t phys, size_t bytes);

/* ---- memory types (memory_types.c) ---- */

/*
 * Entry 4 of this core's PAT becomes write-combining; the others, which the firmware may use, stay.
 * The boot core does it first, before it starts the others, which take its PAT over; again whenever
 * a core has been the firmware's meanwhile. Interrupts off.
 */
void mm_use_memory_types(void);
/* This core's PAT as the boot core had it before. Interrupts off. */
void mm_restore_memory_types(void);

/* ---- mappings, thread context, boot core ---- */

/*
 * Map `pages` pages at `virt` to `phys`. False if memory is short, for MM_W with MM_X, outside the
 * regions above, or if something is there already.
 */
bool mm_map(uint64_t virt, uint64_t phys, size_t pages, enum mm_prot prot);
/*
 * The same with one 2 MiB page, both addresses aligned. mm_protect() of a part of it splits it.
 */
bool mm_map_large(uint64_t virt, uint64_t phys, enum mm_prot prot);
/*
 * Remove; other cores' translations are the caller's business (they are flushed by
 * smp_tlb_flush()).
 */
void mm_unmap(uint64_t virt, size_t pages);
/*
 * Change the protection of mapped pages, in 4 KiB grain (splits large pages of the direct map).
 * Only before other cores run, or with smp_tlb_flush() after it.
 */
bool mm_protect(uint64_t virt, size_t pages, enum mm_prot prot);
/*
 * Physical address behind `virt` in the kernel's tables, or UINT64_MAX if not mapped. Any context.
 */
uint64_t mm_translate(uint64_t virt);
/* The leaf entry itself, 0 if not mapped. Any context. */
uint64_t mm_leaf(uint64_t virt);
/* Device registers, uncached. NULL if memory is short. */
void *mm_map_device(uint64_t phys, size_t bytes);
/*
 * `bytes` of video memory, write-combining. NULL if memory is short, or if any of it is memory that
 * the loader has allocated.
 */
void *mm_map_framebuffer(uint64_t phys, size_t bytes);
/* `bytes` of stack with an unmapped page below; returns the top, 0 if memory is short. */
uint64_t mm_stack_alloc(size_t bytes);
/* Is [addr, addr+len) on a mapped stack (guarded ones, or the boot stack)? Any context. */
bool mm_is_stack(uint64_t addr, size_t len);
/*
 * `pages` pages of patchable text, filled with INT3, mapped RX; no core has ever had them writable.
 * Consecutive pages are not consecutive frames. 0 if memory is short. Never freed.
 */
uint64_t mm_text_alloc(size_t pages);

/* ---- the window of text_poke (window.c) ---- */

/* Which translations the window's two CR3 loads keep. In the order of word pcid=. */
enum mm_window_mode {
    WINDOW_PCID_OFF,      /* CR4.PCIDE is 0: both loads drop all but the global ones */
    WINDOW_PCID_ON,       /* PCIDs: each load drops those of the root that it enters */
    WINDOW_PCID_NO_FLUSH, /* PCIDs and bit 63 of CR3: none, INVLPG drops the window's */
};

/*
 * Choose; false, with nothing changed, if the processor has no PCIDs. Boot core, once, before other
 * cores run (they take CR4 over) and before the first opening.
 */
bool mm_window_select(enum mm_window_mode wanted);
/* "off", "on", "noflush": the one in use. Any context. */
const char *mm_window_mode_name(void);

/*
 * A writable view of `pages` pages of text from `text` (page aligned) on, for cells that choose
 * their own store. On bare metal it is the window: text_mutex is held, until the close interrupts
 * are off and nothing may fault, so it is opened for less than a millisecond; at most
 * MACHINE_WINDOW_PAGES. In a process it is a mapping like any other. NULL if that is not text, or
 * there is no room. One at a time.
 */
void *mm_alias_open(uint64_t text, size_t pages);
void mm_alias_close(void *alias, size_t pages);

/*
 * The same pages of text once more, writable and executable, for cells that store code through the
 * address that it is executed from. NULL on bare metal, where no page is ever both, and where a
 * system forbids it. Only while such a cell runs.
 */
void *mm_writable_text_open(uint64_t text, size_t pages);
void mm_writable_text_close(void *mapping, size_t pages);

/* What openings have cost since boot; exact. Under text_mutex. */
struct mm_window_counts {
    uint64_t openings;
    uint64_t root_loads;    /* MOV to CR3 */
    uint64_t invalidations; /* INVLPG */
};
const struct mm_window_counts *mm_window_counts(void);

/*
 * Where the window of text_poke shows, while it is open: MACHINE_WINDOW_PAGES pages, chosen at
 * random at boot.
 */
uint64_t mm_window_base(void);

/* Physical address of the kernel's root table, where walks begin. Below 4 GiB, as the next. */
uint64_t mm_root(void);
/* What CR3 holds for it, with PCID 0: with 5-level paging the table above it (tables.h). */
uint64_t mm_cr3(void);

/* 4 or 5: as the firmware handed over. 0: the process does not know. Any context. */
unsigned mm_paging_levels(void);

/* ---- proof ---- */

struct mm_audit {
    uint64_t leaves, executable, writable;
    uint64_t violations;          /* executable pages with a writable alias, and W+X leaves */
    uint64_t bad_virt, bad_alias; /* the first */
    uint64_t guards_missing;      /* stacks without an unmapped page below */
};
/* Walk every root, every leaf. True if there are no violations. Thread context, window closed. */
bool mm_audit(struct mm_audit *out);

#endif
