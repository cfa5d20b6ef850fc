/* SPDX-License-Identifier: MIT */
/*
 * The window of text_poke: a second root, loaded by one core at a time, in which text pages are
 * writable.
 *
 * Mirrors the mapping half of Linux `__text_poke`. The private root shares the kernel half (by
 * value of its root slots, all of which exist before) and has nothing in the user half but one page
 * table with MACHINE_WINDOW_PAGES entries, at an address chosen at random at boot. Why it is safe:
 *   - No other core ever loads this root, so no other core can use or cache the writable
 * translations.
 *   - The entries are not global, so the CR3 loads that enter and leave drop them from this core
 * (PCID is off): nothing has to be flushed elsewhere, and no IPI is sent.
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

#define DR7_ARMED 0xffull /* L0..G3 */

enum { SAVED_FLAGS, SAVED_ROOT, SAVED_DR7 };

static uint64_t private_root;
static uint64_t base;
static uint64_t *entries; /* the window's page table; written by the core that holds text_mutex */

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
    if (!first)
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

bool machine_window_open(struct machine_window *w, const uintptr_t *pages, unsigned n)
{
    if (n == 0 || n > MACHINE_WINDOW_PAGES)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (!machine_is_patchable(pages[i], PAGE_SIZE))
            return false;
    }
    w->view = (uint8_t *)base;
    w->pages = n;
    w->saved[SAVED_FLAGS] = irq_save();
    for (unsigned i = 0; i < n; i++)
        store_relaxed(&entries[i], mm_translate(pages[i]) | leaf_flags(base, MM_W));
    w->saved[SAVED_DR7] = read_dr7();
    if (w->saved[SAVED_DR7] & DR7_ARMED)
        write_dr7(0);
    w->saved[SAVED_ROOT] = read_cr3();
    /*
     * A serialising instruction and a compiler barrier: the entries are set before the first store.
     */
    write_cr3(private_root);
    return true;
}

void machine_window_close(struct machine_window *w)
{
    compiler_barrier(); /* the stores come before the entries go */
    for (unsigned i = 0; i < w->pages; i++)
        store_relaxed(&entries[i], 0);
    write_cr3(w->saved[SAVED_ROOT]);
    if (w->saved[SAVED_DR7] & DR7_ARMED)
        write_dr7(w->saved[SAVED_DR7]);
    irq_restore(w->saved[SAVED_FLAGS]);
}

void machine_window_store(struct machine_window *w, size_t offset, const uint8_t *bytes, size_t len)
{
    volatile uint8_t *to = w->view + offset;

    for (size_t i = 0; i < len; i++)
        to[i] = bytes[i];
}
