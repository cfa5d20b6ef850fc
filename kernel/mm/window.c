/* SPDX-License-Identifier: MIT */
/*
 * The window of text_poke: a second root, loaded by one core at a time, in which text pages are
 * writable.
 *
 * Mirrors the mapping half of Linux `__text_poke`. The private root shares the kernel half (by
 * value of its root slots, all of which exist before) and has nothing in the user half but one page
 * table with MACHINE_WINDOW_PAGES entries, at an address chosen at random at boot. Why it is safe:
 *   - No other core ever loads this root while translations are in it, so no other core can use or
 *     cache them.
 *   - The entries are not global, and this core drops their translations before any other page
 *     shows there.
 *     Nothing has to be flushed elsewhere, and no interrupt is sent. How it drops them is the mode:
 *     without PCIDs by the CR3 loads that enter and leave; with them by the load that enters, which
 *     empties the window's PCID; in the no-flush mode, where CR3 loads keep everything (bit 63), by
 *     INVLPG for each page before it leaves (SDM vol 3A, 4.10.4.1).
 *   - Interrupts are off while it is open. An NMI may come; it runs in the kernel half, which is
 * complete here.
 *   - Debug registers are disarmed: a watchpoint on the random address would give it away, and trap
 * in the middle.
 */
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/tables.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "poke/machine.h"

#define DR7_ARMED      0xffull    /* L0..G3 */
#define CPUID1_PCID    (1u << 17) /* ECX */
#define CR3_NO_FLUSH   (1ull << 63)
#define PCID_OF_WINDOW 1ull /* the kernel's root has PCID 0 */

enum { SAVED_FLAGS, SAVED_ROOT, SAVED_DR7 };

static uint64_t private_root;
static uint64_t private_cr3; /* leads to it */
static uint64_t base;
static uint64_t *entries; /* the window's page table; written by the core that holds text_mutex */

/*
 * The page that each entry last showed, and the entry that showed it: the steps of a batch show the
 * same pages, and the frame of a page of text never changes. Under text_mutex.
 */
static struct {
    uintptr_t page; /* plus one; 0: none yet */
    uint64_t entry;
} shown[MACHINE_WINDOW_PAGES];

/* Written before other cores run. */
static enum mm_window_mode mode;
static struct mm_window_counts counts; /* under text_mutex */

/*
 * 2 MiB aligned, so that all entries lie in one table; anywhere in the user half but its first and
 * last GiB.
 */
static uint64_t random_base(void)
{
    uint64_t z = rdtsc();

    if (cpuid(1, 0).ecx & (1u << 30)) {
        uint64_t r;
        bool ok;
        __asm__ volatile("rdrand %0" : "=r"(r), "=@ccc"(ok));
        if (ok)
            z ^= r;
    }
    z *= 0x9e3779b97f4a7c15ull;
    uint64_t slots = ((1ull << 47) - (2ull << 30)) / LARGE_PAGE;
    return (1ull << 30) + (z >> 16) % slots * LARGE_PAGE;
}

void window_init(uint64_t kernel_root)
{
    private_root = pages_alloc(1);
    base = random_base();
    memcpy(table_at(private_root) + KERNEL_HALF, table_at(kernel_root) + KERNEL_HALF,
           (ROOT_SLOTS - KERNEL_HALF) * sizeof(uint64_t));
    /* All table levels now: an opening must not allocate. */
    uint64_t *first = private_root ? leaf_make(private_root, base) : NULL;
    private_cr3 = private_root ? tables_cr3(private_root) : 0;
    if (!first || !private_cr3)
        panic(NULL, "no memory for the window of text_poke");
    entries = phys_to_virt((uint64_t)first); /* identity address so far */
}

uint64_t window_root(void)
{
    return private_root;
}

uint64_t mm_window_base(void)
{
    return base;
}

bool mm_window_select(enum mm_window_mode wanted)
{
    if (wanted != WINDOW_PCID_OFF) {
        if (!(cpuid(1, 0).ecx & CPUID1_PCID))
            return false;
        write_cr4(read_cr4() | CR4_PCIDE); /* CR3 holds PCID 0 */
    }
    mode = wanted;
    return true;
}

