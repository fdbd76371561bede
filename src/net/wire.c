/*
 * wire.c - a socket that never blocks for longer than a tick
 *
 * Every wait is a poll of at most a tick, so that the caller can stop it and
 * silence ends in time.
 */
#include "net/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/error.h"
#include "net/host.h"

#define TICK_MS 100
#define TIMEOUT_DEFAULT_MS 30000
#define READ_SIZE ((size_t)64 * 1024)

static sat_status fail_gone(const sat__wire *wire, sat_error *err,
                            const char *why)
{
    return sat__fail(err, SAT_ERR_OFFLINE, "%s: %s", wire->authority, why);
}

void sat__wire_disconnect(sat__wire *wire)
{
    sat__tls_free(wire->tls);
    wire->tls = NULL;
    if (wire->fd >= 0)
        (void)close(wire->fd);
    wire->fd = -1;
}

/* Waits until the socket is ready for `events`. */
static sat_status wait_for(const sat__wire *wire, short events, sat_error *err)
{
    struct pollfd watched = {.fd = wire->fd, .events = events};

    for (uint64_t waited = 0; waited < wire->patience_ms; waited += TICK_MS) {
        if (wire->options.stop != NULL &&
            wire->options.stop(wire->options.stop_context))
            return sat__fail(err, SAT_ERR_STOPPED, "stopped");
        const uint64_t left = wire->patience_ms - waited;
        const int ready =
            poll(&watched, 1, left < TICK_MS ? (int)left : TICK_MS);
        if (ready > 0)
            return SAT_OK;
        if (ready < 0 && errno != EINTR)
            return sat__fail_os(err, errno, "cannot wait for %s",
                                wire->authority);
    }
    return fail_gone(wire, err, "nothing comes from there");
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

static sat_status try_address(sat__wire *wire, const struct addrinfo *at,
                              sat_error *err)
{
    const int one = 1;
    int problem = 0;
    socklen_t len = sizeof problem;

    if (wire->options.is_guarded && sat__address_is_private(at->ai_addr))
        return sat__fail(err, SAT_ERR_DENIED,
                         "%s is a private address, where this does not go",
                         wire->authority);
    wire->fd =
        socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (wire->fd < 0)
        return sat__fail_os(err, errno, "no socket can be made");
    (void)setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    notice_death(wire->fd);
    if (connect(wire->fd, at->ai_addr, at->ai_addrlen) != 0) {
        if (errno != EINPROGRESS)
            return fail_gone(wire, err, strerrordesc_np(errno));
        TRY(wait_for(wire, POLLOUT, err));
        if (getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &problem, &len) != 0)
            return sat__fail_os(err, errno, "cannot connect");
        if (problem != 0)
            return fail_gone(wire, err, strerrordesc_np(problem));
    }
    return SAT_OK;
}

static void addrinfo_free(struct addrinfo **list)
{
    if (*list != NULL)
        freeaddrinfo(*list);
}

static sat_status connect_socket(sat__wire *wire, sat_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    __attribute__((cleanup(addrinfo_free))) struct addrinfo *list = NULL;
    char port[8];
    sat_status status = SAT_ERR_OFFLINE;

    (void)snprintf(port, sizeof port, "%u", wire->options.url.port);
    const int code = getaddrinfo(wire->options.url.host, port, &hints, &list);
    if (code != 0)
        return fail_gone(wire, err, gai_strerror(code));
    for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        status = try_address(wire, at, err);
        if (status == SAT_OK || status == SAT_ERR_STOPPED)
            return status;
        sat__wire_disconnect(wire);
    }
    return status;
}

/* ---- bytes ---- */

static sat_status send_all(sat__wire *wire, sat_bytes data, sat_error *err)
{
    for (size_t at = 0; at < data.len;) {
        const ssize_t sent =
            send(wire->fd, data.data + at, data.len - at, MSG_NOSIGNAL);
        if (sent > 0) {
            at += (size_t)sent;
            wire->sent += (uint64_t)sent;
        } else if (errno == EAGAIN) {
            TRY(wait_for(wire, POLLOUT, err));
        } else if (errno != EINTR) {
            return fail_gone(wire, err, strerrordesc_np(errno));
        }
    }
    return SAT_OK;
}

static sat_status send_pending(sat__wire *wire, sat_error *err)
{
    AUTO(sat_buf) sealed = SAT_BUF_INIT;

    sat__tls_pending(wire->tls, &sealed);
    TRY(sat__buf_status(&sealed, err));
    return send_all(wire, buf_view(&sealed), err);
}

