/* SPDX-License-Identifier: MIT */
/*
 * The image's own symbol table: addresses in rising order, and names. tools/symbols.py makes it
 * from the first link; the second link has it in .rodata.
 */
#ifndef KERNEL_LIB_SYMBOLS_H
#define KERNEL_LIB_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

struct symbol_table {
    uint32_t count;
    uint32_t reserved;
    uint64_t base;           /* offsets are relative to it */
    const uint32_t *offsets; /* count */
    const uint32_t *names;   /* count, into text */
    const char *text;
};

/* The running image's table. Not there on the host. */
extern const struct symbol_table kernel_symbols;

/*
 * Index of the function at or before `address` into *symbol. False, with *symbol
 * undefined, if it is below the first. Pure.
 */
bool symbol_find(const struct symbol_table *t, uint64_t address, uint32_t *symbol);

/* Of the function of an index, 0 .. count - 1. Pure. */
uint64_t symbol_address(const struct symbol_table *t, uint32_t symbol);
const char *symbol_name(const struct symbol_table *t, uint32_t symbol);

/*
 * Name of the function at or before `address`, and the distance in *offset; NULL if it is below the
 * first. Pure.
 */
const char *symbol_lookup(const struct symbol_table *t, uint64_t address, uint64_t *offset);

#endif
