/* SPDX-License-Identifier: MIT */
#include "tests/latency/measure.h"

#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/trap/trap.h"
#include "smp/smp.h"
#include "tests/harness/machine_record.h"
#include "tests/lib/figure.h"

/* Intel since Nehalem; what has none answers with a fault, as every processor does to a process. */
#define MSR_SMI_COUNT 0x34

bool cores_take_turns;
static bool sees_smis;

static void read_smi_count(__attribute__((unused)) void *arg)
{
    rdmsr(MSR_SMI_COUNT);
}

void measure_init(void)
{
    struct trap_caught caught;

    cores_take_turns = machine_is_emulated();
    sees_smis = trap_try(read_smi_count, NULL, &caught);
}

/* ---- what came between ---- */

struct disturbances disturbances_now(void)
{
    const struct percpu *cpu = this_cpu();

    return (struct disturbances){ .preemptions = smp_preemptions(),
                                  .smis = sees_smis ? rdmsr(MSR_SMI_COUNT) : 0,
                                  .nmis = load_relaxed(&cpu->nmi_count),
                                  .timers = load_relaxed(&cpu->heartbeat) };
}

enum cause disturbed_by(const struct disturbances *before)
{
    struct disturbances now = disturbances_now();

    if (now.preemptions != before->preemptions)
        return CAUSE_PREEMPTION;
    if (now.smis != before->smis)
        return CAUSE_SMI;
    if (now.nmis != before->nmis)
        return CAUSE_NMI;
    if (now.timers != before->timers)
        return CAUSE_TIMER;
    return CAUSE_UNKNOWN;
}

void measure_finish(struct measured *m, uint64_t end)
{
    m->sample.ticks = end - m->sample.begin;
    m->sample.core = cpu_index();
    m->sample.cause = disturbed_by(&m->before);
}

/* ---- the report ---- */

void measure_report_trust(struct test_run *t)
{
    struct trust trust = machine_trust();
    struct json *j = &t->data;

    json_object(j, "trust");
    json_array(j, "doubts");
    for (unsigned i = 0; trust.why_not[i]; i++)
        json_string(j, NULL, trust.why_not[i]);
    json_array_end(j);
    json_bool(j, "sees_smis", sees_smis);
    json_object_end(j);
}

void figure_of_spread(struct test_run *t, const char *name, const char *unit,
                      const struct spread *s)
{
    if (s->n)
        figure_sampled(t, name, unit, s->median, s->low, s->high, s->n);
}

void figure_of_series(struct test_run *t, const char *name, const struct series *s)
{
    struct spread spread = series_spread(s);

    figure_of_spread(t, name, "ns", &spread);
}

void figure_of_ratio(struct test_run *t, const char *name, const struct series *a,
                     const struct series *b, unsigned times)
{
    struct spread spread = series_ratio(a, b, times);

    figure_of_spread(t, name, "ratio", &spread);
}
