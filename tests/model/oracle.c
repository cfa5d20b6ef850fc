/* SPDX-License-Identifier: MIT */
#include "tests/model/oracle.h"

#include "tests/model/world.h"

#include <stdarg.h>
#include <stdio.h>

struct violation violation;
bool tracing;

const char *clause_text(enum clause clause)
{
    static const char *const texts[CLAUSES] = {
        [CLAUSE_TORN] = "torn",
        [CLAUSE_STALE] = "stale",
        [CLAUSE_ORPHAN] = "orphan int3",
        [CLAUSE_FLOW] = "wrong flow",
        [CLAUSE_FOREIGN] = "foreign int3 claimed",
        [CLAUSE_TABLE] = "table read while writable",
        [CLAUSE_RESULT] = "wrong result",
        [CLAUSE_HANG] = "hang",
    };

    return texts[clause];
}

void violate(enum clause clause, const char *format, ...)
{
    va_list args;

    if (violation.seen)
        return;
    violation.seen = true;
    violation.clause = clause;
    va_start(args, format);
    vsnprintf(violation.text, sizeof(violation.text), format, args);
    va_end(args);
    trace("VIOLATION (%s): %s", clause_text(clause), violation.text);
}

void trace(const char *format, ...)
{
    va_list args;

    if (!tracing)
        return;
    printf("    t=%-3u core %u  ", text_now(), world.actor);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}
