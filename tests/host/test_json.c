/* SPDX-License-Identifier: MIT */
#include "tests/host/host_test.h"

#include "kernel/lib/json.h"

static const char *write_all(struct json *j, char *out, size_t size)
{
    json_init(j, out, size);
    json_object(j, NULL);
    json_string(j, "name", "poke/int3");
    json_uint(j, "most", UINT64_MAX);
    json_int(j, "least", INT64_MIN);
    json_hex(j, "seed", 0x5eed1234);
    json_bool(j, "good", true);
    json_bool(j, "bad", false);
    json_array(j, "list");
    json_uint(j, NULL, 1);
    json_object(j, NULL);
    json_object_end(j);
    json_array(j, NULL);
    json_array_end(j);
    json_string(j, NULL, "");
    json_array_end(j);
    json_raw(j, "", 0);
    json_raw(j, "\"a\":1,\"b\":2", 11);
    json_object(j, "in");
    json_raw(j, "\"c\":3", 5);
    json_object_end(j);
    json_object_end(j);
    return json_end(j);
}

static const char all[] = "{\"name\":\"poke/int3\",\"most\":18446744073709551615,"
                          "\"least\":-9223372036854775808,\"seed\":\"0x5eed1234\","
                          "\"good\":true,\"bad\":false,\"list\":[1,{},[],\"\"],"
                          "\"a\":1,\"b\":2,\"in\":{\"c\":3}}";

static void commas_and_nesting(void **state)
{
    char out[512];
    struct json j;

    (void)state;
    assert_string_equal(write_all(&j, out, sizeof(out)), all);
}

/* Each size below the one that fits is told, and the sanitizer sees every byte behind it. */
static void too_small_is_told(void **state)
{
    (void)state;
    for (size_t size = 0; size <= sizeof(all); size++) {
        char *exact = malloc(size);
        struct json j;
        const char *text = write_all(&j, exact, size);

        if (size < sizeof(all))
            assert_null(text);
        else
            assert_string_equal(text, all);
        free(exact);
    }
}

static void escapes(void **state)
{
    char out[128];
    struct json j;

    (void)state;
    json_init(&j, out, sizeof(out));
    json_object(&j, NULL);
    json_string(&j, "a\"b", "\\ \" / \n\t\x01\x1f\x7f\x80\xff");
    json_object_end(&j);
    assert_string_equal(json_end(&j), "{\"a\\\"b\":\"\\\\ \\\" / \\u000a\\u0009\\u0001\\u001f"
                                      "\\u007f\\u0080\\u00ff\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_nesting),
        cmocka_unit_test(too_small_is_told),
        cmocka_unit_test(escapes),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
