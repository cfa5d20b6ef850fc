/* SPDX-License-Identifier: MIT */
#include "tests/lib/staleness.h"

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "poke/poke.h"
#include "smp/smp.h"

#define LENGTH_NS  30000000ull
#define LONGEST_NS 1000000000ull /* on a slow machine, for so many patches: */
#define LEAST      100
#define EACH_PAUSE 16 /* executions; an emulator that takes turns needs the pause */

/*
 * `number` is the writer's: stored (release) when its lowest byte has been patched in and all cores
 * have synchronised. The reader acquires it before and after it executes. The counts are the
 * reader's until its work has ended.
 */
static struct {
    uint32_t (*function)(void); /* mov eax, number % 256; ret */
    uint32_t number, stop;
    uint64_t executions, stale;
} site;

static void execute(__attribute__((unused)) void *arg)
{
    while (!load_acquire(&site.stop)) {
        uint32_t least = load_acquire(&site.number); /* pairs with staleness_measure() */
        uint8_t newer = (uint8_t)(site.function() - least);
        uint32_t most = load_acquire(&site.number) + 1; /* it may have been patched in already */

        site.stale += newer > most - least;
        if (++site.executions % EACH_PAUSE == 0)
            cpu_relax();
    }
}

/* A fault comes of what was there before the function: INT3. */
static void execute_guarded(__attribute__((unused)) void *arg)
{
    struct trap_caught caught;

    while (!trap_try(execute, NULL, &caught))
        site.stale++;
}

bool staleness_measure(struct staleness *out)
{
    static const uint8_t code[] = { 0xb8, 0, 0, 0, 0, RET_INSN_OPCODE };
    uint8_t *text = (uint8_t *)mm_text_alloc(1);
    int other = smp_next_online((int)cpu_index());
    uint64_t begin = rdtsc();
    bool refused = false;

    memset(&site, 0, sizeof site);
    *out = (struct staleness){ 0 };
    if (!text || other < 0 || text_poke_copy(text + 3, code, sizeof code) != POKE_OK)
        return false;
    site.function = (uint32_t(*)(void))(uintptr_t)(text + 3);
    if (!smp_start_work((unsigned)other, execute_guarded, NULL))
        return false;
    while (rdtsc() - begin < time_ns_to_ticks(out->patches < LEAST ? LONGEST_NS : LENGTH_NS)) {
        uint32_t next = (uint32_t)out->patches + 1;
        uint8_t byte = (uint8_t)next; /* one byte does not tear */

        text_mutex_lock();
        refused = text_poke(text + 4, &byte, sizeof byte) != POKE_OK;
        smp_text_poke_sync_each_cpu();
        text_mutex_unlock();
        if (refused)
            break;
        out->patches = next;
        store_release(&site.number, next); /* pairs with execute() */
        cpu_relax();
    }
    store_release(&site.stop, 1); /* pairs with execute() */
    smp_wait_work((unsigned)other);
    out->executions = site.executions;
    out->stale = site.stale;
    return !refused;
}
