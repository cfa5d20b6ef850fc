/* SPDX-License-Identifier: MIT */
/* The processor's registers and ports, one instruction per function. Kernel mode only. */
#ifndef KERNEL_CPU_REGS_H
#define KERNEL_CPU_REGS_H

#include <stdbool.h>
#include <stdint.h>

/* ---- control registers ---- */

#define CR0_WP    (1ull << 16)
#define CR4_MCE   (1ull << 6)
#define CR4_PGE   (1ull << 7)
#define CR4_UMIP  (1ull << 11)
#define CR4_LA57  (1ull << 12)
#define CR4_PCIDE (1ull << 17)
#define CR4_SMEP  (1ull << 20)
#define CR4_SMAP  (1ull << 21)
#define CR4_CET   (1ull << 23)
#define RFLAGS_IF (1ull << 9)

#define READ_REG(name, reg)                                                                        \
    static inline uint64_t read_##name(void)                                                       \
    {                                                                                              \
        uint64_t value;                                                                            \
        __asm__ volatile("mov %%" reg ", %0" : "=r"(value)::"memory");                             \
        return value;                                                                              \
    }
#define WRITE_REG(name, reg)                                                                       \
    static inline void write_##name(uint64_t value)                                                \
    {                                                                                              \
        __asm__ volatile("mov %0, %%" reg ::"r"(value) : "memory");                                \
    }

READ_REG(cr0, "cr0")
READ_REG(cr2, "cr2")
READ_REG(cr3, "cr3")
READ_REG(cr4, "cr4")
READ_REG(cr8, "cr8")
READ_REG(dr7, "dr7")
WRITE_REG(cr0, "cr0")
WRITE_REG(cr2, "cr2")
WRITE_REG(cr3, "cr3")
WRITE_REG(cr4, "cr4")
WRITE_REG(cr8, "cr8")
WRITE_REG(dr7, "dr7")

/* ---- interrupt flag ---- */

static inline uint64_t read_rflags(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; pop %0" : "=r"(flags)::"memory");
    return flags;
}

static inline void irq_enable(void)
{
    __asm__ volatile("sti" ::: "memory");
}

static inline void irq_disable(void)
{
    __asm__ volatile("cli" ::: "memory");
}

/* Interrupts off; returns RFLAGS for irq_restore(). */
static inline uint64_t irq_save(void)
{
    uint64_t flags = read_rflags();
    irq_disable();
    return flags;
}

static inline void irq_restore(uint64_t flags)
{
    if (flags & RFLAGS_IF)
        irq_enable();
}

/* ---- model-specific registers ---- */

#define MSR_APIC_BASE      0x1b
#define MSR_MICROCODE      0x8b
#define MSR_PAT            0x277
#define MSR_EFER           0xc0000080
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
    return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

/* ---- CPUID ---- */

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;
    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf)
                     : "memory");
    return r;
}

/* Zeros if the processor's highest basic leaf is below `leaf`. */
static inline struct cpuid cpuid_basic(uint32_t leaf, uint32_t subleaf)
{
    if (cpuid(0, 0).eax < leaf)
        return (struct cpuid){ 0 };
    return cpuid(leaf, subleaf);
}

/* The same for the extended leaves, 0x80000000 and up. */
static inline struct cpuid cpuid_extended(uint32_t leaf)
{
    if (cpuid(0x80000000, 0).eax < leaf)
        return (struct cpuid){ 0 };
    return cpuid(leaf, 0);
}

/* ---- ports ---- */

static inline void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static inline void outw(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static inline void outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

/* ---- translations ---- */

static inline void invlpg(uint64_t virt)
{
    __asm__ volatile("invlpg (%0)" ::"r"(virt) : "memory");
}

#endif
