/* SPDX-License-Identifier: MIT */
/* Each way to serialise a core works, or is refused where the processor does not have it. */
#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/harness/test.h"

static const struct {
    enum sync_method method;
    const char *name;
} methods[] = {
    { SYNC_SERIALIZE, "serialize" },
    { SYNC_IRET, "iret" },
    { SYNC_CR2, "cr2" },
    { SYNC_CPUID, "cpuid" },
};

static bool has_serialize(void)
{
    return cpuid_basic(7, 0).edx >> 14 & 1;
}

/* A handful of rounds: each core's acknowledgement is awaited inside. */
static void use(struct test_run *t, const char *name)
{
    struct smp_ipi_counts before = smp_ipi_counts();

    EXPECT_EQ(strcmp(smp_sync_name(), name), 0);
    for (unsigned i = 0; i < 20; i++) {
        uint64_t flags = read_rflags();
        sync_core();
        EXPECT_EQ(read_rflags() & RFLAGS_IF, flags & RFLAGS_IF);
        smp_text_poke_sync_each_cpu();
    }
    struct smp_ipi_counts after = smp_ipi_counts();
    EXPECT_EQ(after.sync_acks - before.sync_acks, 20ull * smp_online());
    saw(SEE_IPIS, after.sync_acks - before.sync_acks);
}

TEST(unit, sync_methods, "every core acknowledges every sync, by each method that it has",
     .budget_ms = 500, .must_see = { { SEE_IPIS, 60 } })
{
    for (unsigned i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        bool expected = methods[i].method != SYNC_SERIALIZE || has_serialize();
        bool selected = smp_sync_select(methods[i].method);

        EXPECT_EQ(selected, expected);
        if (selected)
            use(t, methods[i].name);
    }
    REQUIRE(smp_sync_select((enum sync_method)test_words()->sync));
}
