/* SPDX-License-Identifier: MIT */
/*
 * Where threads are, for the report of a panic or a hang: the RBP chain, each frame read by a
 * system call that fails where nothing is mapped. Another thread is stopped by a signal that
 * "interrupts off" does not hold back, and records itself.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/console/console.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/fmt.h"
#include "kernel/trap/backtrace.h"
#include "smp/smp.h"

#define SIGNAL_STOP (SIGRTMIN + 2)
#define PATIENCE_MS 200

struct frame {
    uint64_t rbp, ret;
};

static bool read_frame(uint64_t address, struct frame *frame)
{
    struct iovec here = { frame, sizeof *frame }, there = { (void *)address, sizeof *frame };

    return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)sizeof *frame;
}

unsigned backtrace_collect(uint64_t rip, uint64_t rbp, uint64_t out[static BACKTRACE_MAX])
{
    unsigned count = 0;
    uint64_t last = 0;
    struct frame frame;

    out[count++] = rip;
    while (count < BACKTRACE_MAX && rbp % 8 == 0 && rbp > last && read_frame(rbp, &frame) &&
           frame.ret) {
        out[count++] = frame.ret;
        last = rbp;
        rbp = frame.rbp;
    }
    return count;
}

/* No table of names is linked here: the runner asks addr2line. */
void backtrace_symbol(uint64_t address, char *out, size_t size)
{
    fmt_print(out, size, "0x%llx", (unsigned long long)address);
}

void backtrace_print(const uint64_t *addresses, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        con_printf("# BT 0x%016llx\n", (unsigned long long)addresses[i]);
}

static void on_stop(int signal, siginfo_t *info, void *context)
{
    const greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct stop_record *record = &this_cpu()->stop;

    (void)signal;
    (void)info;
    record->frames =
        backtrace_collect((uint64_t)gregs[REG_RIP], (uint64_t)gregs[REG_RBP], record->trace);
    store_release(&record->stopped, 1); /* pairs with stop_record_of() */
    for (;;)
        pause();
}

const struct stop_record *stop_record_of(unsigned core)
{
    const struct stop_record *record = &percpu(core)->stop;

    return load_acquire(&record->stopped) ? record : NULL; /* pairs with on_stop() */
}

static bool all_stopped(void)
{
    for_each_online_cpu (i)
        if (!stop_record_of((unsigned)i))
            return false;
    return true;
}

void stop_cores(void)
{
    for_each_online_cpu (i)
        syscall(SYS_tgkill, getpid(), hosted_core((unsigned)i)->tid, SIGNAL_STOP);
    for (unsigned ms = 0; ms < PATIENCE_MS && !all_stopped(); ms++)
        nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
}

void stop_init(void)
{
    struct sigaction action = { .sa_sigaction = on_stop, .sa_flags = SA_SIGINFO | SA_ONSTACK };

    sigaction(SIGNAL_STOP, &action, NULL);
}
