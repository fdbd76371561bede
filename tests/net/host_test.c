/*
 * host_test.c - addresses that a stranger may not send us to
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/host.h"

static void private_addresses_are_told_however_they_are_written(void **state)
{
    static const char *const private[] = {"0.0.0.0",
                                          "10.1.2.3",
                                          "100.64.0.1",
                                          "127.0.0.1",
                                          "127.255.255.255",
                                          "169.254.169.254",
                                          "172.16.0.1",
                                          "172.31.255.255",
                                          "192.0.0.1",
                                          "192.0.2.1",
                                          "192.88.99.1",
                                          "192.168.1.1",
                                          "198.18.0.1",
                                          "198.19.9.9",
                                          "198.51.100.1",
                                          "203.0.113.1",
                                          "224.0.0.1",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "::ffff:10.0.0.1",
                                          "64:ff9b::a00:1",
                                          "2002:a00:1::1",
                                          "2001:db8::1",
                                          "2001::1",
                                          "fc00::1",
                                          "fd12::1",
                                          "fe80::1",
                                          "ff02::1",
                                          "::127.0.0.1",
                                          "localhost"};
    static const char *const public[] = {
        "1.1.1.1",         "9.255.255.255",    "11.0.0.1",
        "100.63.0.1",      "100.128.0.1",      "128.0.0.1",
        "172.15.0.1",      "172.32.0.1",       "192.167.1.1",
        "223.1.1.1",       "2606:4700::1111",  "2a00::1",
        "::ffff:1.1.1.1",  "64:ff9b::101:101", "2002:101:101::1",
        "push.example.org"};

    (void)state;
    for (size_t i = 0; i < sizeof private / sizeof private[0]; i++)
        if (!sat__host_is_private(private[i]))
            fail_msg("%s", private[i]);
    for (size_t i = 0; i < sizeof public / sizeof public[0]; i++)
        if (sat__host_is_private(public[i]))
            fail_msg("%s", public[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_addresses_are_told_however_they_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
