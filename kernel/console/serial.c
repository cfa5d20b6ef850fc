/* SPDX-License-Identifier: MIT */
/* 16550 UART (National Semiconductor PC16550D data sheet). */
#include "kernel/console/serial.h"

#include "kernel/cpu/regs.h"
#include "kernel/lib/atomic.h"

#define COM1     0x3f8
#define UART_THR 0 /* transmit, divisor low while DLAB is set */
#define UART_IER 1 /* interrupt enable, divisor high while DLAB is set */
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_SCR 7

#define LCR_DLAB 0x80
#define LCR_8N1  0x03
#define LSR_THRE 0x20

/* A byte takes 87 us at 115200 baud; one port read about 1 us. */
#define WAIT_READS 100000

static bool present;

void serial_init(void)
{
    outb(COM1 + UART_SCR, 0x5a);
    present = inb(COM1 + UART_SCR) == 0x5a;
    if (!present)
        return;
    outb(COM1 + UART_IER, 0); /* polled */
    outb(COM1 + UART_LCR, LCR_DLAB);
    outb(COM1 + UART_THR, 1); /* 115200 */
    outb(COM1 + UART_IER, 0);
    outb(COM1 + UART_LCR, LCR_8N1);
    outb(COM1 + UART_FCR, 0xc7); /* FIFOs on and cleared */
    outb(COM1 + UART_MCR, 0x03); /* DTR, RTS */
}

void serial_write(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes && present; i++) {
        unsigned reads = 0;
        while (!(inb(COM1 + UART_LSR) & LSR_THRE)) {
            if (++reads == WAIT_READS) {
                present = false;
                return;
            }
            cpu_relax();
        }
        outb(COM1 + UART_THR, (uint8_t)text[i]);
    }
}
