/* SPDX-License-Identifier: MIT */
/*
 * Start all cores in parallel: INIT to every one, one wait of 10 ms, the start-up IPI to every one,
 * and a second one to those that are not there after 200 ms (SDM vol 3A, "MP Initialization
 * Protocol"; a core that runs ignores it). The state of a core goes from STARTING to IDLE by the
 * core itself or to FAILED by the boot core, decided by compare-exchange.
 *
 * Between two slices of a run the machine is the firmware's, and all other cores are stopped
 * (shutdown.c). They come back by the same sequence on the same memory, not by an NMI into their
 * HLT: it needs no assumption about what the firmware, SMM or a platform's NMI has done to them
 * meanwhile, it has been seen to work on this machine, and INIT drops whatever the stop left behind
 * in the core and in its APIC. It costs 10 ms in each slice. INIT changes neither the TSC, nor what
 * is known of its offset.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "boot/boot_info.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "smp/apic.h"
#include "smp/watchdog.h"

#define STACK_BYTES    (8 * PAGE_SIZE)
#define INIT_WAIT_US   10000
#define SECOND_SIPI_US 200000
/* From the start-up IPI, or from the last core that came: on a busy host one can need a second. */
#define LIMIT_US 2000000

/* The boot core's; kept for the next slices. */
static uint64_t low_phys; /* 0: none */
static uint64_t *stacks;

static bool is_starting(const struct percpu *cpu)
{
    return load_acquire(&cpu->state) == CPU_STARTING;
}

/* Memory for every other core; one that gets none has failed. Returns how many got it. */
static unsigned prepare(void)
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

/*
 * The same memory again, for those that were stopped. Each was in the handler of the cross-call
 * that stopped it: that is undone as far as memory remembers it.
 */
static unsigned prepare_again(void)
{
    unsigned count = 0;

    for (unsigned i = 1; i < smp_possible(); i++) {
        struct percpu *cpu = percpu(i);

        if (cpu->state != CPU_STOPPED)
            continue;
        cpu->local.trap_depth = 0;
        cpu->local.recovery = NULL;
        cpu->call_ack = cpu->asked[IPI_CALL];
        cpu->work_done = cpu->work_seq; /* it was stopped in the middle: not again */
        store_release(&cpu->state, CPU_STARTING);
        count++;
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

static void start(void)
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

/* Start the `count` prepared cores. False if there is no memory for it: then none was touched. */
static bool start_prepared(unsigned count)
{
    if (count == 0 || !trampoline_install(low_phys, ap_registers_capture(), stacks, count))
        return false;
    struct mm_audit audit;
    if (!mm_audit(&audit)) /* the trampoline is executable now, and must not be writable */
        panic(NULL, "W^X is violated while cores start");
    start();
    trampoline_remove(low_phys);
    return true;
}

static bool start_others(void)
{
    size_t pages = (smp_possible() * sizeof(uint64_t) + PAGE_SIZE - 1) / PAGE_SIZE;

    if (low_phys)
        stacks = pages_alloc_virt(pages);
    return stacks && start_prepared(prepare());
}

unsigned smp_start_all(const struct boot_info *info)
{
    const char *note = smp_topology()->note;

    low_phys = info->low_phys;
    if (smp_possible() > 1 && !start_others())
        note = "no memory to start the other cores";
    tsc_offset_measure();

    unsigned failed = smp_possible() - smp_online();
    topology_set_failed(failed, note);
    return failed;
}

void smp_resume(void)
{
    unsigned stopped = prepare_again();

    apic_save(); /* the firmware may have changed them */
    apic_enable();
    irq_enable();
    watchdog_start_core();
    if (stopped != 0 && !start_prepared(stopped))
        give_up();
}
