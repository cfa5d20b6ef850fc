/* SPDX-License-Identifier: MIT */
/*
 * Floors that need another core. The one that asks is the boot core; the one that answers executes
 * floors_remote_serve() all the time.
 *
 * Shared words, each on a line of its own: `ping` is the boot core's, `pong` and `executed` are the
 * answering core's. x86 makes one core's stores visible in order, and nothing else depends on them.
 */
#include "tests/latency/floor.h"

#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/latency/measure.h"
#ifdef CROSSMOD_HOSTED
#include "tests/latency/linux_call.h"
#endif

#define CODE_AT     0x400     /* mov eax, imm32; ret: the immediate lies within eight bytes */
#define STORED_AT   0x800     /* executed by nobody */
#define PATIENCE_NS 500000ull /* the window may be open for less than a millisecond */

static struct {
    uint32_t ping __attribute__((aligned(CACHE_LINE)));
    uint32_t pong __attribute__((aligned(CACHE_LINE)));
    uint32_t executed __attribute__((aligned(CACHE_LINE)));
} shared;

/* The boot core's. */
static uint8_t *text, *view;
static uint32_t immediate;
static unsigned unanswered;

bool floors_remote_build(void)
{
    static const uint8_t code[] = { 0xb8, 0, 0, 0, 0, RET_INSN_OPCODE };

    if (!text)
        text = (uint8_t *)mm_text_alloc(1);
    immediate = 0;
    unanswered = 0;
    return text && text_poke_copy(text + CODE_AT, code, sizeof code) == POKE_OK;
}

unsigned floors_remote_unanswered(void)
{
    return unanswered;
}

void floors_remote_serve(void)
{
    uint32_t (*code)(void) = (uint32_t(*)(void))(uintptr_t)(text + CODE_AT);

    store_relaxed(&shared.executed, code());
    store_relaxed(&shared.pong, load_relaxed(&shared.ping));
}

static void wait_for(const uint32_t *word, uint32_t value)
{
    uint64_t begin = rdtsc(), patience = time_ns_to_ticks(PATIENCE_NS);

    while (load_relaxed(word) != value) {
        if (rdtsc() - begin > patience) {
            unanswered++;
            return;
        }
        measure_relax();
    }
}

/* ---- lines and code ---- */

static void line_round_trip(void)
{
    uint32_t next = shared.ping + 1;

    store_relaxed(&shared.ping, next);
    wait_for(&shared.pong, next);
}

static void open_alias(void)
{
    text_mutex_lock();
    view = mm_alias_open((uint64_t)(uintptr_t)text, 1);
}

static void close_alias(void)
{
    mm_alias_close(view, 1);
    text_mutex_unlock();
}

/* The text is there, so there is a view of it. */
static void alias_store(void)
{
    store_relaxed(view + STORED_AT, INT3_INSN_OPCODE);
}

static void code_store(void)
{
    store_relaxed((uint32_t *)(view + CODE_AT + 1), ++immediate);
    wait_for(&shared.executed, immediate);
}

/* ---- interrupts ---- */

static void answer(__attribute__((unused)) void *arg)
{
}

static void call_all(void)
{
    smp_call_all(answer, NULL);
}

static void call_one(void)
{
    smp_call_one((unsigned)smp_next_online(0), answer, NULL);
}

#ifdef CROSSMOD_HOSTED

static struct machine_window window;

static void write_byte(void)
{
    static const uint8_t same = INT3_INSN_OPCODE;

    machine_window_store(&window, STORED_AT, &same, 1);
}

static void open_window(void)
{
    uintptr_t page = (uintptr_t)text;

    text_mutex_lock();
    machine_window_open(&window, &page, 1);
}

static void close_window(void)
{
    machine_window_close(&window);
    text_mutex_unlock();
}

#endif

const struct floor floors_remote[] = {
    { .name = "line_round_trip",
      .what = "store, until the other core's store in answer is seen",
      .operations = 1,
      .run = line_round_trip },
    { .name = "alias_store",
      .what = "store of a byte through the writable view, nobody executes it",
      .operations = 64,
      .run = alias_store,
      .begin = open_alias,
      .end = close_alias },
    { .name = "code_store",
      .what = "store of an immediate, until the other core's store of it, executed, is seen",
      .operations = 1,
      .run = code_store,
      .begin = open_alias,
      .end = close_alias },
    { .name = "sync",
      .what = "core sync of all, with acknowledgements",
      .operations = 1,
      .run = smp_text_poke_sync_each_cpu,
      .begin = text_mutex_lock,
      .end = text_mutex_unlock },
    { .name = "call_all", .what = "cross-call of all", .operations = 1, .run = call_all },
    { .name = "call_one",
      .what = "cross-call of one other core",
      .operations = 1,
      .run = call_one },
#ifdef CROSSMOD_HOSTED
    { .name = "membarrier",
      .what = "membarrier(2), PRIVATE_EXPEDITED_SYNC_CORE",
      .operations = 1,
      .run = linux_membarrier },
    { .name = "pwrite",
      .what = "pwrite(2) of a byte of text",
      .operations = 4,
      .run = write_byte,
      .begin = open_window,
      .end = close_window },
#endif
    { .name = NULL },
};
