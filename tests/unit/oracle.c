/* SPDX-License-Identifier: MIT */
/* The judge itself: hand-made executions of a site whose history is known. */
#include "tests/lib/oracle.h"

#include "kernel/lib/string.h"
#include "tests/harness/test.h"

/* Three images, shown in turn; version v shows image v % 3. A fourth one is never shown. */
static struct site site;

static void begin_versions(uint64_t begun)
{
    memset(&site, 0, sizeof site);
    site.images = 4;
    site.len = 5;
    for (unsigned i = 0; i < site.images; i++)
        site.image[i].signature = 0x10000 + i;
    for (uint64_t v = 0; v <= begun; v++)
        site.history[v % SITE_HISTORY] = v % 3;
    site.begin = begun;
}

static enum outcome judge(uint64_t lo, uint64_t hi, uint32_t got)
{
    unsigned image;

    return oracle_judge(&site, lo, hi, got, &image);
}

TEST(unit, oracle_verdicts, "current images are legal, retired ones stale, unknown ones torn")
{
    begin_versions(31);
    EXPECT_EQ(judge(31, 31, 0x10001), OUTCOME_LEGAL);
    EXPECT_EQ(judge(30, 31, 0x10000), OUTCOME_LEGAL); /* both sides of a patch that is under way */
    EXPECT_EQ(judge(30, 31, 0x10001), OUTCOME_LEGAL);
    EXPECT_EQ(judge(30, 31, 0x10002), OUTCOME_STALE);
    EXPECT_EQ(judge(31, 31, 0x10000), OUTCOME_STALE);
    EXPECT_EQ(judge(31, 31, 0x10003), OUTCOME_TORN);
    EXPECT_EQ(judge(29, 31, 0), OUTCOME_TORN);

    begin_versions(0); /* nothing has been before the first version */
    EXPECT_EQ(judge(0, 0, 0x10000), OUTCOME_LEGAL);
    EXPECT_EQ(judge(0, 0, 0x10001), OUTCOME_TORN);
}

TEST(unit, oracle_long_retired, "an image that the history no longer knows is stale, not torn")
{
    begin_versions(SITE_HISTORY / 2 - 1); /* the history knows all: image 3 has never been there */
    EXPECT_EQ(judge(site.begin, site.begin, 0x10003), OUTCOME_TORN);

    begin_versions(SITE_HISTORY / 2);
    EXPECT_EQ(judge(site.begin, site.begin, 0x10003), OUTCOME_STALE);
    EXPECT_EQ(judge(site.begin, site.begin, 0x10004), OUTCOME_TORN);
}

TEST(unit, oracle_history_lost, "an execution that outlived the history is not judged")
{
    begin_versions(200);
    EXPECT_EQ(judge(200 - SITE_HISTORY, 200, 0x10000), OUTCOME_UNJUDGED);
    EXPECT_EQ(judge(200 - SITE_HISTORY, 200 - SITE_HISTORY, 0x10003), OUTCOME_UNJUDGED);
}

TEST(unit, oracle_describes, "a finding is described by site, place, core, context and bytes")
{
    struct finding f = { .outcome = OUTCOME_TORN,
                         .context = EXEC_NMI,
                         .core = 2,
                         .site = &site,
                         .got = 0xbad,
                         .lo = 1,
                         .hi = 2,
                         .text = { 0xe8, 0x1f } };
    char text[400];

    begin_versions(2);
    site.slot = (uint8_t *)0x1000 + 62;
    oracle_describe(&f, text, sizeof text);
    EXPECT_EQ(strcmp(text, "torn execution: site 0 (5 bytes at line offset 62, crosses 8 16 32 64)"
                           " on core 2 in nmi: got 0xbad, versions 1..2 (nop 0x10001, nop "
                           "0x10002), text now e8 1f 00 00 00"),
              0);
}
