/*
 * s3_test.c - what is said about an S3, and one that is away
 */
#include "hub/blobs/s3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>

#include "s3.h"

static void an_address_names_bucket_endpoint_and_where_devices_go(void **state)
{
    hub_s3_address at;

    (void)state;
    assert_int_equal(
        hub_s3_address_parse("s3://photos/of/alice?endpoint=https://"
                             "s3.example.org&region=eu-west-1",
                             &at, NULL),
        SAT_OK);
    assert_string_equal(at.bucket, "photos");
    assert_string_equal(at.prefix, "of/alice/");
    assert_string_equal(at.region, "eu-west-1");
    assert_string_equal(at.endpoint.host, "s3.example.org");
    assert_string_equal(at.endpoint.origin, "https://s3.example.org");
    assert_int_equal(at.endpoint.url.port, 443);
    assert_true(at.endpoint.url.is_tls);
    assert_string_equal(at.public_end.origin, "https://s3.example.org");
    assert_int_equal(
        hub_s3_address_parse("s3://photos?endpoint=http://store:9000&"
                             "public=https://blobs.example.org:8443",
                             &at, NULL),
        SAT_OK);
    assert_string_equal(at.prefix, "");
    assert_string_equal(at.region, "us-east-1");
    assert_string_equal(at.endpoint.host, "store:9000");
    assert_false(at.endpoint.url.is_tls);
    assert_string_equal(at.public_end.host, "blobs.example.org:8443");
    assert_int_equal(
        hub_s3_address_parse("s3://photos?endpoint=http://[::1]:80", &at, NULL),
        SAT_OK);
    assert_string_equal(at.endpoint.host, "[::1]");
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "https://s3.example.org/photos", "s3://photos", "s3://photos?",
        "s3://ph?endpoint=https://s3.example.org",
        "s3://Photos?endpoint=https://s3.example.org",
        "s3://photos/..?endpoint=https://s3.example.org",
        "s3://photos//a?endpoint=https://s3.example.org",
        "s3://photos?endpoint=s3.example.org",
        "s3://photos?endpoint=ftp://s3.example.org",
        "s3://photos?endpoint=https://s3.example.org/path",
        "s3://photos?endpoint=https://user:pass@s3.example.org",
        "s3://photos?endpoint=https://s3.example.org:99999",
        "s3://photos?endpoint=https://s3.example.org&key=secret",
        "s3://photos?endpoint=https://s3.example.org&region=a/b",
        "s3://photos?endpoint=https://s3.example.org&region",
        /* Devices do not go to plain HTTP beyond loopback. */
        "s3://photos?endpoint=http://store:9000",
        "s3://photos?endpoint=https://store&public=http://store:9000"};
    hub_s3_address at;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sat_error err = {0};
        if (hub_s3_address_parse(bad[i], &at, &err) != SAT_ERR_INVALID)
            fail_msg("'%s' is taken", bad[i]);
        assert_true(err.message[0] != 0);
    }
}

static void write_keys(const char *path, mode_t mode, const char *text)
{
    FILE *const file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void keys_come_from_a_file_that_others_can_not_read(void **state)
{
    static const char both[] = "access-key = one\nsecret-key = other/+=\n";
    char path[300];
    hub_s3_keys keys;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/s3-keys-%ld", SAT_BUILD_DIR,
                   (long)getpid());
    write_keys(path, 0600, both);
    assert_int_equal(hub_s3_keys_read(path, &keys, NULL), SAT_OK);
    assert_string_equal(keys.access, "one");
    assert_string_equal(keys.secret, "other/+=");
    assert_string_equal(keys.session, "");
    write_keys(path, 0644, both);
    assert_int_equal(hub_s3_keys_read(path, &keys, NULL), SAT_ERR_INVALID);
    write_keys(path, 0600, "access-key = one\n");
    assert_int_equal(hub_s3_keys_read(path, &keys, NULL), SAT_ERR_INVALID);
    write_keys(path, 0600, "password = one\n");
    assert_int_equal(hub_s3_keys_read(path, &keys, NULL), SAT_ERR_INVALID);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(hub_s3_keys_read(path, &keys, NULL), SAT_ERR_INVALID);
}

static void keys_come_from_the_environment(void **state)
{
    hub_s3_keys keys;

    (void)state;
    assert_int_equal(unsetenv("AWS_ACCESS_KEY_ID"), 0);
    assert_int_equal(hub_s3_keys_read("", &keys, NULL), SAT_ERR_INVALID);
    assert_int_equal(setenv("AWS_ACCESS_KEY_ID", "one", 1), 0);
    assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "other", 1), 0);
    assert_int_equal(setenv("AWS_SESSION_TOKEN", "for a while", 1), 0);
    assert_int_equal(hub_s3_keys_read("", &keys, NULL), SAT_OK);
    assert_string_equal(keys.secret, "other");
    assert_string_equal(keys.session, "for a while");
    assert_int_equal(unsetenv("AWS_SESSION_TOKEN"), 0);
}

static void a_mistake_is_told_at_start(void **state)
{
    AUTO(hub_blobs) blobs = {.self = NULL};
    hub_s3_keys wrong = s3_keys;
    char address[200], other[200];
    sat_error err = {0};

    (void)state;
    s3_bucket(address, sizeof address);
    (void)snprintf(wrong.secret, sizeof wrong.secret, "guessed");
    assert_int_equal(
        hub_blobs_s3(sat_env_system(), address, &wrong, &blobs, &err),
        SAT_ERR_AUTH);
    assert_null(strstr(err.message, "guessed"));
    (void)snprintf(other, sizeof other, "s3://missing%s", strchr(address, '?'));
    assert_int_equal(
        hub_blobs_s3(sat_env_system(), other, &s3_keys, &blobs, &err),
        SAT_ERR_NOT_FOUND);
    assert_null(blobs.self);
}

static void one_that_is_away_is_asked_again(void **state)
{
    AUTO(hub_blobs) blobs = {.self = NULL};
    AUTO(sat_buf) url = SAT_BUF_INIT;
    const hub_blob blob = {.key = "00000000000000000000000000000000"};
    char address[200];
    int64_t size;

    (void)state;
    s3_bucket(address, sizeof address);
    s3_stop();
    assert_int_equal(
        hub_blobs_s3(sat_env_system(), address, &s3_keys, &blobs, NULL),
        SAT_OK);
    assert_int_equal(blobs.upload_url(blobs.self, &blob, 1, &url, NULL),
                     SAT_OK);
    assert_int_equal(blobs.size(blobs.self, blob.key, &size, NULL),
                     SAT_ERR_OFFLINE);
    assert_int_equal(blobs.remove(blobs.self, blob.key, NULL), SAT_ERR_OFFLINE);
    s3_start();
    assert_int_equal(blobs.size(blobs.self, blob.key, &size, NULL),
                     SAT_ERR_NOT_FOUND);
    assert_int_equal(blobs.remove(blobs.self, blob.key, NULL), SAT_OK);
    s3_stop(); /* and a connection that rested is dead */
    s3_start();
    assert_int_equal(blobs.remove(blobs.self, blob.key, NULL), SAT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_names_bucket_endpoint_and_where_devices_go),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(keys_come_from_a_file_that_others_can_not_read),
        cmocka_unit_test(keys_come_from_the_environment),
        cmocka_unit_test(a_mistake_is_told_at_start),
        cmocka_unit_test(one_that_is_away_is_asked_again),
    };
    return cmocka_run_group_tests_name("s3", tests, NULL, NULL);
}
