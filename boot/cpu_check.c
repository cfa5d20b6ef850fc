/* SPDX-License-Identifier: MIT */
#include "boot/cpu_check.h"

#include <efi.h>

#include "boot/say.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"

#define CPUID_TDX          0x21 /* EBX, EDX, ECX: "IntelTDX    " */
#define CPUID_SEV          0x8000001f
#define CPUID_SEV_EAX_SEV  (1u << 1)
#define CPUID_1_HYPERVISOR (1u << 31) /* ECX */
#define MSR_SEV_STATUS     0xc0010131
#define SEV_STATUS_ACTIVE  7u /* SEV, SEV-ES, SEV-SNP */
#define CPUID_EXT_FEATURES 0x80000001
#define CPUID_EXT_EDX_NX   (1u << 20)

/*
 * In a confidential guest the firmware's handlers of #VE and #VC stand between a program and the
 * hypervisor, and SEV's page tables need the encryption bit: the kernel has neither.
 */
static bool is_confidential_guest(void)
{
    static const char tdx[] = "IntelTDX    ";
    struct cpuid id = cpuid_basic(CPUID_TDX, 0);

    if (memcmp((uint32_t[]){ id.ebx, id.edx, id.ecx }, tdx, sizeof(tdx) - 1) == 0)
        return true;
    return (cpuid(1, 0).ecx & CPUID_1_HYPERVISOR) &&
           (cpuid_extended(CPUID_SEV).eax & CPUID_SEV_EAX_SEV) &&
           (rdmsr(MSR_SEV_STATUS) & SEV_STATUS_ACTIVE);
}

void cpu_check(void)
{
    if (is_confidential_guest())
        bail(EFI_UNSUPPORTED, "this is a confidential guest (TDX or SEV); not supported");

    /* Setting EFER.NXE faults if the firmware's setup has the feature off, and W^X needs it. */
    if (!(cpuid_extended(CPUID_EXT_FEATURES).edx & CPUID_EXT_EDX_NX))
        bail(EFI_UNSUPPORTED,
             "the processor has no execute-disable; it may be off in the firmware's setup");
}
