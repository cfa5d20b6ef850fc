/* SPDX-License-Identifier: MIT */
/*
 * Which cores are online, by their states.
 *
 * Shared words: `state` is written by the boot core up to CPU_STARTING (and to CPU_FAILED by
 * compare-exchange) and by the core itself afterwards (but for smp_unpark()); whoever sees IDLE or
 * BUSY by acquire sees the block as its core set it up.
 */
#include "smp/internal.h"
#include "smp/smp.h"

#include "kernel/lib/atomic.h"

const char *cpu_state_name(enum cpu_state state)
{
    static const char *const names[] = {
        [CPU_PENDING] = "pending", [CPU_STARTING] = "starting", [CPU_IDLE] = "idle",
        [CPU_BUSY] = "busy",       [CPU_PARKED] = "parked",     [CPU_UNPARKED] = "unparked",
        [CPU_STOPPED] = "stopped", [CPU_FAILED] = "failed",
    };

    return names[state];
}

/*
 * Pairs with the compare-exchange to CPU_IDLE in ap_main() (in a process, the store in
 * thread_main()), and with smp_park().
 */
static uint32_t state_of(unsigned core)
{
    return load_acquire(&percpu(core)->state);
}

static bool is_online(uint32_t state)
{
    return state == CPU_IDLE || state == CPU_BUSY || state == CPU_UNPARKED;
}

bool smp_is_online(unsigned core)
{
    return is_online(state_of(core));
}

bool percpu_is_running(unsigned core)
{
    uint32_t state = state_of(core); /* one look: it may be on its way from parked to unparked */

    return is_online(state) || state == CPU_PARKED;
}

int smp_next_online(int core)
{
    unsigned possible = smp_possible();

    for (unsigned i = (unsigned)(core + 1); i < possible; i++) {
        if (smp_is_online(i))
            return (int)i;
    }
    return -1;
}

unsigned smp_online(void)
{
    unsigned count = 0;

    for_each_online_cpu (i)
        count++;
    return count;
}
