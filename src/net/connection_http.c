/*
 * connection_http.c - reading requests, and writing answers
 */
#include <stdio.h>
#include <unistd.h>

#include "net/connection_state.h"
#include "net/host.h"

#define DRAIN_MS 2000
#define BODY_STEP                                                              \
    ((size_t)16 * 1024) /* this much of a body earns more time                 \
                         */

/* ---- writing ---- */

static void on_shutdown(uv_shutdown_t *request, int status)
{
    sat__connection *const connection = request->data;

    if (status != 0)
        connection_end(connection);
}

static void drain(sat__connection *connection)
{
    connection->phase = CONNECTION_DRAINING;
    connection_allow(connection, DRAIN_MS);
    connection_start_reading(connection);
    connection->shutdown.data = connection;
    if (uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp,
                    on_shutdown) != 0)
        connection_end(connection);
}

static void read_on(sat__connection *connection)
{
    sat__http_parser_next(connection->http->parser);
    connection->phase = CONNECTION_READING;
    connection->http->body_earned = 0;
    connection_allow_timeout(connection);
    connection_start_reading(connection);
    if (!connection->is_pumping)
        connection_pump(connection);
}

static void finish_answer(sat__connection *connection)
{
    sat__response *const response = &connection->http->response;
    const bool is_switch = response->status == 101;
    const bool is_last = response->must_close || connection->all->is_stopping;

    sat__response_clear(response);
    sat__buf_clear(&connection->out);
    connection->out_at = 0;
    if (is_last)
        drain(connection);
    else if (is_switch)
        connection_go_live(connection);
    else
        read_on(connection);
}

static void write_more(sat__connection *connection);

static void on_written(uv_write_t *request, int status)
{
    sat__connection *const connection = request->data;

    connection->wire.len = 0;
    if (connection->phase != CONNECTION_WRITING)
        return;
    if (status != 0) {
        connection_end(connection);
        return;
    }
    connection_allow_timeout(connection);
    write_more(connection);
}

/* More of the answer, from its file, once what was in memory has gone; false
 * where there is none. A file that ends too early ends the connection: its
 * length was said. */
static bool refill(sat__connection *connection)
{
    sat__body_file *const file = &connection->http->response.file;
    sat_buf *const out = &connection->out;

    if (connection->out_at < out->len)
        return true;
    if (file->left == 0)
        return false;
    out->len = connection->out_at = 0;
    const size_t wanted = file->left < SAT_CONNECTION_SLICE
                              ? (size_t)file->left
                              : SAT_CONNECTION_SLICE;
    if (!sat__buf_reserve(out, wanted))
        return true; /* and write_more() sees that it failed */
    const ssize_t got = read(file->fd, out->data, wanted);
    out->len = got > 0 ? (size_t)got : 0;
    file->left -= out->len;
    out->failed = out->len == 0;
    return true;
}

/* Puts the next slice of the answer on the wire; most answers are taken at
 * once, and the loop is not asked to come back. */
static void write_more(sat__connection *connection)
{
    while (refill(connection)) {
        if (connection->out.failed) {
            connection_end(connection);
            return;
        }
        const size_t left = connection->out.len - connection->out_at;
        const size_t len =
            left < SAT_CONNECTION_SLICE ? left : SAT_CONNECTION_SLICE;
        if (!connection_fill_wire(
                connection,
                bytes_of(connection->out.data + connection->out_at, len))) {
            connection_end(connection);
            return;
        }
        connection->out_at += len;
        if (!connection_try_wire(connection)) {
            (void)uv_read_stop((uv_stream_t *)&connection->tcp);
            connection_send_wire(connection, on_written);
            return;
        }
    }
    finish_answer(connection);
}

static void answer(sat__connection *connection)
{
    connection_http *const http = connection->http;

    if (http->request.is_signed && http->response.status == 200)
        connection->is_known = true;
    sat__response_write(&http->response, &connection->out);
    if (connection->out.failed || http->response.headers.text.failed) {
        connection_end(connection);
        return;
    }
    connection->phase = CONNECTION_WRITING;
    connection_allow_timeout(connection);
    write_more(connection);
}

/* The last answer of a connection whose bytes can not be trusted further. */
void connection_answer_problem(sat__connection *connection, unsigned status,
                               const char *detail)
{
    sat__response *const response = &connection->http->response;

    sat__response_problem(response, status, detail);
    response->must_close = true;
    answer(connection);
}

/* ---- requests ---- */

static bool is_listed(const char *host, const char *const *hosts)
{
    for (; hosts != NULL && *hosts != NULL; hosts++)
        if (strcasecmp(host, *hosts) == 0)
            return true;
    return false;
}

static const char *local_address(const sat__connection *connection)
{
    char *const local = connection->http->local;
    struct sockaddr_storage address;
    int len = sizeof address;

    if (local[0] == 0 &&
        uv_tcp_getsockname(&connection->tcp, (struct sockaddr *)&address,
                           &len) == 0)
        (void)uv_ip_name((struct sockaddr *)&address, local,
                         sizeof connection->http->local);
    return local;
}

static bool is_for_us(const sat__connection *connection)
{
    const char *const host =
        sat__headers_get(&connection->http->request.headers, "Host");

    return is_listed(host, connection->all->options->hosts) ||
           sat__host_is_ours(host, local_address(connection),
                             connection->all->port);
}

