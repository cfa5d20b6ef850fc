/* SPDX-License-Identifier: MIT */
/* One core's GDT, TSS and trap stacks, and the IDT that all cores share. */
#ifndef KERNEL_CPU_CPU_TABLES_H
#define KERNEL_CPU_CPU_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#define KERNEL_CS  0x08
#define KERNEL_DS  0x10
#define KERNEL_TSS 0x18

struct cpu_tables {
    uint64_t gdt[5]; /* null, code, data, TSS (16 bytes) */
    struct {
        uint32_t reserved0;
        uint64_t rsp[3];
        uint64_t reserved1;
        uint64_t ist[7];
        uint64_t reserved2;
        uint16_t reserved3, iomap;
    } __attribute__((packed)) tss;
} __attribute__((aligned(64)));

struct cpu_local;

/* The boot core's tables before there is memory management: unguarded stacks, good for a panic. */
void cpu_tables_build_early(struct cpu_tables *t, struct cpu_local *local);

/*
 * Allocate this core's trap stacks (guarded) and fill in its tables; may run on another core than
 * the one that will use them. False if memory is short.
 */
bool cpu_tables_build(struct cpu_tables *t, struct cpu_local *local);

/*
 * Load GDT, segments, TSS and the shared IDT, set GS base to `local`. On the core itself,
 * interrupts off.
 */
void cpu_tables_load(struct cpu_tables *t, struct cpu_local *local);

#endif
