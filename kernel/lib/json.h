/* SPDX-License-Identifier: MIT */
/*
 * A writer for one JSON object in a fixed buffer. Pure, no allocation. Commas and quoting are its
 * business, nesting the caller's. If the buffer is too small the object is marked and json_end()
 * returns NULL; nothing is written past the end.
 */
#ifndef KERNEL_LIB_JSON_H
#define KERNEL_LIB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
    char *out;
    size_t size, used;
    bool comma, overflow;
};

void json_init(struct json *j, char *out, size_t size);

/* `key` NULL inside an array and for the outermost object. */
void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);
/* Control and non-ASCII bytes are written as \u00XX: the text is JSON whatever the bytes were. */
void json_string(struct json *j, const char *key, const char *value);
/* `"0x..."`, a string: JSON numbers above 2^53 are not safe everywhere. */
void json_hex(struct json *j, const char *key, uint64_t value);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* Ready-made members `"a":1,"b":2` (may be empty) from another writer. */
void json_raw(struct json *j, const char *members, size_t bytes);

/* NUL-terminate; the text, or NULL if it did not fit. */
const char *json_end(struct json *j);

#endif
