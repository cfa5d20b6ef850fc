/* SPDX-License-Identifier: MIT */
#include "kernel/cpu/machine_check.h"

#include <stddef.h>

#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/fixed_text.h"
#include "kernel/trap/trap.h"

#define CPUID1_MCA (1u << 14) /* EDX */

#define MSR_MCG_CAP      0x179
#define MSR_MCG_STATUS   0x17a
#define MSR_MC_STATUS(i) (0x401 + 4 * (i))
#define MCG_CAP_COUNT    0xffu

/* A core that #MC reaches without an error of its own waits so many pauses for the one with it. */
#define PAUSES_FOR_OTHERS 50000000u

static inline __attribute__((always_inline)) unsigned bank_count(void)
{
    unsigned count = rdmsr(MSR_MCG_CAP) & MCG_CAP_COUNT;

    return count < MC_BANKS_MAX ? count : MC_BANKS_MAX;
}

/* False: no error there. */
static inline __attribute__((always_inline)) bool read_bank(unsigned bank, struct mc_error *e)
{
    *e = (struct mc_error){ .bank = bank, .status = rdmsr(MSR_MC_STATUS(bank)) };
    if (!(e->status & MC_VALID))
        return false;
    /* A register that is not valid need not exist. */
    if (e->status & MC_ADDRESS_VALID)
        e->address = rdmsr(MSR_MC_STATUS(bank) + 1);
    if (e->status & MC_MISC_VALID)
        e->misc = rdmsr(MSR_MC_STATUS(bank) + 2);
    return true;
}

static void read_banks(void *arg)
{
    struct mc_errors *out = arg;
    unsigned banks = bank_count();

    for (unsigned i = 0; i < banks; i++)
        out->count += read_bank(i, &out->errors[out->count]);
    out->banks = banks;
}

void machine_check_read(struct mc_errors *out)
{
    struct trap_caught caught;

    out->banks = out->count = 0;
    if (!(cpuid(1, 0).edx & CPUID1_MCA))
        return;
    if (!trap_try(read_banks, out, &caught))
        out->banks = out->count = 0;
}

bool machine_check_is_new(const struct mc_error *e, const struct mc_errors *before)
{
    for (unsigned i = 0; i < before->count; i++) {
        const struct mc_error *old = &before->errors[i];

        if (old->bank == e->bank)
            return old->status != e->status || old->address != e->address || old->misc != e->misc;
    }
    return true;
}

/* ---- #MC ---- */

/* The error that says most: an uncorrected one, else any. */
static inline __attribute__((always_inline)) bool find_worst(struct mc_error *worst)
{
    unsigned banks = cpuid(1, 0).edx & CPUID1_MCA ? bank_count() : 0;
    struct mc_error e;
    bool found = false;

    for (unsigned i = 0; i < banks; i++) {
        if (!read_bank(i, &e) || (found && !(e.status & MC_UNCORRECTED)))
            continue;
        *worst = e;
        found = true;
        if (e.status & MC_UNCORRECTED)
            break;
    }
    return found;
}

/*
 * On its own stack, whatever ran: a recovery point must not take it for a fault of its own. Intel's
 * processors raise #MC on all cores at once: the one with the error has to be the one that panics,
 * and stops the others meanwhile.
 */
FIXED_TEXT static bool machine_check(struct trap_frame *frame)
{
    struct mc_error e = { 0 };

    bool found = find_worst(&e);

    /* An old corrected error may still stand in a bank of a core that is only told. */
    if (!found || !(e.status & MC_UNCORRECTED))
        for (unsigned i = 0; i < PAUSES_FOR_OTHERS; i++)
            cpu_relax();
    if (!found)
        panic(frame, "machine check, and no bank of this core has an error");
    panic(frame, "machine check: bank %u, %s error, status 0x%llx, address 0x%llx", e.bank,
          e.status & MC_UNCORRECTED ? "uncorrected" : "corrected", (unsigned long long)e.status,
          (unsigned long long)e.address);
}

void machine_check_init(void)
{
    trap_set_handler(TRAP_MC, machine_check);
}
