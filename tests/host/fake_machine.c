/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tests/host/fake_machine.h"

#include "tests/host/host_test.h"

#include <sys/mman.h>
#include <unistd.h>

struct fake_machine fake;
uint8_t *fake_text;
_Thread_local unsigned fake_core;

static uint8_t *alias; /* the writable mapping of the text */
static uintptr_t shown[MACHINE_WINDOW_PAGES];
static struct poke_core cores[FAKE_CORES];
static struct poke_log logs[FAKE_CORES];
static struct poke_event *rings[FAKE_CORES];

static void map_text(void)
{
    int fd = memfd_create("text", 0);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, FAKE_TEXT_BYTES), 0);
    fake_text = mmap(NULL, FAKE_TEXT_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    alias = mmap(NULL, FAKE_TEXT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(fake_text != MAP_FAILED && alias != MAP_FAILED);
    close(fd);
}

void fake_reset(uint32_t log_entries)
{
    if (!fake_text)
        map_text();
    memset(alias, FAKE_FILL, FAKE_TEXT_BYTES);
    fake = (struct fake_machine){ .clock = 1000 };
    fake_core = 0;
    for (unsigned i = 0; i < FAKE_CORES; i++) {
        cores[i] = (struct poke_core){ 0 };
        free(rings[i]);
        rings[i] = calloc(log_entries, sizeof(*rings[i]));
        poke_log_attach(i, &logs[i], rings[i], log_entries);
    }
}

void fake_write(size_t offset, const void *bytes, size_t len)
{
    memcpy(alias + offset, bytes, len);
}

__attribute__((format(printf, 1, 2))) static void trace(const char *fmt, ...)
{
    size_t used = strlen(fake.trace);
    va_list args;

    va_start(args, fmt);
    vsnprintf(fake.trace + used, sizeof(fake.trace) - used, fmt, args);
    va_end(args);
}

static void call_hook(void)
{
    if (fake.hook)
        fake.hook();
}

unsigned machine_cores(void)
{
    return FAKE_CORES;
}

unsigned machine_this_core(void)
{
    return fake_core;
}

bool machine_core_online(unsigned core)
{
    return !fake.offline[core];
}

struct poke_core *machine_poke_core(unsigned core)
{
    assert_true(core < FAKE_CORES);
    return &cores[core];
}

struct poke_core *machine_this_poke_core(void)
{
    return machine_poke_core(machine_this_core());
}

uint64_t machine_now(void)
{
    return ++fake.clock;
}

uint64_t machine_clock_skew(void)
{
    return fake.skew;
}

void machine_sync_cores(uint64_t round)
{
    unsigned caller = fake_core;

    assert_false(fake.open);
    fake.syncs++;
    trace("|");
    for (unsigned i = 0; i < FAKE_CORES; i++) {
        if (fake.offline[i] || (fake.syncs == fake.silent_sync && i == fake.silent_core))
            continue;
        fake_core = i;
        bool shifted = fake.syncs == fake.shifted_sync && i == fake.shifted_core;

        fake.clock += shifted ? (uint64_t)fake.shift : 0;
        poke_log_ack(round);
        fake.clock -= shifted ? (uint64_t)fake.shift : 0;
    }
    fake_core = caller;
    call_hook();
}

void machine_sync_this_core(void)
{
}

bool machine_is_patchable(uintptr_t addr, size_t len)
{
    uintptr_t start = (uintptr_t)fake_text;

    if (fake.forbidden >= addr && fake.forbidden - addr < len)
        return false;
    return addr >= start && addr - start < FAKE_TEXT_BYTES &&
           len <= FAKE_TEXT_BYTES - (addr - start);
}

bool machine_window_open(struct machine_window *w, const uintptr_t *pages, unsigned n)
{
    assert_false(fake.open);
    assert_true(n > 0 && n <= MACHINE_WINDOW_PAGES);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(pages[i] % MACHINE_PAGE, 0);
        assert_true(machine_is_patchable(pages[i], 1) || pages[i] == fake.forbidden);
        assert_true(!i || pages[i - 1] < pages[i]);
    }
    fake.opens++;
    if (fake.opens == fake.refused_open)
        return false;
    trace("(");
    fake.open = true;
    memcpy(shown, pages, n * sizeof(*pages));
    w->pages = n;
    return true;
}

void machine_window_close(struct machine_window *w)
{
    assert_true(fake.open);
    fake.open = false;
    w->pages = 0;
    trace(")");
}

void machine_window_store(struct machine_window *w, size_t offset, const uint8_t *bytes, size_t len)
{
    assert_true(fake.open && len > 0);
    fake.stores++;
    for (size_t i = 0; i < len; i++) {
        size_t page = (offset + i) / MACHINE_PAGE;

        assert_true(page < w->pages);
        uintptr_t text = shown[page] + (offset + i) % MACHINE_PAGE - (uintptr_t)fake_text;

        if (fake.stores != fake.lost_store)
            alias[text] = bytes[i];
        trace("%02x", bytes[i]);
        if (i == len - 1)
            trace("@%zx", text - i);
    }
    call_hook();
}

void machine_relax(void)
{
    fake.relaxes++;
    call_hook();
}

void machine_phase(const char *phase)
{
    fake.phase = phase;
}