/* Waits for bytes and appends them to `out`. */
static sat_status receive_some(sat__wire *wire, sat_buf *out, sat_error *err)
{
    for (;;) {
        if (!sat__buf_reserve(out, READ_SIZE))
            return sat__buf_status(out, err);
        const ssize_t len = recv(wire->fd, out->data + out->len, READ_SIZE, 0);
        if (len > 0) {
            out->len += (size_t)len;
            wire->received += (uint64_t)len;
            return SAT_OK;
        }
        if (len == 0)
            return fail_gone(wire, err, "it hung up");
        if (errno == EAGAIN)
            TRY(wait_for(wire, POLLIN, err));
        else if (errno != EINTR)
            return fail_gone(wire, err, strerrordesc_np(errno));
    }
}

/* Waits for plain bytes, and puts them in place of what is in `out`. */
sat_status sat__wire_receive(sat__wire *wire, sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) sealed = SAT_BUF_INIT;

    out->len = 0;
    if (wire->tls == NULL)
        return receive_some(wire, out, err);
    TRY(sat__tls_read(wire->tls, out, err));
    while (out->len == 0) {
        sealed.len = 0;
        TRY(receive_some(wire, &sealed, err));
        TRY(sat__tls_receive(wire->tls, buf_view(&sealed), err));
        TRY(sat__tls_read(wire->tls, out, err));
    }
    /* What TLS holds already would not wake a poll of the socket. */
    for (size_t before = 0; before < out->len && out->len < READ_SIZE;) {
        before = out->len;
        if (sat__tls_read(wire->tls, out, NULL) != SAT_OK)
            break; /* said again by the next receive */
    }
    return SAT_OK;
}

static sat_status shake_hands(sat__wire *wire, sat_error *err)
{
    AUTO(sat_buf) sealed = SAT_BUF_INIT, none = SAT_BUF_INIT;

    TRY(sat__tls_open(wire->context, &wire->tls, err));
    TRY(sat__tls_read(wire->tls, &none, err));
    TRY(send_pending(wire, err));
    while (!sat__tls_is_ready(wire->tls)) {
        sealed.len = 0;
        TRY(receive_some(wire, &sealed, err));
        TRY(sat__tls_receive(wire->tls, buf_view(&sealed), err));
        const sat_status status = sat__tls_read(wire->tls, &none, err);
        const sat_status told = send_pending(wire, NULL);
        TRY(status);
        if (told != SAT_OK)
            return fail_gone(wire, err, "it hung up");
    }
    return SAT_OK;
}

sat_status sat__wire_connect(sat__wire *wire, sat_error *err)
{
    wire->patience_ms = wire->options.timeout_ms;
    sat_status status = connect_socket(wire, err);

    if (status == SAT_OK && wire->context != NULL)
        status = shake_hands(wire, err);
    if (status != SAT_OK)
        sat__wire_disconnect(wire);
    return status;
}

sat_status sat__wire_send(sat__wire *wire, sat_bytes plain, sat_error *err)
{
    if (wire->tls == NULL)
        return send_all(wire, plain, err);
    TRY(sat__tls_write(wire->tls, plain, err));
    return send_pending(wire, err);
}

sat_status sat__wire_poll(sat__wire *wire, uint64_t timeout_ms, bool *ready,
                          sat_error *err)
{
    const uint64_t patience_ms = wire->patience_ms;

    wire->patience_ms = timeout_ms;
    const sat_status status = wait_for(wire, POLLIN, err);
    wire->patience_ms = patience_ms;
    *ready = status == SAT_OK;
    return status == SAT_ERR_OFFLINE ? SAT_OK : status;
}

sat_status sat__wire_init(sat__wire *wire, const sat__http_options *options,
                          const uint8_t *pinned, sat_error *err)
{
    *wire = (sat__wire){.options = *options, .fd = -1};
    if (wire->options.timeout_ms == 0)
        wire->options.timeout_ms = TIMEOUT_DEFAULT_MS;
    if (wire->options.answer_ms == 0)
        wire->options.answer_ms = wire->options.timeout_ms;
    sat__url_authority(&options->url, wire->authority, sizeof wire->authority);
    if (options->url.is_tls && options->is_public)
        TRY(sat__tls_context_public(options->url.host, &wire->context, err));
    else if (options->url.is_tls)
        TRY(sat__tls_context_client(pinned, &wire->context, err));
    return SAT_OK;
}

void sat__wire_clear(sat__wire *wire)
{
    if (wire->authority[0] == 0)
        return; /* never made */
    sat__wire_disconnect(wire);
    sat__tls_context_free(wire->context);
}
