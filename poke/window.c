/* SPDX-License-Identifier: MIT */
#include "poke/window.h"

#include "poke/counters.h"
#include "poke/log.h"

_Static_assert(2 * TEXT_POKE_ARRAY_MAX <= MACHINE_WINDOW_PAGES,
               "a step whose sites all cross a page must fit into one opening");

static uintptr_t pages[MACHINE_WINDOW_PAGES]; /* ascending, distinct */
static unsigned count;                        /* of pages */
static unsigned at;                           /* page of the last store */
static struct machine_window window;

static uintptr_t page_of(uintptr_t addr)
{
    return addr & ~(uintptr_t)(MACHINE_PAGE - 1);
}

void text_window_clear(void)
{
    count = 0;
}

void text_window_cover(uintptr_t addr, size_t len)
{
    for (uintptr_t page = page_of(addr); page < addr + len; page += MACHINE_PAGE)
        if (!count || pages[count - 1] != page)
            pages[count++] = page;
}

bool text_window_open(void)
{
    if (!machine_window_open(&window, pages, count))
        return false;
    at = 0;
    poke_count.windows++;
    return true;
}

void text_window_store(uintptr_t addr, const uint8_t *bytes, size_t len)
{
    while (pages[at] != page_of(addr))
        at++;
    /* A range that crosses into the next page finds it beside: pages are shown in this order. */
    machine_window_store(&window, (size_t)at * MACHINE_PAGE + (addr - pages[at]), bytes, len);
    poke_log_store(addr, bytes[0], len);
    poke_count.stores++;
}

void text_window_close(void)
{
    machine_window_close(&window);
}
