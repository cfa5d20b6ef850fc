/* SPDX-License-Identifier: MIT */
/*
 * Start all cores in parallel: INIT to every one, one wait of 10 ms, the start-up IPI to every one,
 * and a second one to those that are not there after 200 ms (SDM vol 3A, "MP Initialization
 * Protocol"; a core that runs ignores it). The state of a core goes from STARTING to IDLE by the
 * core itself or to FAILED by the boot core, decided by compare-exchange.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "boot/boot_info.h"
#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "smp/apic.h"

#define STACK_BYTES    (8 * PAGE_SIZE)
#define INIT_WAIT_US   10000
#define SECOND_SIPI_US 200000
/* From the start-up IPI, or from the last core that came: on a busy host one can need a second. */
#define LIMIT_US 2000000

static bool is_starting(const struct percpu *cpu)
{
    return load_acquire(&cpu->state) == CPU_STARTING;
}

/* Memory for every other core; one that gets none has failed. Returns how many got it. */
static unsigned prepare(uint64_t *stacks)
{
    unsigned count = 0;

    for (unsigned i = 1; i < smp_possible(); i++) {
        struct percpu *cpu = percpu(i);
        uint64_t stack = mm_stack_alloc(STACK_BYTES);

        if (stack && cpu_tables_build(&cpu->tables, &cpu->local)) {
            stacks[count++] = stack;
            store_release(&cpu->state, CPU_STARTING);
        } else {
            store_release(&cpu->state, CPU_FAILED);
        }
    }
    return count;
}

static unsigned send_to_starting(uint32_t command)
{
    unsigned count = 0;

    for (unsigned i = 1; i < smp_possible(); i++) {
        if (is_starting(percpu(i))) {
            apic_send(percpu(i)->apic_id, command);
            count++;
        }
    }
    return count;
}

static unsigned count_starting(void)
{
    unsigned count = 0;

    for (unsigned i = 1; i < smp_possible(); i++)
        count += is_starting(percpu(i));
    return count;
}

/* Wait until all have come, or none has for `us`. Returns how many are missing. */
static unsigned wait_for_arrivals(unsigned missing, uint64_t us)
{
    uint64_t limit = time_ns_to_ticks(us * 1000), last = rdtsc();

    while (missing != 0 && rdtsc() - last < limit) {
        unsigned now = count_starting();

        if (now != missing)
            last = rdtsc();
        missing = now;
        cpu_relax();
    }
    return missing;
}

/*
 * Give up on those that are still missing. INIT sends each back to where it waits for a start-up
 * IPI, so that it cannot arrive later in pages that are gone.
 */
static void give_up(void)
{
    for (unsigned i = 1; i < smp_possible(); i++) {
        struct percpu *cpu = percpu(i);
        uint32_t starting = CPU_STARTING;

        if (!compare_exchange(&cpu->state, &starting, CPU_FAILED))
            continue;
        apic_send(cpu->apic_id, APIC_INIT);
    }
}

static void start(uint64_t low_phys)
{
    uint32_t startup = APIC_STARTUP | (uint32_t)(low_phys / PAGE_SIZE);

    send_to_starting(APIC_INIT);
    time_delay_us(INIT_WAIT_US);
    unsigned missing = send_to_starting(startup);
    missing = wait_for_arrivals(missing, SECOND_SIPI_US);
    if (missing != 0) {
        send_to_starting(startup);
        wait_for_arrivals(missing, LIMIT_US);
        give_up();
    }
}

/* False if there is no memory for it: then no core was touched. */
static bool start_others(uint64_t low_phys)
{
    size_t pages = (smp_possible() * sizeof(uint64_t) + PAGE_SIZE - 1) / PAGE_SIZE;
    uint64_t *stacks = pages_alloc_virt(pages);
    unsigned count = stacks ? prepare(stacks) : 0;

    if (count == 0 || !trampoline_install(low_phys, ap_registers_capture(), stacks, count))
        return false;
    struct mm_audit audit;
    if (!mm_audit(&audit)) /* the trampoline is executable now, and must not be writable */
        panic(NULL, "W^X is violated while cores start");
    start(low_phys);
    trampoline_remove(low_phys);
    return true;
}

unsigned smp_start_all(const struct boot_info *info)
{
    const char *note = smp_topology()->note;

    if (smp_possible() > 1 && (!info->low_phys || !start_others(info->low_phys)))
        note = "no memory to start the other cores";
    tsc_offset_measure();

    unsigned failed = smp_possible() - smp_online();
    topology_set_failed(failed, note);
    return failed;
}
