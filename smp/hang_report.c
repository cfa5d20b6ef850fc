/* SPDX-License-Identifier: MIT */
/*
 * What a hang looks like: which cores are silent, and where every core was when it was stopped.
 * All other cores stand still; what they wrote is ordered by their stop records (stop.c).
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/console/console.h"
#include "kernel/console/last_words.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/time/time.h"

#define FULL_REPORTS 16 /* cores that are printed beside the silent ones */

static unsigned long long to_ms(uint64_t ticks)
{
    return time_ticks_to_ns(ticks) / 1000000;
}

/* Ticks from a core's last timer interrupt to `now`; 0 if it came after that. */
static uint64_t since_tick(const struct percpu *cpu, uint64_t now)
{
    int64_t since = (int64_t)(now - (cpu->heartbeat_time - (uint64_t)cpu->tsc_offset));

    return since > 0 ? (uint64_t)since : 0;
}

/* Why a core counts as silent, or NULL. */
static const char *silence(const struct percpu *cpu, const struct hang *hang)
{
    uint64_t round;

    if (!load_acquire(&cpu->stop.stopped)) /* pairs with the release in stop_record_fill() */
        return "dead: it does not answer an NMI";
    if (smp_sync_silent(&round) >= 0 && load_relaxed(&cpu->asked[IPI_SYNC]) == round &&
        load_acquire(&cpu->sync_ack) < round)
        return "silent: it has not acknowledged the core sync";
    if (cpu->heartbeat_time != 0 && since_tick(cpu, hang->found) > hang->limit / 2)
        return "silent: no timer interrupt";
    return NULL;
}

/* Append core `i` to a list with commas; what does not fit is left out as "...". */
static void list_add(char *list, size_t size, unsigned i)
{
    size_t used = strlen(list);

    if (used + 16 < size)
        fmt_print(list + used, size - used, "%s%u", used ? "," : "", i);
    else if (strcmp(list + used - 3, "...") != 0)
        fmt_print(list + used, size - used, ",...");
}

static void print_core(const struct percpu *cpu, const char *why, uint64_t now)
{
    const char *interrupts = !cpu->stop.stopped        ? "unknown"
                             : cpu->stop.interrupts_on ? "on"
                                                       : "off";

    con_printf("# core %u (APIC id %u): %s, interrupts %s, phase %s, ", cpu->local.index,
               cpu->apic_id, cpu_state_name(cpu->state), interrupts,
               cpu->phase ? cpu->phase : "none");
    if (cpu->heartbeat_time != 0)
        con_printf("last tick %llu ms ago", to_ms(since_tick(cpu, now)));
    else
        con_printf("timer off");
    con_printf("%s%s\n", why ? ", " : "", why ? why : "");
    backtrace_print(cpu->stop.trace, cpu->stop.frames);
}

void hang_print(const struct hang *hang, char *silent, size_t size)
{
    uint64_t round;
    unsigned answering = 0;

    last_words_begin("Crossmod: HANG. The machine has been stopped.");
    con_printf("\n# HANG stage %s: no end after %llu ms, found by core %u\n", hang->stage,
               to_ms(hang->limit), cpu_index());
    int first = smp_sync_silent(&round);
    if (first >= 0)
        con_printf("# sync round %llu waits for core %d\n", (unsigned long long)round, first);

    silent[0] = '\0';
    for (unsigned i = 0; i < smp_possible(); i++) {
        const struct percpu *cpu = percpu(i);
        const char *why = silence(cpu, hang);

        if (!percpu_is_running(i))
            continue;
        if (why)
            list_add(silent, size, i);
        if (why || answering++ < FULL_REPORTS)
            print_core(cpu, why, hang->found);
    }
    if (answering > FULL_REPORTS)
        con_printf("# and %u cores more, which answer\n", answering - FULL_REPORTS);
    con_printf("# silent cores: %s\n", silent[0] ? silent : "none");
}
