/* SPDX-License-Identifier: MIT */
/* What is kept of a probe while it is registered, and until no core uses it any more. */
#ifndef POKE_USERS_KPROBE_SLOT_H
#define POKE_USERS_KPROBE_SLOT_H

#include "poke/users/insn_copy.h"
#include "poke/users/kprobe.h"

#define KPROBE_REGION_MAX (JMP32_INSN_SIZE - 1 + INSN_MAX_SIZE) /* that an optimised one covers */

enum kprobe_state {
    KPROBE_TRAP,         /* INT3; an instruction's bytes, or still all that a JMP had covered */
    KPROBE_BECOMES_JUMP, /* INT3, and optimize_kprobe() waits; the bytes that the JMP will cover */
    KPROBE_JUMP,
};

/*
 * Written under text_mutex, but for the end of `probe`. Who writes what when, and who reads it
 * without, is argued in kprobe.c and kprobe_optimize.c.
 */
struct kprobe_slot {
    struct kprobe *probe;  /* NULL: the slot is free */
    uint8_t *addr;         /* where its INT3 or JMP stands; NULL: none does any more */
    uint8_t *resume;       /* the copy to go on at after the handler; NULL: emulate */
    uint8_t *text;         /* of its own: KPROBE_TEXT_BYTES, constant */
    struct poke_insn insn; /* if emulated */
    uint8_t state;         /* enum kprobe_state */
    uint8_t len;           /* of the bytes that are the probe's: see there */
    uint8_t original[KPROBE_REGION_MAX]; /* `len` bytes */
};

extern struct kprobe_slot kprobe_slots[KPROBES_MAX];

/* The slot of a probe that is registered, or NULL. Under text_mutex. */
struct kprobe_slot *kprobe_slot_of(const struct kprobe *p);

/* As kprobe_has_text(), of other probes than `but`. Under text_mutex. */
bool kprobe_overlaps(const uint8_t *addr, size_t len, const struct kprobe_slot *but);

/*
 * Is any byte of [addr, addr + len) at a site that its owner patches, who would find the probe
 * there? As Linux's check_kprobe_address_safe. Pure.
 */
bool kprobe_is_reserved(const uint8_t *addr, size_t len);

/* `len` bytes of text as they were before all probes. Under text_mutex. */
void kprobe_original(uint8_t *bytes, const uint8_t *addr, size_t len);

/*
 * Where a slot's parts lie in its text: the copy of the first instruction and a JMP back; the
 * detour: PUSH, CALL and LEA, then the copies of the region and a JMP back.
 */
#define KPROBE_DETOUR_AT  32
#define KPROBE_COPIES_AT  (KPROBE_DETOUR_AT + 15)
#define KPROBE_TEXT_BYTES 128

_Static_assert(INSN_MAX_SIZE + JMP32_INSN_SIZE <= KPROBE_DETOUR_AT, "the copy has its place");
_Static_assert(KPROBE_COPIES_AT + KPROBE_REGION_MAX + JMP32_INSN_SIZE <= KPROBE_TEXT_BYTES,
               "the detour has its place");

/*
 * Write copies of the whole instructions in slot->original[0 .. slot->len) to slot->text + at, as
 * they are executed there, and a JMP to what follows them at slot->addr. Nobody executes that text.
 * Under text_mutex. POKE_E_OPCODE, POKE_E_DISPLACEMENT: they cannot be executed there.
 */
enum poke_error kprobe_write_copies(const struct kprobe_slot *slot, unsigned at);

#endif
