/* SPDX-License-Identifier: MIT */
/* W^X as the processor sees it: each forbidden access really faults, with the right error code. */
#include "kernel/mm/mm.h"
#include "kernel/trap/trap.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/lib/provoke.h"

#define WRITE_REFUSED (PF_ERROR_PRESENT | PF_ERROR_WRITE)
#define FETCH_REFUSED (PF_ERROR_PRESENT | PF_ERROR_FETCH)

static uint8_t data_byte = 0xc3; /* RET, if it could be executed */

#define FRAMES 8

/* Reads the direct map's view of the frames, and so keeps translations of it. */
static void touch_frames(void *arg)
{
    const uint8_t *first = arg;

    for (unsigned i = 0; i < FRAMES; i++)
        (void)*(const volatile uint8_t *)(first + i * PAGE_SIZE);
}

/*
 * A page of text whose frame every core has looked at before it was text. A translation that still
 * allowed a store would not be dropped by anything on those cores.
 */
static uint64_t alloc_touched_text(struct test_run *t)
{
    uint64_t last = mm_text_alloc(1);

    if (!last)
        return 0;
    uint64_t first = mm_translate(last) + PAGE_SIZE; /* frames are handed out in ascending order */
    smp_call_all(touch_frames, phys_to_virt(first));
    uint64_t text = mm_text_alloc(1);
    if (text && mm_translate(text) - first >= FRAMES * PAGE_SIZE)
        WEAK("the frame of the new text is not one that was touched");
    return text;
}

TEST_BARE("page tables of its own", unit, text_is_not_writable,
          "stores to code, constants and patchable text fault on every core, through every address",
          .must_see = { { SEE_TRAPS, 4 } })
{
    uint64_t text = alloc_touched_text(t);

    REQUIRE(text);
    provoke_everywhere(t, provoke_write, (uint64_t)trap_try, WRITE_REFUSED);
    provoke_everywhere(t, provoke_write, (uint64_t)t->test, WRITE_REFUSED);
    provoke_everywhere(t, provoke_write, text, WRITE_REFUSED);
    provoke_everywhere(t, provoke_write, (uint64_t)phys_to_virt(mm_translate(text)), WRITE_REFUSED);
}

TEST_BARE("page tables of its own", unit, data_is_not_executable,
          "calls into data, constants, the direct map and stacks fault on every core",
          .must_see = { { SEE_TRAPS, 4 } })
{
    static const uint8_t constant = 0xc3;
    uint8_t on_stack = 0xc3;
    uint64_t page = (uint64_t)pages_alloc_virt(1);

    REQUIRE(page);
    provoke_everywhere(t, provoke_call, (uint64_t)&data_byte, FETCH_REFUSED);
    provoke_everywhere(t, provoke_call, (uint64_t)&constant, FETCH_REFUSED);
    provoke_everywhere(t, provoke_call, page, FETCH_REFUSED);
    provoke_everywhere(t, provoke_call, (uint64_t)&on_stack, FETCH_REFUSED);
}
