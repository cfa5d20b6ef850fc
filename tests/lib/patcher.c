/* SPDX-License-Identifier: MIT */
#include "tests/lib/patcher.h"

#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "smp/smp.h"

/* The next version of a site: see oracle.h for what the two stores promise. */
static const struct site_image *announce(struct patcher *p, struct site *s)
{
    uint64_t version = s->begin + 1;
    unsigned old = site_image_of(s, s->begin);
    unsigned next = (old + 1 + prng_below(p->rng, s->images - 1u)) % s->images;

    store_relaxed(&s->history[version % SITE_HISTORY], (uint8_t)next);
    /* Before any byte of the version, after its history entry; pairs with the executors' loads. */
    store_release(&s->begin, version);
    if (site_crosses(s, CACHE_LINE))
        p->crossings++;
    return &s->image[next];
}

/* The protocol has returned; pairs with the acquire at the begin of an execution. */
static void conclude(struct site *s)
{
    store_release(&s->done, s->begin);
}

static void refused(struct patcher *p, const struct site *s, enum poke_error e)
{
    if (e == POKE_OK || p->error != POKE_OK)
        return;
    p->error = e;
    p->error_site = s->index;
}

/* Which step of poke_int3 ends which phase. */
static const int8_t phase_of_step[] = { -1,          PHASE_WRITE1, PHASE_SYNC1, PHASE_WRITE2,
                                        PHASE_SYNC2, PHASE_WRITE3, PHASE_SYNC3, PHASE_RETIRE };

/* Of the run that has just ended; under text_mutex. `preemptions`: when it began. */
static void keep_times(struct patch_times *times, uint64_t preemptions)
{
    const struct poke_timing *timing = poke_last_timing();
    uint64_t last = timing->begin;

    if (smp_preemptions() != preemptions) {
        hist_add(&times->disturbed, time_ticks_to_ns(rdtsc() - timing->begin));
        return;
    }
    for (unsigned i = 0; i < timing->steps && i < sizeof phase_of_step; i++) {
        if (!timing->end[i] || phase_of_step[i] < 0)
            continue;
        hist_add(&times->phase[phase_of_step[i]], time_ticks_to_ns(timing->end[i] - last));
        last = timing->end[i];
    }
    hist_add(&times->phase[PHASE_TOTAL], time_ticks_to_ns(last - timing->begin));
}

void patch_one(struct patcher *p)
{
    unsigned which = prng_below(p->rng, p->set->count);
    struct site *s = &p->set->sites[which];

    if (p->error != POKE_OK)
        return;
    store_relaxed(p->focus, which);
    text_mutex_lock();
    const struct site_image *image = announce(p, s);
    uint64_t preemptions = p->single_times ? smp_preemptions() : 0;
    refused(p, s,
            p->patch ? p->patch(s, image)
                     : smp_text_poke_single(s->slot, image->bytes, s->len, NULL));
    if (p->single_times)
        keep_times(p->single_times, preemptions);
    text_mutex_unlock();
    conclude(s);
    p->singles++;
}

/* Each site with the same chance; the last one if chance took none. */
static unsigned choose(struct patcher *p, bool *chosen)
{
    unsigned n = 0, chance = 1 + prng_below(p->rng, 100);

    for (unsigned i = 0; i < p->set->count; i++) {
        chosen[i] = prng_below(p->rng, 100) < chance || (i + 1 == p->set->count && n == 0);
        if (!chosen[i])
            continue;
        n++;
        if (n == 1 || prng_below(p->rng, 4) == 0)
            store_relaxed(p->focus, i);
    }
    return n;
}

void patch_many(struct patcher *p)
{
    bool chosen[SITES_MAX];
    unsigned n = choose(p, chosen);

    if (p->error != POKE_OK)
        return;
    text_mutex_lock();
    for (unsigned i = 0; i < p->set->count; i++) {
        struct site *s = &p->set->sites[i];
        if (!chosen[i])
            continue;
        const struct site_image *image = announce(p, s);
        refused(p, s, smp_text_poke_batch_add(s->slot, image->bytes, s->len, NULL, NULL));
    }
    uint64_t preemptions = p->batch_times ? smp_preemptions() : 0;
    refused(p, &p->set->sites[0], smp_text_poke_batch_finish());
    if (p->batch_times)
        keep_times(p->batch_times, preemptions);
    text_mutex_unlock();
    for (unsigned i = 0; i < p->set->count; i++) {
        if (chosen[i])
            conclude(&p->set->sites[i]);
    }
    p->batches++;
    p->batch_sites += n;
}

int patcher_wrong_text(const struct patcher *p)
{
    for (unsigned i = 0; i < p->set->count; i++) {
        const struct site *s = &p->set->sites[i];
        if (memcmp(s->slot, s->image[site_image_of(s, s->begin)].bytes, s->len) != 0)
            return (int)i;
    }
    return -1;
}
