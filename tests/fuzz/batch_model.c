/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/batch_model.h"

#include <string.h>

#include "poke/insn.h"

struct model model;
static uint8_t text[FAKE_TEXT_BYTES];

void model_reset(void)
{
    model = (struct model){ .holder = 1 };
    memset(text, FAKE_FILL, sizeof(text));
}

bool model_holds(void)
{
    return model.holder == fake_core + 1;
}

static bool is_patchable(uintptr_t addr, size_t len)
{
    uintptr_t first = (uintptr_t)fake_text, end = first + FAKE_TEXT_BYTES;

    if (addr < first || addr > end || len > end - addr)
        return false;
    return fake.forbidden < addr || fake.forbidden >= addr + len;
}

static bool open_window(void)
{
    bool refused = ++model.opens == fake.refused_open;

    model.not_opened += refused;
    return !refused;
}

static void write_bytes(uintptr_t addr, const uint8_t *bytes, size_t len)
{
    memcpy(text + (addr - (uintptr_t)fake_text), bytes, len);
}

/* The batch that was left open is closed by a sync of its own. */
static void close_batch(void)
{
    model.syncs += model.open_count != 0;
    model.open_count = 0;
}

/* With `another_follows` the sync after the first bytes is left to the next batch's first. */
static enum poke_error run_batch(bool another_follows)
{
    bool tails = false, firsts = false;
    unsigned count = model.count;

    model.count = 0;
    if (!open_window()) { /* the first opening of the batch: nothing was stored yet */
        close_batch();
        return POKE_E_ADDRESS;
    }

    for (unsigned i = 0; i < count; i++) {
        const struct model_site *site = &model.sites[i];

        write_bytes(site->addr, site->text, site->len);
        tails |= site->len > 1;
        firsts |= site->text[0] != 0xCC;
    }
    /* A step is one opening and one sync, whatever the number of sites; an empty one is skipped. */
    model.opens += (unsigned)tails + firsts;
    model.syncs += 1u + tails + firsts;
    model.batches++;
    model.open_count = 0;
    if (another_follows && firsts) {
        model.syncs--;
        model.open_count = count;
        memcpy(model.open_sites, model.sites, sizeof(model.sites));
    }
    return POKE_OK;
}

enum poke_error model_finish(void)
{
    if (!model_holds())
        return POKE_E_LOCK;
    return model.count ? run_batch(false) : POKE_OK;
}

static bool overlaps(const struct model_site *sites, unsigned count, uintptr_t addr, size_t len)
{
    for (unsigned i = 0; i < count; i++)
        if (addr < sites[i].addr + sites[i].len && sites[i].addr < addr + len)
            return true;
    return false;
}

/* Where the last site of the queue ends; 0 if it is empty. */
static uintptr_t queue_end(void)
{
    const struct model_site *sites = model.sites;

    return model.count ? sites[model.count - 1].addr + sites[model.count - 1].len : 0;
}

enum poke_error model_add(uintptr_t addr, const uint8_t *bytes, size_t len, const uint8_t *emulate,
                          bool *flushed)
{
    struct poke_insn insn;
    enum poke_error e;

    *flushed = false;
    if (!model_holds())
        return POKE_E_LOCK;
    e = poke_insn_decode(addr, emulate ? emulate : bytes, len, &insn);
    if (e)
        return e;
    if (!is_patchable(addr, len))
        return POKE_E_ADDRESS;

    *flushed = model.count == TEXT_POKE_ARRAY_MAX || addr < queue_end();
    if (*flushed) {
        e = run_batch(!overlaps(model.sites, model.count, addr, len));
        if (e)
            return e;
    }
    if (overlaps(model.open_sites, model.open_count, addr, len))
        close_batch();

    struct model_site *site = &model.sites[model.count++];

    *site = (struct model_site){ .addr = addr, .len = len };
    memcpy(site->text, bytes, len);
    return POKE_OK;
}

void model_sync(void)
{
    model.open_count = 0;
    model.syncs++;
}

void model_unlock(void)
{
    close_batch();
    model.holder = 0;
}

static bool others_online(void)
{
    for (unsigned core = 0; core < FAKE_CORES; core++)
        if (core != fake_core && !fake.offline[core])
            return true;
    return false;
}

enum poke_error model_write(enum model_write how, uintptr_t addr, const uint8_t *bytes, size_t len)
{
    if (model_holds() != (how == MODEL_POKE))
        return POKE_E_LOCK;
    if (!len || (how == MODEL_POKE && len > MACHINE_PAGE))
        return POKE_E_LENGTH;
    if (!is_patchable(addr, len))
        return POKE_E_ADDRESS;
    if (how == MODEL_EARLY && len > MACHINE_PAGE)
        return POKE_E_LENGTH;
    if (how == MODEL_EARLY && others_online())
        return POKE_E_ONLINE;
    if (how == MODEL_POKE)
        close_batch();

    for (uintptr_t end = addr + len; addr < end;) {
        uintptr_t stop = (addr / MACHINE_PAGE + 2) * MACHINE_PAGE; /* two pages an opening */
        size_t n = (stop < end ? stop : end) - addr;

        if (!open_window())
            return POKE_E_ADDRESS; /* only ever the first one of the call */
        write_bytes(addr, bytes, n);
        addr += n;
        bytes += n;
    }
    return POKE_OK;
}

bool model_text_is_right(void)
{
    return !memcmp(fake_text, text, sizeof(text));
}
