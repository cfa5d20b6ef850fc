/* SPDX-License-Identifier: MIT */
/*
 * The oracle: was one execution of a site legal?
 *
 * The patcher numbers the states of a site: version v is begun (history[v], then begin = v),
 * patched into the text by a protocol, then done (done = v). An executor reads lo = done, executes,
 * reads hi = begin. Legal are the images of the versions lo .. hi, and nothing else:
 *
 *   - Nothing older than lo. The protocol returned before done = lo was stored (release; pairs with
 *     the executor's acquire load), and it returns only after every core has serialised behind the
 *     last store of version lo. The load that saw lo therefore lies behind this core's own
 *     serialisation, and so does the fetch of the site, which follows the load in program
 *     order. This is what "synchronised" promises (SDM vol 3A, "Handling Self- and
 *     Cross-Modifying Code"); a violation means that a sync is missing or does not work.
 *   - Nothing newer than hi. begin = v is stored before the first byte or the first table entry of
 *     version v; stores become visible in program order. Whoever executed a byte of v loads
 *     begin, later in program order, as v or more.
 *
 * What this shows depends on the machine. An emulator with one thread (TCG) executes every
 * instruction as memory holds it: torn bytes are seen there, a missing serialisation never is. The
 * event log says that the serialising instruction was reached, not what it did.
 *
 * history[] is a ring: an execution that took SITE_HISTORY / 2 versions or more cannot be judged,
 * and is counted as such. An image of the site that the ring no longer knows is taken for stale.
 */
#ifndef TESTS_LIB_ORACLE_H
#define TESTS_LIB_ORACLE_H

#include "kernel/trap/trap.h"
#include "tests/lib/site.h"

enum outcome {
    OUTCOME_LEGAL,
    OUTCOME_UNJUDGED,
    OUTCOME_STALE, /* an image that was retired before the execution began */
    OUTCOME_TORN,  /* no image that the site has had */
    OUTCOME_FAULT, /* an exception, or registers destroyed: torn as well */
    OUTCOMES
};
const char *outcome_name(enum outcome o);

/* In which context a core executed the site. */
enum exec_context { EXEC_THREAD, EXEC_TIMER, EXEC_NMI, EXEC_CONTEXTS };
const char *exec_context_name(enum exec_context c);

/* The evidence. Filled in by the core that found it, read after that core has stopped. */
struct finding {
    enum outcome outcome; /* OUTCOME_LEGAL: nothing found */
    enum exec_context context;
    unsigned core;
    const struct site *site;
    uint32_t got; /* the signature; not for a fault */
    uint64_t lo, hi;
    struct trap_caught caught;  /* of a fault */
    uint8_t text[SITE_LEN_MAX]; /* the slot's bytes when it was found */
};

/*
 * Judge signature `got` of an execution between lo and hi. `*image` is set if it is legal. Any
 * context.
 */
enum outcome oracle_judge(const struct site *s, uint64_t lo, uint64_t hi, uint32_t got,
                          unsigned *image);

/* One line that says everything: "torn execution: site 3 (...) on core 2 in nmi: ...". The site's
 * history must still be the one of the finding: before the site is patched again. */
void oracle_describe(const struct finding *f, char *out, size_t size);

#endif
