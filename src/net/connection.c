/*
 * connection.c - reading requests, writing answers, and giving up in time
 *
 *      reading ──request is whole──> writing ──> reading …
 *         │ error, or asked to           │
 *         └──────────> writing ──> draining ──> closed
 *
 * Draining discards what still comes: closing at once would reset the
 * connection and take the answer with it.
 */
#include "net/connection.h"

#include <stdio.h>

#include "net/host.h"
#include "net/http_parse.h"

#define CONNECTIONS_DEFAULT 256
#define TIMEOUT_DEFAULT_MS 30000
#define DRAIN_MS 2000
#define BODY_STEP                                                              \
    ((size_t)16 * 1024) /* this much of a body earns more time                 \
                         */

typedef enum phase { READING, WRITING, DRAINING, CLOSED } phase;

struct sat__connection {
    uv_tcp_t tcp; /* first: handle and connection are one address */
    uv_write_t write;
    uv_shutdown_t shutdown;
    sat__connections *all;
    sat__connection *next, *before;
    phase phase;
    bool is_known;     /* a signed request of it was answered with 200 */
    uint64_t deadline; /* of the loop's clock, in ms */
    size_t body_earned;
    sat__tls *tls; /* NULL when plain */
    sat__http_parser *parser;
    sat__request request;
    sat__response response;
    sat_buf in; /* plain bytes not parsed yet, from in_at on */
    size_t in_at;
    sat_buf out; /* plain bytes not written yet, from out_at on */
    size_t out_at;
    sat_buf wire; /* what the write under way sends */
};

static void pump(sat__connection *connection);
static void start_reading(sat__connection *connection);

/* The loop's clock stands still while a handler works, so it is set first. */
static void allow(sat__connection *connection, uint64_t ms)
{
    uv_update_time(connection->all->loop);
    connection->deadline = uv_now(connection->all->loop) + ms;
}

static void allow_timeout(sat__connection *connection)
{
    const uint64_t ms = connection->all->options->timeout_ms;

    allow(connection, ms != 0 ? ms : TIMEOUT_DEFAULT_MS);
}

/* ---- beginning and end ---- */

static void release(sat__connection *connection)
{
    sat__tls_free(connection->tls);
    sat__http_parser_free(connection->parser);
    sat__request_clear(&connection->request);
    sat__response_clear(&connection->response);
    sat__buf_clear(&connection->in);
    sat__buf_clear(&connection->out);
    sat__buf_clear(&connection->wire);
    free(connection);
}

static void on_closed(uv_handle_t *handle)
{
    release((sat__connection *)handle);
}

static void end(sat__connection *connection)
{
    sat__connections *const all = connection->all;

    if (connection->phase == CLOSED)
        return;
    connection->phase = CLOSED;
    if (connection->before != NULL)
        connection->before->next = connection->next;
    else
        all->first = connection->next;
    if (connection->next != NULL)
        connection->next->before = connection->before;
    all->count--;
    uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

/* ---- writing ---- */

static void on_shutdown(uv_shutdown_t *request, int status)
{
    sat__connection *const connection = request->data;

    if (status != 0)
        end(connection);
}

static void drain(sat__connection *connection)
{
    connection->phase = DRAINING;
    allow(connection, DRAIN_MS);
    start_reading(connection);
    connection->shutdown.data = connection;
    if (uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp,
                    on_shutdown) != 0)
        end(connection);
}

static void finish_answer(sat__connection *connection)
{
    const bool is_last =
        connection->response.must_close || connection->all->is_stopping;

    sat__response_clear(&connection->response);
    sat__buf_clear(&connection->out);
    connection->out_at = 0;
    if (is_last) {
        drain(connection);
        return;
    }
    sat__http_parser_next(connection->parser);
    connection->phase = READING;
    connection->body_earned = 0;
    allow_timeout(connection);
    start_reading(connection);
    pump(connection);
}

static void write_more(sat__connection *connection);

static void on_written(uv_write_t *request, int status)
{
    sat__connection *const connection = request->data;

    connection->wire.len = 0;
    if (connection->phase != WRITING)
        return;
    if (status != 0) {
        end(connection);
        return;
    }
    allow_timeout(connection);
    write_more(connection);
}

