/*
 * connection.c - from accept to close, and giving up in time
 */
#include "net/connection_state.h"

#define CONNECTIONS_DEFAULT 256
#define TIMEOUT_DEFAULT_MS 30000

/* The loop's clock stands still while a handler works, so it is set first. */
void connection_allow(sat__connection *connection, uint64_t ms)
{
    uv_loop_t *const loop = &connection->all->loop->uv;

    uv_update_time(loop);
    connection->deadline = uv_now(loop) + ms;
}

void connection_allow_timeout(sat__connection *connection)
{
    const uint64_t ms = connection->all->options->timeout_ms;

    connection_allow(connection, ms != 0 ? ms : TIMEOUT_DEFAULT_MS);
}

/* ---- beginning and end ---- */

static void release_http(connection_http *http)
{
    if (http == NULL)
        return;
    sat__http_parser_free(http->parser);
    sat__request_clear(&http->request);
    sat__response_clear(&http->response);
    free(http);
}

static void release(sat__connection *connection)
{
    sat__tls_free(connection->tls);
    release_http(connection->http);
    if (connection->socket != NULL)
        sat__websocket_clear(connection->socket);
    free(connection->socket);
    sat__buf_clear(&connection->in);
    sat__buf_clear(&connection->out);
    sat__buf_clear(&connection->wire);
    free(connection);
}

static void on_closed(uv_handle_t *handle)
{
    release((sat__connection *)handle);
}

void connection_end(sat__connection *connection)
{
    sat__connections *const all = connection->all;
    const bool was_live = connection->phase == CONNECTION_LIVE;

    if (connection->phase == CONNECTION_CLOSED)
        return;
    connection->phase = CONNECTION_CLOSED;
    if (was_live)
        all->options->handler.socket->close(all->options->handler.context,
                                            connection);
    if (connection->before != NULL)
        connection->before->next = connection->next;
    else
        all->first = connection->next;
    if (connection->next != NULL)
        connection->next->before = connection->before;
    all->count--;
    uv_close((uv_handle_t *)&connection->tcp, on_closed);
    if (all->is_stopping && all->count == 0)
        sat__loop_end(all->loop);
}

/* ---- bytes ---- */

bool connection_fill_wire(sat__connection *connection, sat_bytes slice)
{
    if (connection->tls == NULL) {
        sat__buf_put(&connection->wire, slice.data, slice.len);
    } else {
        if (sat__tls_write(connection->tls, slice, NULL) != SAT_OK)
            return false;
        sat__tls_pending(connection->tls, &connection->wire);
    }
    return !connection->wire.failed;
}

bool connection_try_wire(sat__connection *connection)
{
    sat_buf *const wire = &connection->wire;
    const uv_buf_t piece = uv_buf_init((char *)wire->data, (unsigned)wire->len);

    if (wire->len == 0)
        return true;
    const int sent = uv_try_write((uv_stream_t *)&connection->tcp, &piece, 1);
    if (sent <= 0)
        return false;
    wire->len -= (size_t)sent;
    memmove(wire->data, wire->data + sent, wire->len);
    return wire->len == 0;
}

void connection_send_wire(sat__connection *connection, uv_write_cb done)
{
    const uv_buf_t piece = uv_buf_init((char *)connection->wire.data,
                                       (unsigned)connection->wire.len);

    connection->write.data = connection;
    if (uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &piece, 1,
                 done) != 0)
        connection_end(connection);
}

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

bool connection_take_plain(sat__connection *connection)
{
    connection->in.len = connection->in_at = 0;
    if (connection->tls == NULL)
        return false;
    const sat_status status =
        sat__tls_read(connection->tls, &connection->in, NULL);
    const bool is_sent = connection->is_writing || send_handshake(connection);
    if (status != SAT_OK || !is_sent) {
        connection_end(connection);
        return false;
    }
    return connection->in.len > 0;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    sat__connection *const connection = (sat__connection *)handle;

    (void)suggested;
    *out = uv_buf_init((char *)connection->all->slice, SAT_CONNECTION_SLICE);
}