/* What the proxy appended last; whatever stands before came from who asked. */
static bool read_forwarded(const sat__request *request,
                           char out[SAT_REMOTE_SIZE])
{
    const char *const value =
        sat__headers_get(&request->headers, "X-Forwarded-For");
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (value == NULL)
        return false;
    const char *const comma = strrchr(value, ',');
    const char *const last = comma != NULL ? comma + 1 : value;
    const char *const address = last + strspn(last, " ");
    if (strlen(address) >= SAT_REMOTE_SIZE ||
        (uv_ip4_addr(address, 0, &v4) != 0 &&
         uv_ip6_addr(address, 0, &v6) != 0))
        return false;
    memcpy(out, address, strlen(address) + 1);
    return true;
}

void sat__request_remote(const sat__request *request, char out[SAT_REMOTE_SIZE])
{
    const sat__connection *const connection = request->ticket;
    struct sockaddr_storage address;
    int len = sizeof address;

    out[0] = 0;
    if (connection == NULL)
        return;
    if (connection->all->options->is_behind_proxy &&
        read_forwarded(request, out))
        return;
    char *const remote = connection->http->remote;
    if (remote[0] == 0 &&
        uv_tcp_getpeername(&connection->tcp, (struct sockaddr *)&address,
                           &len) == 0)
        (void)uv_ip_name((struct sockaddr *)&address, remote, SAT_REMOTE_SIZE);
    memcpy(out, remote, SAT_REMOTE_SIZE);
}

static void begin_request(sat__connection *connection)
{
    const sat__handler *const handler = &connection->all->options->handler;
    connection_http *const http = connection->http;

    if (!is_for_us(connection)) {
        connection_answer_problem(connection, 400,
                                  "the Host field names another server");
        return;
    }
    const size_t limit =
        handler->begin(handler->context, &http->request, &http->response);
    if (http->response.status == 0) {
        sat__http_parser_limit(http->parser, limit);
        return;
    }
    const sat__headers *const headers = &http->request.headers;
    const char *const length = sat__headers_get(headers, "Content-Length");
    const bool has_body =
        sat__headers_get(headers, "Transfer-Encoding") != NULL ||
        (length != NULL && strcmp(length, "0") != 0);
    http->response.must_close =
        has_body || sat__http_parser_wants_close(http->parser);
    answer(connection);
}

static void finish_request(sat__connection *connection)
{
    connection_http *const http = connection->http;

    if (http->response.status == 101 &&
        connection->all->options->handler.socket == NULL)
        sat__response_problem(&http->response, 404, "there is nothing here");
    if (sat__http_parser_wants_close(http->parser) &&
        http->response.status != 101)
        http->response.must_close = true;
    answer(connection);
}

static void on_answered(sat__task *task)
{
    sat__connection *const connection =
        (sat__connection *)((char *)task - offsetof(sat__connection, answered));

    finish_request(connection);
}

void sat__server_answer(const sat__request *request)
{
    sat__connection *const connection = request->ticket;

    sat__loop_post(connection->all->loop, &connection->answered);
}

static void complete_request(sat__connection *connection)
{
    const sat__handler *const handler = &connection->all->options->handler;
    connection_http *const http = connection->http;

    /* Set before, since the answer may come from another thread at once. */
    connection->phase = CONNECTION_WAITING;
    connection->answered.run = on_answered;
    if (handler->handle(handler->context, &http->request, &http->response))
        finish_request(connection);
    else
        (void)uv_read_stop((uv_stream_t *)&connection->tcp);
}

static void take_event(sat__connection *connection, sat__http_event event)
{
    const char *detail;

    switch (event) {
    case SAT_HTTP_MORE:
        break;
    case SAT_HTTP_HEAD:
        begin_request(connection);
        break;
    case SAT_HTTP_DONE:
        complete_request(connection);
        break;
    case SAT_HTTP_FAILED: {
        const unsigned status =
            sat__http_parser_failure(connection->http->parser, &detail);
        connection_answer_problem(connection, status, detail);
        break;
    }
    }
}

/* ---- reading ---- */

static void earn_time(sat__connection *connection)
{
    connection_http *const http = connection->http;
    const size_t taken = sat__http_parser_taken(http->parser);

    if (taken < http->body_earned + BODY_STEP)
        return;
    http->body_earned = taken;
    connection_allow_timeout(connection);
}

/* An answer that is written at once comes back here, and finds the loop
 * turning already. */
void connection_pump(sat__connection *connection)
{
    connection->is_pumping = true;
    while (connection->phase == CONNECTION_READING) {
        sat__http_parser *const parser = connection->http->parser;
        if (connection->in_at == connection->in.len &&
            !sat__http_parser_is_pending(parser) &&
            !connection_take_plain(connection))
            break;
        size_t used;
        const sat_bytes data = bytes_of(connection->in.data + connection->in_at,
                                        connection->in.len - connection->in_at);
        const sat__http_event event =
            sat__http_parser_feed(parser, data, &used);
        connection->in_at += used;
        earn_time(connection);
        take_event(connection, event);
    }
    connection->is_pumping = false;
}
