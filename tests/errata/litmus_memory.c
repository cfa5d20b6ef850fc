/* SPDX-License-Identifier: MIT */
#include "tests/errata/litmus_memory.h"

#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"
#include "poke/poke.h"

#define FUNCTIONS      (2 * LITMUS_INSTANCES)
#define FUNCTION_BYTES (FUNCTIONS * CACHE_LINE)
#define FUNCTION_PAGES (FUNCTION_BYTES / PAGE_SIZE)
#define THREAD_BYTES   (LITMUS_INSTANCES * LITMUS_CODE_BYTES)
#define TEXT_BYTES     (FUNCTION_BYTES + LITMUS_THREADS * THREAD_BYTES)
#define TEXT_PAGES     (TEXT_BYTES / PAGE_SIZE)

_Static_assert(FUNCTION_BYTES % PAGE_SIZE == 0, "pages of functions hold nothing else");
_Static_assert(TEXT_BYTES % PAGE_SIZE == 0, "whole pages");

static struct litmus_memory memory;
static uint8_t *home; /* memory.text of LITMUS_ALIAS */

#ifdef CROSSMOD_HOSTED
/*
 * hosted/writable_text.c: the same pages of text mapped once more, writable and executable. NULL if
 * the system forbids that.
 */
void *writable_text_open(uint64_t text, size_t pages);
void writable_text_close(void *mapping, size_t pages);
#else
/* Bare metal has no page that is writable and executable. */
static void *writable_text_open(__attribute__((unused)) uint64_t text,
                                __attribute__((unused)) size_t pages)
{
    return NULL;
}

static void writable_text_close(__attribute__((unused)) void *mapping,
                                __attribute__((unused)) size_t pages)
{
}
#endif

const struct levels *litmus_mapping_levels(void)
{
    static const char *const names[] = { [LITMUS_ALIAS] = "alias", [LITMUS_SAME] = "same" };
    static const struct levels levels = { "mapping", names, LITMUS_MAPPINGS };

    return &levels;
}

struct litmus_memory *litmus_memory_get(void)
{
    if (home)
        return &memory;
    memory.text = (uint8_t *)(uintptr_t)mm_text_alloc(TEXT_PAGES);
    memory.data = pages_alloc_virt(FUNCTION_PAGES); /* as many lines of data as functions */
    memory.results = pages_alloc_virt(LITMUS_THREADS);
    if (!memory.text || !memory.data || !memory.results)
        return NULL;
    home = memory.text;
    return &memory;
}

/* Lines for two variables of each instance, in random order: Fisher and Yates. */
static void shuffle(uint32_t line[static FUNCTIONS], struct prng *random)
{
    for (uint32_t i = 0; i < FUNCTIONS; i++)
        line[i] = i * CACHE_LINE;
    for (uint32_t i = FUNCTIONS - 1; i > 0; i--) {
        uint32_t j = prng_below(random, i + 1), kept = line[i];

        line[i] = line[j];
        line[j] = kept;
    }
}

void litmus_memory_shuffle(struct litmus_memory *m, struct prng *random)
{
    uint32_t code[FUNCTIONS], data[FUNCTIONS];

    shuffle(code, random);
    shuffle(data, random);
    for (unsigned i = 0; i < LITMUS_INSTANCES; i++) {
        m->place[i][LITMUS_F] = code[2 * i];
        m->place[i][LITMUS_G] = code[2 * i + 1];
        m->place[i][LITMUS_X] = data[2 * i];
        m->place[i][LITMUS_Y] = data[2 * i + 1];
    }
}

static uint32_t code_offset(unsigned thread, unsigned instance)
{
    return FUNCTION_BYTES + thread * THREAD_BYTES + instance * LITMUS_CODE_BYTES;
}

/* One instance in four has gaps between its steps. */
#define GAPS_EACH 4

bool litmus_memory_fill(const struct litmus_memory *m, const struct litmus_shape *shape,
                        const struct litmus_fence *fence, void (*poke)(unsigned instance),
                        struct prng *random)
{
    static uint8_t image[TEXT_BYTES]; /* boot core only */

    memset(image, 0xcc, sizeof image);
    for (uint32_t at = 0; at < FUNCTION_BYTES; at += CACHE_LINE)
        litmus_code_function(image + at, 0);
    for (unsigned thread = 0; thread < shape->threads; thread++) {
        for (unsigned i = 0; i < LITMUS_INSTANCES; i++) {
            struct litmus_layout layout = { .at = code_offset(thread, i),
                                            .results = i * (uint32_t)sizeof m->results[0][0],
                                            .poke = poke,
                                            .instance = i };

            memcpy(layout.place, m->place[i], sizeof layout.place);
            litmus_code_thread(image + layout.at, shape->program[thread], fence, &layout,
                               prng_below(random, GAPS_EACH) == 0, random);
        }
    }
    size_t bytes = FUNCTION_BYTES + shape->threads * THREAD_BYTES;
    if (text_poke_copy(home, image, bytes) != POKE_OK)
        return false;
    smp_text_poke_sync_each_cpu();
    return true;
}

litmus_code litmus_memory_code(const struct litmus_memory *m, unsigned thread, unsigned instance)
{
    return (litmus_code)(uintptr_t)(m->text + code_offset(thread, instance));
}

uint32_t litmus_memory_call(const struct litmus_memory *m, unsigned instance,
                            enum litmus_place place)
{
    uint8_t *entry = m->text + m->place[instance][place] + LITMUS_ENTRY;

    return ((uint32_t(*)(void))(uintptr_t)entry)();
}

bool litmus_memory_same_open(struct litmus_memory *m)
{
    uint8_t *mapping = writable_text_open((uintptr_t)home, TEXT_PAGES);

    if (mapping)
        m->text = m->view = mapping;
    return mapping != NULL;
}

void litmus_memory_same_close(struct litmus_memory *m)
{
    writable_text_close(m->text, TEXT_PAGES);
    m->text = home;
    m->view = NULL;
}

bool litmus_memory_alias_open(struct litmus_memory *m)
{
    text_mutex_lock();
    m->view = mm_alias_open((uintptr_t)home, FUNCTION_PAGES);
    if (!m->view)
        text_mutex_unlock();
    return m->view != NULL;
}

void litmus_memory_alias_close(struct litmus_memory *m)
{
    mm_alias_close(m->view, FUNCTION_PAGES);
    m->view = NULL;
    text_mutex_unlock();
}
