/* SPDX-License-Identifier: MIT */
/* W^X as the processor sees it: each forbidden access really faults, with the right error code. */
#include "kernel/mm/mm.h"
#include "kernel/trap/trap.h"
#include "tests/harness/test.h"
#include "tests/lib/provoke.h"

#define WRITE_REFUSED (PF_ERROR_PRESENT | PF_ERROR_WRITE)
#define FETCH_REFUSED (PF_ERROR_PRESENT | PF_ERROR_FETCH)

static uint8_t data_byte = 0xc3; /* RET, if it could be executed */

TEST(unit, text_is_not_writable,
     "stores to the image's code, to constants and to patchable text fault, through every address",
     .must_see = { { SEE_TRAPS, 4 } })
{
    uint64_t text = mm_text_alloc(1);
    uint64_t targets[] = {
        (uint64_t)trap_try,
        (uint64_t)t->test,
        text,
        (uint64_t)phys_to_virt(mm_translate(text)),
    };
    struct trap_caught caught;

    REQUIRE(text);
    for (unsigned i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        REQUIRE(provoke_write(targets[i], &caught));
        EXPECT(is_page_fault(&caught, targets[i], WRITE_REFUSED));
        saw(SEE_TRAPS, 1);
    }
}

TEST(unit, data_is_not_executable, "calls into data, constants, the direct map and stacks fault",
     .must_see = { { SEE_TRAPS, 4 } })
{
    static const uint8_t constant = 0xc3;
    uint8_t on_stack = 0xc3;
    uint64_t targets[] = {
        (uint64_t)&data_byte,
        (uint64_t)&constant,
        (uint64_t)pages_alloc_virt(1),
        (uint64_t)&on_stack,
    };
    struct trap_caught caught;

    REQUIRE(targets[2]);
    for (unsigned i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        REQUIRE(provoke_call(targets[i], &caught));
        EXPECT(is_page_fault(&caught, targets[i], FETCH_REFUSED));
        saw(SEE_TRAPS, 1);
    }
}
