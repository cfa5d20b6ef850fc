/* SPDX-License-Identifier: MIT */
#include "tests/lib/provoke.h"

static void read_byte(void *arg)
{
    (void)*(volatile uint8_t *)arg;
}

static void write_byte(void *arg)
{
    volatile uint8_t *byte = arg;
    uint8_t old = *byte;

    *byte = (uint8_t)~old;
    *byte = old;
}

static void call(void *arg)
{
    ((void (*)(void))arg)();
}

bool provoke_read(uint64_t address, struct trap_caught *caught)
{
    return !trap_try(read_byte, (void *)address, caught);
}

bool provoke_write(uint64_t address, struct trap_caught *caught)
{
    return !trap_try(write_byte, (void *)address, caught);
}

bool provoke_call(uint64_t address, struct trap_caught *caught)
{
    return !trap_try(call, (void *)address, caught);
}

bool is_page_fault(const struct trap_caught *caught, uint64_t address, uint64_t error)
{
    return caught->vector == TRAP_PF && caught->cr2 == address && caught->error == error;
}
