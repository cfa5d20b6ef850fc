/* SPDX-License-Identifier: MIT */
/* The window is one core's secret: while it is open, and all the more when it is closed. */
#include "kernel/cpu/regs.h"
#include "kernel/mm/mm.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/lib/provoke.h"

static uint32_t faults;

static void read_both_pages(__attribute__((unused)) void *arg)
{
    struct trap_caught caught;

    for (unsigned page = 0; page < 2; page++) {
        uint64_t address = mm_window_base() + page * PAGE_SIZE;
        if (provoke_read(address, &caught) && is_page_fault(&caught, address, 0))
            fetch_add(&faults, 1);
    }
}

TEST_BARE("page tables of its own", poke, i7_window_closed,
          "after a poke nothing is mapped in the window, on any core",
          .must_see = { { SEE_TRAPS, 2 } })
{
    uint8_t *text = (uint8_t *)mm_text_alloc(2);
    struct mm_audit audit;

    REQUIRE(text);
    faults = 0;
    text_mutex_lock();
    EXPECT_EQ(text_poke(text + PAGE_SIZE - 2, poke_nop5, 5), POKE_OK);
    text_mutex_unlock();
    for_each_online_cpu (core)
        smp_call_one((unsigned)core, read_both_pages, NULL);
    EXPECT_EQ(faults, 2 * smp_online());
    EXPECT(mm_audit(&audit));
    saw(SEE_TRAPS, faults);
}

/* ---- while it is open ---- */

/* Of a page-table entry (SDM vol 3A, 4.5.4). */
#define ENTRY_PRESENT (1ull << 0)
#define ENTRY_WRITE   (1ull << 1)
#define ENTRY_USER    (1ull << 2)
#define ENTRY_GLOBAL  (1ull << 8)
#define ENTRY_FRAME   0x000ffffffffff000ull
#define ENTRY_NX      (1ull << 63)
#define ENTRY_RIGHTS  (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_GLOBAL | ENTRY_NX)

/* The entry that maps the 4 KiB page of `virt` under `root`, 0 if there is none. */
static uint64_t entry_of(uint64_t root, uint64_t virt)
{
    uint64_t entry = root | ENTRY_PRESENT;
    int top = read_cr4() & CR4_LA57 ? 48 : 39;

    for (int shift = top; shift >= 12 && (entry & ENTRY_PRESENT); shift -= 9) {
        const uint64_t *table = phys_to_virt(entry & ENTRY_FRAME);
        entry = table[virt >> shift & 511];
    }
    return entry;
}

TEST_BARE("page tables of its own", poke, i7_window_entries,
          "an open window has one entry for each page: writable, not executable, user or global")
{
    uint64_t text = mm_text_alloc(2);
    uintptr_t pages[2] = { text, text + PAGE_SIZE };
    struct machine_window window;
    uint64_t entries[3]; /* and the one behind */

    REQUIRE(text);
    text_mutex_lock();
    bool open = machine_window_open(&window, pages, 2);
    for (unsigned i = 0; i < 3; i++)
        entries[i] = entry_of(read_cr3(), mm_window_base() + i * PAGE_SIZE);
    if (open)
        machine_window_close(&window);
    text_mutex_unlock();

    REQUIRE(open);
    for (unsigned i = 0; i < 2; i++) {
        EXPECT_EQ(entries[i] & ENTRY_RIGHTS, ENTRY_PRESENT | ENTRY_WRITE | ENTRY_NX);
        EXPECT_EQ(entries[i] & ENTRY_FRAME, mm_translate(pages[i]));
    }
    EXPECT_EQ(entries[2], 0);
}

static uint32_t opened, looked;

static void look_from_outside(__attribute__((unused)) void *arg)
{
    while (!load_acquire(&opened)) /* pairs with the release in the test */
        cpu_relax();
    read_both_pages(NULL);
    store_release(&looked, 1); /* pairs with the acquire in the test */
}

TEST_BARE(
    "page tables of its own", poke, i8_window_private,
    "in the open window interrupts are off and DR7 is clear, and another core sees nothing there",
    .cpus = 2, .must_see = { { SEE_TRAPS, 2 } })
{
    uint64_t text = mm_text_alloc(2);
    uintptr_t pages[2] = { text, text + PAGE_SIZE };
    struct machine_window window;
    unsigned other = (unsigned)smp_next_online(0);
    uint64_t root = read_cr3();

    REQUIRE(text);
    faults = opened = looked = 0;
    REQUIRE(smp_start_work(other, look_from_outside, NULL));
    text_mutex_lock();
    write_dr7(read_dr7() | 1); /* L0 armed: DR0 is 0, where nothing is ever executed */
    bool open = machine_window_open(&window, pages, 2);
    uint64_t flags = read_rflags(), dr7 = read_dr7(), window_root = read_cr3();

    store_release(&opened, 1); /* pairs with the acquire in look_from_outside() */
    while (!load_acquire(&looked))
        cpu_relax();
    if (open)
        machine_window_close(&window);
    write_dr7(read_dr7() & ~1ull);
    text_mutex_unlock();
    smp_wait_work(other);

    EXPECT(open);
    EXPECT_EQ(flags & RFLAGS_IF, 0);
    EXPECT_EQ(dr7 & 0xff, 0);
    EXPECT(window_root != root);
    EXPECT_EQ(faults, 2);
    saw(SEE_TRAPS, faults);
}

TEST_BARE("page tables of its own", poke, i8_state_restored,
          "a poke restores root, DR7 and the interrupt flag bit for bit")
{
    uint8_t *text = (uint8_t *)mm_text_alloc(1);

    REQUIRE(text);
    for (unsigned armed = 0; armed < 2; armed++) {
        for (unsigned interrupts = 0; interrupts < 2; interrupts++) {
            text_mutex_lock();
            write_dr7((read_dr7() & ~1ull) | armed);
            uint64_t saved = irq_save();
            if (interrupts)
                irq_restore(saved);
            uint64_t root = read_cr3(), dr7 = read_dr7(), flags = read_rflags() & RFLAGS_IF;
            enum poke_error e = text_poke(text, poke_nop5, 5);
            uint64_t root_after = read_cr3(), dr7_after = read_dr7();
            uint64_t flags_after = read_rflags() & RFLAGS_IF;

            irq_restore(saved);
            write_dr7(read_dr7() & ~1ull);
            text_mutex_unlock();
            EXPECT_EQ(e, POKE_OK);
            EXPECT_EQ(root_after, root);
            EXPECT_EQ(dr7_after, dr7);
            EXPECT_EQ(dr7 & 1, armed);
            EXPECT_EQ(flags_after, flags);
            EXPECT_EQ(flags != 0, interrupts);
        }
    }
}
