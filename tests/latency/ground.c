/* SPDX-License-Identifier: MIT */
#include "tests/latency/ground.h"

#include "kernel/lib/atomic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/event_log.h"

#define SITE_LEN    5
#define PER_LINE    (CACHE_LINE / SITE_LEN)
#define SPARSE_STEP 16u
#define PER_PAGE    (MACHINE_PAGE / SPARSE_STEP)

#define PAGES       (GROUND_SITES / PER_PAGE * 16u)
#define DENSE_BYTES ((GROUND_SITES + PER_LINE - 1) / PER_LINE * CACHE_LINE)
#define DENSE_PAGES ((DENSE_BYTES + MACHINE_PAGE - 1) / MACHINE_PAGE)

_Static_assert(GROUND_SITES <= PAGES * PER_PAGE, "one site in each page does not go round");

/*
 * LAYOUT_PAGE has its sites in the first of the sparse pages, LAYOUT_PAGES in all of them: the
 * former's are the same as some of the latter's.
 */
static uint8_t *dense, *sparse;

static const uint8_t images[][SITE_LEN] = {
    [IMAGE_NOP] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 },
    [IMAGE_JUMP] = { JMP32_INSN_OPCODE, 0, 0, 0, 0 },
};

const char *layout_name(enum layout layout)
{
    static const char *const names[LAYOUTS] = {
        [LAYOUT_DENSE] = "line", [LAYOUT_PAGE] = "page", [LAYOUT_PAGES] = "pages"
    };

    return names[layout];
}

const uint8_t *ground_bytes(enum image image)
{
    return images[image];
}

uint8_t *ground_site(enum layout layout, unsigned i)
{
    switch (layout) {
    case LAYOUT_DENSE:
        return dense + i / PER_LINE * CACHE_LINE + i % PER_LINE * SITE_LEN;
    case LAYOUT_PAGE:
        return sparse + i * SPARSE_STEP;
    default:
        return sparse + i % PAGES * MACHINE_PAGE + i / PAGES * SPARSE_STEP;
    }
}

/* One page: groups of `sites` sites and a RET, each group in `bytes` bytes. */
static bool fill(uint8_t *page, unsigned sites, unsigned bytes)
{
    static uint8_t code[MACHINE_PAGE];

    memset(code, INT3_INSN_OPCODE, sizeof code);
    for (unsigned at = 0; at < sizeof code; at += bytes) {
        for (unsigned i = 0; i < sites; i++)
            memcpy(code + at + i * SITE_LEN, images[IMAGE_NOP], SITE_LEN);
        code[at + sites * SITE_LEN] = RET_INSN_OPCODE;
    }
    return text_poke_copy(page, code, sizeof code) == POKE_OK;
}

bool ground_prepare(void)
{
    bool ok = true;

    if (!dense)
        dense = (uint8_t *)mm_text_alloc(DENSE_PAGES);
    if (!sparse)
        sparse = (uint8_t *)mm_text_alloc(PAGES);
    if (!dense || !sparse)
        return false;
    for (unsigned i = 0; i < DENSE_PAGES; i++)
        ok &= fill(dense + i * MACHINE_PAGE, PER_LINE, CACHE_LINE);
    for (unsigned i = 0; i < PAGES; i++)
        ok &= fill(sparse + i * MACHINE_PAGE, 1, SPARSE_STEP);
    return ok;
}

enum poke_error ground_add(enum layout layout, unsigned i, enum image image)
{
    return smp_text_poke_batch_add(ground_site(layout, i), images[image], SITE_LEN, NULL, NULL);
}

enum poke_error ground_patch(enum layout layout, unsigned first, unsigned n, enum image image)
{
    enum poke_error e = POKE_OK;

    for (unsigned i = first; i < first + n && !e; i++)
        e = ground_add(layout, i, image);
    return e ? e : smp_text_poke_batch_finish();
}

void ground_check_order(bool on)
{
    text_mutex_lock();
    poke_order_check_enable(on);
    text_mutex_unlock();
}

bool ground_holds(enum layout layout, unsigned n, enum image image)
{
    for (unsigned i = 0; i < n; i++)
        if (memcmp(ground_site(layout, i), images[image], SITE_LEN) != 0)
            return false;
    return true;
}
