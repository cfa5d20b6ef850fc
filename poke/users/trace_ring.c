/* SPDX-License-Identifier: MIT */
/*
 * Shared words. `next` and the records of a ring are its core's own. A context claims a record by
 * one instruction and writes it, the number last; another that interrupts it claims the ones
 * behind. A reader takes a record for what it is if it finds the number that belongs there before
 * (acquire, pairs with the release) and after it has copied it.
 */
#include "poke/users/trace_ring.h"

#include "kernel/lib/fmt.h"
#include "kernel/lib/symbols.h"
#include "poke/core_local.h"

struct ring {
    uint32_t next; /* wraps */
    uint32_t read; /* the reader's place */
    struct trace_record records[];
} __attribute__((aligned(CACHE_LINE)));

static uint8_t *rings;
static uint32_t ring_records;

static size_t bytes_of(uint32_t records)
{
    size_t bytes = sizeof(struct ring) + records * sizeof(struct trace_record);

    return (bytes + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
}

static struct ring *ring_of(unsigned core)
{
    return (struct ring *)(rings + core * bytes_of(ring_records));
}

size_t trace_ring_bytes(uint32_t records)
{
    return machine_cores() * bytes_of(records);
}

enum poke_error trace_ring_attach(void *memory, uint32_t records)
{
    if (!records || records & (records - 1))
        return POKE_E_LENGTH;
    ring_records = records;
    store_release(&rings, memory); /* pairs with the patch by which a function gets the tracer */
    return POKE_OK;
}

static void record(uintptr_t ip, uintptr_t parent_ip, __attribute__((unused)) struct tracer *tracer)
{
    struct ring *ring = ring_of(machine_this_core());
    uint32_t seq = core_local_claim(&ring->next);
    struct trace_record *r = &ring->records[seq & (ring_records - 1)];

    store_relaxed(&r->seq, 0);
    compiler_barrier(); /* x86 keeps stores in order */
    r->time = machine_now();
    r->ip = ip;
    r->parent_ip = parent_ip;
    r->depth = machine_trap_depth();
    store_release(&r->seq, seq + 1);
}

DEFINE_TRACER(ring_tracer, record);

struct tracer *trace_ring_tracer(void)
{
    return &ring_tracer;
}

uint64_t trace_ring_passes(void)
{
    uint64_t sum = 0;

    for (unsigned core = 0; core < machine_cores(); core++)
        sum += load_relaxed(&ring_of(core)->next);
    return sum;
}

/* The next record that the ring still holds, if there is one. */
static bool peek(struct ring *ring, struct trace_record *out)
{
    for (uint32_t end = load_acquire(&ring->next); ring->read != end; ring->read++) {
        if (end - ring->read > ring_records)
            ring->read = end - ring_records;

        const struct trace_record *r = &ring->records[ring->read & (ring_records - 1)];

        if (load_acquire(&r->seq) != ring->read + 1)
            continue;
        *out = *r;
        compiler_barrier(); /* x86 keeps loads in order */
        if (load_relaxed(&r->seq) == ring->read + 1)
            return true;
    }
    return false;
}

uint64_t trace_ring_read(bool (*visit)(unsigned core, const struct trace_record *r, void *arg),
                         void *arg)
{
    uint64_t visited = 0;

    for (unsigned core = 0; core < machine_cores(); core++)
        ring_of(core)->read = 0;
    for (;;) {
        struct trace_record first = { .time = UINT64_MAX }, r;
        struct ring *from = NULL;
        unsigned core_of_first = 0;

        for (unsigned core = 0; core < machine_cores(); core++) {
            if (!peek(ring_of(core), &r) || r.time >= first.time)
                continue;
            first = r;
            from = ring_of(core);
            core_of_first = core;
        }
        if (!from)
            return visited;
        from->read++;
        visited++;
        if (!visit(core_of_first, &first, arg))
            return visited;
    }
}

static const char *name_of(uintptr_t address, uint64_t *offset)
{
    const char *name = symbol_lookup(&kernel_symbols, address, offset);

    return name ? name : "?";
}

void trace_ring_line(unsigned core, const struct trace_record *r, uint64_t epoch, char *out,
                     size_t size)
{
    uint64_t in_function = 0, in_parent = 0;
    const char *function = name_of(r->ip, &in_function);
    const char *parent = name_of(r->parent_ip, &in_parent);

    fmt_print(out, size, "%12llu  core %u depth %u  %s <- %s+0x%llx",
              (unsigned long long)(r->time - epoch), core, r->depth, function, parent,
              (unsigned long long)in_parent);
}
