/* SPDX-License-Identifier: MIT */
/*
 * Shared words. What each function has is written and read under text_mutex; the addresses are
 * constant after ftrace_init(). A core's line is its own, in all its contexts: a context that
 * interrupts another has a greater depth, changes its own bit of `inside`, and has it back as it
 * was before it returns; so no change of the word is lost.
 */
#include "poke/users/ftrace.h"

#include "kernel/lib/glob.h"
#include "kernel/lib/string.h"
#include "kernel/lib/symbols.h"
#include "poke/core_local.h"
#include "poke/lock.h"

/* The linker set. */
extern uintptr_t mcount_loc_start[], mcount_loc_end[];

/* Its parts that a callback runs in, by depth of traps. */
struct ftrace_core {
    uint32_t inside;
    uint64_t recursions;
} __attribute__((aligned(CACHE_LINE)));

static struct ftrace_core *cores;
static struct tracer *tracers[FTRACE_FUNCTIONS_MAX]; /* of each function; NULL: none */

/* ---- what a traced function calls (ftrace_entry.asm) ---- */

void ftrace_dispatch(uintptr_t ip, uintptr_t parent_ip, struct tracer *tracer);

void ftrace_dispatch(uintptr_t ip, uintptr_t parent_ip, struct tracer *tracer)
{
    struct ftrace_core *core = &cores[machine_this_core()];
    uint32_t bit = 1u << machine_trap_depth() % 32;

    if (core->inside & bit) {
        core_local_inc(&core->recursions);
        return;
    }
    store_relaxed(&core->inside, core->inside | bit);
    compiler_barrier(); /* for this core alone: before anything that the callback calls */
    tracer->callback(ip, parent_ip, tracer);
    compiler_barrier();
    store_relaxed(&core->inside, core->inside & ~bit);
}

uint64_t ftrace_recursions(void)
{
    uint64_t sum = 0;

    for (unsigned core = 0; core < machine_cores(); core++)
        sum += load_relaxed(&cores[core].recursions);
    return sum;
}

/* ---- the functions ---- */

uint32_t ftrace_functions(void)
{
    return (uint32_t)(mcount_loc_end - mcount_loc_start);
}

uintptr_t ftrace_function(uint32_t i)
{
    return mcount_loc_start[i];
}

bool ftrace_is_function(const void *addr)
{
    for (uint32_t i = 0; i < ftrace_functions(); i++)
        if (ftrace_function(i) == (uintptr_t)addr)
            return true;
    return false;
}

bool ftrace_text_reserved(uintptr_t start, size_t len)
{
    for (uint32_t i = 0; i < ftrace_functions(); i++)
        if (ftrace_function(i) < start + len && start < ftrace_function(i) + sizeof(poke_nop5))
            return true;
    return false;
}

uint32_t ftrace_functions_of(const struct tracer *tracer)
{
    uint32_t n = 0;

    text_mutex_lock();
    for (uint32_t i = 0; i < ftrace_functions(); i++)
        n += tracers[i] == tracer;
    text_mutex_unlock();
    return n;
}

/* Insertion sort: the linker leaves all but the unlikely functions in order. */
static void sort(uintptr_t *table, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uintptr_t moved = table[i];
        size_t at = i;

        for (; at > 0 && table[at - 1] > moved; at--)
            table[at] = table[at - 1];
        table[at] = moved;
    }
}

size_t ftrace_bytes(void)
{
    return machine_cores() * sizeof(struct ftrace_core);
}

enum poke_error ftrace_init(void *memory)
{
    uint32_t n = ftrace_functions();

    if (n > FTRACE_FUNCTIONS_MAX)
        return POKE_E_LENGTH;
    sort(mcount_loc_start, n);
    for (uint32_t i = 0; i < n; i++) {
        if (memcmp((const void *)ftrace_function(i), poke_nop5, sizeof(poke_nop5)))
            return POKE_E_EXPECTED;
    }
    cores = memory;
    return POKE_OK;
}

/* ---- patching ---- */

/* Which functions: all that are as each member says that is not NULL. */
struct selection {
    const char *pattern;
    const void *function;
    const struct tracer *old;
};

static bool selects(const struct selection *s, uint32_t i)
{
    uintptr_t ip = ftrace_function(i);
    uint64_t offset;

    if (s->function && (uintptr_t)s->function != ip)
        return false;
    if (s->old && s->old != tracers[i])
        return false;
    if (!s->pattern || !strcmp(s->pattern, "*"))
        return true; /* without looking up a name */

    const char *name = symbol_lookup(&kernel_symbols, ip, &offset);

    return name && !offset && glob_match(s->pattern, name);
}

/* What function `i` begins with while it has `tracer`. */
static enum poke_error image_of(uint32_t i, const struct tracer *tracer,
                                uint8_t image[static TEXT_POKE_MAX_OPCODE_SIZE])
{
    size_t len;

    if (tracer)
        return text_gen_insn(CALL_INSN_OPCODE, (const void *)ftrace_function(i),
                             (const void *)tracer->entry, image, &len);
    memcpy(image, poke_nop5, sizeof(poke_nop5));
    return POKE_OK;
}

/* Does the function begin with what was left there, and is there an image of `tracer`? */
static enum poke_error check(uint32_t i, const struct tracer *tracer)
{
    uint8_t image[TEXT_POKE_MAX_OPCODE_SIZE];

    if (image_of(i, tracers[i], image) ||
        memcmp((const void *)ftrace_function(i), image, CALL_INSN_SIZE))
        return POKE_E_EXPECTED;
    return image_of(i, tracer, image);
}

/* While its INT3 stands it is what it becomes: whoever meets it is traced by the new one. */
static enum poke_error add(uint32_t i, struct tracer *tracer)
{
    uint8_t image[TEXT_POKE_MAX_OPCODE_SIZE];

    image_of(i, tracer, image);

    enum poke_error e =
        smp_text_poke_batch_add((void *)ftrace_function(i), image, CALL_INSN_SIZE, NULL, NULL);

    if (!e)
        tracers[i] = tracer;
    return e;
}

/* Under text_mutex. */
static enum poke_error patch(const struct selection *s, struct tracer *tracer)
{
    uint32_t n = ftrace_functions(), selected = 0;
    enum poke_error e = POKE_OK;

    for (uint32_t i = 0; i < n && !e; i++) {
        if (!selects(s, i))
            continue;
        selected++;
        e = check(i, tracer);
    }
    if (!e && !selected && !s->old)
        e = POKE_E_ADDRESS;
    for (uint32_t i = 0; i < n && !e; i++)
        if (tracers[i] != tracer && selects(s, i))
            e = add(i, tracer);
    return e ? e : smp_text_poke_batch_finish();
}

static enum poke_error set(const struct selection *s, struct tracer *tracer)
{
    if (text_mutex_held())
        return POKE_E_LOCK;
    text_mutex_lock();
    enum poke_error e = patch(s, tracer);
    text_mutex_unlock();
    return e;
}

enum poke_error ftrace_set_filter(const char *pattern, struct tracer *tracer)
{
    return set(&(struct selection){ .pattern = pattern }, tracer);
}

enum poke_error ftrace_set_function(const void *function, struct tracer *tracer)
{
    return function ? set(&(struct selection){ .function = function }, tracer) : POKE_E_ADDRESS;
}

enum poke_error ftrace_replace(struct tracer *old, struct tracer *tracer)
{
    return old ? set(&(struct selection){ .old = old }, tracer) : POKE_E_ADDRESS;
}
