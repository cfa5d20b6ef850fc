/* SPDX-License-Identifier: MIT */
/* text_poke and its kin write what they are told to, where they are told to, and nothing beside. */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/poke.h"
#include "tests/harness/test.h"

#define NEIGHBOURS 16

static uint8_t pattern[3 * PAGE_SIZE];

static void fill_pattern(struct prng *rng)
{
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)prng_next(rng);
}

/* Is [at, at+len) the pattern, and INT3 around it? */
static bool holds(const uint8_t *at, size_t len)
{
    if (memcmp(at, pattern, len) != 0)
        return false;
    for (unsigned i = 1; i <= NEIGHBOURS; i++) {
        if (at[-(int)i] != INT3_INSN_OPCODE || at[len + i - 1] != INT3_INSN_OPCODE)
            return false;
    }
    return true;
}

#define ALTERNATING 5 /* pages */

/* The bytes around each page's end as they were after the last poke. */
static uint8_t edges[ALTERNATING][2];

static void remember(const uint8_t *text, unsigned page)
{
    memcpy(edges[page], text + (page + 1) * PAGE_SIZE - 1, 2);
}

/* How many edges but that of `page` have changed? */
static unsigned wrote_elsewhere(const uint8_t *text, unsigned page)
{
    unsigned changed = 0;

    for (unsigned i = 0; i < ALTERNATING - 1; i++)
        changed += i != page && memcmp(edges[i], text + (i + 1) * PAGE_SIZE - 1, 2) != 0;
    return changed;
}

TEST(poke, i6_page_crossing,
     "a write across a page goes to both pages, at every split, with frames that are not adjacent",
     .must_see = { { SEE_CROSSINGS, 15 } })
{
    uint64_t text = mm_text_alloc(2);
    uint8_t *boundary = (uint8_t *)text + PAGE_SIZE;
    struct prng rng = test_prng(t);

    REQUIRE(text);
    REQUIRE(mm_translate(text + PAGE_SIZE) != mm_translate(text) + PAGE_SIZE);
    for (unsigned len = 2; len <= 6; len++) {
        for (unsigned split = 1; split < len; split++) {
            fill_pattern(&rng);
            text_mutex_lock();
            EXPECT_EQ(text_poke(boundary - split, pattern, len), POKE_OK);
            text_mutex_unlock();
            EXPECT(holds(boundary - split, len));
            EXPECT_EQ(text_poke_set(boundary - split, INT3_INSN_OPCODE, len), POKE_OK);
            saw(SEE_CROSSINGS, 1);
        }
    }
}

TEST(poke, i6_copy_and_set, "long copies and fills arrive whole, whatever pages they cross")
{
    uint64_t text = mm_text_alloc(5);
    uint8_t *at = (uint8_t *)text + PAGE_SIZE - 3;
    struct prng rng = test_prng(t);

    REQUIRE(text);
    fill_pattern(&rng);
    EXPECT_EQ(text_poke_copy(at, pattern, sizeof pattern), POKE_OK);
    EXPECT(holds(at, sizeof pattern));
    EXPECT_EQ(text_poke_set(at, INT3_INSN_OPCODE, sizeof pattern), POKE_OK);
    memset(pattern, INT3_INSN_OPCODE, sizeof pattern);
    EXPECT(holds(at, sizeof pattern));
}

/*
 * The window shows one page and then two, of changing pairs, so that each of its entries shows
 * another page than the last time: a translation that survived writes to the wrong one.
 */
TEST(poke, i7_pages_alternate,
     "the window shows the pages that were asked for, never the last ones", .budget_ms = 1500,
     .must_see = { { SEE_PATCHES, 4000 }, { SEE_CROSSINGS, 1500 } })
{
    uint8_t *text = (uint8_t *)mm_text_alloc(ALTERNATING);

    REQUIRE(text);
    text_mutex_lock();
    for (unsigned i = 0; i < 4000 && t->verdict == VERDICT_PASS; i++) {
        uint8_t value[2] = { (uint8_t)i, (uint8_t)~i };
        /* The last byte of one page, alone or with the first of the next. */
        unsigned page = i % (ALTERNATING - 1), len = 1 + i / 3 % 2;
        uint8_t *here = text + (page + 1) * PAGE_SIZE - 1;

        EXPECT_EQ(text_poke(here, value, len), POKE_OK); /* reads back */
        saw(SEE_PATCHES, 1);
        saw(SEE_CROSSINGS, len == 2);
        if (i >= ALTERNATING)
            EXPECT_EQ(wrote_elsewhere(text, page), 0);
        remember(text, page);
    }
    text_mutex_unlock();
}
