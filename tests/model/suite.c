/* SPDX-License-Identifier: MIT */
#include "tests/model/suite.h"

#include "tests/model/explore.h"
#include "tests/model/faults.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FAULT_WALKS 1000 /* random walks in which a fault has to be found */

static const char *const view_name[VIEWS] = { "any", "vendor" };

/* The faults that are about one sync of the protocol. */
#define SYNCS 3
static const char *const without_sync[SYNCS] = { "no-sync1", "no-sync2", "no-sync3" };

struct totals {
    uint64_t states, steps, walks;
    bool engine_clean;
    unsigned faults, faults_found; /* looked for, found in at least one view */
    bool as_expected;
    unsigned clauses;                   /* bit (1 << clause): fired */
    const struct fault *fired[CLAUSES]; /* by which fault first */
    bool needed[VIEWS][SYNCS];          /* without this sync, some scenario is unsafe */
    bool asked[VIEWS][SYNCS];           /* whether it is, was looked at */
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the engine as it is ---- */

static bool engine_scenario(const struct scenario *s, struct totals *totals)
{
    struct exploration e;

    explore(s, 0, &e);
    totals->states += e.states;
    totals->steps += e.steps;
    if (e.clauses) {
        printf("engine: VIOLATION (%s)\n", clause_text(e.first.violation.clause));
        counterexample_print(&e.first);
        free(e.first.values);
        return false;
    }
    if (e.complete && e.finished)
        return true;
    printf("engine: %s: %s\n", s->name,
           e.complete ? "the patcher never finishes" : "more states than can be explored");
    return false;
}

static bool engine_set(enum scenario_set set, enum view view, unsigned cores, struct totals *totals)
{
    static const char *const set_name[SETS] = {
        [SET_SINGLE] = "single sites", [SET_BATCH] = "batches of two",
        [SET_QUEUE] = "two patchers",  [SET_HOTPLUG] = "cores that leave",
        [SET_NMI] = "nested by NMI",
    };
    unsigned readers = cores - (set == SET_QUEUE ? 2 : 1);
    struct totals before = *totals;
    double begin = now();
    struct scenario s;
    unsigned n = 0;

    for (; scenario_at(set, n, view, readers, &s); n++)
        if (!engine_scenario(&s, totals))
            return false;
    printf("engine  view %-6s  %u cores  %-16s  %3u scenarios  %8" PRIu64 " states  %9" PRIu64
           " steps  %5.1f s  clean\n",
           view_name[view], cores, set_name[set], n, totals->states - before.states,
           totals->steps - before.steps, now() - begin);
    fflush(stdout);
    return true;
}

/* Is this set explored on machines of this size? */
static bool fits(enum scenario_set set, unsigned cores)
{
    switch (set) {
    case SET_QUEUE:
        return cores > 2;
    case SET_NMI:
        return cores == 2;
    default:
        return true;
    }
}

static bool engine_exhaustively(const struct options *o, struct totals *totals)
{
    for (unsigned view = 0; view < VIEWS; view++)
        for (unsigned cores = CORES_MIN; o->view[view] && cores <= CORES_MAX; cores++)
            for (unsigned set = 0; o->cores[cores] && set < SETS; set++)
                if (fits(set, cores) && !engine_set(set, view, cores, totals))
                    return false;
    return true;
}

static bool engine_at_random(const struct options *o, enum view view, double seconds,
                             struct totals *totals)
{
    double begin = now();
    struct walks walks = { 0 };

