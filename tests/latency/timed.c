/* SPDX-License-Identifier: MIT */
#include "tests/latency/timed.h"

#include "tests/latency/measure.h"
#include "tests/latency/readers.h"

static void keep(struct series *s, struct measured *m)
{
    if (!readers_all_ran())
        m->sample.cause = CAUSE_PREEMPTION;
    series_add(s, &m->sample);
}

enum poke_error timed_patch(struct series *s, enum layout layout, unsigned n, enum image image)
{
    struct measured m;

    readers_mark();
    measure_begin(&m);
    enum poke_error e = ground_patch(layout, 0, n, image);
    measure_end(&m);
    keep(s, &m);
    return e;
}

void timed_broadcast(struct series *s)
{
    struct measured m;

    readers_mark();
    measure_begin(&m);
    smp_text_poke_sync_each_cpu();
    measure_end(&m);
    keep(s, &m);
}
