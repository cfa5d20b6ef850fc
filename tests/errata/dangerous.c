/* SPDX-License-Identifier: MIT */
/*
 * Cells that can hang or reset a machine that has the erratum. They run only when their group is
 * named (tests=dangerous/...) and with dangerous=yes. Never on a machine that is needed tomorrow.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/errata/erratum.h"
#include "tests/harness/test.h"

#define LENGTH_NS  200000000ull
#define LARGE_PAGE (2ull << 20)
#define ALIASES    0xffffffffe0000000ull /* above the text that mm_text_alloc() hands out */
#define REGIONS    4                     /* large pages, each split once */

static bool is_allowed(struct test_run *t)
{
    if (test_words()->dangerous)
        return true;
    SKIP("it can hang or reset this machine: say dangerous=yes to run it");
    return false;
}

/*
 * Readers call functions[0 .. count) in turn until `stop` (release by the test, acquire by them).
 * Each returns its constant, or its other constant while it is being patched.
 */
static struct {
    uint32_t (*functions[512])(void);
    unsigned count;
    uint32_t one, other;
    uint32_t stop, running;
    uint64_t executions, wrong;
} readers;

static void call_all(__attribute__((unused)) void *arg)
{
    uint64_t executions = 0, wrong = 0;

    fetch_add(&readers.running, 1);
    while (!load_acquire(&readers.stop)) {
        for (unsigned i = 0; i < readers.count; i++) {
            uint32_t got = readers.functions[i]();

            wrong += got != readers.one && got != readers.other;
        }
        executions += readers.count;
        cpu_relax();
    }
    fetch_add(&readers.executions, executions);
    fetch_add(&readers.wrong, wrong);
}

static void start_readers(void)
{
    unsigned started = 0;

    store_release(&readers.stop, 0);
    readers.running = 0;
    for_each_online_cpu (i)
        started += smp_start_work((unsigned)i, call_all, NULL);
    while (load_acquire(&readers.running) < started)
        cpu_relax();
}

static void stop_readers(void)
{
    store_release(&readers.stop, 1);
    for_each_online_cpu (i)
        smp_wait_work((unsigned)i);
}

static void judge(struct test_run *t, const struct erratum *e)
{
    erratum_record(&t->data, e);
    json_uint(&t->data, "executions", readers.executions);
    json_uint(&t->data, "wrong", readers.wrong);
    saw(SEE_EXECUTIONS, readers.executions);
    if (readers.wrong)
        FAIL("%llu of %llu executions returned what was never written",
             (unsigned long long)readers.wrong, (unsigned long long)readers.executions);
}

static void make_function(uint8_t out[static 6], uint32_t value)
{
    out[0] = 0xb8; /* mov eax, value; ret */
    memcpy(out + 1, &value, sizeof value);
    out[5] = RET_INSN_OPCODE;
}

/* ---- one address in two sizes of page ---- */

static const struct erratum multihit = {
    .id = "CVE-2018-12207, Intel \"Machine Check Error on Page Size Change\"",
    .reference = "Linux Documentation, admin-guide/hw-vuln/multihit",
    .hypothesis = "code is fetched through a 2 MiB and a 4 KiB translation of one address at once",
    .expected = "nothing happens; affected processors end in a machine check",
};

