/* SPDX-License-Identifier: MIT */
#include "tests/latency/floor.h"

#include <stddef.h>

#include "kernel/cpu/iret.h"
#include "kernel/cpu/regs.h"
#include "kernel/mm/mm.h"
#include "tests/latency/bare_bp.h"

static bool has_serialize(void)
{
    return cpuid_basic(7, 0).edx >> 14 & 1;
}

static void iret(void)
{
    iret_to_next();
}

static void serialize(void)
{
    __asm__ volatile(".byte 0x0f, 0x01, 0xe8" ::: "memory"); /* binutils before 2.35 */
}

static void leaf_zero(void)
{
    cpuid(0, 0);
}

#ifndef CROSSMOD_HOSTED

static void mov_cr2(void)
{
    uint64_t scratch;

    __asm__ volatile("mov %%cr2, %0; mov %0, %%cr2" : "=r"(scratch)::"memory");
}

static void invalidate_page(void)
{
    static uint64_t word;

    invlpg((uint64_t)(uintptr_t)&word);
}

static void load_cr3(void)
{
    write_cr3(read_cr3());
}

#endif

static void nothing(void)
{
}

const struct floor floors_local[] = {
    { .name = "nothing",
      .what = "call of an empty function: what the others contain too",
      .operations = 64,
      .run = nothing },
    { .name = "iret", .what = "IRETQ to the next instruction", .operations = 16, .run = iret },
    { .name = "serialize",
      .what = "SERIALIZE",
      .operations = 16,
      .run = serialize,
      .exists = has_serialize },
    { .name = "cpuid", .what = "CPUID, leaf 0", .operations = 4, .run = leaf_zero },
#ifdef CROSSMOD_HOSTED
    { .name = "bp",
      .what =
          "INT3: SIGTRAP through the machine's signal handler, a breakpoint handler that returns",
      .operations = 4,
      .run = bare_bp,
      .begin = bare_bp_begin,
      .end = bare_bp_end },
#else
    { .name = "mov_cr2", .what = "MOV from CR2 and to it", .operations = 16, .run = mov_cr2 },
    { .name = "invlpg", .what = "INVLPG", .operations = 16, .run = invalidate_page },
    { .name = "cr3_load",
      .what = "MOV from CR3 and to it, which drops all but global translations",
      .operations = 4,
      .run = load_cr3 },
    { .name = "bp",
      .what = "INT3, with a lone IRETQ behind the gate of #BP",
      .operations = 16,
      .run = bare_bp,
      .begin = bare_bp_begin,
      .end = bare_bp_end },
#endif
    { .name = NULL },
};
