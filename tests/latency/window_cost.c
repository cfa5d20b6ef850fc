/* SPDX-License-Identifier: MIT */
/*
 * What the mapping of the window costs a batch, by how long it stays: opened for each store, for
 * each step, once for all three steps, or there already. No core executes the sites and nobody is
 * synchronised: these are the stores of a patch and their way to memory alone.
 *
 * A window that is there already is opened, and each page of it read, before the clock starts; in a
 * process, where mapped aliases stay, it really is there.
 */
#include "kernel/lib/fmt.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "poke/poke.h"
#include "tests/harness/test.h"
#include "tests/latency/ground.h"
#include "tests/latency/measure.h"
#include "tests/lib/figure.h"
#include "tests/lib/patience.h"

#define SITE_LEN    5
#define MOST        TEXT_POKE_ARRAY_MAX
#define TURNS_LEAST 5

enum span { PER_WRITE, PER_STEP, PER_BATCH, ALWAYS, SPANS };
static const char *const span_names[SPANS] = { "per_write", "per_step", "per_batch", "always" };

/* The three stores of a patch. */
static const struct part {
    uint8_t offset, len;
} parts[] = { { 0, 1 }, { 1, SITE_LEN - 1 }, { 0, 1 } };
#define PARTS (sizeof parts / sizeof parts[0])

static const uint8_t int3 = INT3_INSN_OPCODE;

static const struct window_case {
    const char *name;
    enum layout layout;
    unsigned sites;
} cases[] = {
    { "1", LAYOUT_PAGE, 1 },
    { "256", LAYOUT_PAGE, MOST },
    { "256_pages", LAYOUT_PAGES, MOST },
};
#define CASES (sizeof cases / sizeof cases[0])

/* The case that is being measured, prepared outside of what is timed. */
static struct {
    const struct window_case *c;
    const uint8_t *image; /* bytes of the sites */
    uint8_t *site[MOST];
    unsigned page_of[MOST]; /* index of the site's page */
    uintptr_t pages[MOST];
    unsigned page_count;
    bool failed;
} now;

static struct series series[CASES][SPANS];

static const uint8_t *bytes_of(unsigned part)
{
    return part == 0 ? &int3 : now.image + parts[part].offset;
}

static uint64_t page_of(const uint8_t *site)
{
    return (uint64_t)site & ~(PAGE_SIZE - 1);
}

static void prepare(const struct window_case *c)
{
    now.c = c;
    now.page_count = 0;
    for (unsigned i = 0; i < c->sites; i++) {
        now.site[i] = ground_site(c->layout, i);
        if (!now.page_count || now.pages[now.page_count - 1] != page_of(now.site[i]))
            now.pages[now.page_count++] = page_of(now.site[i]);
        now.page_of[i] = now.page_count - 1;
    }
}

/* ---- the engine's way: machine_window_store() ---- */

static bool open(struct machine_window *w, const uintptr_t *pages, unsigned count)
{
    bool ok = machine_window_open(w, pages, count);

    now.failed |= !ok;
    return ok;
}

static void store(struct machine_window *w, unsigned page, unsigned i, unsigned part)
{
    size_t offset = page * PAGE_SIZE + (uint64_t)now.site[i] % PAGE_SIZE + parts[part].offset;

    machine_window_store(w, offset, bytes_of(part), parts[part].len);
}

static void store_step(struct machine_window *w, unsigned part)
{
    for (unsigned i = 0; i < now.c->sites; i++)
        store(w, now.page_of[i], i, part);
}

static void per_write(void)
{
    struct machine_window w;

    for (unsigned part = 0; part < PARTS; part++) {
        for (unsigned i = 0; i < now.c->sites; i++) {
            if (!open(&w, &now.pages[now.page_of[i]], 1))
                return;
            store(&w, 0, i, part);
            machine_window_close(&w);
        }
    }
}

static void per_step(void)
{
    struct machine_window w;

    for (unsigned part = 0; part < PARTS; part++) {
        if (!open(&w, now.pages, now.page_count))
            return;
        store_step(&w, part);
        machine_window_close(&w);
    }
}

