/*
 * transport_http.c - a socket, TLS on it, and one request at a time
 *
 * The socket never blocks: every wait is a poll of at most a tick, so that the
 * caller can stop it and silence ends in time.
 */
#include "net/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/error.h"
#include "net/http_parse.h"
#include "net/tls.h"

#define TICK_MS 100
#define TIMEOUT_DEFAULT_MS 30000
#define READ_SIZE ((size_t)64 * 1024)

typedef struct client {
    sat__http_options options;
    char authority[272];
    int fd; /* -1 while not connected */
    sat__tls_context *context;
    sat__tls *tls;        /* NULL when plain */
    uint64_t patience_ms; /* how long the present wait may take */
    uint64_t sent, received;
    bool has_answer; /* a byte of the present answer has come */
} client;

static sat_status fail_gone(const client *c, sat_error *err, const char *why)
{
    return sat__fail(err, SAT_ERR_OFFLINE, "%s: %s", c->authority, why);
}

static void disconnect(client *c)
{
    sat__tls_free(c->tls);
    c->tls = NULL;
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
}

/* Waits until the socket is ready for `events`. */
static sat_status wait_for(const client *c, short events, sat_error *err)
{
    struct pollfd watched = {.fd = c->fd, .events = events};

    for (uint64_t waited = 0; waited < c->patience_ms; waited += TICK_MS) {
        if (c->options.stop != NULL && c->options.stop(c->options.stop_context))
            return sat__fail(err, SAT_ERR_STOPPED, "stopped");
        const int ready = poll(&watched, 1, TICK_MS);
        if (ready > 0)
            return SAT_OK;
        if (ready < 0 && errno != EINTR)
            return sat__fail_os(err, errno, "cannot wait for %s", c->authority);
    }
    return fail_gone(c, err, "nothing comes from there");
}

/* ---- connecting ---- */

/* An answer may take minutes to make; the system finds out meanwhile whether
 * the other side is still there. What it refuses costs patience and nothing
 * else. */
static void notice_death(int fd)
{
    const int on = 1, idle_s = 10, interval_s = 5, probes = 3,
              unacked_ms = 30000;

    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s,
                     sizeof interval_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms,
                     sizeof unacked_ms);
}

static sat_status try_address(client *c, const struct addrinfo *at,
                              sat_error *err)
{
    const int one = 1;
    int problem = 0;
    socklen_t len = sizeof problem;

    c->fd =
        socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0)
        return sat__fail_os(err, errno, "no socket can be made");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    notice_death(c->fd);
    if (connect(c->fd, at->ai_addr, at->ai_addrlen) != 0) {
        if (errno != EINPROGRESS)
            return fail_gone(c, err, strerrordesc_np(errno));
        TRY(wait_for(c, POLLOUT, err));
        if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &problem, &len) != 0)
            return sat__fail_os(err, errno, "cannot connect");
        if (problem != 0)
            return fail_gone(c, err, strerrordesc_np(problem));
    }
    return SAT_OK;
}

static void addrinfo_free(struct addrinfo **list)
{
    if (*list != NULL)
        freeaddrinfo(*list);
}

static sat_status connect_socket(client *c, sat_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    __attribute__((cleanup(addrinfo_free))) struct addrinfo *list = NULL;
    char port[8];
    sat_status status = SAT_ERR_OFFLINE;

    (void)snprintf(port, sizeof port, "%u", c->options.url.port);
    const int code = getaddrinfo(c->options.url.host, port, &hints, &list);
    if (code != 0)
        return fail_gone(c, err, gai_strerror(code));
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        status = try_address(c, at, err);
        if (status == SAT_OK || status == SAT_ERR_STOPPED)
            return status;
        disconnect(c);
    }
    return status;
}

/* ---- bytes ---- */

