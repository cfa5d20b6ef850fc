/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "hosted/bench/writers.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/lib/atomic.h"
#include "kernel/mm/mm.h"
#include "poke/machine.h"

static uint8_t *view;    /* writable, of the page */
static unsigned current; /* writer of the engine's window */

/* The linker gives these names to the window's store and to its callers (hosted.mk, --wrap). */
void __real_machine_window_store(struct machine_window *w, size_t offset, const uint8_t *bytes,
                                 size_t len);
void __wrap_machine_window_store(struct machine_window *w, size_t offset, const uint8_t *bytes,
                                 size_t len);

void __wrap_machine_window_store(struct machine_window *w, size_t offset, const uint8_t *bytes,
                                 size_t len)
{
    if (current == WRITER_PWRITE)
        __real_machine_window_store(w, offset, bytes, len);
    else
        writers[current].store(offset, bytes, len);
}

void writers_select(unsigned writer)
{
    current = writer;
}

/* ---- one system call, by the kernel's own mapping ---- */

static uintptr_t text_page;

static void store_pwrite(size_t offset, const uint8_t *bytes, size_t len)
{
    struct machine_window window;

    if (!machine_window_open(&window, &text_page, 1))
        return;
    __real_machine_window_store(&window, offset, bytes, len);
    machine_window_close(&window);
}

/* ---- a writable alias that stays ---- */

/* One instruction each where there is one, as a window on bare metal stores. */
static void store_bytes(uint8_t *to, const uint8_t *bytes, size_t len)
{
    uint32_t four;

    if (len == sizeof four) {
        memcpy(&four, bytes, sizeof four);
        __asm__ volatile("movl %1, %0" : "=m"(*to) : "r"(four) : "memory");
        return;
    }
    while (len--)
        store_relaxed(to++, *bytes++);
}

static void store_alias(size_t offset, const uint8_t *bytes, size_t len)
{
    store_bytes(view + offset, bytes, len);
}

/* ---- a writable alias for each store ---- */

static void store_map(size_t offset, const uint8_t *bytes, size_t len)
{
    /* Of size 0: the old mapping stays, and the same pages are mapped once more (mremap(2)). */
    uint8_t *at = mremap(view, 0, PAGE_SIZE, MREMAP_MAYMOVE);

    if (at == MAP_FAILED)
        return;
    store_bytes(at + offset, bytes, len);
    munmap(at, PAGE_SIZE);
}

/* ---- a process of its own, which alone has the writable alias ---- */

/* This process writes the rest, then `asked` (release); the other answers in `done` (release). */
static struct {
    uint32_t asked, done;
    size_t offset, len;
    uint8_t bytes[16];
} * box;
static pid_t writer_process;

static void futex(uint32_t *word, int operation, uint32_t value)
{
    syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static _Noreturn void serve(void)
{
    for (uint32_t served = 0;; served++) {
        while (load_acquire(&box->asked) == served) /* pairs with store_process() */
            futex(&box->asked, FUTEX_WAIT, served);
        store_bytes(view + box->offset, box->bytes, box->len);
        store_release(&box->done, served + 1); /* pairs with store_process() */
        futex(&box->done, FUTEX_WAKE, 1);
    }
}

static void store_process(size_t offset, const uint8_t *bytes, size_t len)
{
    uint32_t number = box->asked + 1;

    box->offset = offset;
    box->len = len;
    memcpy(box->bytes, bytes, len);
    store_release(&box->asked, number); /* pairs with serve() */
    futex(&box->asked, FUTEX_WAKE, 1);
    while (load_acquire(&box->done) != number) /* pairs with serve() */
        futex(&box->done, FUTEX_WAIT, number - 1);
}

static bool start_process(int processor)
{
    cpu_set_t set;

    box = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (box == MAP_FAILED)
        return false;
    writer_process = fork();
    if (writer_process)
        return writer_process > 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
    serve();
}

/* ---- set-up ---- */

bool writers_init(uint8_t *page, int processor)
{
    text_page = (uintptr_t)page;
    view = mm_alias_open(text_page, 1);
    return view && start_process(processor);
}

void writers_end(void)
{
    kill(writer_process, SIGKILL);
    waitpid(writer_process, NULL, 0);
}

const struct writer writers[WRITERS] = {
    [WRITER_PWRITE] = { "pwrite(2)", store_pwrite },
    [WRITER_ALIAS] = { "writable alias", store_alias },
    [WRITER_MAP] = { "alias per store", store_map },
    [WRITER_PROCESS] = { "writer process", store_process },
};
