/* SPDX-License-Identifier: MIT */
/*
 * Write-combining by the PAT (SDM vol 3A, "Page Attribute Table"): the firmware's tables use
 * entries 0 to 3 and nothing else, so entry 4 is ours. The MTRRs stay as they are: what they call
 * uncached is write-combining where the PAT says so.
 */
#include "kernel/cpu/regs.h"
#include "kernel/lib/fixed_text.h"
#include "kernel/mm/mm.h"

#define CPUID_1_EDX_PAT (1u << 16)
#define OUR_ENTRY       (4 * 8) /* bits of entry 4 */
#define ENTRY_MASK      0xffull
#define TYPE_WC         1ull

/* The boot core's as the firmware had it; 0, which no PAT is: not read yet. */
static uint64_t original;

static bool has_pat(void)
{
    return cpuid(1, 0).edx & CPUID_1_EDX_PAT;
}

void mm_use_memory_types(void)
{
    if (!has_pat())
        return;
    uint64_t pat = rdmsr(MSR_PAT);
    if (!original)
        original = pat;
    wrmsr(MSR_PAT, (pat & ~(ENTRY_MASK << OUR_ENTRY)) | TYPE_WC << OUR_ENTRY);
}

/* A core that stops gets here when it is not asked to serialise any more. */
FIXED_TEXT void mm_restore_memory_types(void)
{
    if (original)
        wrmsr(MSR_PAT, original);
}