static sat_status send_all(client *c, sat_bytes data, sat_error *err)
{
    for (size_t at = 0; at < data.len;) {
        const ssize_t sent =
            send(c->fd, data.data + at, data.len - at, MSG_NOSIGNAL);
        if (sent > 0) {
            at += (size_t)sent;
            c->sent += (uint64_t)sent;
        } else if (errno == EAGAIN) {
            TRY(wait_for(c, POLLOUT, err));
        } else if (errno != EINTR) {
            return fail_gone(c, err, strerrordesc_np(errno));
        }
    }
    return SAT_OK;
}

static sat_status send_pending(client *c, sat_error *err)
{
    AUTO(sat_buf) wire = SAT_BUF_INIT;

    sat__tls_pending(c->tls, &wire);
    TRY(sat__buf_status(&wire, err));
    return send_all(c, buf_view(&wire), err);
}

/* Waits for bytes and appends them to `out`. */
static sat_status receive_some(client *c, sat_buf *out, sat_error *err)
{
    for (;;) {
        if (!sat__buf_reserve(out, READ_SIZE))
            return sat__buf_status(out, err);
        const ssize_t len = recv(c->fd, out->data + out->len, READ_SIZE, 0);
        if (len > 0) {
            out->len += (size_t)len;
            c->received += (uint64_t)len;
            return SAT_OK;
        }
        if (len == 0)
            return fail_gone(c, err, "it hung up");
        if (errno == EAGAIN)
            TRY(wait_for(c, POLLIN, err));
        else if (errno != EINTR)
            return fail_gone(c, err, strerrordesc_np(errno));
    }
}

/* Waits for plain bytes, and puts them in place of what is in `out`. */
static sat_status receive_plain(client *c, sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) wire = SAT_BUF_INIT;

    out->len = 0;
    if (c->tls == NULL)
        return receive_some(c, out, err);
    TRY(sat__tls_read(c->tls, out, err));
    while (out->len == 0) {
        wire.len = 0;
        TRY(receive_some(c, &wire, err));
        TRY(sat__tls_receive(c->tls, buf_view(&wire), err));
        TRY(sat__tls_read(c->tls, out, err));
    }
    return SAT_OK;
}

static sat_status shake_hands(client *c, sat_error *err)
{
    AUTO(sat_buf) wire = SAT_BUF_INIT, none = SAT_BUF_INIT;

    TRY(sat__tls_open(c->context, &c->tls, err));
    TRY(sat__tls_read(c->tls, &none, err));
    TRY(send_pending(c, err));
    while (!sat__tls_is_ready(c->tls)) {
        wire.len = 0;
        TRY(receive_some(c, &wire, err));
        TRY(sat__tls_receive(c->tls, buf_view(&wire), err));
        const sat_status status = sat__tls_read(c->tls, &none, err);
        const sat_status told = send_pending(c, NULL);
        TRY(status);
        if (told != SAT_OK)
            return fail_gone(c, err, "it hung up");
    }
    return SAT_OK;
}

static sat_status connect_client(client *c, sat_error *err)
{
    c->patience_ms = c->options.timeout_ms;
    sat_status status = connect_socket(c, err);

    if (status == SAT_OK && c->context != NULL)
        status = shake_hands(c, err);
    if (status != SAT_OK)
        disconnect(c);
    return status;
}

/* ---- messages ---- */

static sat_status send_request(client *c, const sat__request *request,
                               sat_error *err)
{
    AUTO(sat_buf) plain = SAT_BUF_INIT;

    sat__request_write(request, &plain);
    TRY(sat__headers_status(&request->headers, err));
    TRY(sat__buf_status(&plain, err));
    if (c->tls == NULL)
        return send_all(c, buf_view(&plain), err);
    TRY(sat__tls_write(c->tls, buf_view(&plain), err));
    return send_pending(c, err);
}

