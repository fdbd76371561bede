/*
 * proxy_test.c - whose request it is, behind a proxy and without one
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/server.h"
#include "net/transport.h"

static size_t begin(void *context, sat__request *request,
                    sat__response *response)
{
    (void)context;
    (void)request;
    (void)response;
    return 0;
}

static bool say_remote(void *context, sat__request *request,
                       sat__response *response)
{
    char remote[SAT_REMOTE_SIZE];

    (void)context;
    sat__request_remote(request, remote);
    response->status = 200;
    sat__buf_put_text(&response->body, remote);
    return true;
}

/* What the server takes for the address of one who says `forwarded`. */
static void assert_remote(bool is_behind_proxy, const char *forwarded,
                          const char *expected)
{
    AUTO_PTR(sat__server) server = NULL;
    AUTO(sat__transport) transport = {.self = NULL};
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat__response) response = {.status = 0};
    AUTO(sat_buf) url = SAT_BUF_INIT;
    sat__http_options to = {.body_max = 1000};
    const sat__server_options options = {
        .listen = "127.0.0.1:0",
        .is_behind_proxy = is_behind_proxy,
        .handler = {.begin = begin, .handle = say_remote}};

    assert_int_equal(sat__server_start(&options, &server, NULL), SAT_OK);
    sat__buf_printf(&url, "http://%s", sat__server_address(server));
    assert_int_equal(sat__url_parse(sat__buf_text(&url), &to.url, NULL),
                     SAT_OK);
    assert_int_equal(sat__transport_http(&to, &transport, NULL), SAT_OK);
    sat__request_set(&request, "GET", "/");
    sat__headers_put(&request.headers, "Host", transport.authority);
    if (forwarded != NULL)
        sat__headers_put(&request.headers, "X-Forwarded-For", forwarded);
    assert_int_equal(
        transport.exchange(transport.self, &request, &response, NULL), SAT_OK);
    assert_string_equal(sat__buf_text(&response.body), expected);
}

static void a_proxy_says_for_whom_it_asks(void **state)
{
    (void)state;
    assert_remote(true, "192.0.2.7", "192.0.2.7");
    assert_remote(true, "198.51.100.1, 192.0.2.7", "192.0.2.7");
    assert_remote(true, "2001:db8::7", "2001:db8::7");
}

static void what_is_no_address_is_the_proxys(void **state)
{
    (void)state;
    assert_remote(true, NULL, "127.0.0.1");
    assert_remote(true, "unknown", "127.0.0.1");
    assert_remote(true, "192.0.2.7, ", "127.0.0.1");
    assert_remote(true, "192.0.2.7:80", "127.0.0.1");
}

static void without_a_proxy_nobody_says_who_it_is(void **state)
{
    (void)state;
    assert_remote(false, "192.0.2.7", "127.0.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proxy_says_for_whom_it_asks),
        cmocka_unit_test(what_is_no_address_is_the_proxys),
        cmocka_unit_test(without_a_proxy_nobody_says_who_it_is),
    };
    return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
