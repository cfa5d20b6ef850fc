/* SPDX-License-Identifier: MIT */
/*
 * A user that queues its sites in no order, and patches one by itself while others are queued: what
 * the engine has to keep sorted by finishing early. Linux did not until 2025 (2aebf5ee43bf), and
 * the #BP handler's search missed an INT3 that stood.
 */
#include "tests/lib/long_key.h"
#include "tests/users/all_at_once.h"

#include "kernel/lib/string.h"

#define SITES 24u
#define ALONE 11u /* the one that is patched by itself: mostly below the last that is queued */

static struct static_key sites; /* whose sites are patched here, the key itself is not */

static uint64_t run(uint64_t turn)
{
    return ((unsigned (*)(void))sites.sites[turn * 7 % SITES].code)();
}

static bool allowed(uint64_t taken, __attribute__((unused)) uint64_t turn, uint64_t first,
                    uint64_t last)
{
    return taken <= 1 && (first != last || taken == first % 2);
}

static enum poke_error queue(const struct jump_entry *site, bool jump, bool alone)
{
    uint8_t image[TEXT_POKE_MAX_OPCODE_SIZE];
    size_t len = JMP32_INSN_SIZE;

    if (jump)
        text_gen_insn(JMP32_INSN_OPCODE, (void *)site->code, (void *)site->target, image, &len);
    else
        memcpy(image, poke_nop5, sizeof poke_nop5);
    return alone ? smp_text_poke_single((void *)site->code, image, len, NULL)
                 : smp_text_poke_batch_add((void *)site->code, image, len, NULL, NULL);
}

/* Up and down, by another order in each version. */
static enum poke_error go_to(uint64_t version)
{
    enum poke_error e = POKE_OK;

    text_mutex_lock();
    for (unsigned i = 0; i < SITES && !e; i++)
        e = queue(&sites.sites[(i * 7 + version) % SITES], version % 2, i == ALONE);
    if (!e)
        e = smp_text_poke_batch_finish();
    text_mutex_unlock();
    return e;
}

static void begin(struct test_run *t)
{
    EXPECT(sites.count || long_key_make(&sites, SITES));
}

static void end(struct test_run *t)
{
    EXPECT_EQ(go_to(0), POKE_OK);
}

TEXT_USER(queue, { run, allowed, go_to }, begin, end);
