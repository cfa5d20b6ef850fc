/* SPDX-License-Identifier: MIT */
#include "tests/harness/record.h"

#include "kernel/console/console.h"
#include "kernel/lib/string.h"

/* The longest record is a full histogram or the table of 255 cores. */
static char buffer[128 * 1024];
static struct json json;
static const char *record_type;

struct json *record_begin(const char *type)
{
    record_type = type;
    json_init(&json, buffer, sizeof buffer);
    json_object(&json, NULL);
    json_string(&json, "type", type);
    return &json;
}

void record_show(void)
{
    con_write("# ", 2);
    con_write(record_type, strlen(record_type));
    con_write(" ", 1);
    con_write(buffer, json.used);
    con_write("}\n", 2);
}

bool record_end(void)
{
    json_object_end(&json);
    bool whole = json_end(&json) != NULL;

    if (!whole) {
        record_begin(record_type);
        json_bool(&json, "too_long", true);
        json_object_end(&json);
        json_end(&json);
    }
    json_out(buffer, json.used);
    json_out("\n", 1);
    return whole;
}

void record_break(void)
{
    json_out("\n", 1);
}

static void add_buckets(const struct hist *h)
{
    json_array(&json, "buckets");
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        if (!h->buckets[i])
            continue;
        json_array(&json, NULL);
        json_uint(&json, NULL, hist_lower(i));
        json_uint(&json, NULL, h->buckets[i]);
        json_array_end(&json);
    }
    json_array_end(&json);
}

bool record_hist(const char *test, const char *name, const struct hist *h, const struct trust *t)
{
    record_begin("hist");
    json_string(&json, "test", test);
    json_string(&json, "name", name);
    json_string(&json, "unit", "ns");
    json_uint(&json, "count", h->count);
    json_uint(&json, "min", h->count ? h->min : 0);
    json_uint(&json, "p50", hist_percentile(h, 50, 100));
    json_uint(&json, "p99", hist_percentile(h, 99, 100));
    json_uint(&json, "p999", hist_percentile(h, 999, 1000));
    json_uint(&json, "max", h->max);
    json_uint(&json, "sum", h->sum);
    json_bool(&json, "trusted", !t->why_not[0]);
    json_array(&json, "why");
    for (unsigned i = 0; t->why_not[i]; i++)
        json_string(&json, NULL, t->why_not[i]);
    json_array_end(&json);
    record_show();
    add_buckets(h);
    return record_end();
}
