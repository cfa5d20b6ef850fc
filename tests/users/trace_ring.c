/* SPDX-License-Identifier: MIT */
/* The function tracer's rings, and the dump that a person reads. */
#include "poke/users/trace_ring.h"

#include "kernel/lib/glob.h"
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "tests/lib/others.h"

#define NOINLINE __attribute__((noinline, noclone))

#define RECORDS 64u
#define CALLS   (3 * RECORDS) /* of each core: the first are overwritten */

long users_recorded(long x);
void users_records(void *arg);

NOINLINE long users_recorded(long x)
{
    __asm__ volatile("" ::: "memory");
    return x + 1;
}

static uint32_t wrong;

/* The caller that the dump names. */
NOINLINE void users_records(__attribute__((unused)) void *arg)
{
    for (long i = 0; i < (long)CALLS; i++)
        if (users_recorded(i) != i + 1)
            fetch_add(&wrong, 1);
}

#define LINES 8

static struct {
    uint64_t records, other, first, last;
    bool descending;
    char lines[LINES][120];
} dump;

static bool visit(unsigned core, const struct trace_record *r, __attribute__((unused)) void *arg)
{
    if (!dump.records)
        dump.first = r->time;
    if (dump.records < LINES)
        trace_ring_line(core, r, dump.first, dump.lines[dump.records], sizeof dump.lines[0]);
    dump.records++;
    dump.other += r->ip != (uintptr_t)users_recorded || r->depth;
    dump.descending |= r->time < dump.last;
    dump.last = r->time;
    return true;
}

TEST_BARE("text of its own that can be patched", users, trace_ring,
          "each core's last calls are kept, and told with names, in order of time", .cpus = 2,
          .budget_ms = 100, .must_see = { { SEE_PATCHES, 2 }, { SEE_CORES, 2 } })
{
    uint64_t sites = poke_counters()->sites;
    size_t bytes = trace_ring_bytes(RECORDS);
    void *memory = pages_alloc_virt((bytes + PAGE_SIZE - 1) / PAGE_SIZE);

    REQUIRE(memory);
    EXPECT_EQ(trace_ring_attach(memory, RECORDS - 1), POKE_E_LENGTH);
    REQUIRE(trace_ring_attach(memory, RECORDS) == POKE_OK);
    memset(&dump, 0, sizeof dump);
    wrong = 0;
    REQUIRE(ftrace_set_filter("users_recorded", trace_ring_tracer()) == POKE_OK);
    unsigned cores = 1 + others_start(t, 0, users_records, NULL);
    users_records(NULL);
    others_stop();
    EXPECT_EQ(ftrace_set_filter("users_recorded", NULL), POKE_OK);
    users_recorded(0);

    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(trace_ring_passes(), cores * CALLS);
    EXPECT_EQ(trace_ring_read(visit, NULL), cores * RECORDS);
    EXPECT_EQ(dump.records, cores * RECORDS);
    EXPECT_EQ(dump.other, 0);
    EXPECT(!dump.descending);
    json_array(&t->data, "trace");
    for (unsigned i = 0; i < LINES; i++) {
        json_string(&t->data, NULL, dump.lines[i]);
        if (!glob_match("* core * depth 0  users_recorded <- users_records+0x*", dump.lines[i]))
            FAIL("line %u: %s", i, dump.lines[i]);
    }
    json_array_end(&t->data);
    saw(SEE_CORES, cores);
    saw(SEE_PATCHES, poke_counters()->sites - sites);
}
