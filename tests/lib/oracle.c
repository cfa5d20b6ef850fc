/* SPDX-License-Identifier: MIT */
#include "tests/lib/oracle.h"

#include "kernel/lib/fmt.h"
#include "kernel/trap/backtrace.h"

const char *outcome_name(enum outcome o)
{
    static const char *const names[] = {
        [OUTCOME_LEGAL] = "legal", [OUTCOME_UNJUDGED] = "unjudged", [OUTCOME_STALE] = "stale",
        [OUTCOME_TORN] = "torn",   [OUTCOME_FAULT] = "fault",
    };
    return names[o];
}

const char *exec_context_name(enum exec_context c)
{
    static const char *const names[] = {
        [EXEC_THREAD] = "thread",
        [EXEC_TIMER] = "timer",
        [EXEC_NMI] = "nmi",
    };
    return names[c];
}

static bool matches(const struct site *s, uint64_t version, uint32_t got, unsigned *image)
{
    unsigned i = site_image_of(s, version);

    if (s->image[i].signature != got)
        return false;
    *image = i;
    return true;
}

/* Was `got` an image of the site before version `lo`? */
static bool is_retired(const struct site *s, uint64_t lo, uint32_t got, unsigned *image)
{
    for (uint64_t back = 1; back < SITE_HISTORY / 2 && back <= lo; back++) {
        if (matches(s, lo - back, got, image))
            return true;
    }
    if (lo < SITE_HISTORY / 2)
        return false;
    /* Of the time before, nobody knows: any image of the site may have been there. */
    for (unsigned i = 0; i < s->images; i++) {
        if (s->image[i].signature == got)
            return true;
    }
    return false;
}

enum outcome oracle_judge(const struct site *s, uint64_t lo, uint64_t hi, uint32_t got,
                          unsigned *image)
{
    enum outcome outcome = OUTCOME_TORN;

    for (uint64_t v = lo; v <= hi && outcome != OUTCOME_LEGAL; v++) {
        if (matches(s, v, got, image))
            outcome = OUTCOME_LEGAL;
    }
    if (outcome != OUTCOME_LEGAL && is_retired(s, lo, got, image))
        outcome = OUTCOME_STALE;
    /*
     * Were the entries still those versions? Each entry is stored before begin reaches its version
     * (release in the patcher, pairs with this acquire).
     */
    if (load_acquire(&s->begin) - lo >= SITE_HISTORY / 2)
        return OUTCOME_UNJUDGED;
    return outcome;
}

/* "5 bytes at line offset 61, crosses 8 16 32 64" */
static void describe_place(const struct site *s, char *out, size_t size)
{
    int n = fmt_print(out, size, "%u bytes at line offset %u%s", s->len,
                      (unsigned)((uintptr_t)s->slot % CACHE_LINE),
                      site_crosses(s, 8) ? ", crosses" : "");

    for (unsigned grain = 8; grain <= CACHE_LINE; grain *= 2) {
        if (site_crosses(s, grain))
            n += fmt_print(out + n, size - (size_t)n, " %u", grain);
    }
    if (site_crosses(s, 4096))
        fmt_print(out + n, size - (size_t)n, " page");
}

static void describe_text(const struct finding *f, char *out, size_t size)
{
    int n = fmt_print(out, size, "text now");

    for (unsigned i = 0; i < f->site->len; i++)
        n += fmt_print(out + n, size - (size_t)n, " %02x", f->text[i]);
}

/* A torn jump ends near its site or anywhere: say it by what it is near to. */
static void describe_rip(const struct finding *f, char *out, size_t size)
{
    int64_t distance = (int64_t)(f->caught.rip - (uint64_t)f->site->slot);

    if (distance > -0x100000 && distance < 0x100000)
        fmt_print(out, size, "slot%+lld", (long long)distance);
    else
        backtrace_symbol(f->caught.rip, out, size);
}

static void describe_outcome(const struct finding *f, char *out, size_t size)
{
    char where[80];

    if (f->outcome != OUTCOME_FAULT) {
        fmt_print(out, size, "got 0x%x", f->got);
    } else if (f->caught.rip == (uint64_t)site_call_corrupted) {
        fmt_print(out, size, "RSP, RBP or a callee-saved register changed");
    } else {
        describe_rip(f, where, sizeof where);
        fmt_print(out, size, "%s at %s error 0x%llx address 0x%llx",
                  trap_name((unsigned)f->caught.vector), where, (unsigned long long)f->caught.error,
                  (unsigned long long)f->caught.cr2);
    }
}

/* "versions 17..18 (call, nop)": the bounds, and what they are. */
static void describe_versions(const struct finding *f, char *out, size_t size)
{
    const struct site *s = f->site;

    fmt_print(out, size, "versions %llu..%llu (%s 0x%x, %s 0x%x)", (unsigned long long)f->lo,
              (unsigned long long)f->hi, site_kind_name(s->image[site_image_of(s, f->lo)].kind),
              s->image[site_image_of(s, f->lo)].signature,
              site_kind_name(s->image[site_image_of(s, f->hi)].kind),
              s->image[site_image_of(s, f->hi)].signature);
}

void oracle_describe(const struct finding *f, char *out, size_t size)
{
    char place[64], what[160], versions[96], text[40];

    describe_place(f->site, place, sizeof place);
    describe_outcome(f, what, sizeof what);
    describe_versions(f, versions, sizeof versions);
    describe_text(f, text, sizeof text);
    fmt_print(out, size, "%s execution: site %u (%s) on core %u in %s: %s, %s, %s",
              f->outcome == OUTCOME_STALE ? "stale" : "torn", f->site->index, place, f->core,
              exec_context_name(f->context), what, versions, text);
}
