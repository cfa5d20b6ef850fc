/* SPDX-License-Identifier: MIT */
/*
 * What a core does that meets the INT3 is what the instruction itself would have done: every
 * register, every flag, the word that a CALL pushes, and nothing above it. The processor is the
 * reference: another core executes a site whose image is replaced by itself, over and over, so that
 * it executes now the real bytes and now the emulation, and both must leave the same state.
 */
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/lib/site.h"
#include "tests/lib/state_call.h"

#define FLAG_SETS    32
#define SHIFTS       2
#define PATCHES_EACH 4
#define PATIENCE_NS  300000000ull

/* All combinations of CF, PF, ZF, SF and OF; interrupts stay on. */
static uint64_t flags_of(unsigned set)
{
    return 0x202 | (set & 1 ? 0x001 : 0) | (set & 2 ? 0x004 : 0) | (set & 4 ? 0x040 : 0) |
           (set & 8 ? 0x080 : 0) | (set & 16 ? 0x800 : 0);
}

/* The observer writes, the patcher reads once it has returned; stop and complete say their own. */
static struct {
    uint8_t *slot;
    struct registers state[2][FLAG_SETS][SHIFTS]; /* real, emulated */
    bool have[2][FLAG_SETS][SHIFTS];
    unsigned missing; /* combinations not seen in both ways yet */
    uint64_t executions, emulated, differences;
    struct trap_caught caught;
    bool fault;
    struct registers worst[2]; /* the first difference: real, emulated */
    uint32_t stop, complete;
} observer;

static void execute_once(unsigned set, unsigned shift)
{
    uint64_t *hits = &machine_poke_core(cpu_index())->int3_hits;
    uint64_t before = *hits;
    struct registers s = { .flags = flags_of(set), .above = 0xabcdef };
    uint64_t *regs = &s.rax;

    for (unsigned i = 0; i < 15; i++)
        regs[i] = 0x1111111100000000ull * (i + 1) + 0x1000 * i;
    state_call(observer.slot, &s, 8 * shift);
    unsigned way = *hits != before;

    observer.executions++;
    observer.emulated += way;
    if (!observer.have[way][set][shift]) {
        observer.have[way][set][shift] = true;
        observer.state[way][set][shift] = s;
        observer.missing--;
    }
    /* Against the other way, whichever of the two came first. */
    const struct registers *other = &observer.state[!way][set][shift];
    if (!observer.have[!way][set][shift] || memcmp(other, &s, sizeof s) == 0)
        return;
    if (observer.differences++ == 0) {
        observer.worst[way] = s;
        observer.worst[!way] = *other;
    }
}

static void observe_loop(__attribute__((unused)) void *arg)
{
    while (!load_acquire(&observer.stop)) { /* pairs with the release in compare() */
        for (unsigned set = 0; set < FLAG_SETS; set++) {
            for (unsigned shift = 0; shift < SHIFTS; shift++)
                execute_once(set, shift);
        }
        if (!observer.missing)
            store_release(&observer.complete, 1); /* a hint to stop; nothing is read through it */
        cpu_relax();
    }
}

static void observe(__attribute__((unused)) void *arg)
{
    observer.fault = !trap_try(observe_loop, NULL, &observer.caught);
    if (observer.fault)
        store_release(&observer.complete, 1);
}

static void report(struct test_run *t, const struct site *s, const uint8_t *bytes)
{
    if (observer.fault)
        FAIL("site of %u bytes, opcode %02x %02x: %s at 0x%llx", s->len, bytes[0], bytes[1],
             trap_name((unsigned)observer.caught.vector), (unsigned long long)observer.caught.rip);
    const uint64_t *real = &observer.worst[0].rax, *emulated = &observer.worst[1].rax;
    for (unsigned i = 0; observer.differences && i < sizeof observer.worst[0] / 8; i++) {
        if (real[i] != emulated[i])
            FAIL("site of %u bytes, opcode %02x %02x: word %u of the state is 0x%llx when executed "
                 "and 0x%llx when emulated",
                 s->len, bytes[0], bytes[1], i, (unsigned long long)real[i],
                 (unsigned long long)emulated[i]);
    }
    if (observer.missing && !observer.fault)
        WEAK("opcode %02x %02x: %u combinations of flags, stack and way were not seen", bytes[0],
             bytes[1], observer.missing);
    saw(SEE_EXECUTIONS, observer.executions);
    saw(SEE_INT3_HITS, observer.emulated);
}

/* Put `bytes` into the site, then replace them by themselves until everything was seen. */
static void compare(struct test_run *t, const struct site *s, const uint8_t *bytes)
{
    unsigned core = (unsigned)smp_next_online(0);
    uint64_t deadline = rdtsc() + time_ns_to_ticks(PATIENCE_NS);

    memset(&observer, 0, sizeof observer);
    observer.slot = s->slot;
    observer.missing = 2 * FLAG_SETS * SHIFTS;
    text_mutex_lock();
    EXPECT_EQ(smp_text_poke_single(s->slot, bytes, s->len, NULL), POKE_OK);
    EXPECT(smp_start_work(core, observe, NULL));
    for (unsigned n = 0; n < PATCHES_EACH || !load_acquire(&observer.complete); n++) {
        EXPECT_EQ(smp_text_poke_single(s->slot, bytes, s->len, NULL), POKE_OK);
        saw(SEE_PATCHES, 1);
        if (rdtsc() > deadline)
            break;
        cpu_relax();
    }
    text_mutex_unlock();
    store_release(&observer.stop, 1); /* pairs with the acquire in observe_loop() */
    smp_wait_work(core);
    report(t, s, bytes);
}

TEST(poke, i1_emulation_equals_execution,
     "each class of instruction leaves the same state when emulated as when executed", .cpus = 2,
     .budget_ms = 3000, .must_see = { { SEE_INT3_HITS, 1000 }, { SEE_PATCHES, 88 } })
{
    static const struct site_spec specs[] = {
        { SITE_5, 0x200 },
        { SITE_2, 0x33f },
        { SITE_6, 0x480 },
        { SITE_5, 0x0ffe },
    };
    struct prng rng = test_prng(t);
    struct site_set set;

    REQUIRE(site_set_build(&set, specs, sizeof specs / sizeof specs[0], &rng));
    for (unsigned i = 0; i < set.count; i++) {
        for (unsigned image = 0; image < set.sites[i].images; image++)
            compare(t, &set.sites[i], set.sites[i].image[image].bytes);
    }
}

TEST(poke, i2_jcc_table,
     "all 16 conditions with all 32 sets of flags branch as the processor does, short and near",
     .cpus = 2, .budget_ms = 5000, .must_see = { { SEE_INT3_HITS, 2000 }, { SEE_PATCHES, 128 } })
{
    static const struct site_spec specs[] = { { SITE_2_JCC, 0x200 }, { SITE_6_JCC, 0x480 } };
    struct prng rng = test_prng(t);
    struct site_set set;

    REQUIRE(site_set_build(&set, specs, 2, &rng));
    for (unsigned i = 0; i < set.count; i++) {
        const struct site *s = &set.sites[i];
        uint8_t bytes[TEXT_POKE_MAX_OPCODE_SIZE];

        /* The first image jumps; its condition is in the byte before the displacement. */
        memcpy(bytes, s->image[0].bytes, s->len);
        uint8_t *condition = &bytes[s->len == 2 ? 0 : 1];
        for (unsigned cc = 0; cc < 16; cc++) {
            *condition = (uint8_t)((*condition & 0xf0) | cc);
            compare(t, s, bytes);
        }
    }
}
