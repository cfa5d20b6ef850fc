/* SPDX-License-Identifier: MIT */
#include "tests/harness/machine_record.h"

#include "kernel/console/console.h"
#include "kernel/cpu/signature.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "smp/smp.h"
#include "tests/harness/cores_record.h"
#include "tests/lib/staleness.h"

#define CPUID_1_ECX_HYPERVISOR (1u << 31)

static bool has_hypervisor(void)
{
    return cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR;
}

/* Leaf 0x40000000, by convention of the hypervisors. Empty on bare metal. */
static void hypervisor_vendor(char out[static 13])
{
    out[0] = '\0';
    if (!has_hypervisor())
        return;
    struct cpuid id = cpuid(0x40000000, 0);
    memcpy(out, (uint32_t[]){ id.ebx, id.ecx, id.edx }, 12);
    out[12] = '\0';
}

bool machine_is_emulated(void)
{
    char vendor[13];

    hypervisor_vendor(vendor);
    return strcmp(vendor, "TCGTCGTCGTCG") == 0;
}

/* Leading blanks are dropped; "" where the leaves do not exist. */
static void cpu_brand(char out[static 49])
{
    char text[49] = "";

    for (uint32_t i = 0; i < 3; i++) {
        struct cpuid id = cpuid_extended(0x80000002 + i);
        memcpy(text + 16 * i, &id, 16);
    }
    text[48] = '\0';
    const char *begin = text;
    while (*begin == ' ')
        begin++;
    memcpy(out, begin, strlen(begin) + 1);
}

/*
 * Intel wants 0 written and CPUID executed first (SDM vol 3A, "Identifying Microcode Updates"),
 * others refuse the write; a hypervisor may refuse both.
 */
static void clear_microcode(__attribute__((unused)) void *arg)
{
    wrmsr(MSR_MICROCODE, 0);
    cpuid(1, 0);
}

static void read_microcode(void *arg)
{
    *(uint64_t *)arg = rdmsr(MSR_MICROCODE);
}

static uint64_t microcode(const char *vendor)
{
    struct trap_caught caught;
    uint64_t value = 0;

    if (strcmp(vendor, "GenuineIntel") == 0)
        trap_try(clear_microcode, NULL, &caught);
    if (!trap_try(read_microcode, &value, &caught))
        return 0;
    /* Intel: upper half; AMD: lower half, the upper one is 0. */
    return value >> 32 ? value >> 32 : value;
}

void machine_describe_cpu(char *out, size_t size)
{
    char vendor[13], brand[49];

    cpu_vendor(vendor);
    cpu_brand(brand);
    fmt_print(out, size, "%s, microcode 0x%llx, %u core%s, TSC %llu MHz", brand[0] ? brand : vendor,
              (unsigned long long)microcode(vendor), smp_online(), smp_online() == 1 ? "" : "s",
              (unsigned long long)(time_info()->tsc_hz / 1000000));
}

static void cpu_missing_cores(struct json *j)
{
    json_array(j, "missing_cores");
    for (unsigned i = 0; i < smp_possible(); i++) {
        if (smp_is_online(i))
            continue;
        json_object(j, NULL);
        json_uint(j, "core", i);
        json_uint(j, "apic_id", percpu(i)->apic_id);
        json_object_end(j);
    }
    json_array_end(j);
}

unsigned machine_name_missing_cores(void)
{
    for (unsigned i = 0; i < smp_possible(); i++) {
        if (!smp_is_online(i))
            con_printf("# core %u (APIC id %u) did not come up\n", i, percpu(i)->apic_id);
    }
    return smp_possible() - smp_online();
}

void machine_record_cpu(const struct words *w)
{
    const struct smp_topology *topology = smp_topology();
    struct cpu_signature signature = cpu_signature();
    char vendor[13], brand[49], hypervisor[13];

    cpu_vendor(vendor);
    cpu_brand(brand);
    hypervisor_vendor(hypervisor);

    struct json *j = record_begin("cpu");
    json_uint(j, "cpus", smp_online());
    json_uint(j, "listed", topology->listed);
    json_uint(j, "failed", topology->failed);
    cpu_missing_cores(j);
    json_uint(j, "offline", topology->offline);
    json_uint(j, "online_capable", topology->online_capable);
    json_uint(j, "unreachable", topology->unreachable);
    json_uint(j, "duplicates", topology->duplicates);
    json_uint(j, "malformed", topology->malformed);
    if (topology->note)
        json_string(j, "topology_note", topology->note);
    json_string(j, "vendor", vendor);
    json_uint(j, "family", signature.family);
    json_uint(j, "model", signature.model);
    json_uint(j, "stepping", signature.stepping);
    json_hex(j, "microcode", microcode(vendor));
    json_string(j, "brand", brand);
    json_bool(j, "hypervisor", has_hypervisor());
    json_string(j, "hypervisor_vendor", hypervisor);
    json_bool(j, "x2apic", topology->x2apic);
    if (mm_paging_levels())
        json_uint(j, "paging_levels", mm_paging_levels());
    json_string(j, "sync", smp_sync_name());
    json_string(j, "pcid", mm_window_mode_name());
    json_string(j, "accel", words_choice_text(w, "accel"));
    cores_add_summary(j);
    record_show();
    record_end();
    machine_record_cores();
}

/* Largest distance of any core's TSC from core 0's, as it was measured when the core came up. */
static uint64_t max_tsc_offset(void)
{
    uint64_t most = 0;

    for_each_online_cpu (i) {
        int64_t offset = percpu(i)->tsc_offset;
        uint64_t distance = offset < 0 ? -(uint64_t)offset : (uint64_t)offset;
        if (distance > most)
            most = distance;
    }
    return most;
}

void machine_record_time(void)
{
    const struct time_info *info = time_info();
    struct json *j = record_begin("time");

    json_uint(j, "tsc_hz", info->tsc_hz);
    json_string(j, "source", info->source);
    json_uint(j, "spread_ppm", info->spread_ppm);
    json_string(j, "cross_source", info->cross_source ? info->cross_source : "");
    json_uint(j, "cross_ppm", info->cross_ppm);
    json_bool(j, "invariant", info->invariant);
    json_uint(j, "max_offset_ticks", max_tsc_offset());
    record_show();
    record_end();
}

void machine_record_staleness(void)
{
    struct staleness s;

    if (!staleness_measure(&s))
        return;
    struct json *j = record_begin("staleness");
    json_uint(j, "patches", s.patches);
    json_uint(j, "executions", s.executions);
    json_uint(j, "stale", s.stale);
    record_show();
    record_end();
}

struct trust machine_trust(void)
{
    struct trust trust = { 0 };
    unsigned n = 0;

    if (machine_is_emulated())
        trust.why_not[n++] = "software emulation";
    else if (has_hypervisor())
        trust.why_not[n++] = "hypervisor";
    if (!time_info()->invariant)
        trust.why_not[n++] = "TSC not invariant";
    if (time_info()->doubt)
        trust.why_not[n++] = time_info()->doubt;
    return trust;
}

bool machine_is_judged(const struct words *w, const char **note)
{
    *note = NULL;
    if (!machine_is_emulated())
        return true;
    if (w->accel == ACCEL_TCG) {
        *note = "software emulation: shows the logic, not the processor";
        return true;
    }
    *note = "emulator, not judged";
    return false;
}
