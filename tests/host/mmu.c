/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tests/host/mmu.h"

#include "tests/host/host_test.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define PRESENT    (1ull << 0)
#define WRITABLE   (1ull << 1)
#define GLOBAL     (1ull << 8)
#define FRAME      0x000ffffffffff000ull
#define PCID_MASK  0xfffull
#define DR7_FIXED  (1ull << 10) /* reads as 1 */
#define RFLAGS_ONE (1ull << 1)  /* likewise */
#define USER_SLOTS 256          /* of a root: the lower half */

struct mmu_core mmu_cores[MMU_CORES];
unsigned mmu_core;

static int memory_file = -1;
static uint8_t *memory;
static size_t frames_used;

static uint64_t watched;
static size_t watched_bytes;
static sigjmp_buf *fault; /* where an access that faults continues */

void mmu_reset(void)
{
    if (memory_file < 0) {
        memory_file = memfd_create("memory", 0);
        assert_true(memory_file >= 0);
        assert_int_equal(ftruncate(memory_file, MMU_FRAMES * MMU_PAGE), 0);
        memory =
            mmap(NULL, MMU_FRAMES * MMU_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory_file, 0);
        assert_true(memory != MAP_FAILED);
    }
    memset(memory, 0, frames_used * MMU_PAGE);
    frames_used = 0;
    mmu_core = 0;
    for (unsigned i = 0; i < MMU_CORES; i++)
        mmu_cores[i] =
            (struct mmu_core){ .cr4 = MMU_CR4_PGE, .dr7 = DR7_FIXED, .interrupts = true };
}

uint64_t mmu_frame(void)
{
    assert_true(frames_used < MMU_FRAMES);
    return (uint64_t)(memory + frames_used++ * MMU_PAGE);
}

uint16_t mmu_pcid(const struct mmu_core *core)
{
    return core->cr4 & MMU_CR4_PCIDE ? core->cr3 & PCID_MASK : 0;
}

/* ---- walks ---- */

static bool is_memory(uint64_t entry)
{
    return (entry & FRAME) - (uint64_t)memory < frames_used * MMU_PAGE;
}

static const uint64_t *table_of(uint64_t entry)
{
    if (!is_memory(entry))
        fail_msg("a table at 0x%llx, where there is no memory", entry & FRAME);
    return (const uint64_t *)(entry & FRAME);
}

/* Cache all that the table at `entry` and those below it map, from linear address `virt` on. */
static void walk_all(struct mmu_core *core, uint64_t entry, unsigned slots, unsigned level,
                     uint64_t virt)
{
    for (unsigned i = 0; i < slots; i++) {
        uint64_t e = __atomic_load_n(&table_of(entry)[i], __ATOMIC_RELAXED);
        uint64_t at = virt + ((uint64_t)i << (12 + 9 * level));

        if (!(e & PRESENT))
            continue;
        if (!(entry & WRITABLE))
            e &= ~WRITABLE;
        if (level) {
            walk_all(core, e, 512, level - 1, at);
            continue;
        }
        tlb_add(&core->tlb,
                (struct translation){ .page = at / MMU_PAGE,
                                      .leaf = e,
                                      .pcid = mmu_pcid(core),
                                      .global = e & GLOBAL && core->cr4 & MMU_CR4_PGE });
    }
}

void mmu_speculate(void)
{
    for (struct mmu_core *core = mmu_cores; core < mmu_cores + MMU_CORES; core++)
        if (core->cr3 & FRAME)
            walk_all(core, (core->cr3 & FRAME) | WRITABLE, USER_SLOTS, 3, 0);
}

/* What the tables say now; 0: nothing. The rights above the leaf are in the cached ones. */
static uint64_t leaf_now(const struct mmu_core *core, uint64_t virt)
{
    uint64_t entry = core->cr3 | PRESENT;

    for (int level = 3; level >= 0 && entry & PRESENT; level--)
        entry = table_of(entry)[virt >> (12 + 9 * level) & 511];
    return entry & PRESENT ? entry : 0;
}

/* The leaf that an access uses, preferring one that is not what the tables say; 0: a fault. */
static uint64_t leaf_used(const struct mmu_core *core, uint64_t virt)
{
    const struct translation *t = NULL, *used = NULL;

    mmu_speculate(); /* so what the tables say is among them */
    while ((t = tlb_next(&core->tlb, virt / MMU_PAGE, mmu_pcid(core), t)))
        if (!used || t->leaf != leaf_now(core, virt))
            used = t;
    return used ? used->leaf : 0;
}

