/* SPDX-License-Identifier: MIT */
/*
 * Declare a test in place, say what it claims, and what a healthy run must have seen.
 *
 *     TEST(poke, int3_nop5_to_call, "a core that meets INT3 ...", .cpus = 2, .budget_ms = 500,
 *          .must_see = { { SEE_INT3_HITS, 100 } })
 *     {
 *         EXPECT_EQ(text_poke(...), POKE_OK);
 *         saw(SEE_PATCHES, 1);
 *     }
 *
 * The body runs on the boot core in thread context with interrupts on; `t` is its struct test_run.
 * It prints nothing. Group "selftest" holds planted faults: they run only when named, and must not
 * pass.
 */
#ifndef TESTS_HARNESS_TEST_H
#define TESTS_HARNESS_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/lib/hist.h"
#include "kernel/lib/json.h"
#include "kernel/lib/prng.h"
#include "kernel/lib/words.h"

/* Most severe wins. The run-level ends HANG, PANIC, CUT and RESET are not a test's to give. */
enum verdict { VERDICT_PASS, VERDICT_SKIP, VERDICT_WEAK, VERDICT_FAIL, VERDICT_ERROR };
const char *verdict_name(enum verdict v);

/* What a run can have seen; exposure is evidence, a pass without it is WEAK. */
#define TEST_EXPOSURES(X)                                                                          \
    X(SEE_EXECUTIONS, "executions") /* executions of a site, decoded by the oracle */              \
    X(SEE_OVERLAPS, "overlaps")     /* those that overlapped a patch of their site, judged */      \
    X(SEE_PATCHES, "patches")       /* sites changed by a synchronised protocol */                 \
    X(SEE_BATCHES, "batches")       /* protocol runs */                                            \
    X(SEE_INT3_HITS, "int3_hits")   /* #BP claimed by the engine */                                \
    X(SEE_INT3_CORES, "int3_cores") /* cores that met an INT3 */                                   \
    X(SEE_CROSSINGS, "crossings")   /* patches of a site across a line or page */                  \
    X(SEE_TIMER_EXECUTIONS, "timer_executions")                                                    \
    X(SEE_NMI_EXECUTIONS, "nmi_executions")                                                        \
    X(SEE_IMAGES, "images") /* different images that were executed */                              \
    X(SEE_TRAPS, "traps")   /* exceptions that were expected and came */                           \
    X(SEE_PARKS, "parks")   /* cores that came back online in the middle of a batch */             \
    X(SEE_IPIS, "ipis")                                                                            \
    X(SEE_CORES, "cores")               /* cores that took part */                                 \
    X(SEE_TURNS, "turns")               /* times that another core patched than the time before */ \
    X(SEE_ORDER_CHECKS, "order_checks") /* batches whose event log was checked */

enum test_exposure {
#define X(id, text) id,
    TEST_EXPOSURES(X)
#undef X
        SEE_COUNT
};

struct test_run;

struct test_must_see {
    uint8_t what; /* enum test_exposure */
    uint64_t least;
};

struct test {
    const char *name; /* "group/name": permanent once published */
    const char *claim;
    void (*body)(struct test_run *t);
    unsigned cpus;      /* fewest cores; fewer: SKIP */
    unsigned budget_ms; /* expected time; the watchdog waits this and word hang= more */
    bool takes_seconds; /* runs for word seconds= on top of its budget */
    /* Runs for word seconds= if that was given with tests=, else for so long; beside its budget. */
    unsigned default_ms;
    const char *lacking; /* why this machine cannot run it: SKIP; else NULL. See TEST_BARE() */
    struct test_must_see must_see[8];
};

/* A histogram in nanoseconds that is reported with the test. */
struct test_hist {
    const char *name;
    const struct hist *hist;
};

struct test_run {
    const struct test *test;
    enum verdict verdict;
    char reason[400]; /* first of the most severe kind */
    uint64_t saw[SEE_COUNT];
    struct json data; /* "data" members that the test adds; see json.h */
    struct test_hist hists[16];
    unsigned hist_count;
};

