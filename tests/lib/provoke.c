/* SPDX-License-Identifier: MIT */
#include "tests/lib/provoke.h"

#include "smp/smp.h"

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

struct attempt {
    bool (*access)(uint64_t, struct trap_caught *);
    uint64_t address;
    struct trap_caught caught;
    bool faulted;
};

static void attempt(void *arg)
{
    struct attempt *a = arg;

    a->faulted = a->access(a->address, &a->caught);
}

void provoke_everywhere(struct test_run *t, bool (*access)(uint64_t, struct trap_caught *),
                        uint64_t address, uint64_t error)
{
    for_each_online_cpu (core) {
        struct attempt a = { .access = access, .address = address };

        smp_call_one((unsigned)core, attempt, &a);
        if (!a.faulted)
            FAIL("core %d: the access to 0x%llx does not fault", core, (unsigned long long)address);
        else if (!is_page_fault(&a.caught, address, error))
            FAIL("core %d: the access to 0x%llx ends in %s, error 0x%llx, address 0x%llx", core,
                 (unsigned long long)address, trap_name((unsigned)a.caught.vector),
                 (unsigned long long)a.caught.error, (unsigned long long)a.caught.cr2);
        else
            saw(SEE_TRAPS, 1);
    }
}
