/* SPDX-License-Identifier: MIT */
#include "boot/library.h"

#include <stddef.h>

#include "boot/finish.h"
#include "boot/firmware.h"
#include "boot/say.h"
#include "kernel/cpu/regs.h"
#include "kernel/lib/string.h"

/* Where x86-64's ABI for user space has the thread's data, with the canary at 0x28. */
static const struct {
    uint64_t before[5], canary;
} thread = { .canary = 0x9e3779b97f4a7c00 };
_Static_assert(offsetof(__typeof__(thread), canary) == 0x28, "where the compiler expects it");

static uint64_t exit_code, fs_base;
static EFI_TPL tpl;

void library_begin(uint64_t code)
{
    exit_code = code;
    /* A handler of the firmware's that loads FS anew would change the base within a function. */
    tpl = firmware.services->RaiseTPL(TPL_HIGH_LEVEL);
    fs_base = rdmsr(MSR_FS_BASE);
    wrmsr(MSR_FS_BASE, (uint64_t)&thread);
}

void library_end(void)
{
    wrmsr(MSR_FS_BASE, fs_base);
    firmware.services->RestoreTPL(tpl);
}

/* Nothing may return into the library. The stack above may be damaged: it is not used any more. */
static _Noreturn void give_up(const char *why)
{
    library_end();
    say("# a library has failed: %s\n", why);
    finish(exit_code);
}

/* ---- by these names the compiler and the library know them ---- */

_Noreturn void __assert_fail(const char *what, const char *file, unsigned line,
                             const char *function);
_Noreturn void __stack_chk_fail(void);
void *__memset_chk(void *to, int c, size_t n, size_t room);
char *strchr(const char *s, int c);

_Noreturn void __assert_fail(const char *what, const char *file, unsigned line,
                             const char *function)
{
    (void)file;
    (void)line;
    (void)function;
    give_up(what);
}

_Noreturn void __stack_chk_fail(void)
{
    give_up("its stack is smashed");
}

void *__memset_chk(void *to, int c, size_t n, size_t room)
{
    if (n > room)
        give_up("memset beyond the end");
    return memset(to, c, n);
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++) {
        if (!*s)
            return NULL;
    }
    return (char *)s;
}
