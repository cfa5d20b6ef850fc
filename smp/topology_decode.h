/* SPDX-License-Identifier: MIT */
/*
 * Package, core and thread from an APIC id and what CPUID says of its fields. Pure.
 * SDM vol 3A, "Identifying Topological Relationships in a MP System".
 */
#ifndef SMP_TOPOLOGY_DECODE_H
#define SMP_TOPOLOGY_DECODE_H

#include <stdbool.h>
#include <stdint.h>

struct topology_ids {
    uint32_t package, core, thread;
};

/* One subleaf of CPUID 0x1F or 0xB. */
struct topology_level {
    uint32_t eax, ebx, ecx;
};

/*
 * From the first `count` subleaves, in order; reading stops at the first invalid one. False, with
 * *out untouched, if there is no valid one.
 */
bool topology_decode(uint32_t apic_id, const struct topology_level *levels, unsigned count,
                     struct topology_ids *out);

/*
 * Older processors: `threads` is CPUID.1:EBX[23:16] (1 if CPUID.1:EDX[28] is clear), the number of
 * APIC ids of a package; `cores` is CPUID.4:EAX[31:26] + 1, those of its cores. Zeros count as 1.
 */
void topology_decode_legacy(uint32_t apic_id, uint32_t threads, uint32_t cores,
                            struct topology_ids *out);

/*
 * AMD's without leaf 0xB: `core_id_bits` is CPUID.80000008:ECX[15:12] and `cores` its ECX[7:0] + 1,
 * which counts where the former is 0; `threads` of a core is CPUID.8000001E:EBX[15:8] + 1, 1 where
 * that leaf does not exist.
 */
void topology_decode_amd(uint32_t apic_id, uint32_t core_id_bits, uint32_t cores, uint32_t threads,
                         struct topology_ids *out);

/* What a core of a hybrid processor is made for. */
enum core_kind {
    CORE_UNIFORM, /* the processor has one kind, or does not say */
    CORE_PERFORMANCE,
    CORE_EFFICIENT,
};

/*
 * Intel: CPUID.7.0:EDX (bit 15: hybrid) and CPUID.1A:EAX of this core (bits 31 to 24: its type).
 */
enum core_kind core_kind_intel(uint32_t leaf_7_edx, uint32_t leaf_1a_eax);

/*
 * AMD: EAX and EBX of the first subleaf of CPUID.80000026, that of cores (EAX bit 30:
 * heterogeneous; EBX bits 31 to 28: the type of this one).
 */
enum core_kind core_kind_amd(uint32_t leaf_80000026_eax, uint32_t leaf_80000026_ebx);

#endif
