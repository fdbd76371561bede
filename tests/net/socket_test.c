/*
 * socket_test.c - WebSockets of the server, and answers that come later
 *
 * Real sockets on loopback, plain and with TLS, on one loop and on several.
 */
#include "net/live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "net/server.h"
#include "net/transport.h"

#define MESSAGE_MAX ((size_t)300000)

/* ---- a server that says back what it hears, from another thread ---- */

static size_t begin(void *context, sat__request *request,
                    sat__response *response)
{
    (void)context;
    (void)request;
    (void)response;
    return 1000;
}

typedef struct errand {
    sat__request *request;
    sat__response *response;
} errand;

static void *answer_later(void *context)
{
    errand *const e = context;

    (void)usleep(20000);
    e->response->status = 200;
    sat__buf_put(&e->response->body, e->request->body.data,
                 e->request->body.len);
    sat__server_answer(e->request);
    free(e);
    return NULL;
}

static bool handle(void *context, sat__request *request,
                   sat__response *response)
{
    pthread_t thread;

    (void)context;
    if (strcmp(request->method, "GET") == 0) {
        sat__websocket_accept(request, response);
        return true;
    }
    errand *const e = malloc(sizeof *e);
    *e = (errand){request, response};
    assert_int_equal(pthread_create(&thread, NULL, answer_later, e), 0);
    (void)pthread_detach(thread);
    return false;
}

static int open_count; /* of sockets, by all loops */

static void on_open(void *context, sat__socket *socket)
{
    (void)context;
    (void)__atomic_add_fetch(&open_count, 1, __ATOMIC_SEQ_CST);
    sat__socket_send(socket, true, bytes_of("welcome", 7));
}

static void on_message(void *context, sat__socket *socket, bool is_text,
                       sat_bytes data)
{
    (void)context;
    if (data.len == 3 && memcmp(data.data, "bye", 3) == 0)
        sat__socket_close(socket, SAT_WEBSOCKET_REFUSED);
    else
        sat__socket_send(socket, is_text, data);
}

static void on_close(void *context, sat__socket *socket)
{
    (void)context;
    (void)socket;
    (void)__atomic_sub_fetch(&open_count, 1, __ATOMIC_SEQ_CST);
}

static const sat__socket_handler sockets = {MESSAGE_MAX, on_open, on_message,
                                            on_close};

typedef struct scene {
    sat__identity *identity;
    sat__tls_context *tls;
    sat__server *server;
    sat__http_options to;
} scene;

static void scene_open(scene *s, bool is_tls, unsigned threads)
{
    sat_error err = {0};
    char url[200], id[2 * SAT_DEVICE_ID_SIZE + 1];
    uint8_t bytes[SAT_DEVICE_ID_SIZE];
    sat__server_options options = {.listen = "127.0.0.1:0",
                                   .handler = {NULL, begin, handle, &sockets},
                                   .timeout_ms = 800,
                                   .threads = threads};

    *s = (scene){0};
    assert_int_equal(
        sat__identity_generate(sat_env_system(), &s->identity, &err), SAT_OK);
    if (is_tls)
        assert_int_equal(sat__tls_context_server(s->identity, &s->tls, &err),
                         SAT_OK);
    options.tls = s->tls;
    if (sat__server_start(&options, &s->server, &err) != SAT_OK)
        fail_msg("%s", err.message);
    sat__device_id(sat__identity_principal(s->identity)->sign, bytes);
    sat__hex_format(bytes, sizeof bytes, id);
    (void)snprintf(url, sizeof url, "%s://%s#%s", is_tls ? "https" : "http",
                   sat__server_address(s->server), id);
    s->to = (sat__http_options){.timeout_ms = 5000, .body_max = MESSAGE_MAX};
    if (sat__url_parse(url, &s->to.url, &err) != SAT_OK)
        fail_msg("%s", err.message);
}

static void scene_close(scene *s)
{
    sat__server_stop(s->server);
    sat__tls_context_free(s->tls);
    sat__identity_free(s->identity);
    assert_int_equal(open_count, 0);
}

DEFINE_AUTO(scene, scene_close);

static sat__live *dial(const scene *s)
{
    sat__live *live = NULL;
    sat_error err = {0};

    if (sat__live_open(sat_env_system(), &s->to, "/ws", &live, &err) != SAT_OK)
        fail_msg("%s", err.message);
    return live;
}

/* Hears one message, of `len` bytes. */
static void hear(sat__live *live, sat_buf *out, size_t len)
{
    bool got = false, is_text;
    sat_error err = {0};

    if (sat__live_receive(live, 5000, &got, &is_text, out, &err) != SAT_OK)
        fail_msg("%s", err.message);
    assert_true(got);
    assert_int_equal(out->len, len);
}