const char *mm_window_mode_name(void)
{
    static const char *const names[] = {
        [WINDOW_PCID_OFF] = "off", [WINDOW_PCID_ON] = "on", [WINDOW_PCID_NO_FLUSH] = "noflush"
    };

    return names[mode];
}

const struct mm_window_counts *mm_window_counts(void)
{
    return &counts;
}

/* Serialising, with bit 63 too. */
static void load_root(uint64_t cr3)
{
    write_cr3(mode == WINDOW_PCID_NO_FLUSH ? cr3 | CR3_NO_FLUSH : cr3);
    counts.root_loads++;
}

/* Apart from the common path, which then needs few registers. */
static __attribute__((noinline)) bool show(unsigned i, uintptr_t page)
{
    if (!machine_is_patchable(page, PAGE_SIZE))
        return false;
    shown[i].page = page + 1;
    shown[i].entry = mm_translate(page) | leaf_flags(base, MM_W);
    return true;
}

bool machine_window_open(struct machine_window *w, const uintptr_t *pages, unsigned n)
{
    if (n == 0 || n > MACHINE_WINDOW_PAGES)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (shown[i].page != pages[i] + 1 && !show(i, pages[i]))
            return false;
    }
    w->view = (uint8_t *)base;
    w->pages = n;
    w->saved[SAVED_FLAGS] = irq_save();
    for (unsigned i = 0; i < n; i++)
        store_relaxed(&entries[i], shown[i].entry);
    w->saved[SAVED_DR7] = read_dr7();
    if (w->saved[SAVED_DR7] & DR7_ARMED)
        write_dr7(0);
    w->saved[SAVED_ROOT] = read_cr3();
    /*
     * A serialising instruction and a compiler barrier: the entries are set before the first store.
     */
    load_root(mode == WINDOW_PCID_OFF ? private_cr3 : private_cr3 | PCID_OF_WINDOW);
    counts.openings++;
    return true;
}

void machine_window_close(struct machine_window *w)
{
    compiler_barrier(); /* the stores come before the entries go */
    for (unsigned i = 0; i < w->pages; i++)
        store_relaxed(&entries[i], 0);
    if (mode == WINDOW_PCID_NO_FLUSH) { /* while their PCID is the current one */
        for (unsigned i = 0; i < w->pages; i++)
            invlpg(base + i * PAGE_SIZE);
        counts.invalidations += w->pages;
    }
    load_root(w->saved[SAVED_ROOT]);
    if (w->saved[SAVED_DR7] & DR7_ARMED)
        write_dr7(w->saved[SAVED_DR7]);
    irq_restore(w->saved[SAVED_FLAGS]);
}

void machine_window_store(struct machine_window *w, size_t offset, const uint8_t *bytes, size_t len)
{
    typedef uint32_t word __attribute__((aligned(1), may_alias));
    uint8_t *to = w->view + offset;

    for (; len >= sizeof(word); len -= sizeof(word), to += sizeof(word), bytes += sizeof(word))
        *(volatile word *)to = *(const word *)bytes;
    for (; len; len--)
        *(volatile uint8_t *)to++ = *bytes++;
}

/* ---- the same for cells ---- */

static struct machine_window alias;

void *mm_alias_open(uint64_t text, size_t pages)
{
    static uintptr_t list[MACHINE_WINDOW_PAGES]; /* under text_mutex */

    if (pages > MACHINE_WINDOW_PAGES)
        return NULL;
    for (size_t i = 0; i < pages; i++)
        list[i] = text + i * PAGE_SIZE;
    return machine_window_open(&alias, list, (unsigned)pages) ? alias.view : NULL;
}

void mm_alias_close(__attribute__((unused)) void *view, __attribute__((unused)) size_t pages)
{
    machine_window_close(&alias);
}

void *mm_writable_text_open(__attribute__((unused)) uint64_t text,
                            __attribute__((unused)) size_t pages)
{
    return NULL;
}

void mm_writable_text_close(__attribute__((unused)) void *mapping,
                            __attribute__((unused)) size_t pages)
{
}
