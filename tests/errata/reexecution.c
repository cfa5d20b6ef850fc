/* SPDX-License-Identifier: MIT */
/*
 * Does an instruction execute twice, or not at all, when the line that it lies in is written under
 * it? AMD's K6 executed one twice after it had noticed self-modified code. The reader increments a
 * word of memory and a register in the line that a writer keeps storing to; both must count alike.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "poke/poke.h"
#include "smp/smp.h"
#include "tests/errata/erratum.h"
#include "tests/errata/writer.h"

#define LENGTH_NS 150000000ull
#define ROUNDS    1000u /* of the loop, per call */

static const struct erratum k6 = {
    .id = "AMD-K6 2.6.2",
    .reference = "AMD-K6 revision guide",
    .hypothesis = "an instruction executes twice when its line is written by another core",
    .expected = "as many increments in memory as in the register",
    .affected = { { VENDOR_AMD, 5, 6, 7 } },
};

/*
 * mov ecx, ROUNDS; xor eax, eax; 1: inc qword [rdi]; inc eax; test eax, imm32; dec ecx; jnz 1b; ret
 * The writer stores to the immediate of TEST, whose value changes nothing.
 */
static const uint8_t code[] = { 0xb9, 0,    0, 0, 0, 0x31, 0xc0, 0x48, 0xff, 0x07, 0xff,
                                0xc0, 0xa9, 0, 0, 0, 0,    0xff, 0xc9, 0x75, 0xf2, 0xc3 };
#define IMMEDIATE 13
/* The immediate lies in one quadword. */
#define AT 3

static struct {
    uint32_t (*function)(uint64_t *counter);
    uint64_t in_memory, in_register;
    uint32_t stop;
} reader;

static void count(__attribute__((unused)) void *arg)
{
    while (!load_acquire(&reader.stop)) { /* pairs with the release in the test */
        reader.in_register += reader.function(&reader.in_memory);
        cpu_relax();
    }
}

static const uint8_t *image(__attribute__((unused)) void *arg, uint64_t n)
{
    static const uint8_t values[2][8] = { { 0 }, { 0x5a, 0x5a, 0x5a, 0x5a } };

    return values[n & 1];
}

TEST(errata, reexecution,
     "an instruction whose line is written by another core executes once, not twice and not never",
     .cpus = 2, .budget_ms = 300, .must_see = { { SEE_EXECUTIONS, 10 * ROUNDS } })
{
    uint8_t *text = (uint8_t *)mm_text_alloc(1), body[sizeof code];
    uint32_t rounds = ROUNDS;
    unsigned other = (unsigned)smp_next_online(0);
    struct writer w = { .kind = store_kind_find("mov32"),
                        .to = (uint64_t)text + AT + IMMEDIATE,
                        .image = image,
                        .pace_ns = 200,
                        .random = test_prng(t) };

    REQUIRE(text && w.kind);
    memcpy(body, code, sizeof body);
    memcpy(body + 1, &rounds, sizeof rounds);
    EXPECT_EQ(text_poke_copy(text + AT, body, sizeof body), POKE_OK);
    memset(&reader, 0, sizeof reader);
    reader.function = (uint32_t(*)(uint64_t *))(uintptr_t)(text + AT);
    REQUIRE(smp_start_work(other, count, NULL));
    bool written = writer_run(&w, LENGTH_NS);
    store_release(&reader.stop, 1);
    smp_wait_work(other);
    REQUIRE(written);

    erratum_record(&t->data, &k6);
    json_uint(&t->data, "stores", w.stores);
    json_uint(&t->data, "in_register", reader.in_register);
    json_uint(&t->data, "in_memory", reader.in_memory);
    saw(SEE_EXECUTIONS, reader.in_register);
    EXPECT_EQ(reader.in_memory, reader.in_register);
}