/* Puts the next slice of the answer, sealed if need be, on the wire. */
static bool fill_wire(sat__connection *connection)
{
    const size_t left = connection->out.len - connection->out_at;
    const size_t len =
        left < SAT_CONNECTION_SLICE ? left : SAT_CONNECTION_SLICE;
    const sat_bytes slice =
        bytes_of(connection->out.data + connection->out_at, len);

    connection->out_at += len;
    if (connection->tls == NULL) {
        sat__buf_put(&connection->wire, slice.data, slice.len);
    } else {
        if (sat__tls_write(connection->tls, slice, NULL) != SAT_OK)
            return false;
        sat__tls_pending(connection->tls, &connection->wire);
    }
    return !connection->wire.failed;
}

static void send_wire(sat__connection *connection, uv_write_cb done)
{
    const uv_buf_t piece = uv_buf_init((char *)connection->wire.data,
                                       (unsigned)connection->wire.len);

    connection->write.data = connection;
    if (uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &piece, 1,
                 done) != 0)
        end(connection);
}

static void write_more(sat__connection *connection)
{
    if (connection->out_at == connection->out.len)
        finish_answer(connection);
    else if (!fill_wire(connection))
        end(connection);
    else
        send_wire(connection, on_written);
}

static void answer(sat__connection *connection)
{
    if (connection->request.is_signed && connection->response.status == 200)
        connection->is_known = true;
    sat__response_write(&connection->response, &connection->out);
    if (connection->out.failed || connection->response.headers.text.failed) {
        end(connection);
        return;
    }
    connection->phase = WRITING;
    (void)uv_read_stop((uv_stream_t *)&connection->tcp);
    allow_timeout(connection);
    write_more(connection);
}

/* The last answer of a connection whose bytes can not be trusted further. */
static void answer_problem(sat__connection *connection, unsigned status,
                           const char *detail)
{
    sat__response_problem(&connection->response, status, detail);
    connection->response.must_close = true;
    answer(connection);
}

/* ---- requests ---- */

static bool is_for_us(const sat__connection *connection)
{
    const char *const host =
        sat__headers_get(&connection->request.headers, "Host");
    struct sockaddr_storage address;
    int len = sizeof address;
    char local[64];

    return uv_tcp_getsockname(&connection->tcp, (struct sockaddr *)&address,
                              &len) == 0 &&
           uv_ip_name((struct sockaddr *)&address, local, sizeof local) == 0 &&
           sat__host_is_ours(host, local, connection->all->port);
}

static void begin_request(sat__connection *connection)
{
    const sat__handler *const handler = &connection->all->options->handler;
    sat__request *const request = &connection->request;
    sat__response *const response = &connection->response;

    if (!is_for_us(connection)) {
        answer_problem(connection, 400, "the Host field names another server");
        return;
    }
    const size_t limit = handler->begin(handler->context, request, response);
    if (response->status == 0) {
        sat__http_parser_limit(connection->parser, limit);
        return;
    }
    const char *const length =
        sat__headers_get(&request->headers, "Content-Length");
    const bool has_body =
        sat__headers_get(&request->headers, "Transfer-Encoding") != NULL ||
        (length != NULL && strcmp(length, "0") != 0);
    response->must_close =
        has_body || sat__http_parser_wants_close(connection->parser);
    answer(connection);
}

static void complete_request(sat__connection *connection)
{
    const sat__handler *const handler = &connection->all->options->handler;

    handler->handle(handler->context, &connection->request,
                    &connection->response);
    if (sat__http_parser_wants_close(connection->parser))
        connection->response.must_close = true;
    answer(connection);
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
            sat__http_parser_failure(connection->parser, &detail);
        answer_problem(connection, status, detail);
        break;
    }
    }
}

/* ---- reading ---- */

/* Sends what TLS has to say by itself, in the handshake. Nothing else is being
 * written while reading; what the socket does not take at once, while it is
 * this little, means that nobody is there. */
static bool send_handshake(sat__connection *connection)
{
    AUTO(sat_buf) wire = SAT_BUF_INIT;

    sat__tls_pending(connection->tls, &wire);
    if (wire.len == 0)
        return !wire.failed;
    const uv_buf_t piece = uv_buf_init((char *)wire.data, (unsigned)wire.len);
    return uv_try_write((uv_stream_t *)&connection->tcp, &piece, 1) ==
           (int)wire.len;
}

/* More plain bytes into `in`; false when there are none, or it is over. */
static bool take_plain(sat__connection *connection)
{
    connection->in.len = connection->in_at = 0;
    if (connection->tls == NULL)
        return false;
    const sat_status status =
        sat__tls_read(connection->tls, &connection->in, NULL);
    const bool is_sent = send_handshake(connection);
    if (status != SAT_OK || !is_sent) {
        end(connection);
        return false;
    }
    return connection->in.len > 0;
}

