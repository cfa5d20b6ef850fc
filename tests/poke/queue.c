/* SPDX-License-Identifier: MIT */
/* I10: what is queued stays queued until the order, the room or the caller asks for it. */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "poke/event_log.h"
#include "poke/poke.h"
#include "tests/harness/test.h"

#define STEP 16

static uint8_t *text;

static uint64_t batches_done(void)
{
    return poke_counters()->batches;
}

/* Queue a NOP at `offset`; did that flush what was pending? */
static bool add_flushes(struct test_run *t, unsigned offset)
{
    bool flushed = false;

    EXPECT_EQ(smp_text_poke_batch_add(text + offset, poke_nop5, 5, NULL, &flushed), POKE_OK);
    return flushed;
}

static bool is_nop(unsigned offset)
{
    return memcmp(text + offset, poke_nop5, 5) == 0;
}

TEST(poke, i10_full_queue, "256 ascending sites are one batch, the next one begins another",
     .must_see = { { SEE_PATCHES, 257 } })
{
    text = (uint8_t *)mm_text_alloc(2);
    REQUIRE(text);
    text_mutex_lock();
    uint64_t before = batches_done();
    for (unsigned i = 0; i < TEXT_POKE_ARRAY_MAX; i++)
        EXPECT(!add_flushes(t, i * STEP));
    EXPECT_EQ(batches_done(), before);
    EXPECT(!is_nop(0));
    EXPECT(add_flushes(t, TEXT_POKE_ARRAY_MAX * STEP));
    EXPECT_EQ(batches_done(), before + 1);
    EXPECT(is_nop(0) && is_nop((TEXT_POKE_ARRAY_MAX - 1) * STEP));
    EXPECT(!is_nop(TEXT_POKE_ARRAY_MAX * STEP));
    EXPECT_EQ(smp_text_poke_batch_finish(), POKE_OK);
    EXPECT_EQ(batches_done(), before + 2);
    EXPECT(is_nop(TEXT_POKE_ARRAY_MAX * STEP));
    EXPECT_EQ(smp_text_poke_batch_finish(), POKE_OK); /* nothing pending: nothing happens */
    EXPECT_EQ(batches_done(), before + 2);
    text_mutex_unlock();
    saw(SEE_PATCHES, TEXT_POKE_ARRAY_MAX + 1);
}

TEST(poke, i10_order_flushes, "a lower, an equal and an overlapping site run what is pending first")
{
    static const struct {
        unsigned first, second;
        bool flushes;
    } pairs[] = {
        { 256, 256 + 5, false }, /* adjacent */
        { 512, 256, true },      /* lower */
        { 768, 768, true },      /* equal */
        { 1024, 1024 + 4, true } /* overlapping by a byte */
    };

    text = (uint8_t *)mm_text_alloc(1);
    REQUIRE(text);
    text_mutex_lock();
    for (unsigned i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        EXPECT(!add_flushes(t, pairs[i].first));
        EXPECT_EQ(add_flushes(t, pairs[i].second), pairs[i].flushes);
        EXPECT_EQ(is_nop(pairs[i].first), pairs[i].flushes);
        EXPECT_EQ(smp_text_poke_batch_finish(), POKE_OK);
        EXPECT(is_nop(pairs[i].second));
    }
    text_mutex_unlock();
}

/* Queue a NOP at `pending`, patch `offset` singly: how many batches were that? */
static uint64_t single_behind(struct test_run *t, unsigned pending, unsigned offset,
                              const uint8_t bytes[5])
{
    uint64_t before = batches_done();

    EXPECT(!add_flushes(t, pending));
    EXPECT_EQ(smp_text_poke_single(text + offset, bytes, 5, NULL), POKE_OK);
    EXPECT_EQ(memcmp(text + offset, bytes, 5), 0);
    return batches_done() - before;
}

TEST(poke, i10_single_with_pending,
     "a single patch with a queue pending loses neither, and keeps each batch in order")
{
    static const uint8_t ret[5] = { 0xc3, 0xcc, 0xcc, 0xcc, 0xcc };

    text = (uint8_t *)mm_text_alloc(1);
    REQUIRE(text);
    text_mutex_lock();
    poke_order_reset();
    EXPECT_EQ(single_behind(t, 256, 128, poke_nop5), 2);
    EXPECT(is_nop(256));
    EXPECT_EQ(single_behind(t, 512, 640, poke_nop5), 1);
    EXPECT(is_nop(512));
    EXPECT_EQ(single_behind(t, 768, 768, ret), 2); /* the last writer wins */
    EXPECT(!poke_first_fault());
    text_mutex_unlock();
}

TEST(poke, i10_pending_holds_protocol, "the protocol is not exchanged under a pending batch")
{
    text = (uint8_t *)mm_text_alloc(1);
    REQUIRE(text);
    text_mutex_lock();
    EXPECT(!add_flushes(t, 0));
    EXPECT_EQ(poke_select_protocol(NULL), POKE_E_PENDING);
    EXPECT_EQ(smp_text_poke_batch_finish(), POKE_OK);
    EXPECT_EQ(poke_select_protocol(NULL), POKE_OK);
    text_mutex_unlock();
}
