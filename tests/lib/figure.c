/* SPDX-License-Identifier: MIT */
#include "tests/lib/figure.h"

void figures_begin(struct test_run *t)
{
    json_array(&t->data, "figures");
}

void figures_end(struct test_run *t)
{
    json_array_end(&t->data);
}

static void open_figure(struct json *j, const char *name, const char *unit, uint64_t milli)
{
    json_object(j, NULL);
    json_string(j, "name", name);
    json_string(j, "unit", unit);
    json_uint(j, "milli", milli);
}

void figure_count(struct test_run *t, const char *name, const char *unit, uint64_t milli)
{
    open_figure(&t->data, name, unit, milli);
    json_bool(&t->data, "exact", true);
    json_object_end(&t->data);
}

void figure_sampled(struct test_run *t, const char *name, const char *unit, uint64_t median,
                    uint64_t lower_quartile, uint64_t upper_quartile, uint64_t n)
{
    struct json *j = &t->data;

    open_figure(j, name, unit, median);
    json_bool(j, "exact", false);
    json_uint(j, "low", lower_quartile);
    json_uint(j, "high", upper_quartile);
    json_uint(j, "n", n);
    json_object_end(j);
}
