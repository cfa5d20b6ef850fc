/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose, as callers in Linux were that did not take text_mutex (2018 to 2022, the last
 * c27c753ea6fd): whoever asks for the lock has it, and two patchers are in the engine at once.
 */
#include "poke/lock.h"
#include "poke/poke.h"

/* Bit i: core i is inside. Any core writes it, by locked operations. */
static uint64_t inside;

static uint64_t my_bit(void)
{
    return 1ull << machine_this_core() % 64;
}

bool text_mutex_held(void)
{
    return load_relaxed(&inside) & my_bit();
}

void text_mutex_lock(void)
{
    fetch_or(&inside, my_bit());
}

void text_mutex_unlock(void)
{
    if (text_mutex_held())
        fetch_sub(&inside, my_bit());
}