    while (now() - begin < seconds) {
        struct prng prng = prng_stream(o->seed, walks.count * VIEWS + view);
        struct counterexample found;
        struct scenario s;

        scenario_random(&prng, view, &engine_real, NULL, &s);
        if (!walk(&s, &prng, &walks, &found)) {
            printf("engine: VIOLATION (%s) in random walk %" PRIu64 " of seed=%" PRIu64 "\n",
                   clause_text(found.violation.clause), walks.count, o->seed);
            counterexample_print(&found);
            free(found.values);
            return false;
        }
    }
    totals->walks += walks.count;
    printf("engine  view %-6s  random: up to %u cores, %u sites  %8" PRIu64 " walks   %9" PRIu64
           " steps  %5.1f s  clean, %" PRIu64 " cut short\n",
           view_name[view], MAX_CORES, MAX_SITES, walks.count, walks.steps, now() - begin,
           walks.cut);
    fflush(stdout);
    return true;
}

static bool engine(const struct options *o, struct totals *totals)
{
    unsigned views = 0;

    for (unsigned view = 0; view < VIEWS; view++)
        views += o->view[view];
    if (!engine_exhaustively(o, totals))
        return false;
    for (unsigned view = 0; view < VIEWS; view++)
        if (o->view[view] && !engine_at_random(o, view, (double)o->seconds / views, totals))
            return false;
    return true;
}

/* ---- faults ---- */

static void print_clauses(unsigned clauses)
{
    const char *separator = ": ";

    for (unsigned i = 0; i < CLAUSES; i++) {
        if (!(clauses & 1u << i))
            continue;
        printf("%s%s", separator, clause_text(i));
        separator = ", ";
    }
}

static const struct engine *engine_of(const struct fault *fault)
{
    return fault->engine ? fault->engine : &engine_real;
}

static void plant(const struct fault *fault, struct scenario *s)
{
    s->engine = engine_of(fault);
    s->protocol = fault->protocol;
    if (fault->hotplug)
        s->hotplug = fault->hotplug;
}

/* What the scenarios of a fault have shown under one view. */
struct search {
    unsigned scenarios, unsafe;
    unsigned clauses;
    bool complete;
    unsigned walks;                 /* random walks up to the first that shows it; 0: none does */
    struct counterexample shortest; /* if `unsafe` */
};

static void search_scenario(const struct scenario *s, unsigned enough, struct search *search)
{
    struct counterexample *shortest = &search->shortest;
    struct exploration e;

    explore(s, enough, &e);
    search->scenarios++;
    search->complete &= e.complete;
    if (!e.clauses)
        return;
    search->clauses |= e.clauses;
    search->unsafe++;
    if (shortest->values && shortest->steps <= e.first.steps) {
        free(e.first.values);
        return;
    }
    free(shortest->values);
    *shortest = e.first;
}

static void search_set(const struct fault *fault, enum scenario_set set, enum view view,
                       unsigned readers, struct search *search)
{
    struct scenario s;

    for (unsigned n = 0; scenario_at(set, n, view, readers, &s); n++) {
        plant(fault, &s);
        search_scenario(&s, fault->clauses[view], search);
    }
}

/*
 * Find it by random walks too, the same ones every time: if they could not find a fault, that they
 * find none in the engine would mean nothing. Returns after how many it was found; 0: not.
 */
static unsigned walk_to_fault(const struct fault *fault, enum view view)
{
    struct walks walks = { 0 };

    for (unsigned n = 1; n <= FAULT_WALKS; n++) {
        struct prng prng = prng_stream(1, n);
        struct counterexample found;
        struct scenario s;

        scenario_random(&prng, view, engine_of(fault), fault->protocol, &s);
        plant(fault, &s);
        if (walk(&s, &prng, &walks, &found))
            continue;
        free(found.values);
        return n;
    }
    return 0;
}

/*
 * Look for a fault in its set, with one core that executes. What is expected to be safe is looked
 * for as the engine's own faults are.
 */
static struct search search_fault(const struct fault *fault, enum view view)
{
    struct search search = { .complete = true, .walks = walk_to_fault(fault, view) };

