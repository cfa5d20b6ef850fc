/* SPDX-License-Identifier: MIT */
#include "kernel/lib/json.h"
#include "kernel/lib/fmt.h"

void json_init(struct json *j, char *out, size_t size)
{
    *j = (struct json){ .out = out, .size = size };
}

/* One byte is always kept for the final NUL. */
static void put(struct json *j, char c)
{
    if (j->used + 1 < j->size)
        j->out[j->used++] = c;
    else
        j->overflow = true;
}

static void put_text(struct json *j, const char *text)
{
    while (*text)
        put(j, *text++);
}

/*
 * A quoted string in pure ASCII: whatever the bytes were, a JSON reader accepts it. Bytes from 0x7f
 * are taken as Latin-1, for this code cannot know what they mean.
 */
static void put_quoted(struct json *j, const char *text)
{
    put(j, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        char escaped[8];

        if (c == '"' || c == '\\') {
            put(j, '\\');
            put(j, (char)c);
        } else if (c < 0x20 || c >= 0x7f) {
            fmt_print(escaped, sizeof(escaped), "\\u%04x", c);
            put_text(j, escaped);
        } else {
            put(j, (char)c);
        }
    }
    put(j, '"');
}

/* What stands before every value: the comma if it is not the first, the key if it has one. */
static void begin(struct json *j, const char *key)
{
    if (j->comma)
        put(j, ',');
    j->comma = true;
    if (key) {
        put_quoted(j, key);
        put(j, ':');
    }
}

static void open_nested(struct json *j, const char *key, char bracket)
{
    begin(j, key);
    put(j, bracket);
    j->comma = false;
}

static void close_nested(struct json *j, char bracket)
{
    put(j, bracket);
    j->comma = true;
}

void json_object(struct json *j, const char *key)
{
    open_nested(j, key, '{');
}

void json_object_end(struct json *j)
{
    close_nested(j, '}');
}

void json_array(struct json *j, const char *key)
{
    open_nested(j, key, '[');
}

void json_array_end(struct json *j)
{
    close_nested(j, ']');
}

void json_string(struct json *j, const char *key, const char *value)
{
    begin(j, key);
    put_quoted(j, value);
}

void json_hex(struct json *j, const char *key, uint64_t value)
{
    char text[24];

    fmt_print(text, sizeof(text), "\"0x%llx\"", (unsigned long long)value);
    begin(j, key);
    put_text(j, text);
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
    char text[24];

    fmt_print(text, sizeof(text), "%llu", (unsigned long long)value);
    begin(j, key);
    put_text(j, text);
}

void json_int(struct json *j, const char *key, int64_t value)
{
    char text[24];

    fmt_print(text, sizeof(text), "%lld", (long long)value);
    begin(j, key);
    put_text(j, text);
}

void json_bool(struct json *j, const char *key, bool value)
{
    begin(j, key);
    put_text(j, value ? "true" : "false");
}

void json_raw(struct json *j, const char *members, size_t bytes)
{
    if (bytes == 0)
        return;
    begin(j, NULL);
    for (size_t i = 0; i < bytes; i++)
        put(j, members[i]);
}

const char *json_end(struct json *j)
{
    if (j->overflow || j->size == 0)
        return NULL;
    j->out[j->used] = '\0';
    return j->out;
}
