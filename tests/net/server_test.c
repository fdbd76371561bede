/*
 * server_test.c - the server answers, and withstands what should not be asked
 *
 * Real sockets on loopback. The numbers are rows of the list of abuses that a
 * server must withstand; each ends with a valid request that succeeds.
 */
#include "net/server.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "net/router.h"
#include "net/transport.h"

#define TIMEOUT_MS 600
#define BODY_MAX ((size_t)1000)

/* ---- a server that says back what it was told ---- */

static sat_status echo(void *context, sat__request *request, const char *id,
                       sat__response *response, sat_error *err)
{
    (void)context;
    (void)id;
    (void)err;
    response->status = 200;
    sat__buf_put(&response->body, request->body.data, request->body.len);
    return SAT_OK;
}

static sat_status large(void *context, sat__request *request, const char *id,
                        sat__response *response, sat_error *err)
{
    (void)context;
    (void)request;
    (void)err;
    response->status = 200;
    const size_t size = (size_t)strtoul(id, NULL, 10);
    assert_true(sat__buf_reserve(&response->body, size));
    for (size_t i = 0; i < size; i++)
        response->body.data[i] = (uint8_t)i;
    response->body.len = size;
    return SAT_OK;
}

static const sat__route routes[] = {
    {"GET", "/health", echo, 0, 0},
    {"POST", "/echo", echo, BODY_MAX, 0},
    {"GET", "/large/{id}", large, 0, 0},
};

static size_t begin(void *context, sat__request *request,
                    sat__response *response)
{
    char id[SAT_ROUTE_ID_SIZE];
    const sat__route *const route =
        sat__route_find(routes, 3, request, id, response);

    (void)context;
    request->is_signed = sat__headers_get(&request->headers, "X-Known") != NULL;
    return route != NULL ? route->body_max : 0;
}

static bool handle(void *context, sat__request *request,
                   sat__response *response)
{
    char id[SAT_ROUTE_ID_SIZE];
    const sat__route *const route =
        sat__route_find(routes, 3, request, id, response);

    assert_int_equal(route->handle(context, request, id, response, NULL),
                     SAT_OK);
    return true;
}

static sat__server *start(sat__tls_context *tls, size_t connections_max)
{
    const sat__server_options options = {
        .listen = "127.0.0.1:0",
        .tls = tls,
        .handler = {.begin = begin, .handle = handle},
        .connections_max = connections_max,
        .timeout_ms = TIMEOUT_MS,
    };
    sat__server *server = NULL;
    sat_error err = {0};

    if (sat__server_start(&options, &server, &err) != SAT_OK)
        fail_msg("%s", err.message);
    return server;
}

/* ---- a client that knows no manners ---- */

static int dial(const sat__server *server)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct timeval patience = {5, 0};
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *const port = strrchr(sat__server_address(server), ':') + 1;

    address.sin_port = htons((uint16_t)atoi(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address),
                     0);
    return fd;
}