static void talk(const scene *s)
{
    AUTO_PTR(sat__live) live = dial(s);
    AUTO(sat_buf) said = SAT_BUF_INIT, heard = SAT_BUF_INIT;

    hear(live, &heard, 7);
    for (size_t len = 1; len < MESSAGE_MAX; len = len * 7 + 1) {
        while (said.len < len)
            sat__buf_put_byte(&said, (uint8_t)(said.len % 251));
        assert_int_equal(sat__live_send(live, false, buf_view(&said), NULL),
                         SAT_OK);
        assert_int_equal(sat__live_ping(live, NULL), SAT_OK);
        hear(live, &heard, said.len);
        assert_true(bytes_equal(buf_view(&said), buf_view(&heard)));
    }
}

static void messages_go_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        AUTO(scene) s;
        scene_open(&s, i % 2 == 1, i < 2 ? 1 : 3);
        for (int n = 0; n < 4; n++)
            talk(&s);
    }
}

static void the_code_of_an_end_is_told(void **state)
{
    AUTO(scene) s;
    AUTO(sat_buf) heard = SAT_BUF_INIT;
    bool got, is_text;

    (void)state;
    scene_open(&s, true, 1);
    AUTO_PTR(sat__live) live = dial(&s);
    hear(live, &heard, 7);
    assert_int_equal(sat__live_send(live, true, bytes_of("bye", 3), NULL),
                     SAT_OK);
    assert_int_equal(
        sat__live_receive(live, 5000, &got, &is_text, &heard, NULL),
        SAT_ERR_OFFLINE);
    assert_int_equal(sat__live_code(live), SAT_WEBSOCKET_REFUSED);
}

static void who_answers_pings_may_be_silent(void **state)
{
    AUTO(scene) s;
    AUTO(sat_buf) heard = SAT_BUF_INIT;
    bool got, is_text;

    (void)state;
    scene_open(&s, false, 1);
    AUTO_PTR(sat__live) live = dial(&s);
    AUTO_PTR(sat__live) dead = dial(&s);
    hear(live, &heard, 7);
    hear(dead, &heard, 7);
    assert_int_equal(open_count, 2);
    assert_int_equal(
        sat__live_receive(live, 3500, &got, &is_text, &heard, NULL), SAT_OK);
    assert_false(got);
    assert_int_equal(open_count, 1);
}

static void a_stop_says_so(void **state)
{
    AUTO(sat_buf) heard = SAT_BUF_INIT;
    bool got, is_text;
    scene s;

    (void)state;
    scene_open(&s, false, 2);
    AUTO_PTR(sat__live) live = dial(&s);
    hear(live, &heard, 7);
    scene_close(&s);
    assert_int_equal(
        sat__live_receive(live, 5000, &got, &is_text, &heard, NULL),
        SAT_ERR_OFFLINE);
    assert_int_equal(sat__live_code(live), SAT_WEBSOCKET_GOING);
}

/* ---- answers that come later ---- */

static void ask(const scene *s, const char *text)
{
    AUTO(sat__transport) transport = {0};
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat__response) response = {.status = 0};
    sat_error err = {0};

    assert_int_equal(sat__transport_http(&s->to, &transport, &err), SAT_OK);
    sat__request_set(&request, "POST", "/x");
    sat__headers_put(&request.headers, "Host", transport.authority);
    sat__buf_put_text(&request.body, text);
    for (int i = 0; i < 3; i++) {
        sat__response_clear(&response);
        if (transport.exchange(transport.self, &request, &response, &err) !=
            SAT_OK)
            fail_msg("%s", err.message);
        assert_int_equal(response.status, 200);
        assert_true(
            bytes_equal(buf_view(&response.body), buf_view(&request.body)));
    }
}

static void an_answer_may_come_later(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        AUTO(scene) s;
        scene_open(&s, i % 2 == 1, i < 2 ? 1 : 3);
        ask(&s, "first");
        ask(&s, "second");
    }
}

static void an_answer_that_nobody_waits_for_is_dropped(void **state)
{
    scene s;

    (void)state;
    scene_open(&s, false, 1);
    {
        AUTO(sat__wire) wire = {.fd = -1};
        static const char text[] = "POST /x HTTP/1.1\r\nHost: localhost\r\n"
                                   "Content-Length: 1\r\n\r\nx";
        assert_int_equal(sat__wire_init(&wire, &s.to, NULL, NULL), SAT_OK);
        assert_int_equal(sat__wire_connect(&wire, NULL), SAT_OK);
        assert_int_equal(
            sat__wire_send(&wire, bytes_of(text, sizeof text - 1), NULL),
            SAT_OK);
        (void)usleep(5000);
    }
    scene_close(&s); /* waits for the handler */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_both_ways),
        cmocka_unit_test(the_code_of_an_end_is_told),
        cmocka_unit_test(who_answers_pings_may_be_silent),
        cmocka_unit_test(a_stop_says_so),
        cmocka_unit_test(an_answer_may_come_later),
        cmocka_unit_test(an_answer_that_nobody_waits_for_is_dropped),
    };
    return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}
