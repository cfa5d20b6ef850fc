/* SPDX-License-Identifier: MIT */
#include "poke/window.h"

#include "poke/counters.h"

_Static_assert(2 * TEXT_POKE_ARRAY_MAX <= MACHINE_WINDOW_PAGES,
               "a batch whose sites all cross a page must fit into one opening");

static uintptr_t pages[MACHINE_WINDOW_PAGES]; /* ascending, distinct */
static unsigned count;                        /* of pages */

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
    uintptr_t page = page_of(addr);
    uint32_t offset = (uint32_t)(addr - page);

    if (!count || pages[count - 1] != page)
        pages[count++] = page;

    uint32_t at = (count - 1) * MACHINE_PAGE + offset;

    /* A range that crosses into the next page finds it beside: pages are shown in this order. */
    if (offset + len > MACHINE_PAGE)
        pages[count++] = page + MACHINE_PAGE;
    return at;
}

bool text_window_open(struct text_window *w, uint64_t now)
{
    if (!machine_window_open(&w->machine, pages, count))
        return false;
    w->log = poke_log_stores_begin(now);
    w->stores = 0;
    return true;
}

void text_window_close(struct text_window *w)
{
    poke_log_stores_end(&w->log);
    machine_window_close(&w->machine);
    poke_count.windows++;
    poke_count.stores += w->stores;
}