/*
 * The declaration. A second test of the same name fails to link. The name and claim also go into
 * section .test_list (not loaded), from which `./run.sh list` prints them.
 */
#define TEST(group_, name_, claim_, ...)                                                           \
    static void test_body_##group_##_##name_(struct test_run *t);                                  \
    __asm__(".pushsection .test_list." #group_ "." #name_ ",\"\",@progbits\n"                      \
            ".asciz \"" #group_ "/" #name_ "\"\n.asciz " #claim_ "\n.popsection");                 \
    extern const struct test test_##group_##_##name_;                                              \
    const struct test test_##group_##_##name_                                                      \
        __attribute__((section(".tests." #group_ "." #name_), used,                                \
                       aligned(8))) = { .name = #group_ "/" #name_,                                \
                                        .claim = claim_,                                           \
                                        .body = test_body_##group_##_##name_,                      \
                                        __VA_ARGS__ };                                             \
    static void test_body_##group_##_##name_(__attribute__((unused)) struct test_run *t)

/*
 * A test for bare metal alone. A process skips it for what it does not have: "needs `lacking_`,
 * which a process does not have". There the body is compiled but not linked.
 */
#ifdef CROSSMOD_HOSTED
#define TEST_BARE(lacking_, group_, name_, claim_, ...)                                            \
    extern const struct test test_##group_##_##name_;                                              \
    const struct test test_##group_##_##name_                                                      \
        __attribute__((section(".tests." #group_ "." #name_), used, aligned(8))) = {               \
            .name = #group_ "/" #name_, .claim = claim_, .lacking = lacking_, ##__VA_ARGS__        \
        };                                                                                         \
    static __attribute__((unused)) void test_body_##group_##_##name_(                              \
        __attribute__((unused)) struct test_run *t)
#else
#define TEST_BARE(lacking_, group_, name_, ...) TEST(group_, name_, __VA_ARGS__)
#endif

/* ---- inside a body ---- */

/* Worsen the verdict; the first reason of the most severe kind stays. Boot core only. */
__attribute__((format(printf, 3, 4))) void test_verdict(struct test_run *t, enum verdict v,
                                                        const char *fmt, ...);
#define FAIL(...)  test_verdict(t, VERDICT_FAIL, __VA_ARGS__)
#define ERROR(...) test_verdict(t, VERDICT_ERROR, __VA_ARGS__)
#define SKIP(...)  test_verdict(t, VERDICT_SKIP, __VA_ARGS__)
#define WEAK(...)  test_verdict(t, VERDICT_WEAK, __VA_ARGS__)

#define EXPECT(cond)                                                                               \
    do {                                                                                           \
        if (!(cond))                                                                               \
            FAIL("%s:%d: expected %s", __FILE__, __LINE__, #cond);                                 \
    } while (0)

#define EXPECT_EQ(got, want)                                                                       \
    do {                                                                                           \
        unsigned long long got_ = (unsigned long long)(got);                                       \
        unsigned long long want_ = (unsigned long long)(want);                                     \
        if (got_ != want_)                                                                         \
            FAIL("%s:%d: %s is 0x%llx, expected 0x%llx", __FILE__, __LINE__, #got, got_, want_);   \
    } while (0)

/* Like EXPECT, and leave the body. */
#define REQUIRE(cond)                                                                              \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            FAIL("%s:%d: required %s", __FILE__, __LINE__, #cond);                                 \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#define saw(what, n) (t->saw[what] += (n))

/* Report `hist` (nanoseconds) with this test; it must stay valid until the body has returned. */
void test_hist(struct test_run *t, const char *name, const struct hist *hist);

/* ---- what the run was asked for ---- */

/* The words, with the seed that is really used. Constant while tests run. */
const struct words *test_words(void);

/* How long this test is to run, if it has .takes_seconds or .default_ms. */
uint64_t test_duration_ms(const struct test_run *t);
/* Is that what the user asked for, and not .default_ms? */
bool test_duration_given(void);

/* Random numbers for this test: they depend on the run's seed and the test's name only. */
struct prng test_prng(const struct test_run *t);

#endif
