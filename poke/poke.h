/* SPDX-License-Identifier: MIT */
/*
 * The engine's public interface: change instructions that other cores are executing.
 *
 * Names and semantics mirror Linux's arch/x86/kernel/alternative.c (see poke/UPSTREAM.md for every
 * difference). Unlike Linux nothing here BUGs: a caller's mistake is an error that is returned
 * before the first byte is written.
 *
 * Context: thread, interrupts on, unless a function says otherwise. All writers of text hold
 * text_mutex; it is not recursive.
 */
#ifndef POKE_POKE_H
#define POKE_POKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "poke/machine.h"

enum poke_error {
    POKE_OK = 0,
    POKE_E_LENGTH,       /* not a length that this function or this instruction may have */
    POKE_E_OPCODE,       /* not an instruction that the engine can emulate */
    POKE_E_PADDING,      /* bytes after a short instruction are not all INT3 */
    POKE_E_ADDRESS,      /* not (wholly) patchable text, or not mapped */
    POKE_E_DISPLACEMENT, /* target out of the displacement's range */
    POKE_E_LOCK,         /* text_mutex is not held where it must be, or held where it is taken */
    POKE_E_READBACK,     /* text does not hold what was written: a mapping is wrong */
    POKE_E_PENDING,      /* a batch is pending where there must be none */
    POKE_E_ONLINE,       /* other cores run where there must be none */
    POKE_E_EXPECTED,     /* text does not hold what the caller expects there */
    POKE_ERRORS          /* how many there are */
};

/* The error's meaning as one constant phrase without a full stop. Pure. */
const char *poke_error_text(enum poke_error e);

#define TEXT_POKE_MAX_OPCODE_SIZE 6   /* 0F 8x rel32 is the longest */
#define TEXT_POKE_ARRAY_MAX       256 /* entries per batch */

#define INT3_INSN_OPCODE  0xCC
#define RET_INSN_OPCODE   0xC3
#define CALL_INSN_OPCODE  0xE8
#define JMP32_INSN_OPCODE 0xE9
#define JMP8_INSN_OPCODE  0xEB

#define INT3_INSN_SIZE  1
#define RET_INSN_SIZE   1
#define CALL_INSN_SIZE  5
#define JMP32_INSN_SIZE 5
#define JMP8_INSN_SIZE  2

/* ---- the lock ---- */

/*
 * Mirrors Linux `text_mutex`. Spins with interrupts as they are, serving machine_relax(). The
 * holder is a core. Unlocking has no effect on a core that does not hold it.
 */
void text_mutex_lock(void);
void text_mutex_unlock(void);

/* ---- writing text, no synchronisation ---- */

/*
 * Write `len` bytes (1 .. 4096, so at most two pages) at `addr` through the window and read them
 * back. Says nothing about when other cores see it. Needs text_mutex. POKE_E_LOCK, _LENGTH,
 * _ADDRESS with the text untouched; _READBACK after the fact. Mirrors Linux `text_poke`.
 */
enum poke_error text_poke(void *addr, const void *opcode, size_t len);

/*
 * The same for any length above 0, in chunks of up to two pages; takes text_mutex. For text that
 * nobody executes. Mirrors Linux `text_poke_copy`.
 */
enum poke_error text_poke_copy(void *addr, const void *opcode, size_t len);

/*
 * Fill with the byte `c`; takes text_mutex; not read back. For text that nobody executes.
 * Mirrors Linux `text_poke_set`.
 */
enum poke_error text_poke_set(void *addr, int c, size_t len);

/*
 * Write `len` bytes (1 .. 4096) while no other core runs: before they start (alternatives at boot),
 * or while all are parked. Interrupts are off from the first byte until this core has serialised,
 * so not even its own interrupt handlers meet a half-written instruction; NMIs must not execute the
 * text, and no core may come online meanwhile. Takes text_mutex. POKE_E_LOCK, _ONLINE, _LENGTH,
 * _ADDRESS with the text untouched; _READBACK. Mirrors Linux `text_poke_early`.
 */
enum poke_error text_poke_early(void *addr, const void *opcode, size_t len);

/*
 * Serialise all online cores, this one included. With or without text_mutex: it is taken for the
 * round if the caller does not hold it, since the machine waits for one round at a time. Mirrors
 * Linux `smp_text_poke_sync_each_cpu`.
 */
void smp_text_poke_sync_each_cpu(void);

/* ---- instruction generation ---- */

/*
 * Write `opcode` (CALL, JMP32: 5 bytes; JMP8: 2; RET, INT3: 1) for an instruction that lies at
 * `addr` and goes to `dest` (ignored for RET and INT3) into `out`, and its length into *len. The
 * displacement counts from the instruction's own end. Pure. POKE_E_DISPLACEMENT, POKE_E_OPCODE
 * with nothing written. Mirrors Linux `text_gen_insn`.
 */
enum poke_error text_gen_insn(uint8_t opcode, const void *addr, const void *dest,
                              uint8_t out[static TEXT_POKE_MAX_OPCODE_SIZE], size_t *len);

/*
 * The same for Jcc: `cc` 0..15 (POKE_E_OPCODE); `len` 2 (7x rel8) or 6 (0F 8x rel32)
 * (POKE_E_LENGTH). No counterpart in Linux.
 */
enum poke_error text_gen_jcc(unsigned cc, size_t len, const void *addr, const void *dest,
                             uint8_t out[static TEXT_POKE_MAX_OPCODE_SIZE]);

