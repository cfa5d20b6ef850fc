/* SPDX-License-Identifier: MIT */
/* Sites that their owner switches between nothing, calls and jumps. */
#include "poke/users/text_switch.h"

#include "kernel/lib/string.h"
#include "tests/users/all_at_once.h"

/*
 * A dispatcher: four sites in a row. The targets of site i set byte i of the answer, and one of
 * them, to which the site jumps, ends the row.
 */
#define SITES   4u
#define CALL_A  1u /* the byte that says so; nothing: 0 */
#define CALL_B  2u
#define JUMP    3u
#define TARGETS 3u

uint64_t users_dispatch(void);
extern uint8_t users_dispatch_sites[SITES][5];
extern uint8_t users_dispatch_targets[SITES][TARGETS][16];

__asm__(".pushsection .text.users_dispatch, \"ax\", @progbits\n"
        "users_dispatch:\n\t"
        "xor %eax, %eax\n"
        "users_dispatch_sites:\n\t"
        ".rept 4\n\t"
        ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n\t"
        ".endr\n\t"
        "ret\n\t"
        ".balign 16\n"
        "users_dispatch_targets:\n\t"
        ".irp byte, 0, 8, 16, 24\n\t"
        ".irp number, 1, 2, 3\n\t"
        "or $(\\number << \\byte), %eax\n\t"
        "ret\n\t" /* JUMP's is the dispatcher's own */
        ".balign 16, 0xcc\n\t"
        ".endr\n\t"
        ".endr\n\t"
        ".popsection");

static struct text_target target_of(unsigned site, unsigned state)
{
    if (!state)
        return TEXT_NOP;

    const void *to = users_dispatch_targets[site][state - 1];

    return state == JUMP ? TEXT_JMP(to) : TEXT_CALL(to);
}

static enum poke_error switch_site(unsigned site, unsigned from, unsigned to, bool *switched)
{
    return text_switch(users_dispatch_sites[site], target_of(site, from), target_of(site, to),
                       switched);
}

TEST_BARE("text of its own that can be patched", users, text_switch_states,
          "a site goes from nothing, a call or a jump to any other, and tells when it is there",
          .budget_ms = 50, .must_see = { { SEE_PATCHES, 12 } })
{
    uint64_t sites = poke_counters()->sites;

    for (unsigned from = 0; from <= JUMP; from++) {
        for (unsigned to = 0; to <= JUMP; to++) {
            bool switched = false;

            EXPECT_EQ(switch_site(2, 0, from, NULL), POKE_OK);
            EXPECT_EQ(users_dispatch(), from << 16);
            EXPECT_EQ(switch_site(2, from, to, &switched), POKE_OK);
            EXPECT_EQ(switched, from != to);
            EXPECT_EQ(users_dispatch(), to << 16);
            EXPECT_EQ(switch_site(2, to, 0, NULL), POKE_OK);
        }
    }
    EXPECT_EQ(switch_site(1, 0, JUMP, NULL), POKE_OK);
    EXPECT_EQ(switch_site(2, 0, CALL_A, NULL), POKE_OK);
    EXPECT_EQ(users_dispatch(), JUMP << 8);
    EXPECT_EQ(switch_site(1, JUMP, 0, NULL), POKE_OK);
    EXPECT_EQ(switch_site(2, CALL_A, 0, NULL), POKE_OK);
    EXPECT_EQ(users_dispatch(), 0);
    saw(SEE_PATCHES, poke_counters()->sites - sites);
}

