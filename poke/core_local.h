/* SPDX-License-Identifier: MIT */
/*
 * Read-modify-write of a word that only one core writes, its interrupt and NMI handlers included:
 * a single instruction without LOCK cannot be torn by an interrupt on the same core, and other
 * cores only read.
 */
#ifndef POKE_CORE_LOCAL_H
#define POKE_CORE_LOCAL_H

#include <stdint.h>

static inline void core_local_inc(uint64_t *counter)
{
    __asm__ volatile("incq %0" : "+m"(*counter) : : "cc");
}

/* Returns the old value and leaves it plus one. */
static inline uint32_t core_local_claim(uint32_t *index)
{
    uint32_t old = 1;

    __asm__ volatile("xaddl %0, %1" : "+r"(old), "+m"(*index) : : "cc");
    return old;
}

#endif
