/* SPDX-License-Identifier: MIT */
/*
 * An EFI program that turns CET on (supervisor shadow stack and indirect branch tracking), goes
 * through boot/switch.asm to where neither is obeyed, and comes back. It prints one line on COM1
 * and ends Bochs, which emulates CET; QEMU 7.2 does not.
 */
#include <efi.h>

#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"

#define LARGE_PAGE 0x200000ull
#define TABLES     6 /* root, pointers, four directories: 4 GiB */
#define STACK      4 /* pages */
#define COM1       0x3f8
#define COM1_EMPTY 0x60 /* line status: nothing to send, nothing being sent */
#define S_CET      5    /* SH_STK_EN, ENDBR_EN */

/* Of page-table entries: a shadow stack's page is dirty and not writable. */
#define TABLE_ENTRY  3ull
#define DATA_ENTRY   0xe3ull
#define SHADOW_ENTRY 0xe1ull

/* cet.asm has the same order. */
struct trip {
    uint64_t root, token, s_cet, stack_top;
    uint64_t cr4_inside, cr4_after, s_cet_after, ssp_before, ssp_after, result;
};
void cet_round_trip(struct trip *trip);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static EFI_SYSTEM_TABLE *system;

static uint64_t alloc(UINTN pages)
{
    EFI_PHYSICAL_ADDRESS at = UINT32_MAX;

    if (EFI_ERROR(system->BootServices->AllocatePages(AllocateMaxAddress, EfiBootServicesCode,
                                                      pages, &at)))
        return 0;
    memset((void *)at, 0, pages * EFI_PAGE_SIZE);
    return at;
}

/* The first 4 GiB, mapped 1:1; the large page at `shadow` is a shadow stack's. */
static uint64_t build_tables(uint64_t pool, uint64_t shadow)
{
    uint64_t *root = (uint64_t *)pool, *pointers = root + 512, *directories = pointers + 512;

    root[0] = (uint64_t)pointers | TABLE_ENTRY;
    for (unsigned i = 0; i < 4; i++)
        pointers[i] = (uint64_t)(directories + 512 * i) | TABLE_ENTRY;
    for (uint64_t i = 0; i < 4 * 512; i++)
        directories[i] = i * LARGE_PAGE | (i * LARGE_PAGE == shadow ? SHADOW_ENTRY : DATA_ENTRY);
    return pool;
}

static const char *judge(const struct trip *t)
{
    if (t->result != 0x5eed)
        return "the other side's result is lost";
    if (t->cr4_inside & CR4_CET)
        return "CET is on on the other side";
    if (!(t->cr4_after & CR4_CET) || t->s_cet_after != t->s_cet)
        return "CET is not back on";
    if (!t->ssp_before || t->ssp_after != t->ssp_before)
        return "the shadow stack is not balanced";
    return "passed";
}

static const char *run(void)
{
    struct cpuid seven = cpuid_basic(7, 0);
    struct trip trip = { .s_cet = S_CET };

    if (!(seven.ecx >> 7 & 1) || !(seven.edx >> 20 & 1))
        return "this processor has no CET";
    uint64_t pool = alloc(TABLES), stack = alloc(STACK);
    uint64_t block = alloc(2 * LARGE_PAGE / EFI_PAGE_SIZE);
    if (!pool || !stack || !block)
        return "no memory";
    uint64_t shadow = (block + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
    trip.root = build_tables(pool, shadow);
    trip.stack_top = stack + STACK * EFI_PAGE_SIZE;
    trip.token = shadow + EFI_PAGE_SIZE;
    *(uint64_t *)trip.token = trip.token; /* free: SETSSBSY takes it */
    cet_round_trip(&trip);
    return judge(&trip);
}

static void print(const char *text)
{
    for (; *text; text++) {
        while (!(inb(COM1 + 5) & COM1_EMPTY))
            ;
        outb(COM1, (uint8_t)*text);
    }
    while (!(inb(COM1 + 5) & COM1_EMPTY))
        ;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    (void)image;
    system = table;
    print("\r\nCET round trip: ");
    print(run());
    print("\r\n");
    for (const char *c = "Shutdown"; *c; c++) /* Bochs' own port */
        outb(0x8900, (uint8_t)*c);
    return EFI_SUCCESS;
}