TEST_BARE("text of its own that can be patched", users, text_switch_refusals,
          "a site that holds something else than expected is refused, and nothing changes",
          .budget_ms = 50)
{
    uint8_t *site = users_dispatch_sites[0];
    bool switched = true;

    REQUIRE(switch_site(0, 0, CALL_A, NULL) == POKE_OK);
    uint64_t stores = poke_counters()->stores;

    EXPECT_EQ(switch_site(0, CALL_B, JUMP, &switched), POKE_E_EXPECTED);
    EXPECT_EQ(switched, false);
    EXPECT_EQ(switch_site(0, 0, CALL_B, NULL), POKE_E_EXPECTED);
    EXPECT_EQ(switch_site(0, CALL_B, CALL_A, NULL), POKE_E_EXPECTED);
    EXPECT_EQ(text_switch(site, TEXT_JMP(users_dispatch_targets[0][0]), TEXT_NOP, NULL),
              POKE_E_EXPECTED);
    EXPECT_EQ(text_switch(site, target_of(0, CALL_A), TEXT_CALL(1ull << 40), NULL),
              POKE_E_DISPLACEMENT);
    EXPECT_EQ(text_switch(site, target_of(0, CALL_A),
                          (struct text_target){ .opcode = JMP8_INSN_OPCODE }, NULL),
              POKE_E_OPCODE);
    EXPECT_EQ(text_switch((void *)(1ull << 40), TEXT_NOP, TEXT_NOP, NULL), POKE_E_ADDRESS);
    text_mutex_lock();
    EXPECT_EQ(switch_site(0, CALL_A, 0, NULL), POKE_E_LOCK);
    text_mutex_unlock();

    EXPECT_EQ(poke_counters()->stores, stores);
    EXPECT_EQ(users_dispatch(), CALL_A);
    EXPECT_EQ(switch_site(0, CALL_A, 0, NULL), POKE_OK);
}

/* ---- under load ---- */

/* What the site holds in a version: as if by chance, but in version 0. */
static unsigned state_in(unsigned site, uint64_t version)
{
    return version ? (version * SITES + site) * 0x9e3779b97f4a7c15 >> 62 : 0;
}

static uint64_t run_dispatch(__attribute__((unused)) uint64_t turn)
{
    return users_dispatch();
}

static bool may_be(unsigned site, unsigned state, uint64_t first, uint64_t last)
{
    for (uint64_t v = first; v <= last; v++)
        if (state_in(site, v) == state)
            return true;
    return false;
}

/* Each site on its own is of one of the versions; behind a jump there is nothing. */
static bool answer_allowed(uint64_t answer, __attribute__((unused)) uint64_t turn, uint64_t first,
                           uint64_t last)
{
    for (unsigned site = 0; site < SITES; site++, answer >>= 8) {
        unsigned state = answer & 0xff;

        if (!may_be(site, state, first, last))
            return false;
        if (state == JUMP)
            return answer == JUMP;
    }
    return !answer;
}

static uint64_t reached; /* the version that all sites are in; the patcher's */

static enum poke_error go_to(uint64_t version)
{
    enum poke_error e = POKE_OK;

    for (unsigned site = 0; site < SITES && !e; site++)
        e = switch_site(site, state_in(site, reached), state_in(site, version), NULL);
    if (!e)
        reached = version;
    return e;
}

static void nothing_reached(__attribute__((unused)) struct test_run *t)
{
    reached = 0;
}

static void back_to_nothing(struct test_run *t)
{
    EXPECT_EQ(go_to(0), POKE_OK);
}

TEXT_USER(text_switch, { run_dispatch, answer_allowed, go_to }, nothing_reached, back_to_nothing);

TEST_BARE("text of its own that can be patched", users, text_switch_race,
          "a dispatcher's calls and jumps are switched under threads, interrupts and NMIs",
          .cpus = 2, .budget_ms = 200, .default_ms = 300,
          .must_see = { { SEE_EXECUTIONS, 1000 },
                        { SEE_OVERLAPS, 100 },
                        { SEE_PATCHES, 200 },
                        { SEE_INT3_HITS, 50 },
                        { SEE_TIMER_EXECUTIONS, 10 },
                        { SEE_NMI_EXECUTIONS, 10 } })
{
    nothing_reached(t);
    user_load_run(t, &user_text_switch.load);
    back_to_nothing(t);
}
