/* SPDX-License-Identifier: MIT */
/* A static key with 20 000 sites, of which each execution comes to one. */
#include "tests/lib/long_key.h"
#include "tests/users/all_at_once.h"

#define SITES 20000u

static struct static_key key;

/* As if by chance, and all of them in time. */
static uint64_t run(uint64_t turn)
{
    const struct jump_entry *site = &key.sites[turn * 7919 % SITES];

    return ((unsigned (*)(void))site->code)();
}

/* Odd versions are enabled. While it is switched, each site has a state of its own. */
static bool allowed(uint64_t taken, __attribute__((unused)) uint64_t turn, uint64_t first,
                    uint64_t last)
{
    return taken <= 1 && (first != last || taken == first % 2);
}

static enum poke_error go_to(uint64_t version)
{
    return version % 2 ? static_key_enable(&key) : static_key_disable(&key);
}

static void begin(struct test_run *t)
{
    EXPECT(key.count || long_key_make(&key, SITES));
}

static void end(struct test_run *t)
{
    EXPECT_EQ(static_key_disable(&key), POKE_OK);
}

TEXT_USER(long_key, { run, allowed, go_to }, begin, end);
