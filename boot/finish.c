/* SPDX-License-Identifier: MIT */
#include "boot/finish.h"

#include <stdbool.h>

#include "boot/firmware.h"
#include "boot/say.h"
#include "kernel/exit.h"

const char *exit_code_name(uint64_t code)
{
    switch ((enum exit_code)code) {
    case EXIT_PASS:
        return "PASS";
    case EXIT_FAIL:
        return "FAIL";
    case EXIT_WEAK:
        return "WEAK";
    case EXIT_PANIC:
        return "PANIC";
    case EXIT_HANG:
        return "HANG";
    case EXIT_SKIP:
        return "SKIP";
    case EXIT_ERROR:
        break;
    }
    return "ERROR";
}

void finish(uint64_t code)
{
    if (code < EXIT_PASS || code > EXIT_SKIP) {
        say("# the kernel returned 0x%llx, which is no exit code\n", (unsigned long long)code);
        code = EXIT_ERROR;
    }
    if (exit_is_qemu())
        exit_now((enum exit_code)code);

    /*
     * Back to the firmware is no way: it may call its MP services or ExitBootServices, and both can
     * wait for ever for processors that are parked in the kernel's memory.
     */
    say("Verdict: %s. Press any key to restart, o to power off.\n", exit_code_name(code));

    CHAR16 key = wait_key(0);
    bool off = key == 'o' || key == 'O';

    firmware.table->RuntimeServices->ResetSystem(off ? EfiResetShutdown : EfiResetCold, EFI_SUCCESS,
                                                 0, NULL);
    for (;;)
        firmware.services->Stall(1000000);
}
