/* SPDX-License-Identifier: MIT */
#include "boot/cpu_check.h"

#include <efi.h>

#include "boot/say.h"
#include "kernel/cpu/regs.h"

#define CPUID_EXT_FEATURES 0x80000001
#define CPUID_EXT_EDX_NX   (1u << 20)

void cpu_check(void)
{
    /*
     * CR4.LA57 cannot change in long mode (SDM vol. 3, 2.5): it would take a way through 32-bit
     * mode.
     */
    if (read_cr4() & CR4_LA57)
        bail(EFI_UNSUPPORTED, "5-level paging is on; not supported by this version");

    /* Setting EFER.NXE faults if the firmware's setup has the feature off, and W^X needs it. */
    if (!(cpuid_extended(CPUID_EXT_FEATURES).edx & CPUID_EXT_EDX_NX))
        bail(EFI_UNSUPPORTED,
             "the processor has no execute-disable; it may be off in the firmware's setup");
}