/* A large page of functions, one to each small page, executable; 0 if memory is short. */
static bool make_region(unsigned n)
{
    uint64_t frames = pages_alloc(2 * LARGE_PAGE / PAGE_SIZE);
    uint64_t phys = (frames + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
    uint64_t virt = ALIASES + n * LARGE_PAGE;

    if (!frames)
        return false;
    for (unsigned i = 0; i < 512; i++) {
        make_function((uint8_t *)phys_to_virt(phys) + i * PAGE_SIZE, readers.one);
        readers.functions[i] = (uint32_t(*)(void))(virt + i * PAGE_SIZE);
    }
    readers.count = 512;
    /* W^X: the direct map's view becomes read-only before anybody can execute it. */
    if (!mm_protect((uint64_t)phys_to_virt(phys), LARGE_PAGE / PAGE_SIZE, MM_R))
        return false;
    smp_tlb_flush();
    return mm_map_large(virt, phys, MM_X);
}

TEST_BARE("page tables of its own", dangerous, itlb_multihit,
          "a 2 MiB page is split while other cores execute in it", .cpus = 2, .budget_ms = 1500,
          .must_see = { { SEE_EXECUTIONS, 1000 } })
{
    if (!is_allowed(t))
        return;
    memset(&readers, 0, sizeof readers);
    readers.one = readers.other = 0x600d;
    for (unsigned n = 0; n < REGIONS; n++) {
        uint64_t begin = rdtsc();

        REQUIRE(make_region(n));
        start_readers();
        while (rdtsc() - begin < time_ns_to_ticks(LENGTH_NS) / 2)
            cpu_relax();
        /* The table appears, and no other core is told: that is the experiment. */
        EXPECT(mm_protect(ALIASES + n * LARGE_PAGE, 1, MM_X));
        while (rdtsc() - begin < time_ns_to_ticks(LENGTH_NS))
            cpu_relax();
        stop_readers();
        smp_tlb_flush();
    }
    judge(t, &multihit);
}

/* ---- one page in two types of memory ---- */

static const struct erratum aliased_types = {
    .id = "Intel AF16, AF17",
    .reference = "specification update of Xeon LV/ULV (Core Duo era)",
    .hypothesis = "code is fetched through a write-back and an uncached mapping of one page, while "
                  "it is being patched",
    .expected = "old or new; affected processors hang or end in a machine check",
    .affected = { { VENDOR_INTEL, 6, 14, 14 } },
};

TEST_BARE("page tables of its own", dangerous, uncached_alias,
          "code is executed through an uncached alias while it is being patched", .cpus = 2,
          .budget_ms = 500, .must_see = { { SEE_EXECUTIONS, 1000 }, { SEE_PATCHES, 10 } })
{
    uint64_t text = mm_text_alloc(1), alias = ALIASES + REGIONS * LARGE_PAGE, begin = rdtsc();
    uint8_t code[2][6];

    if (!is_allowed(t))
        return;
    memset(&readers, 0, sizeof readers);
    readers.one = 0x11111111;
    readers.other = 0x11111122; /* one byte differs: nothing can tear */
    make_function(code[0], readers.one);
    make_function(code[1], readers.other);
    REQUIRE(text && text_poke_copy((void *)text, code[0], 6) == POKE_OK);
    REQUIRE(mm_map(alias, mm_translate(text), 1, MM_X | MM_UNCACHED));
    readers.functions[0] = (uint32_t(*)(void))text;
    readers.functions[1] = (uint32_t(*)(void))alias;
    readers.count = 2;
    start_readers();
    for (unsigned n = 1; rdtsc() - begin < time_ns_to_ticks(LENGTH_NS); n++) {
        text_mutex_lock();
        EXPECT_EQ(text_poke((void *)(text + 1), code[n & 1] + 1, 1), POKE_OK);
        smp_text_poke_sync_each_cpu();
        text_mutex_unlock();
        saw(SEE_PATCHES, 1);
    }
    stop_readers();
    mm_unmap(alias, 1);
    smp_tlb_flush();
    judge(t, &aliased_types);
}

/* ---- a redundant prefix before REP MOVSB ---- */

static const struct erratum reptar = {
    .id = "CVE-2023-23583 (Reptar)",
    .reference = "INTEL-SA-00950",
    .hypothesis = "code is written by REP MOVSB with a redundant REX prefix",
    .expected = "the prefix is ignored; affected processors lose their place or end in a machine "
                "check",
    .affected = { { VENDOR_INTEL, 6, 0x6a, 0x6c },
                  { VENDOR_INTEL, 6, 0x7d, 0x7e },
                  { VENDOR_INTEL, 6, 0x8c, 0x8f },
                  { VENDOR_INTEL, 6, 0x97, 0x9a },
                  { VENDOR_INTEL, 6, 0xa7, 0xa7 },
                  { VENDOR_INTEL, 6, 0xb7, 0xbf } },
};

static void rex_rep_movsb(void *to, const void *from, uint64_t bytes)
{
    /* F3 44 A4: REX.R has no meaning here. */
    __asm__ volatile(".byte 0xf3, 0x44, 0xa4" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
}

TEST(dangerous, rex_rep_movsb, "code written by REP MOVSB with a redundant prefix arrives whole",
     .budget_ms = 200, .must_see = { { SEE_PATCHES, 1000 } })
{
    uint64_t text = mm_text_alloc(1);
    uint8_t source[256], wrong = 0;
    struct prng rng = test_prng(t);

    if (!is_allowed(t))
        return;
    REQUIRE(text);
    for (unsigned n = 0; n < 1000; n++) {
        unsigned bytes = 1 + prng_below(&rng, sizeof source), at = prng_below(&rng, 2048);

        for (unsigned i = 0; i < bytes; i++)
            source[i] = (uint8_t)prng_next(&rng);
        text_mutex_lock();
        uint8_t *view = mm_alias_open(text, 1);
        if (view) {
            rex_rep_movsb(view + at, source, bytes);
            mm_alias_close(view, 1);
        }
        text_mutex_unlock();
        wrong |= !view || memcmp((void *)(text + at), source, bytes) != 0;
        saw(SEE_PATCHES, 1);
    }
    erratum_record(&t->data, &reptar);
    EXPECT_EQ(wrong, 0);
}
