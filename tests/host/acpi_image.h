/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables as firmware would leave them, built byte by byte for the tests of acpi.c and madt.c.
 */
#ifndef TESTS_HOST_ACPI_IMAGE_H
#define TESTS_HOST_ACPI_IMAGE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    uint8_t at[4096];
    size_t used;
};

/* Append the low `bytes` bytes of a number, least significant first. */
static inline void put_le(struct bytes *b, unsigned bytes, uint64_t value)
{
    while (bytes--) {
        b->at[b->used++] = (uint8_t)value;
        value >>= 8;
    }
}

static inline void put_zeros(struct bytes *b, unsigned bytes)
{
    while (bytes--)
        b->at[b->used++] = 0;
}

/* Set the byte `at` so that [from, to) sums to zero. */
static inline void fix_checksum(uint8_t *image, size_t from, size_t to, size_t at)
{
    uint8_t sum = 0;

    image[at] = 0;
    for (size_t i = from; i < to; i++)
        sum = (uint8_t)(sum + image[i]);
    image[at] = (uint8_t)-sum;
}

/* A table's header. Returns where it starts, for end_table(). */
static inline size_t begin_table(struct bytes *b, const char *signature, uint8_t revision)
{
    size_t start = b->used;

    memcpy(b->at + start, signature, 4);
    b->used += 4;
    put_le(b, 4, 0); /* length: end_table() */
    put_le(b, 1, revision);
    put_le(b, 1, 0); /* checksum: end_table() */
    memcpy(b->at + b->used, "CRSMODTABLES  ", 14);
    b->used += 14;
    put_le(b, 4, 1);
    memcpy(b->at + b->used, "TEST", 4);
    b->used += 4;
    put_le(b, 4, 1);
    return start;
}

static inline void end_table(struct bytes *b, size_t start)
{
    size_t length = b->used - start, used = b->used;

    b->used = start + 4;
    put_le(b, 4, length);
    b->used = used;
    fix_checksum(b->at, start, used, start + 9);
}

/* ---- MADT entries (ACPI 6.5, 5.2.12) ---- */

#define FLAG_ENABLED        1
#define FLAG_ONLINE_CAPABLE 2

static inline size_t begin_madt(struct bytes *b, uint8_t revision)
{
    size_t start = begin_table(b, "APIC", revision);

    put_le(b, 4, 0xfee00000);
    put_le(b, 4, 1);
    return start;
}

static inline void put_lapic(struct bytes *b, uint8_t uid, uint8_t apic_id, uint32_t flags)
{
    put_le(b, 1, 0);
    put_le(b, 1, 8);
    put_le(b, 1, uid);
    put_le(b, 1, apic_id);
    put_le(b, 4, flags);
}

static inline void put_x2apic(struct bytes *b, uint32_t uid, uint32_t apic_id, uint32_t flags)
{
    put_le(b, 1, 9);
    put_le(b, 1, 16);
    put_le(b, 2, 0);
    put_le(b, 4, apic_id);
    put_le(b, 4, flags);
    put_le(b, 4, uid);
}

static inline void put_lapic_override(struct bytes *b, uint64_t phys)
{
    put_le(b, 1, 5);
    put_le(b, 1, 12);
    put_le(b, 2, 0);
    put_le(b, 8, phys);
}

static inline void put_wakeup(struct bytes *b)
{
    put_le(b, 1, 0x10);
    put_le(b, 1, 16);
    put_zeros(b, 6);
    put_le(b, 8, 0x8000);
}

/* An entry of any type, zero-filled. */
static inline void put_other(struct bytes *b, uint8_t type, uint8_t length)
{
    put_le(b, 1, type);
    put_le(b, 1, length);
    put_zeros(b, length > 2 ? length - 2u : 0);
}

#endif
