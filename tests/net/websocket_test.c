/*
 * websocket_test.c - messages pass, and what breaks the protocol ends it
 *
 * Numbers are rows of the list of abuses that a server must withstand.
 */
#include "net/websocket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MESSAGE_MAX ((size_t)100000)

static sat__websocket open_end(bool is_server)
{
    sat__websocket socket;

    sat__websocket_init(&socket, sat_env_system(), is_server, MESSAGE_MAX);
    return socket;
}

/* The code that a server ends with after `frames`; 0 when it goes on. */
static unsigned code_after(const void *frames, size_t len)
{
    AUTO(sat__websocket) server = open_end(true);
    size_t used;

    for (size_t at = 0; at < len; at += used)
        if (sat__websocket_feed(
                &server, bytes_of((const uint8_t *)frames + at, len - at),
                &used) == SAT_WEBSOCKET_ENDED)
            return server.code;
    return server.code;
}

#define CODE_AFTER(text) code_after(text, sizeof(text) - 1)
#define NO_MASK "\0\0\0\0"

static void messages_of_every_length_pass_both_ways(void **state)
{
    static const size_t lengths[] = {0, 1, 125, 126, 65535, 65536, 100000};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof lengths / sizeof lengths[0]; i++) {
        AUTO(sat__websocket) from = open_end(i % 2 == 0);
        AUTO(sat__websocket) to = open_end(i % 2 != 0);
        AUTO(sat_buf) text = SAT_BUF_INIT;
        size_t used;
        for (size_t n = 0; n < lengths[i / 2]; n++)
            sat__buf_put_byte(&text, (uint8_t)(n % 128));
        sat__websocket_send(&from, i % 3 == 0, buf_view(&text));
        sat__websocket_send(&from, false, bytes_of("x", 1));
        assert_int_equal(sat__websocket_feed(&to, buf_view(&from.out), &used),
                         SAT_WEBSOCKET_MESSAGE);
        assert_int_equal(to.is_text, i % 3 == 0);
        assert_true(bytes_equal(buf_view(&to.message), buf_view(&text)));
        assert_int_equal(sat__websocket_feed(&to,
                                             bytes_of(from.out.data + used,
                                                      from.out.len - used),
                                             &used),
                         SAT_WEBSOCKET_MESSAGE);
        assert_true(bytes_equal(buf_view(&to.message), bytes_of("x", 1)));
    }
}

static void fragments_make_one_message_around_a_ping(void **state)
{
    AUTO(sat__websocket) server = open_end(true);
    static const char frames[] = "\x01\x81" NO_MASK "a"
                                 "\x89\x81" NO_MASK "p"
                                 "\x80\x81" NO_MASK "b";
    size_t used;

    (void)state;
    assert_int_equal(sat__websocket_feed(
                         &server, bytes_of(frames, sizeof frames - 1), &used),
                     SAT_WEBSOCKET_MESSAGE);
    assert_true(bytes_equal(buf_view(&server.message), bytes_of("ab", 2)));
    assert_true(bytes_equal(buf_view(&server.out), bytes_of("\x8a\x01p", 3)));
}

static void a_close_is_answered_and_ends_it(void **state)
{
    AUTO(sat__websocket) client = open_end(false), server = open_end(true);
    size_t used;

    (void)state;
    sat__websocket_close(&client, SAT_WEBSOCKET_GOING);
    assert_int_equal(sat__websocket_feed(&server, buf_view(&client.out), &used),
                     SAT_WEBSOCKET_ENDED);
    assert_int_equal(server.code, SAT_WEBSOCKET_GOING);
    assert_int_equal(sat__websocket_feed(&client, buf_view(&server.out), &used),
                     SAT_WEBSOCKET_ENDED);
    assert_int_equal(CODE_AFTER("\x88\x80" NO_MASK), SAT_WEBSOCKET_SILENT);
    assert_int_equal(CODE_AFTER("\x88\x81" NO_MASK "\x03"), 1002);
    assert_int_equal(CODE_AFTER("\x88\x82" NO_MASK "\x03\xed"), 1002);
    assert_int_equal(CODE_AFTER("\x88\x83" NO_MASK "\x03\xe8\xff"), 1007);
}

static void row_26_frames_that_may_not_be_end_it(void **state)
{
    (void)state;
    assert_int_equal(CODE_AFTER("\x81\x01x"), 1002);
    assert_int_equal(CODE_AFTER("\xc1\x81" NO_MASK "x"), 1002);
    assert_int_equal(CODE_AFTER("\x83\x81" NO_MASK "x"), 1002);
    assert_int_equal(CODE_AFTER("\x8b\x81" NO_MASK "x"), 1002);
    assert_int_equal(CODE_AFTER("\x09\x81" NO_MASK "x"), 1002);
    assert_int_equal(CODE_AFTER("\x89\xfe\x00\x7e"), 1002);
    assert_int_equal(CODE_AFTER("\x80\x81" NO_MASK "x"), 1002);
    assert_int_equal(CODE_AFTER("\x01\x81" NO_MASK "x\x81\x81" NO_MASK "y"),
                     1002);
    assert_int_equal(CODE_AFTER("\x82\xfe\x00\x01" NO_MASK "x"), 1002);
}

