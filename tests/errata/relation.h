/* SPDX-License-Identifier: MIT */
/* Where a reader runs, seen from the writer: which caches and queues they share. */
#ifndef TESTS_ERRATA_RELATION_H
#define TESTS_ERRATA_RELATION_H

/* Each reader is on another logical processor than the writer. Names for word reader=. */
#define RELATIONS(X)                                                                               \
    X(OTHER, "other")     /* the first other one, whatever they share */                           \
    X(SMT, "smt")         /* same core: first-level caches, and perhaps the front end */           \
    X(CLUSTER, "cluster") /* same package, another second-level cache */                           \
    X(SHARED_L2, "l2")    /* same second-level cache, another core */                              \
    X(SOCKET, "socket")   /* another package */                                                    \
    X(TYPE, "type")       /* another type of core (performance, efficiency) */

enum relation {
#define X(id, name) RELATION_##id,
    RELATIONS(X)
#undef X
        RELATION_COUNT
};

/*
 * The first online core that stands in this relation to core `writer`, or -1. By what each core
 * says of itself (CPUID 0x1F or 0xB, 4 or 0x8000001D, 0x1A). Boot core, thread context.
 */
int relation_find(unsigned writer, enum relation relation);

const char *relation_name(enum relation relation);

#endif
