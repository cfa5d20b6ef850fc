/* SPDX-License-Identifier: MIT */
/* 8254 timer, channel 2, counting down from 65535 once: the last resort. */
#include "kernel/cpu/regs.h"
#include "kernel/time/calibrate.h"
#include "kernel/time/clock_sources.h"

#define PIT_HZ      1193182
#define PIT_CH2     0x42
#define PIT_COMMAND 0x43
#define PORT_GATE   0x61 /* bit 0: channel 2's gate, bit 1: speaker */

#define COMMAND_CH2_MODE0 0xb0 /* both bytes, mode 0 */
#define COMMAND_LATCH_CH2 0x80

static uint64_t read_counter(void)
{
    outb(PIT_COMMAND, COMMAND_LATCH_CH2);
    uint8_t low = inb(PIT_CH2);
    uint8_t high = inb(PIT_CH2);
    return 0xffffu - (low | (unsigned)high << 8); /* as if it counted up */
}

uint64_t pit_tsc_hz(void)
{
    uint8_t gate = inb(PORT_GATE);

    outb(PORT_GATE, (uint8_t)((gate & ~2u) | 1u));
    outb(PIT_COMMAND, COMMAND_CH2_MODE0);
    outb(PIT_CH2, 0xff);
    outb(PIT_CH2, 0xff);
    const struct reference ref = { .read = read_counter, .mask = 0xffff, .hz = PIT_HZ };
    uint64_t hz = calibrate_tsc(&ref, 20);
    outb(PORT_GATE, gate);
    return hz;
}
