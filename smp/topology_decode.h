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

#endif
