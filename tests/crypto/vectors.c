/*
 * vectors.c - JSON files of tests/vectors
 */
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

json_t *vectors_load(const char *path)
{
    char name[512];
    json_error_t error;

    (void)snprintf(name, sizeof name, "%s/vectors/%s", SAT_TEST_DATA, path);
    json_t *const root = json_load_file(name, 0, &error);
    if (root == NULL)
        fail_msg("%s: %s", name, error.text);
    return root;
}

const char *vectors_text(const json_t *object, const char *field)
{
    const char *const text = json_string_value(json_object_get(object, field));
    assert_non_null(text);
    return text;
}

sat_buf vectors_bytes(const json_t *object, const char *field)
{
    const char *const text = vectors_text(object, field);
    const size_t len = strlen(text) / 2;
    sat_buf bytes = SAT_BUF_INIT;

    assert_true(sat__buf_reserve(&bytes, len + 1));
    assert_int_equal(sat__hex_parse(text, bytes.data, len, NULL), SAT_OK);
    bytes.len = len;
    return bytes;
}

size_t vectors_number(const json_t *object, const char *field)
{
    const json_t *const number = json_object_get(object, field);
    assert_true(json_is_integer(number));
    return (size_t)json_integer_value(number);
}

void vectors_each(const char *name, vectors_case_fn *check)
{
    char path[128];
    size_t count = 0;
    size_t i;
    size_t j;
    json_t *group;
    json_t *test;

    (void)snprintf(path, sizeof path, "wycheproof/%s_test.json", name);
    json_t *const root = vectors_load(path);
    json_array_foreach(json_object_get(root, "testGroups"), i, group)
    {
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            check(group, test);
            count++;
        }
    }
    assert_int_equal(count, vectors_number(root, "numberOfTests"));
    json_decref(root);
}

bool vectors_is_valid(const json_t *test)
{
    return strcmp(vectors_text(test, "result"), "valid") == 0;
}

bool vectors_is_acceptable(const json_t *test)
{
    return strcmp(vectors_text(test, "result"), "acceptable") == 0;
}

void vectors_expect(const json_t *test, bool holds)
{
    if (!holds)
        fail_msg("case %zu, %s: %s", vectors_number(test, "tcId"),
                 vectors_text(test, "result"), vectors_text(test, "comment"));
}
