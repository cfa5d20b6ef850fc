/* SPDX-License-Identifier: MIT */
#include "tests/errata/erratum.h"

#include "kernel/cpu/signature.h"
#include "kernel/trap/trap.h"

static bool in_range(const struct erratum_range *r)
{
    struct cpu_signature s = cpu_signature();

    return r->family && r->vendor == promise_vendor() && r->family == s.family &&
           s.model >= r->model_first && s.model <= r->model_last;
}

bool erratum_lists_this_cpu(const struct erratum *e)
{
    for (unsigned i = 0; i < sizeof e->affected / sizeof e->affected[0]; i++)
        if (in_range(&e->affected[i]))
            return true;
    return false;
}

void erratum_record(struct json *j, const struct erratum *e)
{
    json_string(j, "erratum", e->id);
    json_string(j, "reference", e->reference);
    json_string(j, "hypothesis", e->hypothesis);
    json_string(j, "expected", e->expected);
    json_bool(j, "listed", erratum_lists_this_cpu(e));
}

const char *erratum_confounder(unsigned vector)
{
    /* Linux f454b18e07f5: MSR C001_102E bit 5 is its cure. */
    static const struct erratum zen4 = { .affected = { { VENDOR_AMD, 0x19, 0x10, 0x1f },
                                                       { VENDOR_AMD, 0x19, 0x60, 0xaf } } };

    if (vector == TRAP_UD && erratum_lists_this_cpu(&zen4))
        return "AMD erratum 1485: spurious #UD on Zen 4 with SMT and STIBP off";
    return NULL;
}
