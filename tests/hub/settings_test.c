/*
 * settings_test.c - what is packaged is understood
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hub/blobs/s3.h"
#include "hub/program.h"

static const char *const packaged = SAT_TEST_DATA "/../packaging/";

static void read_packaged(const char *name, hub_settings *out)
{
    char path[600];
    sat_error err = {0};

    (void)snprintf(path, sizeof path, "%s%s", packaged, name);
    hub_settings_default(out);
    if (hub_settings_read(out, path, &err) != SAT_OK)
        fail_msg("%s", err.message);
}

static void the_example_is_understood(void **state)
{
    hub_settings s;

    (void)state;
    read_packaged("hub.conf", &s);
    assert_string_equal(s.origins[0], "https://hub.example.org:443");
    assert_string_equal(s.data, "/var/lib/satchel-hub");
    assert_string_equal(s.database, "");
}

/* With every line that is only an example, too. */
static void so_is_what_it_leaves_out(void **state)
{
    char path[600], line[600];
    hub_settings s;
    size_t count = 0;

    (void)state;
    hub_settings_default(&s);
    (void)snprintf(path, sizeof path, "%shub.conf", packaged);
    FILE *const file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        char *const equals = strstr(line, " = ");
        sat_error err = {0};
        if (line[0] != ';' || line[1] == ' ' || equals == NULL)
            continue;
        *equals = 0;
        equals[3 + strcspn(equals + 3, "\n")] = 0;
        if (hub_settings_set(&s, line + 1, equals + 3, &err) != SAT_OK)
            fail_msg("%s: %s", line + 1, err.message);
        count++;
    }
    (void)fclose(file);
    assert_int_equal(count, 8);
}

static void the_hub_of_two_nodes_is_understood(void **state)
{
    hub_settings s;
    hub_s3_address at;

    (void)state;
    read_packaged("compose/hub.conf", &s);
    assert_true(s.is_behind_proxy);
    assert_int_equal(hub_s3_address_parse(s.blobs, &at, NULL), SAT_OK);
    assert_string_equal(at.bucket, "satchel");
    assert_string_equal(at.public_end.origin, "https://blobs.example.org");
}

static void what_is_no_setting_is_told(void **state)
{
    static const char *const bad[][2] = {{"blobs", "/var/blobs"},
                                         {"bus", "redis://localhost"},
                                         {"database", "mysql://host"},
                                         {"threads", "0"},
                                         {"origin", "hub.example.org"},
                                         {"behind-proxy", "maybe"},
                                         {"colour", "green"}};
    hub_settings s;

    (void)state;
    hub_settings_default(&s);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sat_error err = {0};
        assert_int_equal(hub_settings_set(&s, bad[i][0], bad[i][1], &err),
                         SAT_ERR_INVALID);
        assert_true(err.message[0] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_is_understood),
        cmocka_unit_test(so_is_what_it_leaves_out),
        cmocka_unit_test(the_hub_of_two_nodes_is_understood),
        cmocka_unit_test(what_is_no_setting_is_told),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