/* The no-operations that a site may hold (SDM vol 2B, NOP: recommended multi-byte sequences). */
extern const uint8_t poke_nop2[2]; /* 66 90 */
extern const uint8_t poke_nop5[5]; /* 0F 1F 44 00 00 */
extern const uint8_t poke_nop6[6]; /* 66 0F 1F 44 00 00 */

/* ---- the breakpoint protocol ---- */

/*
 * What happens to a batch, in order. A protocol is a row of such steps, so that a broken one is
 * a different row and not a hook in the right one.
 */
enum poke_step {
    POKE_STEP_END,
    POKE_STEP_PUBLISH,   /* make the table visible to #BP handlers */
    POKE_STEP_INT3,      /* INT3 into the first byte of every entry */
    POKE_STEP_TAIL,      /* all bytes but the first */
    POKE_STEP_FIRST,     /* the first byte, where it is not INT3 itself */
    POKE_STEP_BYTES,     /* all bytes in ascending order, one store each, cores run in between */
    POKE_STEP_SYNC,      /* serialise every core; skipped with a storing step that stored nothing */
    POKE_STEP_RETIRE,    /* unpublish; wait until no handler reads the table */
    POKE_STEP_ECHO,      /* the last byte once more: drops what an emulator translated too early */
    POKE_STEP_SYNC_LATE, /* a SYNC, or the next batch's first if one follows at once; then RETIRE */
};
#define POKE_STEPS_MAX 12

/*
 * PUBLISH and RETIRE come as a pair, in this order, or not at all; after SYNC_LATE comes RETIRE and
 * nothing else. END ends the row.
 */
struct poke_protocol {
    const char *name;    /* "int3" */
    const char *promise; /* what it guarantees, one line */
    const char *source;  /* on whose word */
    uint8_t steps[POKE_STEPS_MAX];
};

/*
 * Linux's: publish, INT3, sync, tails, sync, first bytes, sync, retire; with the last sync of a
 * batch and the first of the next in one, where batches follow one another.
 */
extern const struct poke_protocol poke_int3;

/* Time stamps of one batch, in machine_now() ticks. */
struct poke_timing {
    uint64_t begin;
    uint64_t end[POKE_STEPS_MAX]; /* end of the row's step i; 0 if it was skipped as needless */
    unsigned steps;               /* steps of the row */
    unsigned sites;
};

/*
 * Add one site to the batch: `len` bytes of one whole instruction that replace one whole
 * instruction (2, 5 or 6 bytes; 1 for INT3 and RET), emulated as `emulate` (`len` bytes too)
 * while the breakpoint stands. `emulate` NULL means as the new bytes, which are then decoded and
 * must be an instruction that the engine knows (poke/insn.h); otherwise `emulate` must be, and
 * `opcode` may be any one instruction. Both are copied.
 *
 * The batch is finished first if it is full or if `addr` lies below the last entry's end, so that
 * descending, equal and overlapping sites are patched one after the other. `*flushed`, if not
 * NULL, tells whether that happened. No core executes an old instruction of such a batch from then
 * on; but its last sync may be left to the batch that has begun, or to text_mutex_unlock(),
 * text_poke() or smp_text_poke_sync_each_cpu(), whichever comes first. Needs text_mutex.
 * POKE_E_LOCK, _LENGTH, _OPCODE, _PADDING, _ADDRESS with the batch untouched; else those of a
 * flush, with this site not added. Mirrors Linux `smp_text_poke_batch_add`.
 */
enum poke_error smp_text_poke_batch_add(void *addr, const void *opcode, size_t len,
                                        const void *emulate, bool *flushed);

/*
 * Run the batch; no-op if empty. Needs text_mutex. POKE_E_LOCK; POKE_E_ADDRESS if the machine
 * cannot show a page. POKE_E_READBACK, or POKE_E_ADDRESS after the first store, is the end of
 * patching: the engine stops storing, leaves the table published so that the INT3s that stand
 * keep their meaning, and answers every later batch call with the same error. Mirrors Linux
 * `smp_text_poke_batch_finish`.
 */
enum poke_error smp_text_poke_batch_finish(void);

/*
 * One site: add, finish; what was pending before is patched too. Needs text_mutex. Errors as
 * those two. Mirrors Linux `smp_text_poke_single`.
 */
enum poke_error smp_text_poke_single(void *addr, const void *opcode, size_t len,
                                     const void *emulate);

/*
 * Use another row of steps until the next call (NULL: poke_int3). For the laboratory. Needs
 * text_mutex (POKE_E_LOCK) and an empty batch (POKE_E_PENDING).
 */
enum poke_error poke_select_protocol(const struct poke_protocol *row);

/* Timing of the last finished batch. Needs text_mutex. */
const struct poke_timing *poke_last_timing(void);

/* Counters since boot; exact. Read under text_mutex. */
struct poke_counters {
    uint64_t batches, sites; /* finished */
    uint64_t syncs;          /* rounds of machine_sync_cores */
    uint64_t windows;        /* openings */
    uint64_t stores;         /* machine_window_store calls */
    uint64_t retire_waits;   /* cores whose handlers a retire had to wait for */
    uint64_t flushes;        /* batches that batch_add finished early */
    uint64_t order_checked;  /* batches whose event log was checked */
    uint64_t order_violations;
};
const struct poke_counters *poke_counters(void);

/* ---- the trap side ---- */

/*
 * First thing in the #BP handler. True: the trap was ours, regs are set so that returning from the
 * trap continues as if the emulated instruction had run. False: another owner's INT3, regs
 * untouched (ip is still after the INT3). Any context including NMI, interrupts off. Reads the
 * published table and writes this core's line only. Mirrors Linux `smp_text_poke_int3_handler`.
 */
bool smp_text_poke_int3_handler(struct poke_regs *regs);

#endif
