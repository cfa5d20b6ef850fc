/* SPDX-License-Identifier: MIT */
/*
 * Serialising: SDM vol 3A, "Serializing Instructions" (8.3; 9.3 in later prints): CPUID, IRET,
 * SERIALIZE, MOV to a control register but CR8; MFENCE and LFENCE order memory only. APM vol 2
 * (24593), 7.6.4: CPUID, IRET, MOV to CRn, and MFENCE. A locked instruction is not, says each.
 */
#include "tests/errata/litmus_fence.h"

#include "kernel/cpu/regs.h"

enum { NONE, LFENCE, MFENCE, LOCK, CPUID, SERIALIZE, IRET, CR2, COUNT };

const struct litmus_fence litmus_fences[] = {
    [NONE] = { .name = "none" },
    [LFENCE] = { .name = "lfence", .length = 3, .code = { 0x0f, 0xae, 0xe8 } },
    [MFENCE] = { .name = "mfence",
                 .length = 3,
                 .code = { 0x0f, 0xae, 0xf0 },
                 .serialises = { [VENDOR_AMD] = true },
                 .drains = true },
    [LOCK] = { .name = "lock",
               .length = 5,
               .code = { 0xf0, 0x83, 0x0c, 0x24, 0x00 }, /* lock or dword [rsp], 0 */
               .drains = true },
    [CPUID] = { .name = "cpuid",
                .length = 4,
                .code = { 0x31, 0xc0, 0x0f, 0xa2 }, /* leaf 0: others are slower */
                .serialises = { [VENDOR_INTEL] = true, [VENDOR_AMD] = true },
                .drains = true },
    [SERIALIZE] = { .name = "serialize",
                    .length = 3,
                    .code = { 0x0f, 0x01, 0xe8 },
                    .serialises = { [VENDOR_INTEL] = true, [VENDOR_AMD] = true },
                    .drains = true,
                    .by_cpuid = true },
    [IRET] = { .name = "iret",
               .length = 21,
               .code = { 0x48, 0x89, 0xe0,                         /* mov rax, rsp */
                         0x8c, 0xd1,                               /* mov ecx, ss */
                         0x51, 0x50, 0x9c,                         /* push rcx, rax, flags */
                         0x8c, 0xc9, 0x51,                         /* mov ecx, cs; push rcx */
                         0x48, 0x8d, 0x0d, 0x03, 0x00, 0x00, 0x00, /* lea rcx, [rip + 3] */
                         0x51, 0x48, 0xcf },                       /* push rcx; iretq */
               .serialises = { [VENDOR_INTEL] = true, [VENDOR_AMD] = true },
               .drains = true },
    [CR2] = { .name = "cr2",
              .length = 8,
              .code = { 0x0f, 0x20, 0xd0, 0x0f, 0x22, 0xd0, /* mov rax, cr2; mov cr2, rax */
                        0xeb, 0x00 },                       /* and a jump */
              .serialises = { [VENDOR_INTEL] = true, [VENDOR_AMD] = true },
              .drains = true,
              .privileged = true },
};
const unsigned litmus_fence_count = COUNT;

const struct levels *litmus_fence_levels(void)
{
    static const char *names[COUNT];
    static const struct levels levels = { "rsync", names, COUNT };

    for (unsigned i = 0; i < COUNT; i++)
        names[i] = litmus_fences[i].name;
    return &levels;
}

static bool is_privileged_here(void)
{
    uint16_t cs;

    __asm__("mov %%cs, %0" : "=r"(cs));
    return (cs & 3) == 0;
}

const char *litmus_fence_lacking(const struct litmus_fence *fence)
{
    if (fence->privileged && !is_privileged_here())
        return "privileged";
    if (fence->by_cpuid && !(cpuid_basic(7, 0).edx >> 14 & 1))
        return "the processor does not have it";
    return NULL;
}

const struct litmus_fence *litmus_fence_iret(void)
{
    return &litmus_fences[IRET];
}
