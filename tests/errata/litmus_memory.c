/* SPDX-License-Identifier: MIT */
#include "tests/errata/litmus_memory.h"

#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"
#include "poke/poke.h"
#include "tests/harness/machine_record.h"

/* The block of text: functions, IRET to self, the code of each thread. */
#define FUNCTIONS        (2 * LITMUS_INSTANCES)
#define FUNCTION_BYTES   (FUNCTIONS * CACHE_LINE)
#define FUNCTION_PAGES   (FUNCTION_BYTES / PAGE_SIZE)
#define SERIALISE_OFFSET FUNCTION_BYTES
#define THREADS_OFFSET   (SERIALISE_OFFSET + CACHE_LINE)
#define TEXT_BYTES       (THREADS_OFFSET + LITMUS_THREADS * LITMUS_INSTANCES * LITMUS_CODE_BYTES)
#define TEXT_PAGES       ((TEXT_BYTES + PAGE_SIZE - 1) / PAGE_SIZE)

_Static_assert(FUNCTION_BYTES % PAGE_SIZE == 0, "pages of functions hold nothing else");

static struct litmus_memory memory;
static uint8_t *home;             /* memory.text of LITMUS_ALIAS */
static uint8_t image[TEXT_BYTES]; /* what text is to hold; boot core only */

#ifdef CROSSMOD_HOSTED
#define BARE false
#else
#define BARE true
#endif

const struct levels *litmus_mapping_levels(void)
{
    static const char *const names[] = { [LITMUS_ALIAS] = "alias", [LITMUS_SAME] = "same" };
    static const struct levels levels = { "mapping", names, LITMUS_MAPPINGS };

    return &levels;
}

/* All functions, and IRET to self. */
static bool write_functions(void)
{
    const struct litmus_fence *iret = litmus_fence_iret();

    for (uint32_t at = 0; at < FUNCTION_BYTES; at += CACHE_LINE)
        litmus_code_function(image + at, LITMUS_NUMBER_OF_INT3);
    memcpy(image + SERIALISE_OFFSET, iret->code, iret->length);
    image[SERIALISE_OFFSET + iret->length] = RET_INSN_OPCODE;
    return text_poke_copy(home, image, THREADS_OFFSET) == POKE_OK;
}

static bool allocate(void)
{
    memory.text = home = (uint8_t *)(uintptr_t)mm_text_alloc(TEXT_PAGES);
    memory.data = pages_alloc_virt(FUNCTION_PAGES); /* as many lines of data as functions */
    memory.results = pages_alloc_virt(LITMUS_THREADS);
    return home && memory.data && memory.results && write_functions();
}

struct litmus_memory *litmus_memory_get(void)
{
    static bool asked, has;

    has = asked ? has : allocate();
    asked = true;
    return has ? &memory : NULL;
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

void litmus_memory_serialise(const struct litmus_memory *m)
{
    void *code = m->text + SERIALISE_OFFSET;

    __asm__ volatile("call *%0" ::"r"(code) : "rax", "rcx", "memory");
}

/* Half of the instances have no spacing; but an emulator that takes turns needs the PAUSEs. */
static enum litmus_spacing draw_spacing(struct prng *random)
{
    if (machine_is_emulated())
        return LITMUS_PAUSED;
    return (enum litmus_spacing)(prng_below(random, 2) * prng_below(random, LITMUS_SPACINGS));
}

/* Code of all threads and instances, one behind the other; returns its end. */
static uint32_t generate(struct litmus_memory *m, const struct litmus_shape *shape,
                         const struct litmus_fence *fence, void (*poke)(unsigned instance),
                         struct prng *random)
{
    uint32_t at = THREADS_OFFSET;

    for (unsigned thread = 0; thread < shape->threads; thread++) {
        for (unsigned i = 0; i < LITMUS_INSTANCES; i++) {
            struct litmus_layout layout = { .at = at,
                                            .results = i * (uint32_t)sizeof m->results[0][0],
                                            .poke = poke,
                                            .instance = i };

            memcpy(layout.place, m->place[i], sizeof layout.place);
            m->code[thread][i] = at;
            at += (uint32_t)litmus_code_thread(image + at, shape->program[thread], fence, &layout,
                                               draw_spacing(random), random);
        }
    }
    return at;
}

bool litmus_memory_fill(struct litmus_memory *m, const struct litmus_shape *shape,
                        const struct litmus_fence *fence, void (*poke)(unsigned instance),
                        struct prng *random)
{
    uint32_t end = generate(m, shape, fence, poke, random);

    if (litmus_does(shape, LITMUS_POKE) && !write_functions())
        return false;
    if (text_poke_copy(home + THREADS_OFFSET, image + THREADS_OFFSET, end - THREADS_OFFSET) !=
        POKE_OK)
        return false;
    smp_text_poke_sync_each_cpu();
    return true;
}

litmus_code litmus_memory_code(const struct litmus_memory *m, unsigned thread, unsigned instance)
{
    return (litmus_code)(uintptr_t)(m->text + m->code[thread][instance]);
}

uint32_t litmus_memory_call(const struct litmus_memory *m, unsigned instance,
                            enum litmus_place place)
{
    uint8_t *entry = m->text + m->place[instance][place] + LITMUS_ENTRY;

    return ((uint32_t(*)(void))(uintptr_t)entry)();
}

const char *litmus_memory_lacking(const struct litmus_shape *shape, enum litmus_mapping mapping)
{
    if (mapping == LITMUS_ALIAS)
        return BARE && litmus_writers(shape) > 1 ? "two cores would write text at once, and on "
                                                   "bare metal only one has it writable"
                                                 : NULL;
    if (BARE)
        return "no page is writable and executable (W^X)";
    struct litmus_memory *m = litmus_memory_get();
    if (!m || !litmus_memory_same_open(m))
        return "the system forbids pages that are writable and executable";
    litmus_memory_same_close(m);
    return NULL;
}

bool litmus_memory_same_open(struct litmus_memory *m)
{
    uint8_t *mapping = mm_writable_text_open((uintptr_t)home, TEXT_PAGES);

    if (mapping)
        m->text = m->view = mapping;
    return mapping != NULL;
}

void litmus_memory_same_close(struct litmus_memory *m)
{
    mm_writable_text_close(m->text, TEXT_PAGES);
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