static void earn_time(sat__connection *connection)
{
    if (connection->request.body.len < connection->body_earned + BODY_STEP)
        return;
    connection->body_earned = connection->request.body.len;
    allow_timeout(connection);
}

/* Parses what has come, for as long as no answer is under way. */
static void pump(sat__connection *connection)
{
    while (connection->phase == READING) {
        if (connection->in_at == connection->in.len &&
            !sat__http_parser_is_pending(connection->parser) &&
            !take_plain(connection))
            return;
        size_t used;
        const sat_bytes data = bytes_of(connection->in.data + connection->in_at,
                                        connection->in.len - connection->in_at);
        const sat__http_event event =
            sat__http_parser_feed(connection->parser, data, &used);
        connection->in_at += used;
        earn_time(connection);
        take_event(connection, event);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    sat__connection *const connection = (sat__connection *)handle;

    (void)suggested;
    *out = uv_buf_init((char *)connection->all->slice, SAT_CONNECTION_SLICE);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    sat__connection *const connection = (sat__connection *)stream;

    if (len < 0) {
        end(connection);
        return;
    }
    if (connection->phase != READING)
        return; /* draining */
    const sat_bytes data = bytes_of(buf->base, (size_t)len);
    if (connection->tls != NULL) {
        if (sat__tls_receive(connection->tls, data, NULL) != SAT_OK) {
            end(connection);
            return;
        }
    } else {
        connection->in.len = connection->in_at = 0;
        sat__buf_put(&connection->in, data.data, data.len);
        if (connection->in.failed) {
            end(connection);
            return;
        }
    }
    pump(connection);
}

/* Fails only on a handle that is closing, and then nothing is to be read. */
static void start_reading(sat__connection *connection)
{
    (void)uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read);
}

/* ---- all of them ---- */

/* Whoever said nothing yet that we wanted to hear goes first, and of those the
 * one that has been waited for longest. */
static bool goes_before(const sat__connection *a, const sat__connection *b)
{
    if (a->is_known != b->is_known)
        return b->is_known;
    return a->deadline < b->deadline;
}

static void make_room(sat__connections *all)
{
    const size_t max = all->options->connections_max;
    sat__connection *first = all->first;

    if (all->count < (max != 0 ? max : CONNECTIONS_DEFAULT))
        return;
    for (sat__connection *at = all->first; at != NULL; at = at->next)
        if (!goes_before(first, at)) /* of equals the last, which is older */
            first = at;
    end(first);
}

/* Everything a connection needs before its first byte. */
static bool prepare(sat__connection *connection)
{
    sat__tls_context *const tls = connection->all->options->tls;

    return (tls == NULL ||
            sat__tls_open(tls, &connection->tls, NULL) == SAT_OK) &&
           sat__http_parser_requests(&connection->request, &connection->parser,
                                     NULL) == SAT_OK;
}

void sat__connections_accept(sat__connections *all, uv_stream_t *listener)
{
    sat__connection *const connection = calloc(1, sizeof *connection);

    if (connection == NULL)
        return;
    connection->all = all;
    if (uv_tcp_init(all->loop, &connection->tcp) != 0) {
        free(connection);
        return;
    }
    make_room(all);
    connection->next = all->first;
    if (all->first != NULL)
        all->first->before = connection;
    all->first = connection;
    all->count++;
    allow_timeout(connection);
    if (uv_accept(listener, (uv_stream_t *)&connection->tcp) != 0 ||
        uv_tcp_nodelay(&connection->tcp, 1) != 0 || !prepare(connection))
        end(connection);
    else
        start_reading(connection);
}

static bool can_be_told(const sat__connection *connection)
{
    return connection->phase == READING &&
           sat__http_parser_is_within(connection->parser) &&
           (connection->tls == NULL || sat__tls_is_ready(connection->tls));
}

void sat__connections_expire(sat__connections *all)
{
    const uint64_t now = uv_now(all->loop);
    sat__connection *next;

    for (sat__connection *at = all->first; at != NULL; at = next) {
        next = at->next;
        if (at->deadline > now)
            continue;
        if (can_be_told(at))
            answer_problem(at, 408, "the request took too long to arrive");
        else
            end(at);
    }
}

void sat__connections_stop(sat__connections *all)
{
    sat__connection *next;

    all->is_stopping = true;
    for (sat__connection *at = all->first; at != NULL; at = next) {
        next = at->next;
        if (at->phase != WRITING)
            end(at);
    }
}
