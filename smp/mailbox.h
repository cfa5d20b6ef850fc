/* SPDX-License-Identifier: MIT */
/*
 * What the trampoline finds in the second low page; trampoline.asm has the same offsets.
 *
 * Written by the boot core before the first start-up IPI, constant from then on, but for `ticket`,
 * which every core that arrives increments with a locked instruction.
 */
#ifndef SMP_MAILBOX_H
#define SMP_MAILBOX_H

#include <stddef.h>
#include <stdint.h>

struct mailbox {
    uint64_t gdt[2]; /* null, 64-bit code */
    struct {
        uint16_t limit;
        uint32_t base; /* physical: loaded in real mode */
    } __attribute__((packed)) gdtr;
    struct {
        uint32_t offset; /* physical address of the 64-bit part */
        uint16_t selector;
    } __attribute__((packed)) long_mode;
    uint32_t cr4, cr3, efer, cr0;
    uint32_t ticket; /* order of arrival, from 0 */
    uint32_t count;  /* how many stacks there are */
    uint32_t reserved;
    uint64_t stacks; /* kernel address of uint64_t[count]: stack tops */
    uint64_t entry;  /* kernel address of ap_main() */
};

_Static_assert(offsetof(struct mailbox, gdtr) == 16, "trampoline.asm");
_Static_assert(offsetof(struct mailbox, long_mode) == 22, "trampoline.asm");
_Static_assert(offsetof(struct mailbox, cr4) == 28, "trampoline.asm");
_Static_assert(offsetof(struct mailbox, cr3) == 32, "trampoline.asm");
_Static_assert(offsetof(struct mailbox, efer) == 36, "trampoline.asm");
_Static_assert(offsetof(struct mailbox, cr0) == 40, "trampoline.asm");
_Static_assert(offsetof(struct mailbox, ticket) == 44, "trampoline.asm");
_Static_assert(offsetof(struct mailbox, count) == 48, "trampoline.asm");
_Static_assert(offsetof(struct mailbox, stacks) == 56, "trampoline.asm");
_Static_assert(offsetof(struct mailbox, entry) == 64, "trampoline.asm");

#endif