static void say(int fd, const char *text)
{
    (void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* The status of the next answer; 0 when there is none but the end. */
static int hear(int fd)
{
    char text[4096];
    const ssize_t len = recv(fd, text, sizeof text - 1, 0);

    if (len <= 0)
        return 0;
    text[len] = 0;
    assert_null(strstr(text, "/work"));
    assert_int_equal(strncmp(text, "HTTP/1.1 ", 9), 0);
    return atoi(text + 9);
}

static int ask(const sat__server *server, const char *text)
{
    AUTO_FD int fd = dial(server);

    say(fd, text);
    return hear(fd);
}

static void assert_healthy(const sat__server *server)
{
    assert_int_equal(
        ask(server, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
}

#define HOST "Host: 127.0.0.1\r\n"

static void assert_answers(const sat__server *server, const char *text,
                           int status)
{
    const int got = ask(server, text);

    if (got != status)
        fail_msg("%d instead of %d to: %.60s", got, status, text);
    assert_healthy(server);
}

static void requests_of_one_connection_are_answered_in_order(void **state)
{
    AUTO_PTR(sat__server) server = start(NULL, 0);
    AUTO_FD int fd = dial(server);

    (void)state;
    for (int i = 0; i < 3; i++) {
        say(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi");
        assert_int_equal(hear(fd), 200);
        say(fd, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(hear(fd), 404);
        say(fd, "POST /echo HTTP/1.1\r\n" HOST
                "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        assert_int_equal(hear(fd), 200);
    }
}

static void a_body_may_come_later_and_in_pieces(void **state)
{
    AUTO_PTR(sat__server) server = start(NULL, 0);
    AUTO_FD int fd = dial(server);
    static const char *const pieces[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r",
        "\n",
        "a",
        "bcd",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
        "2\r",
        "\nab\r\n0",
        "\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        say(fd, pieces[i]);
        (void)usleep(5000);
        if (i == 3 || i == 7)
            assert_int_equal(hear(fd), 200);
    }
}

static void row_10_a_length_is_said_once_and_properly(void **state)
{
    AUTO_PTR(sat__server) server = start(NULL, 0);
    static const char *const fields[] = {
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
        "Content-Length: 2\r\nContent-Length: 2\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: +2\r\n",
        "Content-Length: 2, 2\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length : 2\r\n",
        " Content-Length: 2\r\n",
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        (void)snprintf(text, sizeof text,
                       "POST /echo HTTP/1.1\r\n" HOST "%s\r\nhi", fields[i]);
        assert_answers(server, text, 400);
    }
}

static void row_11_sizes_are_bounded(void **state)
{
    AUTO_PTR(sat__server) server = start(NULL, 0);
    AUTO(sat_buf) text = SAT_BUF_INIT;

    (void)state;
    sat__buf_put_text(&text, "GET /health HTTP/1.1\r\n" HOST "X: ");
    for (int i = 0; i < 17000; i++)
        sat__buf_put_byte(&text, 'x');
    assert_answers(server, sat__buf_text(&text), 431);
    text.len = 0;
    sat__buf_put_text(&text, "GET /");
    for (int i = 0; i < 9000; i++)
        sat__buf_put_byte(&text, 'x');
    sat__buf_put_text(&text, " HTTP/1.1\r\n" HOST "\r\n");
    assert_answers(server, sat__buf_text(&text), 414);
    text.len = 0;
    sat__buf_put_text(&text, "GET /health HTTP/1.1\r\n" HOST);
    for (int i = 0; i < 100; i++)
        sat__buf_printf(&text, "X-%d: x\r\n", i);
    sat__buf_put_text(&text, "\r\n");
    assert_answers(server, sat__buf_text(&text), 431);
    assert_answers(server,
                   "POST /echo HTTP/1.1\r\n" HOST
                   "Content-Length: 1000000000\r\n\r\n",
                   413);
    text.len = 0;
    sat__buf_put_text(&text, "POST /echo HTTP/1.1\r\n" HOST
                             "Transfer-Encoding: chunked\r\n\r\nffffff\r\n");
    for (size_t i = 0; i <= BODY_MAX; i++)
        sat__buf_put_byte(&text, 'x');
    assert_answers(server, sat__buf_text(&text), 413);
    assert_answers(server,
                   "POST /echo HTTP/1.1\r\n" HOST
                   "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                   400);
}

static void row_12_whoever_is_slow_is_told_and_left(void **state)
{
    AUTO_PTR(sat__server) server = start(NULL, 0);
    AUTO_FD int slow = dial(server);
    AUTO_FD int silent = dial(server);
    static const char head[] = "GET /health HTTP/1.1\r\n";
    int status = 0;

    (void)state;
    for (size_t i = 0; i < strlen(head) && status == 0; i++) {
        const struct timeval step = {0, 100000};
        (void)setsockopt(slow, SOL_SOCKET, SO_RCVTIMEO, &step, sizeof step);
        (void)send(slow, head + i, 1, MSG_NOSIGNAL);
        status = hear(slow);
    }
    assert_int_equal(status, 408);
    assert_int_equal(hear(silent), 0);
    assert_healthy(server);
}

static void row_12_idle_connections_make_room(void **state)
{
    AUTO_PTR(sat__server) server = start(NULL, 16);
    AUTO_FD int known = dial(server);
    int idle[100];

    (void)state;
    say(known, "GET /health HTTP/1.1\r\nX-Known: yes\r\n" HOST "\r\n");
    assert_int_equal(hear(known), 200);
    for (size_t i = 0; i < 100; i++)
        idle[i] = dial(server);
    assert_healthy(server);
    say(known, "GET /health HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(hear(known), 200);
    for (size_t i = 0; i < 100; i++)
        (void)close(idle[i]);
}

static void row_14_methods_are_told_apart(void **state)
{
    AUTO_PTR(sat__server) server = start(NULL, 0);

    (void)state;
    assert_answers(server, "BREW /health HTTP/1.1\r\n" HOST "\r\n", 501);
    assert_answers(server, "PROPFIND /health HTTP/1.1\r\n" HOST "\r\n", 501);
    assert_answers(server, "DELETE /health HTTP/1.1\r\n" HOST "\r\n", 405);
    assert_answers(server, "HEAD /health HTTP/1.1\r\n" HOST "\r\n", 405);
}

static void row_15_nothing_is_hidden_in_a_path(void **state)
{
    AUTO_PTR(sat__server) server = start(NULL, 0);

    (void)state;
    assert_answers(server, "GET /large/../health HTTP/1.1\r\n" HOST "\r\n",
                   400);
    assert_answers(server, "GET /large/%2e%2e HTTP/1.1\r\n" HOST "\r\n", 400);
    assert_answers(server, "GET /large/%00 HTTP/1.1\r\n" HOST "\r\n", 400);
    assert_answers(server, "GET /large/1';-- HTTP/1.1\r\n" HOST "\r\n", 400);
    assert_answers(server, "GET //health HTTP/1.1\r\n" HOST "\r\n", 400);
    assert_answers(server, "GET http://x/ HTTP/1.1\r\n" HOST "\r\n", 400);
    assert_answers(server, "GET /health#x HTTP/1.1\r\n" HOST "\r\n", 400);
}

static void row_23_heads_are_strict_and_the_host_is_ours(void **state)
{
    AUTO_PTR(sat__server) server = start(NULL, 0);

    (void)state;
    assert_answers(server, "GET /health HTTP/1.1\r\n\r\n", 400);
    assert_answers(server, "GET /health HTTP/1.0\r\n" HOST "\r\n", 400);
    assert_answers(server, "GET /health HTTP/1.1\n" HOST "\r\n\r\n", 400);
    assert_answers(server, "GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                   400);
    assert_answers(server, "GET /health HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n",
                   400);
    assert_answers(server, "GET /health HTTP/1.1\r\n" HOST HOST "\r\n", 400);
    assert_answers(server, "GET /health HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n",
                   400);
    assert_answers(server, "GET /health HTTP/1.1\r\n" HOST "A: b\nC: d\r\n\r\n",
                   400);
    assert_answers(server, "GET /health HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n",
                   400);
    assert_answers(server, "GET /health HTTP/1.1\r\n" HOST "A\r\n\r\n", 400);
    assert_answers(server, "GET /health HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n",
                   400);
    assert_answers(server, "\x16\x03\x01\x02 not for you\r\n\r\n", 400);
}

/* ---- TLS ---- */

typedef struct device {
    sat__identity *identity;
    uint8_t id[SAT_DEVICE_ID_SIZE];
    sat__tls_context *tls;
} device;

static void device_clear(device *d)
{
    sat__identity_free(d->identity);
    sat__tls_context_free(d->tls);
}

DEFINE_AUTO(device, device_clear);

static void make_device(device *d)
{
    assert_int_equal(
        sat__identity_generate(sat_env_system(), &d->identity, NULL), SAT_OK);
    assert_int_equal(sat__tls_context_server(d->identity, &d->tls, NULL),
                     SAT_OK);
    sat__device_id(sat__identity_principal(d->identity)->sign, d->id);
}

static void open_transport(const sat__server *server, const uint8_t *pinned,
                           sat__transport *out)
{
    sat__http_options options = {.body_max = (size_t)8 << 20,
                                 .timeout_ms = 5000};
    char url[128];

    (void)snprintf(url, sizeof url, "https://%s", sat__server_address(server));
    assert_int_equal(sat__url_parse(url, &options.url, NULL), SAT_OK);
    options.url.has_device = true;
    memcpy(options.url.device, pinned, SAT_DEVICE_ID_SIZE);
    assert_int_equal(sat__transport_http(&options, out, NULL), SAT_OK);
}

static void large_answers_cross_tls_on_one_connection(void **state)
{
    AUTO(device) d = {0};
    make_device(&d);
    AUTO_PTR(sat__server) server = start(d.tls, 0);
    AUTO(sat__transport) transport = {0};

    (void)state;
    open_transport(server, d.id, &transport);
    for (int i = 0; i < 3; i++) {
        AUTO(sat__request) request = {0};
        AUTO(sat__response) response = {0};
        sat__request_set(&request, "GET", "/large/3000000");
        sat__headers_put(&request.headers, "Host", transport.authority);
        assert_int_equal(
            transport.exchange(transport.self, &request, &response, NULL),
            SAT_OK);
        assert_int_equal(response.status, 200);
        assert_int_equal(response.body.len, 3000000);
        assert_int_equal(response.body.data[2999999], (uint8_t)2999999);
    }
}

static void another_device_is_not_talked_to(void **state)
{
    AUTO(device) d = {0};
    make_device(&d);
    AUTO_PTR(sat__server) server = start(d.tls, 0);
    AUTO(sat__transport) transport = {0};
    AUTO(sat__request) request = {0};
    AUTO(sat__response) response = {0};
    sat_error err;

    (void)state;
    d.id[0] ^= 1;
    open_transport(server, d.id, &transport);
    sat__request_set(&request, "GET", "/health");
    sat__headers_put(&request.headers, "Host", transport.authority);
    assert_int_equal(
        transport.exchange(transport.self, &request, &response, &err),
        SAT_ERR_AUTH);
    assert_string_equal(err.message, "the device that answers is not the one "
                                     "that was asked for");
}

static void row_12_a_reader_who_never_reads_is_left(void **state)
{
    AUTO_PTR(sat__server) server = start(NULL, 2);
    AUTO_FD int fd = dial(server);

    (void)state;
    say(fd, "GET /large/30000000 HTTP/1.1\r\n" HOST "\r\n");
    usleep(2 * TIMEOUT_MS * 1000);
    assert_healthy(server);
}

static void beyond_loopback_there_is_no_server_without_tls(void **state)
{
    const sat__server_options options = {
        .listen = "0.0.0.0:0", .handler = {.begin = begin, .handle = handle}};
    sat__server *server = NULL;

    (void)state;
    assert_int_equal(sat__server_start(&options, &server, NULL),
                     SAT_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_one_connection_are_answered_in_order),
        cmocka_unit_test(a_body_may_come_later_and_in_pieces),
        cmocka_unit_test(row_10_a_length_is_said_once_and_properly),
        cmocka_unit_test(row_11_sizes_are_bounded),
        cmocka_unit_test(row_12_whoever_is_slow_is_told_and_left),
        cmocka_unit_test(row_12_idle_connections_make_room),
        cmocka_unit_test(row_12_a_reader_who_never_reads_is_left),
        cmocka_unit_test(row_14_methods_are_told_apart),
        cmocka_unit_test(row_15_nothing_is_hidden_in_a_path),
        cmocka_unit_test(row_23_heads_are_strict_and_the_host_is_ours),
        cmocka_unit_test(large_answers_cross_tls_on_one_connection),
        cmocka_unit_test(another_device_is_not_talked_to),
        cmocka_unit_test(beyond_loopback_there_is_no_server_without_tls),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
