/* SPDX-License-Identifier: MIT */
/*
 * Fresh code, properly synchronised: a function of 251 bytes is written to each of 256 offsets of
 * a page that held other code before, all cores are synchronised, and another core calls it. Every
 * vendor guarantees that; the shape is the one that found the faulty Ryzen processors of 2017
 * (ryzen_segv_test). Wrong is a FAIL: of the processor, the hypervisor or the emulator.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/harness/test.h"

#define ADDITIONS   49
#define BYTES       (5 + 5 * ADDITIONS + 1)
#define OFFSETS     256
#define LENGTH_NS   500000000ull
#define CALLS_EACH  3
#define PATIENCE_NS 2000000000ull

_Static_assert(BYTES == 251, "the shape");

/*
 * The writer stores function and expected, then turn (release); a reader acquires turn, calls, adds
 * to `wrong`, and adds one to `answers` (full barrier); the writer acquires that before it writes
 * again. `stop` ends the readers. `caught` belongs to the reader that added the first of `faults`.
 */
static struct {
    uint32_t (*function)(void);
    uint32_t expected;
    uint32_t turn, answers, stop;
    uint32_t wrong, got, faults;
    struct trap_caught caught;
} fresh;

static void call(__attribute__((unused)) void *arg)
{
    for (unsigned i = 0; i < CALLS_EACH; i++) {
        uint32_t got = fresh.function();

        if (got == fresh.expected)
            continue;
        fetch_add(&fresh.wrong, 1);
        store_relaxed(&fresh.got, got);
    }
}

static void read_loop(__attribute__((unused)) void *arg)
{
    uint32_t seen = 0; /* the first turn may have come before this reader has */

    while (!load_acquire(&fresh.stop)) {           /* pairs with the release at the test's end */
        uint32_t turn = load_acquire(&fresh.turn); /* pairs with the release in one_copy() */
        struct trap_caught caught;

        if (turn == seen) {
            cpu_relax();
            continue;
        }
        seen = turn;
        if (!trap_try(call, NULL, &caught) && fetch_add(&fresh.faults, 1) == 0)
            fresh.caught = caught;
        fetch_add(&fresh.answers, 1);
    }
}

/* mov eax, a; 49 times add eax, b; ret. Returns its result. */
static uint32_t make_function(uint8_t code[static BYTES], struct prng *rng)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i <= ADDITIONS; i++) {
        uint32_t v = (uint32_t)prng_next(rng);

        code[5 * i] = i == 0 ? 0xb8 : 0x05;
        memcpy(code + 5 * i + 1, &v, sizeof v);
        sum += v;
    }
    code[BYTES - 1] = 0xc3;
    return sum;
}

/* False if a reader does not answer. */
static bool one_copy(struct test_run *t, uint8_t *at, struct prng *rng, unsigned readers)
{
    uint8_t code[BYTES];
    uint64_t begin = rdtsc(), patience = time_ns_to_ticks(PATIENCE_NS);

    fresh.expected = make_function(code, rng);
    fresh.function = (uint32_t(*)(void))(uintptr_t)at;
    EXPECT_EQ(text_poke_copy(at, code, sizeof code), POKE_OK);
    smp_text_poke_sync_each_cpu();
    store_relaxed(&fresh.answers, 0);
    store_release(&fresh.turn, fresh.turn + 1); /* pairs with read_loop() */
    while (load_acquire(&fresh.answers) < readers) {
        if (rdtsc() - begin > patience)
            return false;
        cpu_relax();
    }
    saw(SEE_PATCHES, 1);
    saw(SEE_EXECUTIONS, CALLS_EACH * readers);
    return true;
}

TEST(errata, fresh_code,
     "code copied to each of 256 offsets, all cores synchronised, is what the others then execute",
     .cpus = 2, .budget_ms = 1500, .must_see = { { SEE_PATCHES, OFFSETS } })
{
    uint8_t *text = (uint8_t *)mm_text_alloc(1);
    struct prng rng = test_prng(t);
    uint64_t end = rdtsc() + time_ns_to_ticks(LENGTH_NS);
    unsigned readers = 0;

    REQUIRE(text);
    memset(&fresh, 0, sizeof fresh);
    for_each_online_cpu (i)
        readers += smp_start_work((unsigned)i, read_loop, NULL);
    for (unsigned n = 0; n < OFFSETS || rdtsc() < end; n++) {
        unsigned offset = n % OFFSETS;

        if (!one_copy(t, text + 512 * prng_below(&rng, 6) + offset, &rng, readers)) {
            WEAK("a reader did not answer to copy %u", n + 1);
            break;
        }
    }
    store_release(&fresh.stop, 1);
    for_each_online_cpu (i)
        smp_wait_work((unsigned)i);
    json_uint(&t->data, "readers", readers);
    json_uint(&t->data, "wrong", fresh.wrong);
    json_uint(&t->data, "faults", fresh.faults);
    if (fresh.faults)
        FAIL("%u faults in fresh code; the first: %s at 0x%llx", fresh.faults,
             trap_name((unsigned)fresh.caught.vector), (unsigned long long)fresh.caught.rip);
    if (fresh.wrong)
        FAIL("%u wrong results of fresh code; one of them 0x%x", fresh.wrong, fresh.got);
}
