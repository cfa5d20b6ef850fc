/* SPDX-License-Identifier: MIT */
/*
 * Patchable text: pages of a memory file, mapped readable and executable. text_poke writes the
 * file, not the mapping.
 *
 * What W^X means here: no mapping of text in this process is ever writable (but the alias that a
 * cell of tests/errata/ asks for, while it runs). The kernel writes the page that the mapping
 * shows, through its own mapping, for one pwrite(2). That costs the other threads nothing: no page
 * table changes, so none is interrupted for a flush, as each mmap or mprotect per write would do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hosted/hosted.h"
#include "kernel/cpu/regs.h"
#include "kernel/mm/mm.h"
#include "poke/machine.h"

#define POOL_PAGES 4096u
#define POOL_BYTES (POOL_PAGES * (size_t)PAGE_SIZE)
/* Unmapped on either side: a displacement that is torn on purpose must not reach other code. */
#define GUARD_BYTES ((size_t)32 << 20)

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3: executable whatever vm.memfd_noexec=1 says */
#endif

static int file = -1;
static uint8_t *pool;           /* addresses, mapped page by page as they are allocated */
static uint32_t of[POOL_PAGES]; /* page of the file that each page of the pool shows */
static unsigned used;           /* pages */

static int open_file(void)
{
    int fd = memfd_create("crossmod text", MFD_CLOEXEC | MFD_EXEC);

    return fd >= 0 || errno != EINVAL ? fd : memfd_create("crossmod text", MFD_CLOEXEC);
}

bool text_init(char *error, size_t size)
{
    file = open_file();
    if (file < 0 || ftruncate(file, (off_t)POOL_BYTES) != 0) {
        snprintf(error, size,
                 "no memory file for text: %s; vm.memfd_noexec, a security module or a limit "
                 "(ulimit -f, ulimit -v) forbids it",
                 strerror(errno));
        return false;
    }
    pool = mmap(NULL, POOL_BYTES + 2 * GUARD_BYTES, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pool == MAP_FAILED) {
        snprintf(error, size, "no address space for text: %s", strerror(errno));
        return false;
    }
    pool += GUARD_BYTES;
    if (!mm_text_alloc(1)) {
        snprintf(error, size,
                 "a memory file cannot be executed: %s; vm.memfd_noexec or a security module "
                 "forbids it",
                 strerror(errno));
        return false;
    }
    return true;
}

/* Consecutive pages are not consecutive in the file, as on bare metal they are not in memory. */
uint64_t mm_text_alloc(size_t pages)
{
    static uint8_t int3[PAGE_SIZE];
    uint8_t *at = pool + used * PAGE_SIZE;

    if (pages == 0 || pages > POOL_PAGES - used)
        return 0;
    memset(int3, 0xcc, sizeof int3);
    for (unsigned i = 0; i < pages; i++) {
        uint32_t page = used + (uint32_t)pages - 1 - i;
        off_t offset = (off_t)(page * PAGE_SIZE);

        if (pwrite(file, int3, sizeof int3, offset) != (ssize_t)sizeof int3 ||
            mmap(at + i * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, file,
                 offset) == MAP_FAILED)
            return 0;
        of[used + i] = page;
    }
    used += (unsigned)pages;
    return (uint64_t)(uintptr_t)at;
}

uint64_t mm_translate(uint64_t virt)
{
    size_t page = (virt - (uintptr_t)pool) / PAGE_SIZE;

    return machine_is_patchable(virt, 1) ? of[page] * PAGE_SIZE + virt % PAGE_SIZE : UINT64_MAX;
}

bool machine_is_patchable(uintptr_t addr, size_t len)
{
    uintptr_t begin = (uintptr_t)pool, end = begin + used * PAGE_SIZE;

    return addr >= begin && addr < end && len <= end - addr;
}

/* ---- the window ---- */

static uintptr_t shown[MACHINE_WINDOW_PAGES];

bool machine_window_open(struct machine_window *w, const uintptr_t *pages, unsigned n)
{
    if (n == 0 || n > MACHINE_WINDOW_PAGES)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (!machine_is_patchable(pages[i], PAGE_SIZE))
            return false;
        shown[i] = pages[i];
    }
    w->view = NULL; /* there is no mapping */
    w->pages = n;
    w->saved[0] = irq_save();
    return true;
}

void machine_window_store(struct machine_window *w, size_t offset, const uint8_t *bytes, size_t len)
{
    (void)w;
    while (len) {
        size_t in_page = offset % PAGE_SIZE, room = PAGE_SIZE - in_page,
               n = len < room ? len : room;
        size_t page = (shown[offset / PAGE_SIZE] - (uintptr_t)pool) / PAGE_SIZE;

        /* What cannot be written (a full memory group) is found by the engine's read-back. */
        if (pwrite(file, bytes, n, (off_t)(of[page] * PAGE_SIZE + in_page)) != (ssize_t)n)
            return;
        offset += n;
        bytes += n;
        len -= n;
    }
}

void machine_window_close(struct machine_window *w)
{
    irq_restore(w->saved[0]);
}

/* ---- aliases, for the cells that choose their own store ---- */

/*
 * Kept until another is asked for: a change of the address space would interrupt every thread, and
 * serialise it.
 */
static struct {
    uint64_t text;
    size_t pages;
    uint8_t *view;
} alias;

static uint8_t *map_alias(uint64_t text, size_t pages)
{
    size_t first = (text - (uintptr_t)pool) / PAGE_SIZE;
    uint8_t *at = mmap(NULL, pages * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (size_t i = 0; at != MAP_FAILED && i < pages; i++) {
        if (mmap(at + i * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_FIXED | MAP_POPULATE, file,
                 (off_t)(of[first + i] * PAGE_SIZE)) == MAP_FAILED)
            return NULL;
    }
    return at == MAP_FAILED ? NULL : at;
}

void *mm_alias_open(uint64_t text, size_t pages)
{
    if (alias.view && alias.text == text && alias.pages == pages)
        return alias.view;
    if (!machine_is_patchable(text, pages * PAGE_SIZE))
        return NULL;
    if (alias.view)
        munmap(alias.view, alias.pages * PAGE_SIZE);
    alias.view = map_alias(text, pages);
    alias.text = text;
    alias.pages = pages;
    return alias.view;
}

void mm_alias_close(__attribute__((unused)) void *view, __attribute__((unused)) size_t pages)
{
}

/* ---- memory ---- */

void *pages_alloc_virt(size_t n)
{
    void *at = mmap(NULL, n * PAGE_SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

const char *mm_window_mode_name(void)
{
    return "off";
}

unsigned mm_paging_levels(void)
{
    return 0;
}
