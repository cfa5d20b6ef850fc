/* SPDX-License-Identifier: MIT */
/* Where the vendors say what they say of the litmus tests. Section numbers move with the prints. */
#ifndef TESTS_ERRATA_LITMUS_SOURCES_H
#define TESTS_ERRATA_LITMUS_SOURCES_H

#define SDM_SELF                                                                                   \
    "SDM vol 3A, \"Handling Self- and Cross-Modifying Code\": store, jump or serialize, execute; " \
    "\"Self-Modifying Code\": written through another linear address, serialize"
#define SDM_CROSS                                                                                  \
    "SDM vol 3A, \"Handling Self- and Cross-Modifying Code\": see the store, serialize, execute; " \
    "else model specific"
#define SDM_ORDER "SDM vol 3A, \"Memory Ordering\": loads and stores of data"

#define APM_SELF                                                                                   \
    "APM vol 2 (24593), 7.6.1: self-modifying code needs no action; addresses are compared "       \
    "physically"
#define APM_CROSS                                                                                  \
    "APM vol 2 (24593), 7.6.1, synchronous modification: see the store, CPUID or MFENCE, execute"
#define APM_FETCH                                                                                  \
    "APM vol 2 (24593), 7.6.1, asynchronous modification: fetches see one thread's stores in "     \
    "program order (read as: from one call to the next, too)"
#define APM_ORDER "APM vol 2 (24593), 7.2: loads and stores of data"

/* enum litmus_word of an alias, of the same address, with a fence that counts; and the source. */
#define INTEL(alias_, same_, fenced_, source_)                                                     \
    [VENDOR_INTEL] = { LITMUS_##alias_, LITMUS_##same_, LITMUS_##fenced_, source_ }
#define AMD(alias_, same_, fenced_, source_)                                                       \
    [VENDOR_AMD] = { LITMUS_##alias_, LITMUS_##same_, LITMUS_##fenced_, source_ }

#endif
