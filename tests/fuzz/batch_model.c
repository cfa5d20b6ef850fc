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

enum poke_error model_finish(void)
{
    bool tails = false, firsts = false;
    unsigned count = model.count;

    if (!model_holds())
        return POKE_E_LOCK;
    if (!count)
        return POKE_OK;
    model.count = 0;
    if (!open_window()) /* the first opening of the batch: nothing was stored yet */
        return POKE_E_ADDRESS;

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
    return POKE_OK;
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
    e = *flushed ? model_finish() : POKE_OK;
    if (e)
        return e;

    struct model_site *site = &model.sites[model.count++];

    *site = (struct model_site){ .addr = addr, .len = len };
    memcpy(site->text, bytes, len);
    return POKE_OK;
}

void model_sync(void)
{
    model.syncs++;
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
