/* SPDX-License-Identifier: MIT */
/* Objects of generated code that are loaded, called and unloaded, all in the same place. */
#include "poke/users/reclaim.h"

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/users/text_switch.h"
#include "tests/users/all_at_once.h"

#define DWELL       100 /* pauses in an object; on an emulator that takes turns, others' turns */
#define OBJECT_SIZE 64

/* Calls the object, if there is one. */
uint64_t users_call_object(void);
extern uint8_t users_object_site[];
__asm__(".pushsection .text.users_object, \"ax\", @progbits\n"
        "users_call_object:\n\t"
        "xor %eax, %eax\n"
        "users_object_site:\n\t"
        ".byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n\t"
        "ret\n\t"
        ".popsection");

static uint8_t *place;

/* An object gives its number twice: as it begins, and as it ends. */
static enum poke_error load_object(uint32_t number)
{
    /* clang-format off */
    uint8_t code[OBJECT_SIZE] = {
        0xb8, 0, 0, 0, 0,       /* mov eax, number */
        0xb9, DWELL, 0, 0, 0,   /* mov ecx, DWELL */
        0xf3, 0x90,             /* pause */
        0xff, 0xc9,             /* dec ecx */
        0x75, 0xfa,             /* jnz to the pause */
        0x48, 0xc1, 0xe0, 0x20, /* shl rax, 32 */
        0xb9, 0, 0, 0, 0,       /* mov ecx, number */
        0x48, 0x09, 0xc8,       /* or rax, rcx */
        RET_INSN_OPCODE,
    };
    /* clang-format on */

    memcpy(code + 1, &number, sizeof number);
    memcpy(code + 21, &number, sizeof number);
    enum poke_error e = text_poke_copy(place, code, sizeof code);

    return e ? e : text_switch(users_object_site, TEXT_NOP, TEXT_CALL(place), NULL);
}

static enum poke_error unload_object(void)
{
    enum poke_error e = text_switch(users_object_site, TEXT_CALL(place), TEXT_NOP, NULL);

    return e ? e : text_free(place, OBJECT_SIZE);
}

static bool make_place(void)
{
    if (!place)
        place = (uint8_t *)mm_text_alloc(1);
    return place;
}

static uint64_t twice(uint64_t number)
{
    return number << 32 | number;
}

TEST_BARE("text of its own that can be patched", users, reclaim_states,
          "an object is called, unloaded to INT3, and its place used for the next", .budget_ms = 50)
{
    uint8_t freed[OBJECT_SIZE];

    REQUIRE(make_place());
    memset(freed, INT3_INSN_OPCODE, sizeof freed);
    for (uint32_t number = 1; number < 4; number++) {
        EXPECT_EQ(users_call_object(), 0);
        EXPECT_EQ(load_object(number), POKE_OK);
        EXPECT_EQ(users_call_object(), twice(number));
        EXPECT_EQ(unload_object(), POKE_OK);
        EXPECT(!memcmp(place, freed, sizeof freed));
    }
    text_mutex_lock();
    EXPECT_EQ(text_free(place, OBJECT_SIZE), POKE_E_LOCK);
    text_mutex_unlock();
    EXPECT_EQ(text_free(place, 0), POKE_E_LENGTH);
    EXPECT_EQ(text_free(freed, sizeof freed), POKE_E_ADDRESS);
}

/* ---- under load ---- */

static uint64_t run_object(__attribute__((unused)) uint64_t turn)
{
    return users_call_object();
}

/* Version v is object v + 1; between two there is none. */
static bool answer_allowed(uint64_t value, __attribute__((unused)) uint64_t turn, uint64_t first,
                           uint64_t last)
{
    uint64_t number = (uint32_t)value;

    if (!value)
        return first != last;
    return value == twice(number) && number > first && number <= last + 1;
}

static enum poke_error go_to(uint64_t version)
{
    enum poke_error e = unload_object();

    return e ? e : load_object((uint32_t)version + 1);
}

static void load_first(struct test_run *t)
{
    REQUIRE(make_place());
    EXPECT_EQ(load_object(1), POKE_OK);
}

static void unload_last(struct test_run *t)
{
    EXPECT_EQ(unload_object(), POKE_OK);
}

TEXT_USER(reclaim, { run_object, answer_allowed, go_to }, load_first, unload_last);

TEST_BARE("text of its own that can be patched", users, reclaim_race,
          "objects are unloaded and their place used again, under threads, interrupts and NMIs",
          .cpus = 2, .budget_ms = 200, .default_ms = 300,
          .must_see = { { SEE_EXECUTIONS, 40 },
                        { SEE_OVERLAPS, 50 },
                        { SEE_PATCHES, 40 },
                        { SEE_INT3_HITS, 10 },
                        { SEE_TIMER_EXECUTIONS, 10 },
                        { SEE_NMI_EXECUTIONS, 10 } })
{
    load_first(t);
    REQUIRE(place);
    user_load_run(t, &user_reclaim.load);
    unload_last(t);
}
