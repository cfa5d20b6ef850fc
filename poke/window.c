/* SPDX-License-Identifier: MIT */
#include "poke/window.h"

#include "poke/counters.h"
#include "poke/log.h"

_Static_assert(2 * TEXT_POKE_ARRAY_MAX <= MACHINE_WINDOW_PAGES,
               "a batch whose sites all cross a page must fit into one opening");

static uintptr_t pages[MACHINE_WINDOW_PAGES]; /* ascending, distinct */
static unsigned count;                        /* of pages */
static struct machine_window window;
static struct poke_stores log; /* of the opening */

static uintptr_t page_of(uintptr_t addr)
{
    return addr & ~(uintptr_t)(MACHINE_PAGE - 1);
}

void text_window_clear(void)
{
    count = 0;
}

uint32_t text_window_cover(uintptr_t addr, size_t len)
{
    uintptr_t first = page_of(addr), last = page_of(addr + len - 1);

    if (!count || pages[count - 1] != first)
        pages[count++] = first;

    uint32_t at = (count - 1) * MACHINE_PAGE + (uint32_t)(addr - first);

    /* A range that crosses into the next page finds it beside: pages are shown in this order. */
    if (first != last)
        pages[count++] = last;
    return at;
}

bool text_window_open(void)
{
    if (!machine_window_open(&window, pages, count))
        return false;
    poke_count.windows++;
    log = poke_log_stores();
    return true;
}

void text_window_store(uintptr_t addr, uint32_t at, const uint8_t *bytes, size_t len)
{
    machine_window_store(&window, at, bytes, len);
    poke_log_store(&log, addr, bytes[0], len);
    poke_count.stores++;
}

void text_window_close(void)
{
    machine_window_close(&window);
}
