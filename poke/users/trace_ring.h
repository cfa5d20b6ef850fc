/* SPDX-License-Identifier: MIT */
/*
 * What was called, by whom and when: a tracer that keeps the last passes of each core, and a dump
 * that a person can read. As Linux's function tracer and its ring buffers.
 */
#ifndef POKE_USERS_TRACE_RING_H
#define POKE_USERS_TRACE_RING_H

#include "poke/users/ftrace.h"

struct trace_record {
    uint64_t time; /* machine_now() */
    uintptr_t ip, parent_ip;
    uint32_t depth; /* machine_trap_depth() */
    uint32_t seq;   /* plus one; 0: being written. Last, release */
};

/*
 * Give each core a ring of `records` (a power of two, else POKE_E_LENGTH), empty. `memory`: zeroed,
 * CACHE_LINE aligned, trace_ring_bytes() bytes, until the next call. While nothing has this tracer,
 * and no core is in it. Thread context.
 */
size_t trace_ring_bytes(uint32_t records);
enum poke_error trace_ring_attach(void *memory, uint32_t records);

/* The tracer. Writes to its own core's ring, over the oldest record. */
struct tracer *trace_ring_tracer(void);

/*
 * Visit what the rings hold, of all cores in order of time, until `visit` says false. (Where one
 * context has interrupted another in the tracer, the two may be swapped.) Returns how many were
 * visited. A record that is overwritten meanwhile is left out; nothing else is, so
 * a dump is whole if nothing has the tracer any more. Thread context.
 */
uint64_t trace_ring_read(bool (*visit)(unsigned core, const struct trace_record *r, void *arg),
                         void *arg);

/* Passes that were recorded, those that were overwritten too. Exact while no core is traced. */
uint64_t trace_ring_passes(void);

/*
 * One record as a line without its end, times in ticks since `epoch`:
 * "     123456  core 2 depth 1  json_uint <- report_test+0x2f". Thread context.
 */
void trace_ring_line(unsigned core, const struct trace_record *r, uint64_t epoch, char *out,
                     size_t size);

#endif
