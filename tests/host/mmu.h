/* SPDX-License-Identifier: MIT */
/*
 * Simulated cores with an adversarial MMU, for code that changes page tables and CR3.
 *
 * A core may at any moment have walked any linear address under its current root (SDM vol 3A,
 * 4.10.2.3: also for accesses that the program never makes), so after every step every core caches
 * every present translation of its root's user half. It forgets only what it must (tests/host/
 * tlb.h), and where it holds several translations of a page it uses one that the tables no longer
 * say. Nothing is left to chance: each claim that a test makes says that some translation is in no
 * TLB, or is not used, and the fullest TLB is the worst one. Not simulated: paging-structure caches
 * (the tables above the leaves never change here), PCIDs of linear addresses in the kernel half.
 *
 * Memory is a file. Accesses to the watched range fault into the MMU, which maps the frame that it
 * translates to; so what is compiled needs no change, and no store escapes.
 */
#ifndef TESTS_HOST_MMU_H
#define TESTS_HOST_MMU_H

#include "tests/host/tlb.h"

#define MMU_CORES  3
#define MMU_FRAMES 4096
#define MMU_PAGE   4096ull

#define MMU_CR3_KEEP  (1ull << 63)
#define MMU_CR4_PGE   (1ull << 7)
#define MMU_CR4_PCIDE (1ull << 17)
#define MMU_RFLAGS_IF (1ull << 9)

struct mmu_core {
    uint64_t cr3, cr4, dr7;
    bool interrupts;
    unsigned root_loads, invalidations; /* MOV to CR3, INVLPG; since the reset */
    struct tlb tlb;
};
extern struct mmu_core mmu_cores[MMU_CORES];
extern unsigned mmu_core; /* the one that executes */

/* Cores with root 0 and PCIDs off, global pages on, interrupts on, empty TLBs. Memory is zeroed. */
void mmu_reset(void);

/*
 * The next frame of simulated memory, zeroed: its physical address, which is where it can be read.
 */
uint64_t mmu_frame(void);

/*
 * Let the simulated MMU have [base, base + bytes). False if this process uses some of it. Takes
 * SIGSEGV, which cmocka sets for each test: to be called in each.
 */
bool mmu_watch(uint64_t base, size_t bytes);

/* Call fn(arg) on the core that executes; false if an access to the watched range faulted. */
bool mmu_try(void (*fn)(void *arg), void *arg);

/* Every core walks whatever it may. */
void mmu_speculate(void);

/* The PCID that a core's accesses are made under. */
uint16_t mmu_pcid(const struct mmu_core *core);

/* The instructions. A general-protection fault is a failure of the test. */
uint64_t mmu_read_cr3(void);
void mmu_write_cr3(uint64_t value);
uint64_t mmu_read_cr4(void);
void mmu_write_cr4(uint64_t value);
uint64_t mmu_read_dr7(void);
void mmu_write_dr7(uint64_t value);
void mmu_invlpg(uint64_t virt);
uint64_t mmu_irq_save(void);
void mmu_irq_restore(uint64_t flags);

#endif
