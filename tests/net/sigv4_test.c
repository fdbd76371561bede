/*
 * sigv4_test.c - every figure that AWS publishes and that a request of ours
 * could be
 */
#include "net/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "crypto/hash.h"
#include "crypto/vectors.h"

static sat__sigv4_keys keys_of(const json_t *file)
{
    return (sat__sigv4_keys){.access_key = vectors_text(file, "access_key"),
                             .secret_key = vectors_text(file, "secret_key"),
                             .region = vectors_text(file, "region"),
                             .service = vectors_text(file, "service")};
}

static size_t read_fields(const json_t *list, sat__sigv4_field *out)
{
    const size_t count = json_array_size(list);

    assert_true(count <= SAT_SIGV4_FIELDS_MAX);
    for (size_t i = 0; i < count; i++) {
        const json_t *const pair = json_array_get(list, i);
        out[i].name = json_string_value(json_array_get(pair, 0));
        out[i].value = json_string_value(json_array_get(pair, 1));
    }
    return count;
}

static void check_case(const json_t *file, const json_t *test)
{
    const sat__sigv4_keys keys = keys_of(file);
    sat__sigv4_field query[SAT_SIGV4_FIELDS_MAX], headers[SAT_SIGV4_FIELDS_MAX];
    const json_t *const payload = json_object_get(test, "payload");
    char hex[65], got[65];

    if (payload == NULL) {
        const char *const body = vectors_text(test, "body");
        uint8_t hash[32];
        sat__sha256(bytes_of(body, strlen(body)), hash);
        sat__hex_format(hash, sizeof hash, hex);
    } else {
        (void)snprintf(hex, sizeof hex, "%s", json_string_value(payload));
    }
    const sat__sigv4_request request = {
        .method = vectors_text(test, "method"),
        .path = vectors_text(test, "path"),
        .query = query,
        .query_count = read_fields(json_object_get(test, "query"), query),
        .headers = headers,
        .header_count = read_fields(json_object_get(test, "headers"), headers),
        .payload = hex,
        .time_s = vectors_number(file, "time")};
    assert_int_equal(sat__sigv4_sign(&keys, &request, got, NULL), SAT_OK);
    if (strcmp(got, vectors_text(test, "signature")) != 0)
        fail_msg("%s: %s", vectors_text(test, "name"), got);
}

static void check_file(const char *path, size_t count)
{
    json_t *const file = vectors_load(path);
    const json_t *const tests = json_object_get(file, "tests");

    assert_int_equal(json_array_size(tests), count);
    for (size_t i = 0; i < count; i++)
        check_case(file, json_array_get(tests, i));
    json_decref(file);
}

static void requests_are_signed_as_in_the_suite_of_aws(void **state)
{
    (void)state;
    check_file("sigv4/suite.json", 19);
}

static void requests_are_signed_as_in_the_examples_of_s3(void **state)
{
    (void)state;
    check_file("sigv4/s3.json", 4);
}

static void an_address_is_that_of_the_example_of_s3(void **state)
{
    json_t *const file = vectors_load("sigv4/s3.json");
    const json_t *const test = json_object_get(file, "presigned");
    const sat__sigv4_keys keys = keys_of(file);
    const sat__sigv4_field host = {"host", vectors_text(test, "host")};
    const sat__sigv4_request request = {.method = vectors_text(test, "method"),
                                        .path = vectors_text(test, "path"),
                                        .headers = &host,
                                        .header_count = 1,
                                        .time_s = vectors_number(file, "time")};
    AUTO(sat_buf) target = SAT_BUF_INIT;

    (void)state;
    assert_int_equal(
        sat__sigv4_presign(&keys, &request,
                           (unsigned)vectors_number(test, "expires"), &target,
                           NULL),
        SAT_OK);
    assert_string_equal(sat__buf_text(&target), vectors_text(test, "target"));
    json_decref(file);
}

static void the_authorization_names_scope_and_fields(void **state)
{
    json_t *const file = vectors_load("sigv4/suite.json");
    const sat__sigv4_keys keys = keys_of(file);
    const sat__sigv4_field headers[] = {{"x-amz-date", "20150830T123600Z"},
                                        {"host", "example.amazonaws.com"}};
    const sat__sigv4_request request = {.method = "GET",
                                        .path = "/",
                                        .headers = headers,
                                        .header_count = 2,
                                        .payload = SAT_SIGV4_EMPTY,
                                        .time_s = vectors_number(file, "time")};
    AUTO(sat_buf) got = SAT_BUF_INIT;

    (void)state;
    assert_int_equal(sat__sigv4_authorization(&keys, &request, &got, NULL),
                     SAT_OK);
    assert_string_equal(
        sat__buf_text(&got),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/"
        "aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73"
        "ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    json_decref(file);
}

static void too_many_fields_are_refused(void **state)
{
    sat__sigv4_field headers[SAT_SIGV4_FIELDS_MAX + 1];
    const sat__sigv4_keys keys = {"a", "b", NULL, "c", "d"};
    sat__sigv4_request request = {.method = "GET",
                                  .path = "/",
                                  .headers = headers,
                                  .header_count = SAT_SIGV4_FIELDS_MAX + 1,
                                  .payload = SAT_SIGV4_EMPTY};
    char signature[65];

    (void)state;
    for (size_t i = 0; i <= SAT_SIGV4_FIELDS_MAX; i++)
        headers[i] = (sat__sigv4_field){"name", "value"};
    assert_int_equal(sat__sigv4_sign(&keys, &request, signature, NULL),
                     SAT_ERR_LIMIT);
    request.query = headers;
    request.query_count = request.header_count;
    request.header_count = 0;
    assert_int_equal(sat__sigv4_sign(&keys, &request, signature, NULL),
                     SAT_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_signed_as_in_the_suite_of_aws),
        cmocka_unit_test(requests_are_signed_as_in_the_examples_of_s3),
        cmocka_unit_test(an_address_is_that_of_the_example_of_s3),
        cmocka_unit_test(the_authorization_names_scope_and_fields),
        cmocka_unit_test(too_many_fields_are_refused),
    };
    return cmocka_run_group_tests_name("sigv4", tests, NULL, NULL);
}