static void per_batch(void)
{
    struct machine_window w;

    if (!open(&w, now.pages, now.page_count))
        return;
    for (unsigned part = 0; part < PARTS; part++)
        store_step(&w, part);
    machine_window_close(&w);
}

/* ---- a mapping that is there ---- */

static void always(uint8_t *view)
{
    for (unsigned part = 0; part < PARTS; part++) {
        for (unsigned i = 0; i < now.c->sites; i++) {
            volatile uint8_t *to =
                view + ((uint64_t)now.site[i] - now.pages[0]) + parts[part].offset;

            for (unsigned byte = 0; byte < parts[part].len; byte++)
                to[byte] = bytes_of(part)[byte];
        }
    }
}

static void take_always(struct measured *m)
{
    uint8_t *view = mm_alias_open(now.pages[0], now.page_count);

    now.failed |= !view;
    for (unsigned i = 0; view && i < now.page_count; i++)
        *(volatile uint8_t *)(view + i * PAGE_SIZE); /* the translation */
    measure_begin(m);
    if (view)
        always(view);
    measure_end(m);
    if (view)
        mm_alias_close(view, now.page_count);
}

/* ---- sampling ---- */

static void take(struct test_run *t, unsigned c, enum span span, enum image image)
{
    static void (*const ways[SPANS])(
        void) = { [PER_WRITE] = per_write, [PER_STEP] = per_step, [PER_BATCH] = per_batch };
    struct measured m;

    now.image = ground_bytes(image);
    text_mutex_lock();
    if (span == ALWAYS) {
        take_always(&m);
    } else {
        measure_begin(&m);
        ways[span]();
        measure_end(&m);
    }
    text_mutex_unlock();
    series_add(&series[c][span], &m.sample);
    EXPECT(!now.failed);
    EXPECT(ground_holds(cases[c].layout, cases[c].sites, image));
    saw(SEE_PATCHES, cases[c].sites);
}

/* Each span's time per site, and over that of a mapping that is there. */
static void figures_of(struct test_run *t, unsigned c)
{
    char name[64];

    for (unsigned span = 0; span < SPANS; span++) {
        fmt_print(name, sizeof name, "window.%s_%s", span_names[span], cases[c].name);
        figure_of_series(t, name, &series[c][span]);
        if (span == ALWAYS)
            continue;
        fmt_print(name, sizeof name, "window.%s_over_always_%s", span_names[span], cases[c].name);
        figure_of_ratio(t, name, &series[c][span], &series[c][ALWAYS], 1);
    }
}

/* Are there samples that nothing took apart? */
static bool is_enough(unsigned c)
{
    for (unsigned span = 0; span < SPANS; span++)
        if (series[c][span].turns - series[c][span].left_out < TURNS_LEAST)
            return false;
    return true;
}

static void report(struct test_run *t)
{
    measure_report_trust(t);
    json_string(&t->data, "window", mm_window_mode_name());
    json_object(&t->data, "ns_per_site_by_sites");
    for (unsigned c = 0; c < CASES; c++) {
        json_object(&t->data, cases[c].name);
        for (unsigned span = 0; span < SPANS; span++)
            series_report(&t->data, &series[c][span]);
        json_object_end(&t->data);
    }
    json_object_end(&t->data);
    figures_begin(t);
    for (unsigned c = 0; c < CASES; c++)
        figures_of(t, c);
    figures_end(t);
}

TEST(latency, window, "what the window costs a site, opened for each store, step or batch, or kept",
     .budget_ms = 800, .default_ms = 150, .must_see = { { SEE_PATCHES, 1000 } })
{
    unsigned ms = (unsigned)test_duration_ms(t) / CASES;

    REQUIRE(ground_prepare());
    measure_init();
    now.failed = false;
    for (unsigned c = 0; c < CASES; c++) {
        for (unsigned span = 0; span < SPANS; span++)
            series_init(&series[c][span], span_names[span], cases[c].sites);
        prepare(&cases[c]);
        uint64_t begin = rdtsc();
        while (!loop_is_over(begin, ms, is_enough(c))) {
            for (unsigned span = 0; span < SPANS; span++)
                take(t, c, (enum span)span, span % 2 ? IMAGE_NOP : IMAGE_JUMP);
        }
    }
    report(t);
}
