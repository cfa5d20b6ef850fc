/* SPDX-License-Identifier: MIT */
#include "tests/users/met.h"

#include "kernel/mm/mm.h"
#include "smp/percpu.h"
#include "smp/smp.h"

/* Each core's own, in any of its contexts: an inner one leaves it as it was. */
static struct {
    struct met *met;
} __attribute__((aligned(CACHE_LINE))) * under_way;

bool met_ready(void)
{
    size_t bytes = smp_possible() * sizeof *under_way;

    if (!under_way)
        under_way = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);
    return under_way;
}

notrace void met_begin(struct met *m)
{
    struct met **here = &under_way[cpu_index()].met;

    m->word = 0;
    m->outer = load_relaxed(here);
    store_release(here, m); /* behind its fields, for this core's own interrupts */
}

notrace uint64_t met_end(struct met *m)
{
    store_relaxed(&under_way[cpu_index()].met, m->outer);
    return load_relaxed(&m->word);
}

notrace uint64_t *met_here(void)
{
    static uint64_t nobody;
    struct met *m = under_way ? load_acquire(&under_way[cpu_index()].met) : NULL;

    return m ? &m->word : &nobody;
}