/* ---- accesses ---- */

/* No page of the watched range is mapped: the next access asks the MMU again. */
static void conceal(void)
{
    if (watched_bytes)
        assert_true(mmap((void *)watched, watched_bytes, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
                         0) != MAP_FAILED);
}

static void on_access(int number, siginfo_t *info, void *context)
{
    uint64_t virt = (uint64_t)info->si_addr & ~(MMU_PAGE - 1);
    bool writes = ((ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2;

    if (virt < watched || virt - watched >= watched_bytes) {
        signal(number, SIG_DFL); /* not ours: let it come again */
        return;
    }
    uint64_t leaf = leaf_used(&mmu_cores[mmu_core], virt);

    if (!leaf || !is_memory(leaf) || (writes && !(leaf & WRITABLE))) {
        assert_non_null(fault);
        siglongjmp(*fault, 1);
    }
    int rights = leaf & WRITABLE ? PROT_READ | PROT_WRITE : PROT_READ;
    off_t offset = (off_t)((leaf & FRAME) - (uint64_t)memory);

    if (mmap((void *)virt, MMU_PAGE, rights, MAP_SHARED | MAP_FIXED, memory_file, offset) ==
        MAP_FAILED)
        abort();
}

bool mmu_watch(uint64_t base, size_t bytes)
{
    struct sigaction action = { .sa_sigaction = on_access, .sa_flags = SA_SIGINFO | SA_NODEFER };
    void *got = (void *)watched;

    if (base != watched) {
        got = mmap((void *)base, bytes, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (got == MAP_FAILED)
            return false;
        if (watched)
            munmap((void *)watched, watched_bytes);
    }
    watched = (uint64_t)got;
    watched_bytes = bytes;
    sigaction(SIGSEGV, &action, NULL);
    return true;
}

bool mmu_try(void (*fn)(void *arg), void *arg)
{
    volatile bool whole = false;
    sigjmp_buf here;

    conceal();
    fault = &here;
    if (!sigsetjmp(here, 1)) {
        fn(arg);
        whole = true;
    }
    fault = NULL;
    conceal();
    return whole;
}

/* ---- instructions ---- */

static struct mmu_core *step(void)
{
    mmu_speculate();
    return &mmu_cores[mmu_core];
}

uint64_t mmu_read_cr3(void)
{
    return step()->cr3;
}

void mmu_write_cr3(uint64_t value)
{
    struct mmu_core *core = step();

    if (value & MMU_CR3_KEEP && !(core->cr4 & MMU_CR4_PCIDE))
        fail_msg("#GP: bit 63 of CR3 without PCIDs");
    core->cr3 = value & ~MMU_CR3_KEEP;
    core->root_loads++;
    if (!(value & MMU_CR3_KEEP))
        tlb_drop_pcid(&core->tlb, mmu_pcid(core));
    mmu_speculate();
}

uint64_t mmu_read_cr4(void)
{
    return step()->cr4;
}

void mmu_write_cr4(uint64_t value)
{
    struct mmu_core *core = step();
    uint64_t changed = value ^ core->cr4;

    if (changed & value & MMU_CR4_PCIDE && core->cr3 & PCID_MASK)
        fail_msg("#GP: PCIDs on while CR3 names one");
    core->cr4 = value;
    if (changed & MMU_CR4_PGE || changed & ~value & MMU_CR4_PCIDE)
        tlb_drop_all(&core->tlb);
    mmu_speculate();
}

uint64_t mmu_read_dr7(void)
{
    return step()->dr7;
}

void mmu_write_dr7(uint64_t value)
{
    step()->dr7 = value | DR7_FIXED;
}

void mmu_invlpg(uint64_t virt)
{
    struct mmu_core *core = step();

    core->invalidations++;
    tlb_drop_page(&core->tlb, virt / MMU_PAGE, mmu_pcid(core));
    mmu_speculate();
}

uint64_t mmu_irq_save(void)
{
    struct mmu_core *core = step();
    uint64_t flags = RFLAGS_ONE | (core->interrupts ? MMU_RFLAGS_IF : 0);

    core->interrupts = false;
    return flags;
}

void mmu_irq_restore(uint64_t flags)
{
    if (flags & MMU_RFLAGS_IF)
        step()->interrupts = true;
}
