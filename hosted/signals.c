/* SPDX-License-Identifier: MIT */
/*
 * Traps of a process: a signal carries the processor's vector, error code and registers, and takes
 * the same way as on bare metal (kernel/trap/dispatch.c).
 *
 * Each thread has a signal stack, so that nothing is written below the interrupted stack pointer:
 * that is the gap that an emulated CALL needs. Signals nest: a #BP in a handler is delivered like
 * any other.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "poke/poke.h"

/* Linux's selectors of 64-bit user code and of its stack. */
#define USER_CS        0x33ull
#define USER_SS        0x2bull
#define ALTSTACK_BYTES (256 * 1024)

void trap_dispatch(struct trap_frame *frame);

static struct hosted_core *self(void)
{
    return (struct hosted_core *)this_cpu();
}

uint64_t read_cr2(void)
{
    return self()->cr2;
}

/* ---- registers ---- */

static const struct {
    uint8_t greg;
    uint8_t offset;
} registers[] = {
#define REG(reg, member)                                                                           \
    {                                                                                              \
        REG_##reg, offsetof(struct trap_frame, member)                                             \
    }
    REG(R15, r15), REG(R14, r14), REG(R13, r13), REG(R12, r12), REG(R11, r11), REG(R10, r10),
    REG(R9, r9),   REG(R8, r8),   REG(RBP, rbp), REG(RDI, rdi), REG(RSI, rsi), REG(RDX, rdx),
    REG(RCX, rcx), REG(RBX, rbx), REG(RAX, rax), REG(RIP, rip), REG(RSP, rsp), REG(EFL, rflags),
#undef REG
};
#define REGISTERS (sizeof registers / sizeof registers[0])

static uint64_t *word_of(struct trap_frame *frame, unsigned i)
{
    return (uint64_t *)((uint8_t *)frame + registers[i].offset);
}

static void on_trap(int signal, siginfo_t *info, void *context)
{
    greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct hosted_core *core = self();
    struct trap_frame frame = { .vector = (uint64_t)gregs[REG_TRAPNO],
                                .error = (uint64_t)gregs[REG_ERR] };

    (void)signal;
    (void)info;
    for (unsigned i = 0; i < REGISTERS; i++)
        *word_of(&frame, i) = (uint64_t)gregs[registers[i].greg];
    if (frame.vector == TRAP_PF)
        core->cr2 = (uint64_t)gregs[REG_CR2];
    core->cpu.local.trap_depth++;
    trap_dispatch(&frame);
    core->cpu.local.trap_depth--;
    for (unsigned i = 0; i < REGISTERS; i++)
        gregs[registers[i].greg] = (greg_t)*word_of(&frame, i);
    /* A torn far jump can leave 64-bit mode; whoever recovers is back in it. SS lies on top. */
    gregs[REG_CSGSFS] =
        (greg_t)(((uint64_t)gregs[REG_CSGSFS] & 0x0000ffffffff0000ull) | USER_SS << 48 | USER_CS);
}

/* ---- #BP ---- */

/*
 * A thread that goes back at once meets the same INT3 again, and is most of its time in the kernel,
 * where the patcher's next membarrier(2) takes longer to reach it: a tenth of a patch. So it stays
 * here a while. An INT3 that is still there after many times is held for some reason, and the
 * thread waits for it no more.
 */
#define STAY_NS    5000
#define STAYS_MOST 16

static void stay(struct hosted_core *core, const uint8_t *byte)
{
    uint64_t begin = rdtsc(), limit = time_ns_to_ticks(STAY_NS);

    uint64_t batches = load_relaxed(&poke_counters()->batches);

    if (core->stayed_at != byte || core->stayed_in != batches)
        core->stays = 0;
    core->stayed_at = byte;
    core->stayed_in = batches;
    core->stays++;
    if (core->stays > STAYS_MOST)
        return;
    while (rdtsc() - begin < limit) {
        if (load_acquire(byte) != INT3_INSN_OPCODE)
            return;
        cpu_relax();
    }
}

/*
 * On bare metal interrupts are off from the trap to the handler's end, so the sync that precedes
 * retire waits for it. Here a sync does not wait for this handler: a thread may have met the INT3
 * and come here only when the batch is over. Then the engine may not know the address any more, and
 * the text holds the new instruction: it is executed (H. P. Anvin named the case in 2010: a handler
 * has to recognise the previous site).
 *
 * Nor may the engine answer for a later batch than the one whose INT3 the byte was: that batch is
 * published before its INT3 is stored, so this thread would execute its instruction, and after it
 * the one before from memory. And if the byte is an INT3 before and after the engine said no, it
 * belongs to another owner, unless it was one of the engine's twice: of a batch that ended before
 * the engine was asked, and of one that began after. A batch's end is counted before another can
 * begin, so the same count around everything excludes both. Otherwise the engine's answer is thrown
 * away, and its count of it taken back; what an emulated CALL has pushed lies below the stack
 * pointer, where nothing is.
 */
static bool breakpoint(struct trap_frame *frame)
{
    const uint8_t *byte = (const uint8_t *)frame->rip - INT3_INSN_SIZE;
    struct poke_core *counts = &self()->cpu.poke;

    for (;;) {
        struct poke_regs regs = { .ip = frame->rip, .sp = frame->rsp, .flags = frame->rflags };
        uint64_t batches = load_acquire(&poke_counters()->batches);

        if (load_acquire(byte) != INT3_INSN_OPCODE) {
            frame->rip -= INT3_INSN_SIZE;
            return true;
        }
        bool ours = smp_text_poke_int3_handler(&regs);
        bool answered = ours || load_acquire(byte) == INT3_INSN_OPCODE;

        if (answered && load_acquire(&poke_counters()->batches) == batches) {
            frame->rip = regs.ip; /* unchanged if it is not ours */
            frame->rsp = regs.sp;
            if (ours)
                stay(self(), byte);
            return ours;
        }
        fetch_sub(ours ? &counts->int3_hits : &counts->int3_foreign, 1);
    }
}

/* ---- set-up ---- */

void signals_enter_core(struct hosted_core *core)
{
    stack_t stack = { .ss_size = ALTSTACK_BYTES };

    core->altstack = mmap(NULL, ALTSTACK_BYTES, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    stack.ss_sp = core->altstack;
    core->cpu.local.self = &core->cpu.local;
    /* x86-64 Linux keeps thread-local storage in FS; GS is free. */
    if (core->altstack == MAP_FAILED || sigaltstack(&stack, NULL) != 0 ||
        syscall(SYS_arch_prctl, ARCH_SET_GS, core) != 0)
        abort();
}

void signals_init(void)
{
    static const int traps[] = { SIGTRAP, SIGILL, SIGSEGV, SIGBUS, SIGFPE };
    struct sigaction action = { .sa_sigaction = on_trap,
                                .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

    for (unsigned i = 0; i < sizeof traps / sizeof traps[0]; i++)
        sigaction(traps[i], &action, NULL);
    trap_set_handler(TRAP_BP, breakpoint);
}
