/* SPDX-License-Identifier: MIT */
#include "tests/errata/wild_patch.h"

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "smp/smp.h"

/* ---- the alias ---- */

static const struct site_set *sites;
static uint64_t first_page;
static size_t pages;
static uint8_t *view;

void wild_stores_set(const struct site_set *set)
{
    const struct site *last = &set->sites[set->count - 1];

    sites = set;
    first_page = (uint64_t)set->sites[0].slot & ~(PAGE_SIZE - 1);
    pages = ((uint64_t)last->slot + SITE_LEN_MAX + 7 - first_page) / PAGE_SIZE + 1;
}

/* Where the slot shows, or NULL. Until stores_end() interrupts are off on bare metal. */
static uint8_t *stores_begin(const struct site *s)
{
    view = mm_alias_open(first_page, pages);
    return view ? view + ((uint64_t)s->slot - first_page) : NULL;
}

static void stores_end(void)
{
    mm_alias_close(view, pages);
}

/* ---- single stores: each is one instruction ---- */

static void store8(uint8_t *to, uint8_t v)
{
    *(volatile uint8_t *)to = v;
}

static void store16(uint8_t *to, const uint8_t *bytes)
{
    uint16_t v;

    memcpy(&v, bytes, sizeof v);
    *(volatile uint16_t *)to = v;
}

static void store32(uint8_t *to, const uint8_t *bytes)
{
    uint32_t v;

    memcpy(&v, bytes, sizeof v);
    *(volatile uint32_t *)to = v;
}

/* The eight bytes that hold the slot: its aligned quadword if there is one, else from it on. */
static unsigned quad_offset(const struct site *s)
{
    unsigned in_8 = (uintptr_t)s->slot % 8;

    return in_8 + s->len <= 8 ? in_8 : 0;
}

static uint64_t quad_value(const struct site *s, const struct site_image *to)
{
    uint64_t v;
    unsigned offset = quad_offset(s);

    memcpy(&v, s->slot - offset, sizeof v); /* nobody else writes the neighbours */
    memcpy((uint8_t *)&v + offset, to->bytes, s->len);
    return v;
}

/* ---- stores alone ---- */

enum poke_error wild_quad(const struct site *s, const struct site_image *to)
{
    uint64_t value = quad_value(s, to);
    uint8_t *at = stores_begin(s);

    if (!at)
        return POKE_E_ADDRESS;
    *(volatile uint64_t *)(at - quad_offset(s)) = value;
    stores_end();
    return POKE_OK;
}

enum poke_error wild_quad_sync(const struct site *s, const struct site_image *to)
{
    enum poke_error e = wild_quad(s, to);

    smp_text_poke_sync_each_cpu();
    return e;
}

enum poke_error wild_quad_locked(const struct site *s, const struct site_image *to)
{
    uint64_t value = quad_value(s, to);
    uint8_t *at = stores_begin(s);

    if (!at)
        return POKE_E_ADDRESS;
    exchange((uint64_t *)(at - quad_offset(s)), value);
    stores_end();
    return POKE_OK;
}

enum poke_error wild_bytewise(const struct site *s, const struct site_image *to)
{
    for (unsigned i = 0; i < s->len; i++) {
        uint8_t *at = stores_begin(s);

        if (!at)
            return POKE_E_ADDRESS;
        store8(at + i, to->bytes[i]);
        stores_end();
        cpu_relax(); /* on an emulator that takes turns, the other cores' turn */
    }
    return POKE_OK;
}

enum poke_error wild_self_jump(const struct site *s, const struct site_image *to)
{
    static const uint8_t spin[4] = { 0xeb, 0xfe, 0xeb, 0xfe };
    uint8_t *at = stores_begin(s);

    if (!at)
        return POKE_E_ADDRESS;
    store32(at, spin);
    store8(at + 4, to->bytes[4]);
    store32(at, to->bytes);
    stores_end();
    return POKE_OK;
}

enum poke_error wild_two_bytes(const struct site *s, const struct site_image *to)
{
    uint8_t *at = stores_begin(s);

    if (!at)
        return POKE_E_ADDRESS;
    store16(at, to->bytes);
    stores_end();
    return POKE_OK;
}

enum poke_error wild_sled(const struct site *s, const struct site_image *to)
{
    uint8_t *at = stores_begin(s);

    if (!at)
        return POKE_E_ADDRESS;
    for (unsigned i = 2; to->kind == SITE_CALL && i < s->len; i++)
        store8(at + i, to->bytes[i]);
    store16(at, to->bytes);
    stores_end();
    return POKE_OK;
}

/* ---- INT3 and waits ---- */

uint64_t wild_wait = 3000;

static enum poke_error store_and_wait(const struct site *s, unsigned offset, const uint8_t *bytes,
                                      unsigned len)
{
    uint8_t *at = stores_begin(s);

    if (!at)
        return POKE_E_ADDRESS;
    for (unsigned i = 0; i < len; i++)
        store8(at + offset + i, bytes[i]);
    stores_end();
    for (uint64_t begin = rdtsc(); rdtsc() - begin < wild_wait;)
        cpu_relax();
    return POKE_OK;
}

enum poke_error wild_timed_wait(const struct site *s, const struct site_image *to)
{
    static const uint8_t int3 = INT3_INSN_OPCODE;
    enum poke_error e = store_and_wait(s, 0, &int3, 1);

    if (!e)
        e = store_and_wait(s, 1, to->bytes + 1, s->len - 1u);
    return e ? e : store_and_wait(s, 0, to->bytes, 1);
}

/* The filler is INT3 too: where a torn jump ends up must stay a fault. */
bool wild_retry_int3(struct trap_frame *frame)
{
    uint64_t at = frame->rip - INT3_INSN_SIZE;

    for (unsigned i = 0; i < sites->count; i++) {
        if ((uint64_t)sites->sites[i].slot == at) {
            frame->rip = at;
            cpu_relax();
            return true;
        }
    }
    return false;
}

/* ---- stop-machine ---- */

/*
 * The others add to `waiting`, and leave when `released` (release by the writer, acquire by them)
 * says so; then each serialises.
 */
static struct {
    const struct site *site;
    const struct site_image *to;
    unsigned writer, others;
    uint32_t waiting, released;
    enum poke_error error;
} stopped;

static void write_while_stopped(void)
{
    uint8_t *at;

    while (load_acquire(&stopped.waiting) < stopped.others)
        cpu_relax();
    at = stores_begin(stopped.site);
    if (at) {
        memcpy(at, stopped.to->bytes, stopped.site->len);
        stores_end();
    }
    stopped.error = at ? POKE_OK : POKE_E_ADDRESS;
    store_release(&stopped.released, 1);
}

static void stop_here(__attribute__((unused)) void *arg)
{
    if (cpu_index() == stopped.writer) {
        write_while_stopped();
    } else {
        fetch_add(&stopped.waiting, 1);
        while (!load_acquire(&stopped.released))
            cpu_relax();
    }
    sync_core();
}

enum poke_error wild_stop_machine(const struct site *s, const struct site_image *to)
{
    stopped.site = s;
    stopped.to = to;
    stopped.writer = cpu_index();
    stopped.others = smp_online() - 1;
    stopped.waiting = 0;
    store_release(&stopped.released, 0);
    smp_call_all(stop_here, NULL);
    return stopped.error;
}
