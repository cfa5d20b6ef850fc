/* SPDX-License-Identifier: MIT */
/*
 * What the processor's vendor promises to a core that executes code while another core changes it
 * by one store, without any synchronisation of the reader's.
 */
#ifndef TESTS_ERRATA_PROMISE_H
#define TESTS_ERRATA_PROMISE_H

#include "tests/errata/store.h"

/* Published as seen to tear on real processors, on this or on other ones. */
enum promise_kind {
    PROMISE_WHOLE,       /* never torn: seen torn is a violation */
    PROMISE_UNSPECIFIED, /* the manuals leave it open */
    PROMISE_TORN,        /* known to tear */
};

struct promise {
    enum promise_kind kind;
    const char *source; /* manual and section, or who has seen it */
};

enum vendor { VENDOR_INTEL, VENDOR_AMD, VENDOR_OTHER };

/* This core's vendor by CPUID leaf 0; Hygon's processors follow AMD's manual. */
enum vendor promise_vendor(void);
const char *promise_vendor_name(enum vendor vendor);

/*
 * For a store of kind `kind` whose first byte has offset `offset` in its cache line. Pure. (On a
 * page's edge it crosses a line as well: the caller passes the offset in the line.)
 */
struct promise promise_of_store(enum vendor vendor, const struct store_kind *kind, unsigned offset);

/* The same for a load of the store's width: what the control of a cell may see. Pure. */
struct promise promise_of_load(enum vendor vendor, const struct store_kind *kind, unsigned offset);

/* "guaranteed", "unspecified", "known to tear" */
const char *promise_name(enum promise_kind kind);

#endif
