/* SPDX-License-Identifier: MIT */
/*
 * What the engine asks of the machine it runs on. kernel/ and smp/ implement it on bare metal,
 * other machines (a host process, a model) can too; the engine is linked against exactly one.
 * The engine never asks which.
 *
 * Cores are numbered 0 .. machine_cores() - 1, densely; all of them are known before the first
 * patch, some may be parked.
 */
#ifndef POKE_MACHINE_H
#define POKE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/lib/atomic.h"

struct poke_log;

#define POKE_TABLES 2 /* tables of sites that can be published at a time (poke/table.h) */

/*
 * The engine's part of a core. The machine owns the storage (zeroed, CACHE_LINE aligned, one per
 * core, for ever) and hands it out by machine_poke_core(); only the engine changes the members.
 */
struct poke_core {
    /*
     * For each of the engine's tables: handlers that may read it on this core, plus one while it
     * is published. Incremented by this core's #BP handler, set and decremented by the patcher;
     * the order is argued in poke/int3_handler.c. Mirrors Linux `text_poke_array_refs`.
     */
    uint32_t refs[POKE_TABLES] __attribute__((aligned(CACHE_LINE)));
    uint32_t log_mark[POKE_TABLES]; /* the ring's index when its batch began; patcher only */
    uint64_t away_from;    /* round of sync, plus one, at poke_log_offline(); 0: here. This core */
    uint64_t away_logged;  /* the last away event of this core, to log none twice. This core */
    uint64_t int3_hits;    /* #BP claimed and emulated here; this core writes, anyone reads */
    uint64_t int3_foreign; /* #BP looked at and left to another owner; as above */
    struct poke_log *log;  /* this core's event ring, set by poke_log_attach(); NULL: no logging */
    uint64_t quiescent_points; /* passed by this core's thread, which writes (users/reclaim.c) */
};

/* How many cores can ever run patched code: started or not. Constant once the engine is used. */
unsigned machine_cores(void);

/* The core that asks. Only meaningful while it cannot migrate; any context, including NMI. */
unsigned machine_this_core(void);

/*
 * How many traps and interrupts this core is in: 0 in a thread. Two contexts of a core that are
 * begun and not ended differ in it. Any context, including NMI.
 */
unsigned machine_trap_depth(void);

/*
 * Is this core one of those that run? Any context.
 *
 * A core may be away at any time, in the middle of a batch too: offline, as a hot-unplugged one, or
 * quiescent, online but waiting where it executes nothing patchable. It leaves in thread context,
 * with no handler of the engine below: poke_log_offline(), then it is marked as away. It comes back
 * in this order: marked as here by a locked operation, then poke_log_online(), a serialising
 * instruction, and only then patchable text. A context that interrupts this between the mark and
 * the serialising instruction serialises for itself before it executes any.
 *
 * machine_sync_cores() has a full barrier between the stores that came before it and its look at
 * who is away. So either the sync finds the core here and waits for it, or the core serialises
 * after those stores are visible to all.
 */
bool machine_core_online(unsigned core);

/*
 * Is this core away, offline or quiescent? It may have come back when this returns. Acquire: what
 * it executed before is done. For the engine's users; the engine never asks. Any context.
 */
bool machine_core_away(unsigned core);

/* The engine's block of a core, and of the core that asks. Any context, including NMI. */
struct poke_core *machine_poke_core(unsigned core);
struct poke_core *machine_this_poke_core(void);

/* Time stamp in ticks, never falling on one core. Any context, including NMI. */
uint64_t machine_now(void);

/*
 * Upper bound, in ticks, of how far machine_now() of any two cores can differ at one moment: 0 if
 * they share a clock, the measured offset with its error otherwise. Constant. Any context.
 */
uint64_t machine_clock_skew(void);

