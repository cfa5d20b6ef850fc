/* SPDX-License-Identifier: MIT */
#include "kernel/lib/string.h"
#include "poke/lock.h"
#include "poke/poke.h"
#include "poke/protocol.h"
#include "poke/window.h"

/* The most bytes from `addr` on that lie in two pages, up to `len`. */
static size_t chunk_at(uintptr_t addr, size_t len)
{
    size_t room = 2 * MACHINE_PAGE - addr % MACHINE_PAGE;

    return len < room ? len : room;
}

/* With `serialise` this core has done so before its interrupts are on again. */
static enum poke_error copy_chunk(uintptr_t addr, const uint8_t *bytes, size_t len, bool serialise)
{
    struct text_window window;

    text_window_clear();
    uint32_t at = text_window_cover(addr, len);

    if (!text_window_open(&window, machine_now()))
        return POKE_E_ADDRESS;
    text_window_store(&window, addr, at, bytes, len);
    if (serialise)
        machine_sync_this_core();
    text_window_close(&window);
    return memcmp((const void *)addr, bytes, len) ? POKE_E_READBACK : POKE_OK;
}

static enum poke_error fill_chunk(uintptr_t addr, int c, size_t len)
{
    uint8_t pattern[64];

    struct text_window window;

    memset(pattern, c, sizeof(pattern));
    text_window_clear();
    uint32_t at = text_window_cover(addr, len);

    if (!text_window_open(&window, machine_now()))
        return POKE_E_ADDRESS;
    for (size_t done = 0, n; done < len; done += n) {
        n = len - done < sizeof(pattern) ? len - done : sizeof(pattern);
        text_window_store(&window, addr + done, at + (uint32_t)done, pattern, n);
    }
    text_window_close(&window);
    return POKE_OK;
}

enum poke_error text_poke(void *addr, const void *opcode, size_t len)
{
    if (!text_mutex_held())
        return POKE_E_LOCK;
    if (!len || len > MACHINE_PAGE)
        return POKE_E_LENGTH;
    if (!machine_is_patchable((uintptr_t)addr, len))
        return POKE_E_ADDRESS;
    poke_settle_batch();
    return copy_chunk((uintptr_t)addr, opcode, len, false);
}

/* What text_poke_copy() and text_poke_set() ask before they take the lock. */
static enum poke_error check_range(const void *addr, size_t len)
{
    if (text_mutex_held())
        return POKE_E_LOCK;
    if (!len)
        return POKE_E_LENGTH;
    if (!machine_is_patchable((uintptr_t)addr, len))
        return POKE_E_ADDRESS;
    return POKE_OK;
}

enum poke_error text_poke_copy(void *addr, const void *opcode, size_t len)
{
    enum poke_error e = check_range(addr, len);
    uintptr_t to = (uintptr_t)addr;
    const uint8_t *from = opcode;

    if (e)
        return e;
    text_mutex_lock();
    for (size_t n; len && !e; to += n, from += n, len -= n) {
        n = chunk_at(to, len);
        e = copy_chunk(to, from, n, false);
    }
    text_mutex_unlock();
    return e;
}

static bool others_online(void)
{
    for (unsigned core = 0; core < machine_cores(); core++)
        if (core != machine_this_core() && machine_core_online(core))
            return true;
    return false;
}

enum poke_error text_poke_early(void *addr, const void *opcode, size_t len)
{
    enum poke_error e = check_range(addr, len);

    if (e)
        return e;
    if (len > MACHINE_PAGE)
        return POKE_E_LENGTH;
    text_mutex_lock();
    e = others_online() ? POKE_E_ONLINE : copy_chunk((uintptr_t)addr, opcode, len, true);
    text_mutex_unlock();
    return e;
}

enum poke_error text_poke_set(void *addr, int c, size_t len)
{
    enum poke_error e = check_range(addr, len);
    uintptr_t to = (uintptr_t)addr;

    if (e)
        return e;
    text_mutex_lock();
    for (size_t n; len && !e; to += n, len -= n) {
        n = chunk_at(to, len);
        e = fill_chunk(to, c, n);
    }
    text_mutex_unlock();
    return e;
}