static sat_status receive_response(client *c, sat__response *response,
                                   sat_error *err)
{
    AUTO_PTR(sat__http_parser) parser = NULL;
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    sat__http_event event = SAT_HTTP_MORE;
    const char *detail;
    size_t at = 0;

    TRY(sat__http_parser_responses(response, &parser, err));
    while (event != SAT_HTTP_DONE) {
        if (at == plain.len && !sat__http_parser_is_pending(parser)) {
            TRY(receive_plain(c, &plain, err));
            c->has_answer = true;
            c->patience_ms = c->options.timeout_ms;
            at = 0;
        }
        size_t used;
        event = sat__http_parser_feed(
            parser, bytes_of(plain.data + at, plain.len - at), &used);
        at += used;
        if (event == SAT_HTTP_HEAD)
            sat__http_parser_limit(parser, c->options.body_max);
        if (event == SAT_HTTP_FAILED) {
            (void)sat__http_parser_failure(parser, &detail);
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "%s does not answer properly: %s", c->authority,
                             detail);
        }
    }
    response->must_close = sat__http_parser_wants_close(parser);
    return SAT_OK;
}

static sat_status try_exchange(client *c, const sat__request *request,
                               sat__response *response, sat_error *err)
{
    if (c->fd < 0)
        TRY(connect_client(c, err));
    c->has_answer = false;
    c->patience_ms = c->options.timeout_ms;
    sat_status status = send_request(c, request, err);
    c->patience_ms = c->options.answer_ms;
    /* A server that refuses a body answers, and hangs up before it has it all.
     */
    if (status == SAT_OK || status == SAT_ERR_OFFLINE)
        status = receive_response(c, response, err);
    if (status != SAT_OK || response->must_close)
        disconnect(c);
    return status;
}

static sat_status exchange(void *self, const sat__request *request,
                           sat__response *response, sat_error *err)
{
    client *const c = self;
    const bool was_open = c->fd >= 0;

    sat_status status = try_exchange(c, request, response, err);
    /* The other side may have closed what was open for a while. */
    if (status == SAT_ERR_OFFLINE && was_open && !c->has_answer) {
        sat__response_clear(response);
        status = try_exchange(c, request, response, err);
    }
    return status;
}

static void count(void *self, uint64_t *sent, uint64_t *received)
{
    const client *const c = self;

    *sent = c->sent;
    *received = c->received;
}

static void close_client(void *self)
{
    client *const c = self;

    disconnect(c);
    sat__tls_context_free(c->context);
    free(c);
}

static void client_close(client **slot)
{
    if (*slot != NULL)
        close_client(*slot);
}

#define AUTO_CLIENT __attribute__((cleanup(client_close))) client *

/* A client that will accept `pinned`, or anybody. */
static sat_status new_client(const sat__http_options *options,
                             const uint8_t *pinned, client **out,
                             sat_error *err)
{
    AUTO_CLIENT c = calloc(1, sizeof *c);

    if (c == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    c->options = *options;
    if (c->options.timeout_ms == 0)
        c->options.timeout_ms = TIMEOUT_DEFAULT_MS;
    if (c->options.answer_ms == 0)
        c->options.answer_ms = c->options.timeout_ms;
    c->fd = -1;
    sat__url_authority(&options->url, c->authority, sizeof c->authority);
    if (options->url.is_tls)
        TRY(sat__tls_context_client(pinned, &c->context, err));
    *out = TAKE(c);
    return SAT_OK;
}

sat_status sat__transport_http(const sat__http_options *options,
                               sat__transport *out, sat_error *err)
{
    client *c;

    if (options->url.is_tls && !options->url.has_device)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the id of the device is needed, "
                         "https://host:port#device-id");
    TRY(new_client(options, options->url.device, &c, err));
    *out = (sat__transport){
        .self = c, .exchange = exchange, .close = close_client, .count = count};
    memcpy(out->authority, c->authority, sizeof out->authority);
    return SAT_OK;
}

sat_status sat__transport_probe(const sat__http_options *options,
                                uint8_t id[SAT_DEVICE_ID_SIZE], sat_error *err)
{
    AUTO_CLIENT c = NULL;

    if (!options->url.is_tls)
        return sat__fail(err, SAT_ERR_INVALID,
                         "only https shows which device answers");
    TRY(new_client(options, NULL, &c, err));
    TRY(connect_client(c, err));
    return sat__tls_remote(c->tls, id, err);
}
