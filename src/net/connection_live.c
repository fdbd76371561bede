/*
 * connection_live.c - a WebSocket of the server
 *
 * What is sent gathers in the socket's buffer, and goes out while it is taken;
 * nothing is kept once all has gone. Who is silent for long is pinged, and ends
 * with the next silence.
 */
#include "net/connection_state.h"

static void on_sent(uv_write_t *request, int status);

/* Sends what there is, unless a write is under way. */
static void flush(sat__connection *connection)
{
    sat_buf *const out = &connection->socket->out;

    if (connection->is_writing || connection->phase != CONNECTION_LIVE)
        return;
    if (out->failed) {
        connection_end(connection);
        return;
    }
    if (out->len > 0) {
        const bool is_filled = connection_fill_wire(connection, buf_view(out));
        sat__buf_clear(out);
        if (!is_filled) {
            connection_end(connection);
            return;
        }
    }
    if (!connection_try_wire(connection)) {
        connection->is_writing = true;
        connection_send_wire(connection, on_sent);
        return;
    }
    sat__buf_clear(&connection->wire);
    if (connection->socket->code != 0)
        connection_end(connection);
}

static void on_sent(uv_write_t *request, int status)
{
    sat__connection *const connection = request->data;

    sat__buf_clear(&connection->wire);
    connection->is_writing = false;
    if (connection->phase != CONNECTION_LIVE)
        return;
    if (status != 0)
        connection_end(connection);
    else
        flush(connection);
}

static const sat__socket_handler *handler_of(const sat__connection *connection)
{
    return connection->all->options->handler.socket;
}

void connection_go_live(sat__connection *connection)
{
    connection_http *const http = connection->http;
    const sat__server_options *const options = connection->all->options;
    sat__websocket *const socket = calloc(1, sizeof *socket);

    if (socket == NULL) {
        connection_end(connection);
        return;
    }
    sat__websocket_init(socket, sat_env_system(), true,
                        options->handler.socket->message_max);
    connection->socket = socket;
    connection->phase = CONNECTION_LIVE;
    connection->is_known = true;
    connection_allow_timeout(connection);
    options->handler.socket->open(options->handler.context, connection);
    connection->http = NULL;
    sat__http_parser_free(http->parser);
    sat__request_clear(&http->request);
    sat__response_clear(&http->response);
    free(http);
    if (connection->phase != CONNECTION_LIVE)
        return;
    connection_start_reading(connection);
    connection_feed(connection);
}

/* Takes what is in `in`; false when it is over. */
static bool take_messages(sat__connection *connection)
{
    sat__websocket *const socket = connection->socket;

    while (connection->in_at < connection->in.len) {
        size_t used;
        const sat__websocket_event event = sat__websocket_feed(
            socket,
            bytes_of(connection->in.data + connection->in_at,
                     connection->in.len - connection->in_at),
            &used);
        connection->in_at += used;
        if (event == SAT_WEBSOCKET_MESSAGE)
            handler_of(connection)
                ->message(connection->all->options->handler.context, connection,
                          socket->is_text, buf_view(&socket->message));
        if (connection->phase != CONNECTION_LIVE)
            return false;
        if (event == SAT_WEBSOCKET_ENDED)
            break;
    }
    return socket->code == 0;
}

void connection_feed(sat__connection *connection)
{
    connection->is_pinged = false;
    connection_allow_timeout(connection);
    while (take_messages(connection) && connection_take_plain(connection))
        continue;
    if (connection->phase != CONNECTION_LIVE)
        return;
    sat__buf_clear(&connection->in);
    connection->in_at = 0;
    flush(connection);
}

void connection_expire_live(sat__connection *connection)
{
    if (connection->is_pinged || connection->is_writing ||
        connection->socket->is_closing) {
        connection_end(connection);
        return;
    }
    connection->is_pinged = true;
    connection_allow_timeout(connection);
    sat__websocket_ping(connection->socket);
    flush(connection);
}

/* ---- for the handler ---- */

void sat__socket_send(sat__socket *socket, bool is_text, sat_bytes data)
{
    if (socket->phase != CONNECTION_LIVE)
        return;
    sat__websocket_send(socket->socket, is_text, data);
    if (socket->http == NULL) /* else it is being opened, and flushed then */
        flush(socket);
}

void sat__socket_close(sat__socket *socket, unsigned code)
{
    if (socket->phase != CONNECTION_LIVE || socket->socket->is_closing)
        return;
    sat__websocket_close(socket->socket, code);
    connection_allow(socket, 1000); /* for the other side to say so too */
    flush(socket);
}

size_t sat__socket_waiting(const sat__socket *socket)
{
    return socket->wire.len + socket->socket->out.len;
}

unsigned sat__socket_loop(const sat__socket *socket)
{
    return socket->all->loop_number;
}

void sat__socket_keep(sat__socket *socket, void *user)
{
    socket->user = user;
}

void *sat__socket_kept(const sat__socket *socket)
{
    return socket->user;
}
