/* SPDX-License-Identifier: MIT */
#include "tests/harness/health_record.h"

#include "kernel/console/console.h"
#include "kernel/mm/mm.h"
#include "smp/health.h"
#include "smp/smp.h"
#include "tests/harness/record.h"

#define ERRORS_MAX 64 /* in the record; all are counted */

typedef unsigned long long u64;

static struct core_health *before, *after; /* by core; NULL: not read */

void health_begin(void)
{
    size_t pages = (smp_possible() * sizeof *before + PAGE_SIZE - 1) / PAGE_SIZE;

    if (!smp_has_nmis())
        return;
    before = pages_alloc_virt(pages);
    after = pages_alloc_virt(pages);
    if (!before || !after) {
        before = NULL;
        con_printf("# no memory to watch for machine-check errors and SMIs\n");
        return;
    }
    health_settle_nmis();
    health_read(before);
}

void health_between_tests(void)
{
    if (before)
        health_settle_nmis();
}

/* ---- the parts of the record ---- */

static void add_nmis(struct json *j)
{
    u64 sum = 0;

    json_array(j, "unexpected_nmis");
    for_each_online_cpu (i) {
        u64 count = after[i].unexpected_nmis - before[i].unexpected_nmis;

        if (!count)
            continue;
        sum += count;
        json_object(j, NULL);
        json_uint(j, "core", (unsigned)i);
        json_uint(j, "count", count);
        json_object_end(j);
    }
    json_array_end(j);
    if (sum)
        con_printf("# finding: %llu NMIs that nobody here has sent\n", sum);
}

static void add_smis(struct json *j)
{
    unsigned seeing = 0;
    u64 sum = 0, most = 0;

    for_each_online_cpu (i) {
        u64 count = (after[i].smis - before[i].smis) & 0xffffffff; /* the counter has 32 bits */

        seeing += after[i].sees_smis;
        sum += count;
        most = count > most ? count : most;
    }
    json_object(j, "smis");
    json_uint(j, "cores_that_count", seeing);
    json_uint(j, "sum", sum);
    json_uint(j, "most_on_a_core", most);
    json_object_end(j);
}

static void add_error(struct json *j, unsigned core, const struct mc_error *e, bool is_new)
{
    json_object(j, NULL);
    json_uint(j, "core", core);
    json_uint(j, "bank", e->bank);
    json_bool(j, "new", is_new);
    json_bool(j, "uncorrected", e->status & MC_UNCORRECTED);
    json_hex(j, "status", e->status);
    json_hex(j, "address", e->address);
    json_hex(j, "misc", e->misc);
    json_object_end(j);
}

static void add_errors(struct json *j)
{
    unsigned banks = 0, errors = 0, fresh = 0;

    json_array(j, "machine_checks");
    for_each_online_cpu (i) {
        const struct mc_errors *now = &after[i].errors;

        banks = now->banks > banks ? now->banks : banks;
        for (unsigned k = 0; k < now->count; k++) {
            const struct mc_error *e = &now->errors[k];
            bool is_new = machine_check_is_new(e, &before[i].errors);

            if (is_new && fresh++ < ERRORS_MAX)
                con_printf("# finding: machine check: core %d bank %u, %s error, status 0x%llx, "
                           "address 0x%llx\n",
                           i, e->bank, e->status & MC_UNCORRECTED ? "uncorrected" : "corrected",
                           (u64)e->status, (u64)e->address);
            if (errors++ < ERRORS_MAX)
                add_error(j, (unsigned)i, e, is_new);
        }
    }
    json_array_end(j);
    json_uint(j, "machine_check_banks", banks);
    json_uint(j, "machine_check_errors", errors);
    json_uint(j, "machine_check_new", fresh);
}

void health_end(void)
{
    if (!before)
        return;
    health_settle_nmis();
    health_read(after);

    struct json *j = record_begin("health");
    add_nmis(j);
    add_smis(j);
    add_errors(j);
    record_show();
    record_end();
}
