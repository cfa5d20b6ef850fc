/* SPDX-License-Identifier: MIT */
/*
 * bench-peers SYSCTL...: figures of the peers (peers.h) as one JSON document. SYSCTL: files of
 * which the first is used that can be written. This thread measures on the first processor that it
 * may use; on every other one a thread spins in user space, as a core that executes would, so that
 * each sync has to interrupt it.
 */
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "hosted/bench/peers/peers.h"

#define ROUNDS     2000
#define LIMIT_S    20.0 /* a busy machine disturbs most rounds */
#define PROCESSORS CPU_SETSIZE

static atomic_bool stop; /* this thread writes, the spinning ones read; they share no data */

/* Each on a line of its own. */
static struct spinner {
    alignas(64) atomic_uint turns; /* its thread writes, the measuring one reads */
    int processor;
} spinners[PROCESSORS];
static unsigned others;

/* ---- what is measured: one sample of each in every round ---- */

enum part { SAME, FLIP, SYNC, SYNC3, FUNCTION, ALL, PARTS };

static void (*const operations[PARTS])(void) = {
    [SAME] = sysctl_same,        [FLIP] = sysctl_flip,       [SYNC] = membarrier_once,
    [SYNC3] = membarrier_thrice, [FUNCTION] = xray_function, [ALL] = xray_all,
};
static bool present[PARTS];
static double samples[PARTS][ROUNDS]; /* ns */
static unsigned rounds, disturbed;
static double deadline;

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static long preemptions(void)
{
    struct rusage usage;

    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

static unsigned turns(unsigned i)
{
    return atomic_load_explicit(&spinners[i].turns, memory_order_relaxed);
}

/*
 * One operation while every other thread has its processor: a sync does not interrupt those that
 * do not run, and is then twenty times faster. False if one lost it, or this thread its own.
 */
static bool sample(enum part p)
{
    static unsigned seen[PROCESSORS];
    long before = preemptions();

    for (unsigned i = 0; i < others; i++)
        for (seen[i] = turns(i); turns(i) == seen[i]; __builtin_ia32_pause())
            if (now_ns() > deadline)
                return false;
    for (unsigned i = 0; i < others; i++)
        seen[i] = turns(i);
    double begin = now_ns();
    operations[p]();
    samples[p][rounds] = now_ns() - begin;
    for (unsigned i = 0; i < others; i++)
        if (turns(i) == seen[i])
            return false;
    return preemptions() == before;
}

static void one_round(void)
{
    bool kept = true;

    for (unsigned p = 0; p < PARTS; p++)
        if (present[p])
            kept &= sample(p);
    if (kept)
        rounds++;
    else
        disturbed++;
}

/* ---- figures ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The values of all rounds, in thousandths; they are sorted in place. */
static void print_figure(const char *name, const char *unit, double *values)
{
    static bool more;

    qsort(values, rounds, sizeof values[0], compare);
    printf("%s\n  {\"name\": \"%s\", \"unit\": \"%s\", \"milli\": %lld, \"exact\": false, "
           "\"low\": %lld, \"high\": %lld, \"n\": %u}",
           more ? "," : "", name, unit, llround(values[rounds / 2] * 1e3),
           llround(values[rounds / 4] * 1e3), llround(values[rounds * 3 / 4] * 1e3), rounds);
    more = true;
}

static void print_figures(void)
{
    static double flip[ROUNDS], over[ROUNDS], sled[ROUNDS];

    for (unsigned i = 0; i < rounds; i++) {
        flip[i] = samples[FLIP][i] - samples[SAME][i];
        over[i] = flip[i] / samples[SYNC][i];
        sled[i] = present[ALL] ? samples[ALL][i] / xray_sleds() : 0;
    }
    if (present[FLIP]) {
        print_figure("peer.linux_sysctl_same_ns", "ns", samples[SAME]);
        print_figure("peer.linux_static_key_ns", "ns", flip);
        if (present[SYNC])
            print_figure("peer.linux_static_key_over_membarrier", "ratio", over);
    }
    if (present[SYNC]) {
        print_figure("peer.membarrier_sync_core_ns", "ns", samples[SYNC]);
        print_figure("peer.three_membarriers_ns", "ns", samples[SYNC3]);
    }
    if (present[ALL]) {
        print_figure("peer.xray_function_ns", "ns", samples[FUNCTION]);
        print_figure("peer.xray_sled_ns", "ns", sled);
    }
}

/* ---- processors ---- */

static void pin(int processor)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *spin(void *argument)
{
    struct spinner *self = argument;

    pin(self->processor);
    for (unsigned n = 0; !atomic_load_explicit(&stop, memory_order_relaxed);)
        atomic_store_explicit(&self->turns, ++n, memory_order_relaxed);
    return NULL;
}

static bool start_others(pthread_t *threads)
{
    int own = -1;
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return false;
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &set))
            continue;
        if (own < 0) {
            pin(own = i);
            continue;
        }
        spinners[others].processor = i;
        if (pthread_create(&threads[others], NULL, spin, &spinners[others]) != 0)
            return false;
        others++;
    }
    return true;
}

static void open_part(const char *name, const char *why, enum part first, enum part second)
{
    static bool more;

    present[first] = present[second] = !why;
    if (!why)
        return;
    printf("%s\n  \"%s\": \"%s\"", more ? "," : "", name, why);
    more = true;
}

int main(__attribute__((unused)) int argc, char **argv)
{
    static pthread_t threads[PROCESSORS];
    bool restored = true;

    printf("{\"skipped\": {");
    open_part("linux_static_key", sysctl_open(argv + 1), SAME, FLIP);
    open_part("membarrier", membarrier_open(), SYNC, SYNC3);
    open_part("xray", xray_open(), FUNCTION, ALL);
    printf("},\n");
    fflush(stdout);

    if (!start_others(threads)) {
        fprintf(stderr, "bench-peers: a thread on each processor cannot be started\n");
        return 3;
    }
    deadline = now_ns() + LIMIT_S * 1e9;
    while (rounds < ROUNDS && now_ns() < deadline)
        one_round();
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    for (unsigned i = 0; i < others; i++)
        pthread_join(threads[i], NULL);

    if (present[FLIP]) {
        printf("\"sysctl\": \"%s\", ", sysctl_name());
        restored = sysctl_close();
    }
    printf("\"spinning\": %u, \"rounds\": %u, \"disturbed\": %u,\n\"figures\": [", others, rounds,
           disturbed);
    if (rounds)
        print_figures();
    printf("]}\n");
    if (!restored)
        fprintf(stderr, "bench-peers: %s: the value could not be put back\n", sysctl_name());
    return restored ? 0 : 3;
}