    search_set(fault, fault->set, view, 1, &search);
    if (!fault->clauses[view]) {
        search_set(fault, SET_SINGLE, view, 2, &search);
        search_set(fault, SET_BATCH, view, 1, &search);
        search_set(fault, SET_BATCH, view, 2, &search);
        search_set(fault, SET_HOTPLUG, view, 1, &search);
        search_set(fault, SET_NMI, view, 1, &search);
    }
    return search;
}

static bool as_expected(const struct fault *fault, enum view view, const struct search *search)
{
    unsigned expected = fault->clauses[view];

    if (!search->complete || !search->scenarios)
        return false;
    if (!expected)
        return !search->clauses && !search->walks;
    return (search->clauses & expected) == expected && search->walks;
}

static void print_search(const struct fault *fault, enum view view, const struct search *search)
{
    printf("fault   view %-6s  %-20s ", view_name[view], fault->name);
    if (search->unsafe)
        printf("unsafe in %2u of %2u scenarios, shortest run %2u steps, random walk %2u",
               search->unsafe, search->scenarios, search->shortest.steps, search->walks);
    else
        printf("safe in all %u scenarios of 2 and 3 cores and in %u random walks",
               search->scenarios, FAULT_WALKS);
    print_clauses(search->clauses);
    printf("%s\n", as_expected(fault, view, search) ? "" : "  NOT AS EXPECTED");
    fflush(stdout);
}

static void fault(const struct fault *fault, const struct options *o, struct totals *totals)
{
    bool found = false;

    for (unsigned view = 0; view < VIEWS; view++) {
        if (!o->view[view])
            continue;

        struct search search = search_fault(fault, view);

        print_search(fault, view, &search);
        if (o->trace && search.unsafe)
            counterexample_print(&search.shortest);
        free(search.shortest.values);
        found |= search.unsafe != 0;
        totals->as_expected &= as_expected(fault, view, &search);
        for (unsigned i = 0; i < CLAUSES; i++)
            if (search.clauses & ~totals->clauses & 1u << i)
                totals->fired[i] = fault;
        totals->clauses |= search.clauses;
        for (unsigned i = 0; i < SYNCS; i++) {
            if (strcmp(fault->name, without_sync[i]))
                continue;
            totals->asked[view][i] = true;
            totals->needed[view][i] = search.unsafe;
        }
    }
    totals->faults++;
    totals->faults_found += found;
}

/* A clause that no fault can violate is no evidence that the engine keeps it. */
static bool every_clause_fired(const struct totals *totals)
{
    bool all = true;

    for (unsigned i = 0; i < CLAUSES; i++) {
        const struct fault *by = totals->fired[i];

        printf("oracle  %-26s %s%s\n", clause_text(i), by ? "fired by " : "NEVER FIRED",
               by ? by->name : "");
        all &= by != NULL;
    }
    return all;
}

/* "; view any: sync 1 needed, sync 2 not needed, sync 3 needed" */
static void print_syncs(const struct totals *totals)
{
    for (unsigned view = 0; view < VIEWS; view++) {
        char separator = ':';

        for (unsigned i = 0; i < SYNCS; i++) {
            if (!totals->asked[view][i])
                continue;
            if (separator == ':')
                printf("; view %s", view_name[view]);
            printf("%c sync %u %s", separator, i + 1,
                   totals->needed[view][i] ? "needed" : "not needed");
            separator = ',';
        }
    }
}

bool suite_run(const struct options *o)
{
    struct totals totals = { .as_expected = true };

    if (!o->fault) {
        printf("model: seed=%" PRIu64 "\n", o->seed);
        totals.engine_clean = engine(o, &totals);
        totals.as_expected &= totals.engine_clean;
    }
    for (unsigned i = 0; i < fault_count; i++)
        if (!o->fault || !strcmp(o->fault, faults[i].name))
            fault(&faults[i], o, &totals);
    if (!o->fault)
        totals.as_expected &= every_clause_fired(&totals);

    printf("model: ");
    if (!o->fault)
        printf("engine %s in %" PRIu64 " states, %" PRIu64 " steps and %" PRIu64 " random walks; ",
               totals.engine_clean ? "clean" : "NOT CLEAN", totals.states, totals.steps,
               totals.walks);
    printf("%u of %u faults found", totals.faults_found, totals.faults);
    print_syncs(&totals);
    printf("%s\n", totals.as_expected ? "; as expected" : "; NOT AS EXPECTED");
    return totals.as_expected;
}