/*
 * Serialise every core that is not away when the call begins, this one included, and return when
 * all have: each executed a serialising instruction after the call began. `round` is the number
 * that the machine passes to poke_log_ack() on each core; rounds rise. One call at a time in the
 * whole machine (the engine holds text_mutex). Context: thread, interrupts on, no lock that an
 * interrupt handler could want. Mirrors Linux `smp_text_poke_sync_each_cpu`.
 */
void machine_sync_cores(uint64_t round);

/*
 * The machine calls this on each core after that core has executed its serialising instruction
 * for sync `round` and before it acknowledges with release: it is the engine's evidence
 * (poke/event_log.h). Any context.
 */
void poke_log_ack(uint64_t round);

/*
 * The same on behalf of core `core`, for a machine on which somebody else vouches for it (a host's
 * kernel). Nobody writes that core's ring meanwhile.
 */
void poke_log_ack_of(unsigned core, uint64_t round);

/*
 * The machine calls these on a core that leaves and comes back, where machine_core_online() says,
 * in turns. poke_log_offline(): thread context, interrupts off; not in the middle of a patch of
 * this core's own. poke_log_online(): any context of that core.
 */
void poke_log_offline(void);
void poke_log_online(void);

/* Serialise this core alone (SERIALIZE, IRET to self, MOV CR2 or CPUID). Any context but NMI. */
void machine_sync_this_core(void);

/*
 * Is [addr, addr + len) patchable text: mapped executable, and never patcher, handler or IPI
 * code? The engine refuses to touch anything else. False if the range wraps. Thread context.
 */
bool machine_is_patchable(uintptr_t addr, size_t len);

/*
 * The window: a private, temporary, writable mapping of text pages that no other core can see.
 * Mirrors the mapping half of Linux `__text_poke`.
 */
#define MACHINE_WINDOW_PAGES 512 /* most pages that one opening can show */
#define MACHINE_PAGE         4096u

struct machine_window {
    uint8_t *view;     /* where pages[i] shows: view + i * MACHINE_PAGE, while open */
    unsigned pages;    /* how many are shown */
    uint64_t saved[4]; /* the machine's own: interrupt flag, root, debug register */
};

/*
 * Open the window on `n` pages (text addresses, page aligned, each inside patchable text,
 * ascending, the same page only once). From here to machine_window_close() interrupts are off,
 * this core runs on the private tables with DR7 clear, and nothing may fault. Context: thread or
 * interrupt, not NMI; one opening at a time in the whole machine (the engine holds text_mutex).
 * Returns false, with nothing changed, if a page is not mapped or n is 0 or too large.
 */
bool machine_window_open(struct machine_window *w, const uintptr_t *pages, unsigned n);

/*
 * Close: clear the mappings, restore root, DR7 and the interrupt flag bit for bit, drop the local
 * translations. Sends no IPI.
 */
void machine_window_close(struct machine_window *w);

/*
 * Store `len` bytes at view + offset; the range may run on into the next page shown. Each byte is
 * stored exactly once. A store of one byte is one store; the engine relies on nothing about the
 * width or order of the stores of a longer range. Only between open and close.
 */
void machine_window_store(struct machine_window *w, size_t offset, const uint8_t *bytes,
                          size_t len);

/* Called in every wait loop: `pause`, and whatever else keeps the machine alive. Any context. */
void machine_relax(void);

/*
 * Which phase of a patch this core is in, for whoever finds it hanging: a constant string, or
 * NULL when it is in none.
 */
void machine_phase(const char *phase);

/*
 * Registers of an interrupted context that #BP emulation reads and changes. The machine's trap
 * frame must begin with this layout or be copied to and from it.
 */
struct poke_regs {
    uint64_t ip;    /* in: the address after the INT3. out: where to resume */
    uint64_t sp;    /* interrupted stack pointer; at least POKE_STACK_GAP free bytes lie below it */
    uint64_t flags; /* RFLAGS; never changed */
};

/* Bytes below the interrupted stack pointer that the #BP entry keeps free for an emulated push. */
#define POKE_STACK_GAP 48

#endif
