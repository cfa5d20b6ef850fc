/* SPDX-License-Identifier: MIT */
/* A static call that goes to a function or nowhere. */
#include "poke/users/static_call.h"
#include "tests/users/all_at_once.h"
#include "tests/users/met.h"

#define CALLS 2u /* in one execution, each at a site of its own */

void users_raise(uint64_t by);

void users_raise(uint64_t by)
{
    *met_here() += by;
}

DEFINE_STATIC_CALL_NULL(users_raised, users_raise);

__attribute__((noinline, noclone)) static void raise(void)
{
    static_call(users_raised)(1);
    static_call(users_raised)(0x100);
}

static uint64_t run(__attribute__((unused)) uint64_t turn)
{
    struct met met;

    met_begin(&met);
    raise();
    return met_end(&met);
}

/* Odd versions call; each site for itself while it is switched. */
static bool allowed(uint64_t raised, __attribute__((unused)) uint64_t turn, uint64_t first,
                    uint64_t last)
{
    return first == last ? raised == first % 2 * 0x101 : !(raised & ~0x101ull);
}

static enum poke_error go_to(uint64_t version)
{
    return static_call_set(&STATIC_CALL_KEY(users_raised),
                           version % 2 ? (void *)users_raise : NULL);
}

static void end(struct test_run *t)
{
    EXPECT_EQ(static_call_update(users_raised, NULL), POKE_OK);
}

static void begin(struct test_run *t)
{
    EXPECT(met_ready());
    EXPECT_EQ(STATIC_CALL_KEY(users_raised).count, CALLS);
    end(t);
}

TEXT_USER(event, { run, allowed, go_to }, begin, end);
