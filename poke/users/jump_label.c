/* SPDX-License-Identifier: MIT */
/*
 * Shared words: a key's `enabled` is written under text_mutex and read by anyone. Its sites, and
 * the table, are constant after jump_label_init().
 */
#include "poke/users/jump_label.h"

#include "kernel/lib/string.h"
#include "poke/lock.h"

/* The linker set. */
extern struct jump_entry jump_table_start[], jump_table_end[];

static struct static_key *key_of(const struct jump_entry *site)
{
    return (struct static_key *)(site->key & ~(uintptr_t)1);
}

static bool is_likely(const struct jump_entry *site)
{
    return site->key & 1;
}

/* What the site holds while its key is `enabled`. False: no such instruction. */
static bool image_of(const struct jump_entry *site, bool enabled,
                     uint8_t image[static TEXT_POKE_MAX_OPCODE_SIZE])
{
    uint8_t opcode = site->len == JMP8_INSN_SIZE ? JMP8_INSN_OPCODE : JMP32_INSN_OPCODE;
    size_t len = 0;

    if (enabled == is_likely(site)) {
        memcpy(image, site->len == sizeof(poke_nop2) ? poke_nop2 : poke_nop5, site->len);
        return true;
    }
    return !text_gen_insn(opcode, (const void *)site->code, (const void *)site->target, image,
                          &len) &&
           len == site->len;
}

static bool comes_before(const struct jump_entry *a, const struct jump_entry *b)
{
    const struct static_key *x = key_of(a), *y = key_of(b);

    return x != y ? (uintptr_t)x < (uintptr_t)y : a->code < b->code;
}

static void swap(struct jump_entry *a, struct jump_entry *b)
{
    struct jump_entry t = *a;

    *a = *b;
    *b = t;
}

/* Let the entry at `root` sink to its place in the heap of `n`: the last ones at the top. */
static void sink(struct jump_entry *heap, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && comes_before(&heap[child], &heap[child + 1]))
            child++;
        if (!comes_before(&heap[root], &heap[child]))
            return;
        swap(&heap[root], &heap[child]);
    }
}

/* Heap sort (Williams 1964): no recursion, no memory, and no bad order of the linker's. */
static void sort(struct jump_entry *table, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sink(table, i, n);
    for (size_t end = n; end-- > 1;) {
        swap(&table[0], &table[end]);
        sink(table, 0, end);
    }
}

enum poke_error jump_label_init(void)
{
    size_t n = (size_t)(jump_table_end - jump_table_start);
    enum poke_error e = POKE_OK;

    sort(jump_table_start, n);
    for (size_t i = 0; i < n && !e; i++) {
        const struct jump_entry *site = &jump_table_start[i];
        struct static_key *key = key_of(site);
        uint8_t image[TEXT_POKE_MAX_OPCODE_SIZE];

        if (!key->count++)
            key->sites = site;
        if (!image_of(site, key->enabled, image))
            return POKE_E_DISPLACEMENT;
        e = text_poke_early((void *)site->code, image, site->len);
    }
    return e;
}

/* Do all sites hold what the key left there? */
static bool is_as_left(const struct static_key *key, bool enabled)
{
    uint8_t image[TEXT_POKE_MAX_OPCODE_SIZE];

    for (uint32_t i = 0; i < key->count; i++) {
        const struct jump_entry *site = &key->sites[i];

        if (!image_of(site, enabled, image) || memcmp((const void *)site->code, image, site->len))
            return false;
    }
    return true;
}

static enum poke_error switch_sites(const struct static_key *key, bool enabled)
{
    uint8_t image[TEXT_POKE_MAX_OPCODE_SIZE];
    enum poke_error e = POKE_OK;

    if (!is_as_left(key, !enabled))
        return POKE_E_EXPECTED;
    for (uint32_t i = 0; i < key->count && !e; i++) {
        const struct jump_entry *site = &key->sites[i];

        image_of(site, enabled, image);
        e = smp_text_poke_batch_add((void *)site->code, image, site->len, NULL, NULL);
    }
    return e ? e : smp_text_poke_batch_finish();
}

/* Set the count; what it comes to is patched if it is another state. Takes text_mutex. */
static enum poke_error set_count(struct static_key *key, uint32_t (*next)(uint32_t count))
{
    enum poke_error e = POKE_OK;

    if (text_mutex_held())
        return POKE_E_LOCK;
    text_mutex_lock();
    uint32_t before = key->enabled, after = next(before);

    if (after == UINT32_MAX)
        e = POKE_E_PENDING;
    else if (!before != !after)
        e = switch_sites(key, after != 0);
    if (!e)
        store_release(&key->enabled, after);
    text_mutex_unlock();
    return e;
}

static uint32_t at_least_one(uint32_t count)
{
    return count ? count : 1;
}

static uint32_t none(__attribute__((unused)) uint32_t count)
{
    return 0;
}

static uint32_t one_more(uint32_t count)
{
    return count + 1;
}

static uint32_t one_less(uint32_t count)
{
    return count - 1; /* of none: UINT32_MAX, which is refused */
}

enum poke_error static_key_enable(struct static_key *key)
{
    return set_count(key, at_least_one);
}

enum poke_error static_key_disable(struct static_key *key)
{
    return set_count(key, none);
}

enum poke_error static_key_slow_inc(struct static_key *key)
{
    return set_count(key, one_more);
}

enum poke_error static_key_slow_dec(struct static_key *key)
{
    return set_count(key, one_less);
}

uint32_t static_key_count(const struct static_key *key)
{
    return load_acquire(&key->enabled);
}

bool jump_label_text_reserved(uintptr_t start, size_t len)
{
    for (const struct jump_entry *site = jump_table_start; site < jump_table_end; site++)
        if (site->code < start + len && start < site->code + site->len)
            return true;
    return false;
}

bool jump_label_leads_to(uintptr_t from, uintptr_t to)
{
    for (const struct jump_entry *site = jump_table_start; site < jump_table_end; site++)
        if (site->target >= from && site->target < to)
            return true;
    return false;
}