static void row_27_what_is_not_text_or_too_long_ends_it(void **state)
{
    AUTO(sat_buf) endless = SAT_BUF_INIT;

    (void)state;
    assert_int_equal(CODE_AFTER("\x81\x82" NO_MASK "\xc3\x28"), 1007);
    assert_int_equal(CODE_AFTER("\x82\xff\x80\0\0\0\0\0\0\0" NO_MASK), 1009);
    assert_int_equal(CODE_AFTER("\x82\xff\0\0\0\0\x7f\0\0\0" NO_MASK), 1009);
    sat__buf_put(&endless, "\x02\x80" NO_MASK, 6);
    for (int i = 0; i < 1000; i++)
        sat__buf_put(&endless, "\x00\x80" NO_MASK, 6);
    assert_int_equal(code_after(endless.data, endless.len), 1009);
    endless.len = 0;
    sat__buf_put(&endless, "\x02\x80" NO_MASK, 6);
    for (int i = 0; i < 900; i++) {
        sat__buf_put(&endless, "\x00\xfe\x00\x80" NO_MASK, 8);
        for (int n = 0; n < 128; n++)
            sat__buf_put_byte(&endless, 0);
    }
    assert_int_equal(code_after(endless.data, endless.len), 1009);
}

static void row_28_a_flood_of_pings_ends_it(void **state)
{
    AUTO(sat_buf) flood = SAT_BUF_INIT;

    (void)state;
    for (int i = 0; i < 1000; i++)
        sat__buf_put(&flood, "\x89\x80" NO_MASK, 6);
    assert_int_equal(code_after(flood.data, flood.len), 1008);
}

static void an_idle_one_holds_no_buffers(void **state)
{
    AUTO(sat__websocket) client = open_end(false), server = open_end(true);
    size_t used;

    (void)state;
    sat__websocket_send(&client, true, bytes_of("hello", 5));
    (void)sat__websocket_feed(&server, buf_view(&client.out), &used);
    client.out.len = 0;
    sat__websocket_ping(&client);
    (void)sat__websocket_feed(&server, buf_view(&client.out), &used);
    assert_null(server.message.data);
    assert_true(sizeof server < 512);
}

/* ---- opening ---- */

/* The status of the answer to what a client asks, with one field changed. */
static unsigned open_with(const char *name, const char *value)
{
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat__response) response = {.status = 0};
    char key[SAT_WEBSOCKET_KEY_SIZE];
    static const char *const names[] = {
        "Upgrade", "Connection", "Sec-WebSocket-Version", "Sec-WebSocket-Key"};

    sat__websocket_ask(sat_env_system(), "h", "/ws", &request, key);
    sat__headers asked = request.headers;
    request.headers = (sat__headers){.count = 0};
    for (size_t i = 0; i < 4; i++) {
        const bool is_it = name != NULL && strcmp(names[i], name) == 0;
        const char *const said =
            is_it ? value : sat__headers_get(&asked, names[i]);
        if (said != NULL)
            sat__headers_put(&request.headers, names[i], said);
    }
    sat__headers_clear(&asked);
    sat__websocket_accept(&request, &response);
    if (response.status == 101) {
        assert_int_equal(sat__websocket_check(&response, key, NULL), SAT_OK);
        key[0] ^= 1;
        assert_int_equal(sat__websocket_check(&response, key, NULL),
                         SAT_ERR_DENIED);
    }
    return response.status;
}

static void row_25_what_does_not_open_one(void **state)
{
    (void)state;
    assert_int_equal(open_with(NULL, NULL), 101);
    assert_int_equal(open_with("Sec-WebSocket-Version", "12"), 426);
    assert_int_equal(open_with("Sec-WebSocket-Version", NULL), 426);
    assert_int_equal(open_with("Sec-WebSocket-Key", NULL), 400);
    assert_int_equal(open_with("Sec-WebSocket-Key", "c2hvcnQ="), 400);
    assert_int_equal(open_with("Upgrade", "h2c"), 426);
    assert_int_equal(open_with("Connection", "keep-alive, Upgrade"), 101);
    assert_int_equal(open_with("Connection", "keep-alive"), 426);
}

static void the_example_of_the_rfc(void **state)
{
    AUTO(sat__request) request = {.method = "GET"};
    AUTO(sat__response) response = {.status = 0};

    (void)state;
    sat__headers_put(&request.headers, "Upgrade", "websocket");
    sat__headers_put(&request.headers, "Connection", "Upgrade");
    sat__headers_put(&request.headers, "Sec-WebSocket-Version", "13");
    sat__headers_put(&request.headers, "Sec-WebSocket-Key",
                     "dGhlIHNhbXBsZSBub25jZQ==");
    sat__websocket_accept(&request, &response);
    assert_string_equal(
        sat__headers_get(&response.headers, "Sec-WebSocket-Accept"),
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_every_length_pass_both_ways),
        cmocka_unit_test(fragments_make_one_message_around_a_ping),
        cmocka_unit_test(a_close_is_answered_and_ends_it),
        cmocka_unit_test(row_26_frames_that_may_not_be_end_it),
        cmocka_unit_test(row_27_what_is_not_text_or_too_long_ends_it),
        cmocka_unit_test(row_28_a_flood_of_pings_ends_it),
        cmocka_unit_test(an_idle_one_holds_no_buffers),
        cmocka_unit_test(row_25_what_does_not_open_one),
        cmocka_unit_test(the_example_of_the_rfc),
    };
    return cmocka_run_group_tests_name("websocket", tests, NULL, NULL);
}
