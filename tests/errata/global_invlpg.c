/* SPDX-License-Identifier: MIT */
/*
 * Does INVLPG drop a global translation while PCIDs are on? On Alder Lake and its successors it may
 * not (2023). The no-flush mode of text_poke's window relies on INVLPG for translations that are
 * not global; kernels rely on it for global ones.
 */
#include "kernel/cpu/regs.h"
#include "kernel/mm/mm.h"
#include "tests/errata/erratum.h"
#include "tests/harness/test.h"

#define ROUNDS  20000u
#define SCRATCH (MM_DEVICE_BASE + (256ull << 30)) /* nobody's address */

static const struct erratum adl = {
    .id = "Intel ADL, RPL and later, 2023",
    .reference = "Linux disables PCID on them below a microcode version",
    .hypothesis = "INVLPG leaves a global translation in the TLB while CR4.PCIDE is set",
    .expected = "the next access goes by the new table entry",
    .affected = { { VENDOR_INTEL, 6, 0x97, 0x97 },
                  { VENDOR_INTEL, 6, 0x9a, 0x9a },
                  { VENDOR_INTEL, 6, 0xb7, 0xb7 },
                  { VENDOR_INTEL, 6, 0xba, 0xba },
                  { VENDOR_INTEL, 6, 0xbe, 0xbf } },
};

TEST_BARE("page tables of its own", errata, global_invlpg,
          "INVLPG drops a global translation, with and without PCIDs", .budget_ms = 200,
          .must_see = { { SEE_EXECUTIONS, ROUNDS } })
{
    uint64_t frames[2] = { pages_alloc(1), pages_alloc(1) };
    volatile uint64_t *scratch = (uint64_t *)SCRATCH;
    unsigned stale = 0;

    REQUIRE(frames[0] && frames[1]);
    for (unsigned i = 0; i < 2; i++)
        *(uint64_t *)phys_to_virt(frames[i]) = i;
    for (unsigned n = 0; n < ROUNDS; n++) {
        uint64_t which = n & 1;

        /* mm_unmap() executes INVLPG; the kernel's half is global. */
        REQUIRE(mm_map(SCRATCH, frames[which], 1, MM_R));
        stale += *scratch != which;
        mm_unmap(SCRATCH, 1);
    }
    erratum_record(&t->data, &adl);
    json_bool(&t->data, "pcide", read_cr4() & CR4_PCIDE);
    json_uint(&t->data, "rounds", ROUNDS);
    json_uint(&t->data, "stale", stale);
    saw(SEE_EXECUTIONS, ROUNDS);
    if (stale)
        FAIL("%u of %u accesses used a global translation that INVLPG had dropped", stale, ROUNDS);
}
