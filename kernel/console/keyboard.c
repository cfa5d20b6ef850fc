/* SPDX-License-Identifier: MIT */
#include "kernel/console/keyboard.h"

#include "kernel/cpu/regs.h"
#include "kernel/lib/acpi.h"
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"

#define FADT_IAPC_BOOT_ARCH 109
#define BOOT_ARCH_8042      (1u << 1)

#define PORT_DATA     0x60
#define PORT_STATUS   0x64
#define STATUS_FULL   0x01 /* a byte waits in PORT_DATA */
#define STATUS_MOUSE  0x20 /* and it is the mouse's */
#define STATUS_ABSENT 0xff

#define BYTES_AT_ONCE 32 /* the controller's buffer; one that never empties is broken */

#define CODE_RELEASED 0x80
#define CODE_EXTENDED 0xe0

static bool present, extended;

bool keyboard_in_fadt(const uint8_t *fadt, size_t bytes)
{
    uint16_t flags;

    if (bytes < FADT_IAPC_BOOT_ARCH + sizeof flags)
        return false;
    memcpy(&flags, fadt + FADT_IAPC_BOOT_ARCH, sizeof flags);
    return flags & BOOT_ARCH_8042;
}

char keyboard_letter(bool *is_extended, uint8_t code)
{
    bool second = *is_extended;

    *is_extended = code == CODE_EXTENDED;
    if (second || code & CODE_RELEASED)
        return 0;
    switch (code) {
    case 0x10:
        return 'q';
    case 0x19:
        return 'p';
    case 0x1f:
        return 's';
    default:
        return 0;
    }
}

void keyboard_init(uint64_t rsdp_phys)
{
    const uint8_t *fadt;
    size_t bytes;

    present = acpi_find(mm_read_phys, rsdp_phys, "FACP", &fadt, &bytes) == ACPI_OK &&
              keyboard_in_fadt(fadt, bytes) && inb(PORT_STATUS) != STATUS_ABSENT;
    while (keyboard_poll())
        ;
}

bool keyboard_is_present(void)
{
    return present;
}

char keyboard_poll(void)
{
    if (!present)
        return 0;
    for (unsigned i = 0; i < BYTES_AT_ONCE; i++) {
        uint8_t status = inb(PORT_STATUS);

        if (!(status & STATUS_FULL) || status == STATUS_ABSENT)
            return 0;
        uint8_t code = inb(PORT_DATA);
        char letter = status & STATUS_MOUSE ? 0 : keyboard_letter(&extended, code);
        if (letter)
            return letter;
    }
    present = false;
    return 0;
}
