/* SPDX-License-Identifier: MIT */
/*
 * The machine-check banks of one core (SDM vol 3B, "Machine-Check Architecture"; AMD APM vol 2,
 * "Machine Check Architecture"). They are read and never written: what is in them is for whoever
 * owns the machine, and which errors raise #MC stays as the firmware chose.
 */
#ifndef KERNEL_CPU_MACHINE_CHECK_H
#define KERNEL_CPU_MACHINE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#define MC_BANKS_MAX 32 /* as many as have registers at their first addresses */

#define MC_VALID         (1ull << 63) /* MCi_STATUS */
#define MC_OVERFLOW      (1ull << 62)
#define MC_UNCORRECTED   (1ull << 61)
#define MC_MISC_VALID    (1ull << 59)
#define MC_ADDRESS_VALID (1ull << 58)

/* One bank's error, as the registers have it; 0 where one is not valid. */
struct mc_error {
    uint32_t bank;
    uint64_t status, address, misc;
};

struct mc_errors {
    unsigned banks; /* that were read; 0: this core has none, or a hypervisor refuses them */
    unsigned count;
    struct mc_error errors[MC_BANKS_MAX]; /* the valid ones, ascending */
};

/* Read this core's banks. Thread context, or a cross-call's. */
void machine_check_read(struct mc_errors *out);

/*
 * Is `e` of `now` not yet in `before`? Both of one core. A bank whose registers have changed has a
 * new error.
 */
bool machine_check_is_new(const struct mc_error *e, const struct mc_errors *before);

/* Make #MC a panic that names the bank, on all cores. Boot core, once. */
void machine_check_init(void);

#endif
