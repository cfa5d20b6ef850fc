/* SPDX-License-Identifier: MIT */
/*
 * The single way out, and the codes that go with it (README.md, "Reading the result"). QEMU's
 * isa-debug-exit turns code c into the process status (c << 1) | 1, so that none of these collides
 * with QEMU's own 0 and 1.
 */
#ifndef KERNEL_EXIT_H
#define KERNEL_EXIT_H

enum exit_code {
    EXIT_PASS = 0x10,  /* all passed */
    EXIT_FAIL = 0x11,  /* a test failed */
    EXIT_ERROR = 0x12, /* error of the harness */
    EXIT_WEAK = 0x13,  /* weak evidence */
    EXIT_PANIC = 0x14, /* panic */
    EXIT_HANG = 0x15,  /* hang, found by the watchdog */
    EXIT_SKIP = 0x16,  /* everything skipped */
};

/*
 * Find out whether QEMU's debug exit and debug console may be used: CPUID's hypervisor bit and
 * fw_cfg's "QEMU" signature. First line of the kernel, so that early failures speak. Touches no
 * port on real hardware.
 */
void exit_init(void);

/* True if the machine is QEMU with fw_cfg: ports 0xf4 and 0xe9 may be written. */
_Bool exit_is_qemu(void);

/*
 * End the machine at once with `code`: by the debug exit port where there is one, else halt this
 * core for ever. For ends that cannot return to the loader (panic, hang). Any context.
 */
_Noreturn void exit_now(enum exit_code code);

#endif