static bool receive(sat__connection *connection, sat_bytes data)
{
    if (connection->tls != NULL)
        return sat__tls_receive(connection->tls, data, NULL) == SAT_OK;
    connection->in.len = connection->in_at = 0;
    sat__buf_put(&connection->in, data.data, data.len);
    return !connection->in.failed;
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    sat__connection *const connection = (sat__connection *)stream;

    if (len < 0) {
        connection_end(connection);
        return;
    }
    if (connection->phase != CONNECTION_READING &&
        connection->phase != CONNECTION_LIVE)
        return; /* draining */
    if (!receive(connection, bytes_of(buf->base, (size_t)len)))
        connection_end(connection);
    else if (connection->phase == CONNECTION_LIVE)
        connection_feed(connection);
    else
        connection_pump(connection);
}

/* Fails only on a handle that is closing, and then nothing is to be read. */
void connection_start_reading(sat__connection *connection)
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

static bool may_go(const sat__connection *connection)
{
    return connection->phase != CONNECTION_WAITING;
}

static void make_room(sat__connections *all)
{
    const size_t max = all->options->connections_max;
    sat__connection *first = NULL;

    if (all->count < (max != 0 ? max : CONNECTIONS_DEFAULT))
        return;
    for (sat__connection *at = all->first; at != NULL; at = at->next)
        if (may_go(at) && (first == NULL || !goes_before(first, at)))
            first = at; /* of equals the last, which is older */
    if (first != NULL)
        connection_end(first);
}

/* Everything a connection needs before its first byte. */
static bool prepare(sat__connection *connection)
{
    sat__tls_context *const tls = connection->all->options->tls;
    connection_http *const http = calloc(1, sizeof *http);

    connection->http = http;
    if (http == NULL)
        return false;
    http->request.ticket = connection;
    return (tls == NULL ||
            sat__tls_open(tls, &connection->tls, NULL) == SAT_OK) &&
           sat__http_parser_requests(&http->request, &http->parser, NULL) ==
               SAT_OK;
}

void sat__connections_accept(sat__connections *all, uv_stream_t *listener)
{
    sat__connection *const connection = calloc(1, sizeof *connection);

    if (connection == NULL)
        return;
    connection->all = all;
    if (uv_tcp_init(&all->loop->uv, &connection->tcp) != 0) {
        free(connection);
        return;
    }
    make_room(all);
    connection->next = all->first;
    if (all->first != NULL)
        all->first->before = connection;
    all->first = connection;
    all->count++;
    connection_allow_timeout(connection);
    if (uv_accept(listener, (uv_stream_t *)&connection->tcp) != 0 ||
        uv_tcp_nodelay(&connection->tcp, 1) != 0 || !prepare(connection))
        connection_end(connection);
    else
        connection_start_reading(connection);
}

static bool can_be_told(const sat__connection *connection)
{
    return connection->phase == CONNECTION_READING &&
           sat__http_parser_is_within(connection->http->parser) &&
           (connection->tls == NULL || sat__tls_is_ready(connection->tls));
}

void sat__connections_expire(sat__connections *all)
{
    const uint64_t now = uv_now(&all->loop->uv);
    sat__connection *next;

    for (sat__connection *at = all->first; at != NULL; at = next) {
        next = at->next;
        if (at->socket != NULL)
            at->socket->pings = 0;
        if (at->deadline > now || at->phase == CONNECTION_WAITING)
            continue;
        if (at->phase == CONNECTION_LIVE)
            connection_expire_live(at);
        else if (can_be_told(at))
            connection_answer_problem(at, 408,
                                      "the request took too long to arrive");
        else
            connection_end(at);
    }
}

void sat__connections_stop(sat__connections *all)
{
    sat__connection *next;

    all->is_stopping = true;
    for (sat__connection *at = all->first; at != NULL; at = next) {
        next = at->next;
        if (at->phase == CONNECTION_LIVE)
            sat__socket_close(at, SAT_WEBSOCKET_GOING);
        else if (at->phase != CONNECTION_WRITING &&
                 at->phase != CONNECTION_WAITING)
            connection_end(at);
    }
    if (all->count == 0)
        sat__loop_end(all->loop);
}
