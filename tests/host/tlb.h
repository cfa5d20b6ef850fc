/* SPDX-License-Identifier: MIT */
/*
 * The TLB of one simulated core. It keeps every translation that it was ever given until an
 * operation is required to invalidate it (SDM vol 3A, 4.10.4.1), several of the same page too.
 */
#ifndef TESTS_HOST_TLB_H
#define TESTS_HOST_TLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLB_SLOTS 8192 /* power of two */

struct translation {
    uint64_t page; /* linear address / 4096 */
    uint64_t leaf; /* the entry that maps it, with the rights of the whole walk */
    uint16_t pcid; /* under which it was made */
    bool global;   /* for every PCID */
    bool in;       /* this slot holds one */
    bool probed;   /* it does, or has: a search goes on behind it */
};

struct tlb {
    unsigned probed;                     /* slots that are */
    struct translation slots[TLB_SLOTS]; /* by hash of the page, linear probing */
};

/* Add one, if exactly it is not there yet. */
void tlb_add(struct tlb *tlb, struct translation t);

/*
 * The first translation of `page` that may be used under `pcid`, or the next one after `last`;
 * NULL: no more.
 */
const struct translation *tlb_next(const struct tlb *tlb, uint64_t page, uint16_t pcid,
                                   const struct translation *last);

/* Is there a translation of `page` under any PCID? */
bool tlb_holds(const struct tlb *tlb, uint64_t page);

/* What MOV to CR3 without bit 63 invalidates: all of one PCID but the global ones. */
void tlb_drop_pcid(struct tlb *tlb, uint16_t pcid);
/* What INVLPG invalidates: one page, of the current PCID, and global ones whatever their PCID. */
void tlb_drop_page(struct tlb *tlb, uint64_t page, uint16_t pcid);
/* What MOV to CR4 invalidates when it changes PGE or clears PCIDE. */
void tlb_drop_all(struct tlb *tlb);

#endif
