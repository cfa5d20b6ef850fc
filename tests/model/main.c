/* SPDX-License-Identifier: MIT */
/* crossmod-model [NAME=VALUE...]: docs/model.md. Exit code 0: as expected, 1: not, 3: misuse. */
#include "tests/model/faults.h"
#include "tests/model/suite.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void help(void)
{
    puts(
        "crossmod-model [NAME=VALUE...]: the engine on simulated cores that may fetch stale bytes\n"
        "\n"
        "view=any|vendor|both  what a core may fetch (default: both)\n"
        "cores=2|3             explore the engine on machines of this size only (default: both)\n"
        "seconds=N             of random walks, 0 to 86400 (default: 4)\n"
        "seed=N                of the random walks; 0: a new one (default)\n"
        "fault=NAME            look for this fault only\n"
        "trace=0|1             show how each fault is found, step by step (default: 0)\n"
        "\n"
        "Faults:");
    for (unsigned i = 0; i < fault_count; i++)
        printf("  %-20s %s\n", faults[i].name, faults[i].what);
}

static bool number(const char *text, uint64_t max, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 0);
    return *text >= '0' && *text <= '9' && !*end && !errno && *value <= max;
}

static bool set_view(struct options *o, const char *value)
{
    bool both = !strcmp(value, "both");

    o->view[VIEW_ANY] = both || !strcmp(value, "any");
    o->view[VIEW_VENDOR] = both || !strcmp(value, "vendor");
    return o->view[VIEW_ANY] || o->view[VIEW_VENDOR];
}

static bool set_fault(struct options *o, const char *value)
{
    o->fault = value;
    for (unsigned i = 0; i < fault_count; i++)
        if (!strcmp(value, faults[i].name))
            return true;
    return false;
}

static bool set_option(struct options *o, const char *word, const char *value)
{
    size_t name = (size_t)(value - 1 - word);
    uint64_t n;

#define IS(text) (name == sizeof(text) - 1 && !memcmp(word, text, name))
    if (IS("view"))
        return set_view(o, value);
    if (IS("fault"))
        return set_fault(o, value);
    if (IS("seed"))
        return number(value, UINT64_MAX, &o->seed);
    if (IS("seconds") && number(value, 86400, &n)) {
        o->seconds = (unsigned)n;
        return true;
    }
    if (IS("trace") && number(value, 1, &n)) {
        o->trace = n;
        return true;
    }
    if (IS("cores") && number(value, CORES_MAX, &n) && n >= CORES_MIN) {
        for (unsigned i = CORES_MIN; i <= CORES_MAX; i++)
            o->cores[i] = i == n;
        return true;
    }
#undef IS
    return false;
}

int main(int argc, char **argv)
{
    struct options options = { .view = { true, true },
                               .cores = { [2] = true, [3] = true },
                               .seconds = 4 };

    for (int i = 1; i < argc; i++) {
        const char *value = strchr(argv[i], '=');

        if (!strcmp(argv[i], "help")) {
            help();
            return 0;
        }
        if (!value || !set_option(&options, argv[i], value + 1)) {
            fprintf(stderr, "crossmod-model: '%s' is not understood; 'help' lists the words\n",
                    argv[i]);
            return 3;
        }
    }
    if (!options.seed)
        options.seed = (uint64_t)time(NULL);
    return suite_run(&options) ? 0 : 1;
}
