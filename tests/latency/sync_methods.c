/* SPDX-License-Identifier: MIT */
/*
 * What each serialising instruction costs: alone on this core, in a broadcast that every core
 * answers with it, and in a patch. The methods follow each other in each turn.
 *
 * The method is chosen between two patches, under text_mutex: no round of sync is under way, and
 * whoever serialises for a reason of its own may do so by either.
 */
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/time/time.h"
#include "smp/smp.h"
#include "tests/harness/test.h"
#include "tests/latency/measure.h"
#include "tests/latency/readers.h"
#include "tests/latency/timed.h"
#include "tests/lib/figure.h"
#include "tests/lib/patience.h"

#define IN_A_ROW    16 /* on this core */
#define TURNS_LEAST 5

static struct method {
    enum sync_method method;
    const char *name;
    bool present;
    struct series core, broadcast, patch;
} methods[] = {
    { .method = SYNC_IRET, .name = "iret" },
    { .method = SYNC_SERIALIZE, .name = "serialize" },
    { .method = SYNC_CR2, .name = "cr2" },
    { .method = SYNC_CPUID, .name = "cpuid" },
};
#define METHODS (sizeof methods / sizeof methods[0])

/* A round before the samples: whoever came later than the choice has seen it by then. */
static bool choose(const struct method *m)
{
    if (!smp_sync_select(m->method))
        return false;
    smp_text_poke_sync_each_cpu();
    return true;
}

static void take(struct test_run *t, struct method *m, enum image image)
{
    struct measured sample;

    EXPECT_EQ(strcmp(smp_sync_name(), m->name), 0);
    measure_begin(&sample);
    for (unsigned i = 0; i < IN_A_ROW; i++)
        sync_core();
    measure_end(&sample);
    series_add(&m->core, &sample.sample);

    timed_broadcast(&m->broadcast);
    EXPECT_EQ(timed_patch(&m->patch, LAYOUT_PAGE, 1, image), POKE_OK);
    EXPECT(ground_holds(LAYOUT_PAGE, 1, image));
    saw(SEE_PATCHES, 1);
}

static void take_turns(struct test_run *t, unsigned ms)
{
    uint64_t begin = rdtsc();
    enum image image = IMAGE_NOP;

    for (unsigned turn = 0; !loop_is_over(begin, ms, turn >= TURNS_LEAST); turn++) {
        text_mutex_lock();
        for (unsigned i = 0; i < METHODS; i++) {
            if (!choose(&methods[i]))
                continue;
            methods[i].present = true;
            image = image == IMAGE_NOP ? IMAGE_JUMP : IMAGE_NOP;
            take(t, &methods[i], image);
        }
        text_mutex_unlock();
        cpu_relax();
    }
}

static void figure_of_method(struct test_run *t, const struct method *m, const char *what,
                             const struct series *s)
{
    char name[48];

    fmt_print(name, sizeof name, "sync.%s_%s", m->name, what);
    figure_of_series(t, name, s);
}

static void report(struct test_run *t)
{
    measure_report_trust(t);
    json_object(&t->data, "methods");
    for (unsigned i = 0; i < METHODS; i++) {
        json_object(&t->data, methods[i].name);
        json_bool(&t->data, "present", methods[i].present);
        if (methods[i].present) {
            series_report(&t->data, &methods[i].core);
            series_report(&t->data, &methods[i].broadcast);
            series_report(&t->data, &methods[i].patch);
        }
        json_object_end(&t->data);
    }
    json_object_end(&t->data);
    figures_begin(t);
    for (unsigned i = 0; i < METHODS; i++) {
        figure_of_method(t, &methods[i], "core", &methods[i].core);
        figure_of_method(t, &methods[i], "broadcast", &methods[i].broadcast);
        figure_of_method(t, &methods[i], "patch", &methods[i].patch);
    }
    figures_end(t);
}

TEST_BARE("privileged serialising instructions", latency, sync_methods,
          "what each serialising instruction costs: alone, in a broadcast, in a patch",
          .budget_ms = 800, .default_ms = 200, .must_see = { { SEE_PATCHES, 15 } })
{
    REQUIRE(ground_prepare());
    measure_init();
    for (unsigned i = 0; i < METHODS; i++) {
        methods[i].present = false;
        series_init(&methods[i].core, "core", IN_A_ROW);
        series_init(&methods[i].broadcast, "broadcast", 1);
        series_init(&methods[i].patch, "patch", 1);
    }
    if (!readers_start(t, READERS_LOOPING, LAYOUT_PAGE, 1))
        return;
    ground_check_order(false);
    take_turns(t, (unsigned)test_duration_ms(t));
    ground_check_order(true);
    text_mutex_lock();
    bool restored = smp_sync_select((enum sync_method)test_words()->sync);
    text_mutex_unlock();
    readers_stop();
    EXPECT(restored);
    report(t);
}
