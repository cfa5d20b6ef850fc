/* SPDX-License-Identifier: MIT */
#include "tests/errata/promise.h"

#include "kernel/cpu/signature.h"
#include "kernel/lib/atomic.h"

#define QUADWORD 8u

enum vendor promise_vendor(void)
{
    char name[13];

    cpu_vendor(name);
    if (strcmp(name, "GenuineIntel") == 0)
        return VENDOR_INTEL;
    if (strcmp(name, "AuthenticAMD") == 0 || strcmp(name, "HygonGenuine") == 0)
        return VENDOR_AMD;
    return VENDOR_OTHER;
}

const char *promise_vendor_name(enum vendor vendor)
{
    static const char *const names[] = {
        [VENDOR_INTEL] = "Intel", [VENDOR_AMD] = "AMD", [VENDOR_OTHER] = "other"
    };

    return names[vendor];
}

struct promise promise_of_store(enum vendor vendor, const struct store_kind *kind, unsigned offset)
{
    if (kind->pieces > 1)
        return (struct promise){ PROMISE_TORN, "several stores by definition" };
    if (kind->bytes == 1)
        return (struct promise){ PROMISE_WHOLE, "one byte has no parts" };
    if (offset + kind->bytes > CACHE_LINE)
        return (struct promise){ PROMISE_TORN, "Chamith et al., PLDI 2016, for plain stores that "
                                               "cross 64 bytes, on Intel" };
    if (vendor == VENDOR_AMD && !kind->weak && offset % QUADWORD + kind->bytes <= QUADWORD)
        return (struct promise){ PROMISE_WHOLE,
                                 "APM vol 2 (24593), 7.6.1, asynchronous "
                                 "modification inside a naturally aligned quadword" };
    if (vendor == VENDOR_AMD)
        return (struct promise){ PROMISE_UNSPECIFIED,
                                 "APM vol 2 (24593), 7.6.1, speaks of naturally aligned quadwords "
                                 "only" };
    if (vendor == VENDOR_INTEL)
        return (struct promise){ PROMISE_UNSPECIFIED,
                                 "SDM vol 3A, \"Handling Self- and Cross-Modifying Code\": without "
                                 "a serializing instruction of the reader it is model specific" };
    return (struct promise){ PROMISE_UNSPECIFIED, "no public statement" };
}

struct promise promise_of_load(enum vendor vendor, const struct store_kind *kind, unsigned offset)
{
    if (kind->pieces > 1)
        return (struct promise){ PROMISE_TORN, "several stores by definition" };
    if (kind->bytes == 1)
        return (struct promise){ PROMISE_WHOLE, "one byte has no parts" };
    if (offset + kind->bytes > CACHE_LINE)
        return (struct promise){ PROMISE_TORN, "no vendor makes a load across lines atomic" };
    if (vendor == VENDOR_INTEL && !kind->weak && kind->bytes <= QUADWORD)
        return (struct promise){ PROMISE_WHOLE, "SDM vol 3A, \"Guaranteed Atomic Operations\": "
                                                "up to 8 bytes inside a line" };
    if (vendor == VENDOR_AMD && !kind->weak && offset % QUADWORD + kind->bytes <= QUADWORD)
        return (struct promise){ PROMISE_WHOLE, "APM vol 2 (24593), 7.3.2: inside a naturally "
                                                "aligned quadword" };
    return (struct promise){ PROMISE_UNSPECIFIED, "no public statement that covers it" };
}

const char *promise_name(enum promise_kind kind)
{
    static const char *const names[] = { [PROMISE_WHOLE] = "guaranteed",
                                         [PROMISE_UNSPECIFIED] = "unspecified",
                                         [PROMISE_TORN] = "known to tear" };

    return names[kind];
}
