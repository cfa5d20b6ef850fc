/* SPDX-License-Identifier: MIT */
/*
 * `make hosted-bench`: what it costs a process to write text, by each way in writers.h. Not a test:
 * it prints a table. docs/hosted.md has one, and the choice that follows.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "hosted/bench/writers.h"
#include "hosted/hosted.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/hist.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "poke/poke.h"
#include "smp/smp.h"

#define SITE_AT    0x340 /* within eight bytes */
#define SAMPLES    201
#define STORES     50 /* per sample */
#define PLAIN      50000
#define PATCHES_NS 1000000000ull

static uint8_t *page;
static uint32_t stop;
static uint64_t executions; /* every executing core adds when it stops */

static void execute(__attribute__((unused)) void *arg)
{
    uint64_t n = 0;
    void (*site)(void) = (void (*)(void))(uintptr_t)(page + SITE_AT);

    for (; !load_relaxed(&stop); n++)
        site();
    fetch_add(&executions, n);
}

static void start_executors(void)
{
    store_relaxed(&stop, 0);
    executions = 0;
    for_each_online_cpu (core)
        if (core != 0)
            smp_start_work((unsigned)core, execute, NULL);
}

static void stop_executors(void)
{
    store_relaxed(&stop, 1);
    for_each_online_cpu (core)
        if (core != 0)
            smp_wait_work((unsigned)core);
}

/* ---- the store alone ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Median of the samples, in ns for one store of one byte that is the same as before. */
static double store_ns(const struct writer *writer)
{
    static double samples[SAMPLES];
    const uint8_t same = page[SITE_AT];

    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t begin = rdtsc();

        for (unsigned k = 0; k < STORES; k++)
            writer->store(SITE_AT, &same, 1);
        samples[i] = (double)time_ticks_to_ns(rdtsc() - begin) / STORES;
    }
    qsort(samples, SAMPLES, sizeof samples[0], compare);
    return samples[SAMPLES / 2];
}

/* A store to memory of this core's own, which nobody executes. */
static double plain_store_ns(void)
{
    static uint8_t word;
    uint64_t begin = rdtsc();

    for (unsigned i = 0; i < PLAIN; i++)
        store_relaxed(&word, (uint8_t)i);
    return (double)time_ticks_to_ns(rdtsc() - begin) / PLAIN;
}

/* ---- whole patches ---- */

struct patches {
    struct hist ns;
    uint64_t disturbed;
    double executions_per_us;
};

/* Involuntary ones: who waits for the writer process gives its processor away by itself. */
static long preemptions(void)
{
    struct rusage usage;

    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

static void measure_patches(struct patches *p)
{
    uint8_t jump[TEXT_POKE_MAX_OPCODE_SIZE];
    size_t len;
    uint64_t begin = rdtsc(), length = time_ns_to_ticks(PATCHES_NS);

    hist_init(&p->ns);
    p->disturbed = 0;
    text_gen_insn(JMP32_INSN_OPCODE, page + SITE_AT, page + SITE_AT + 5, jump, &len);
    start_executors();
    for (unsigned n = 0; rdtsc() - begin < length; n++) {
        long before = preemptions();

        text_mutex_lock();
        uint64_t from = rdtsc();
        smp_text_poke_single(page + SITE_AT, n & 1 ? poke_nop5 : jump, 5, NULL);
        uint64_t ns = time_ticks_to_ns(rdtsc() - from);
        text_mutex_unlock();
        if (preemptions() == before)
            hist_add(&p->ns, ns);
        else
            p->disturbed++;
    }
    stop_executors();
    p->executions_per_us = (double)executions * 1e3 / (double)time_ticks_to_ns(rdtsc() - begin);
}

/* ---- the table ---- */

static bool set_up(char *error, size_t size)
{
    static int processors[64];
    unsigned count = limits_processors(processors, 64);
    static const uint8_t code[6] = { 0x0f, 0x1f, 0x44, 0, 0, RET_INSN_OPCODE };

    limits_look(count, false);
    clock_init();
    signals_init();
    interrupts_init();
    if (!limits_membarrier(error, size) || !text_init(error, size) ||
        !cores_start(processors, count, error, size))
        return false;
    page = (uint8_t *)mm_text_alloc(1);
    snprintf(error, size, "the text cannot be prepared");
    return page && text_poke_copy(page + SITE_AT, code, sizeof code) == POKE_OK &&
           writers_init(page, processors[0]);
}

static void print_row(unsigned i, double plain)
{
    static struct patches patches;
    double alone = store_ns(&writers[i]), beside;

    start_executors();
    beside = store_ns(&writers[i]);
    stop_executors();
    writers_select(i);
    measure_patches(&patches);
    writers_select(WRITER_PWRITE);
    printf("%-16s %9.1f %8.0f %11.1f %9.2f %9.2f %9llu %9llu %8.1f\n", writers[i].name, alone,
           alone / plain, beside, (double)hist_percentile(&patches.ns, 50, 100) / 1e3,
           (double)hist_percentile(&patches.ns, 99, 100) / 1e3,
           (unsigned long long)patches.ns.count, (unsigned long long)patches.disturbed,
           patches.executions_per_us);
}

int main(void)
{
    char error[256];

    if (!set_up(error, sizeof error)) {
        fprintf(stderr, "hosted-bench: %s\n", error);
        return 3;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    double plain = plain_store_ns();

    printf("%u cores; a store to memory of its own: %.2f ns\n\n", smp_online(), plain);
    printf("%-16s %9s %8s %11s %9s %9s %9s %9s %8s\n", "", "store ns", "ratio", "executed ns",
           "p50 us", "p99 us", "patches", "disturbed", "exec/us");
    for (unsigned i = 0; i < WRITERS; i++)
        print_row(i, plain);
    printf("\nstore: of one byte of text, nobody executes it; ratio: to the store above; executed: "
           "while every\nother core executes it. p50, p99: one synchronised patch of five bytes, "
           "of those in which the\npatcher kept its processor; exec: executions by the others "
           "meanwhile.\n");
    writers_end();
    return 0;
}
