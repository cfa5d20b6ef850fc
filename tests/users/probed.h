/* SPDX-License-Identifier: MIT */
/* Functions with an instruction to be probed, one for each way in which a probe executes it. */
#ifndef TESTS_USERS_PROBED_H
#define TESTS_USERS_PROBED_H

#include <stdbool.h>
#include <stdint.h>

struct probed {
    /*
     * Answers the same for the same argument. The argument is in RDI at the site, so that who
     * probes it can count there.
     */
    uint64_t (*run)(uint64_t *count);
    uint8_t *site;
    const char *what;
    uint64_t optimises; /* can a JMP cover the site? */
};

extern const struct probed users_probed[], users_probed_end[];

/* An instruction, and a site for text_switch() behind it that its probe covers as a JMP. */
extern uint8_t *const users_probed_switch[2];

/* A site for text_switch(), an instruction, and the one behind it that the first's JMP covers. */
extern uint8_t *const users_probed_lead[3];

/*
 * Executes the site with a value in each register but RSP, PROBED_VALUE + its place in `values`,
 * and with the direction and carry flags set; RSP is 16 bytes aligned plus `misaligned` (0, 8).
 */
#define PROBED_VALUE 0x11110000u
struct probed_state {
    uint64_t saved_sp, sp; /* at the site */
    uint64_t values[15];   /* behind it: R15 to R8, RBP, RDI, RSI, RDX, RCX, RBX, RAX */
    uint64_t flags;
};
void users_probed_state(struct probed_state *state, uint64_t misaligned);
extern uint8_t *const users_probed_state_site;

/* Instructions that no probe may have. None of them is executed. */
struct unprobed {
    uint8_t *site;
    const char *what;
};

extern const struct unprobed users_unprobed[], users_unprobed_end[];

/* The one whose five bytes are several instructions, between which other cores run. */
uint64_t users_probed_pauses(uint64_t *count);
extern const struct probed users_probed_between;

#endif
