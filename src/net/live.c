/*
 * live.c - a wire that speaks WebSocket once it was opened
 */
#include "net/live.h"

#include <time.h>

#include "base/error.h"
#include "net/http_parse.h"

struct sat__live {
    sat__wire wire;
    sat__websocket socket;
    sat_buf in; /* received and not fed yet, from in_at on */
    size_t in_at;
};

void sat__live_close(sat__live *live)
{
    if (live == NULL)
        return;
    if (live->wire.fd >= 0 && live->socket.code == 0) {
        sat__websocket_close(&live->socket, SAT_WEBSOCKET_DONE);
        const sat_status ignored =
            sat__wire_send(&live->wire, buf_view(&live->socket.out), NULL);
        (void)ignored; /* it is over either way */
    }
    sat__websocket_clear(&live->socket);
    sat__wire_clear(&live->wire);
    sat__buf_clear(&live->in);
    free(live);
}

/* Sends what the socket has gathered. */
static sat_status flush(sat__live *live, sat_error *err)
{
    sat_buf *const out = &live->socket.out;

    TRY(sat__buf_status(out, err));
    if (out->len == 0)
        return SAT_OK;
    const sat_status status = sat__wire_send(&live->wire, buf_view(out), err);
    sat__buf_clear(out);
    return status;
}

/* Reads the answer's head; what follows it stays in `in`. */
static sat_status receive_head(sat__live *live, sat__response *response,
                               sat_error *err)
{
    AUTO_PTR(sat__http_parser) parser = NULL;
    sat__http_event event = SAT_HTTP_MORE;
    size_t used;

    TRY(sat__http_parser_responses(response, &parser, err));
    while (event == SAT_HTTP_MORE) {
        TRY(sat__wire_receive(&live->wire, &live->in, err));
        event = sat__http_parser_feed(parser, buf_view(&live->in), &used);
        live->in_at = used;
    }
    if (event == SAT_HTTP_FAILED)
        return sat__fail(err, SAT_ERR_CORRUPT, "%s does not answer properly",
                         live->wire.authority);
    return SAT_OK;
}

static sat_status open_socket(sat__live *live, const sat_env *env,
                              const char *target, sat_error *err)
{
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat__response) response = {.status = 0};
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    char key[SAT_WEBSOCKET_KEY_SIZE];

    sat__websocket_ask(env, live->wire.authority, target, &request, key);
    sat__request_write(&request, &plain);
    TRY(sat__buf_status(&plain, err));
    TRY(sat__wire_connect(&live->wire, err));
    TRY(sat__wire_send(&live->wire, buf_view(&plain), err));
    TRY(receive_head(live, &response, err));
    return sat__websocket_check(&response, key, err);
}

sat_status sat__live_open(const sat_env *env, const sat__http_options *options,
                          const char *target, sat__live **out, sat_error *err)
{
    AUTO_PTR(sat__live) live = calloc(1, sizeof *live);

    if (live == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    live->wire.fd = -1;
    if (options->url.is_tls && !options->url.has_device)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the id of the hub is needed, "
                         "https://host:port#hub-id");
    TRY(sat__wire_init(&live->wire, options, options->url.device, err));
    sat__websocket_init(&live->socket, env, false, options->body_max);
    TRY(open_socket(live, env, target, err));
    *out = TAKE(live);
    return SAT_OK;
}

sat_status sat__live_send(sat__live *live, bool is_text, sat_bytes data,
                          sat_error *err)
{
    live->wire.patience_ms = live->wire.options.timeout_ms;
    sat__websocket_send(&live->socket, is_text, data);
    return flush(live, err);
}

sat_status sat__live_ping(sat__live *live, sat_error *err)
{
    live->wire.patience_ms = live->wire.options.timeout_ms;
    sat__websocket_ping(&live->socket);
    return flush(live, err);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Feeds what is there; true once a message is whole. */
static sat_status feed(sat__live *live, bool *is_message, sat_error *err)
{
    sat__websocket_event event = SAT_WEBSOCKET_MORE;
    size_t used;

    live->socket.pings = 0; /* a hub may ping as it likes */
    while (event == SAT_WEBSOCKET_MORE && live->in_at < live->in.len) {
        event = sat__websocket_feed(
            &live->socket,
            bytes_of(live->in.data + live->in_at, live->in.len - live->in_at),
            &used);
        live->in_at += used;
    }
    TRY(flush(live, err));
    if (event == SAT_WEBSOCKET_ENDED)
        return sat__fail(err, SAT_ERR_OFFLINE,
                         "%s ended the connection (code %u)",
                         live->wire.authority, live->socket.code);
    *is_message = event == SAT_WEBSOCKET_MESSAGE;
    return SAT_OK;
}

sat_status sat__live_receive(sat__live *live, uint64_t timeout_ms, bool *got,
                             bool *is_text, sat_buf *out, sat_error *err)
{
    live->wire.patience_ms = live->wire.options.timeout_ms;
    const uint64_t end = now_ms() + timeout_ms;
    *got = false;
    for (;;) {
        const uint64_t now = now_ms();
        bool is_ready;
        TRY(feed(live, got, err));
        if (*got)
            break;
        TRY(sat__wire_poll(&live->wire, now < end ? end - now : 0, &is_ready,
                           err));
        if (!is_ready)
            return SAT_OK;
        const sat_status status =
            sat__wire_receive(&live->wire, &live->in, err);
        live->in_at = 0;
        if (status != SAT_OK) {
            live->socket.code = SAT_WEBSOCKET_LOST;
            return status;
        }
    }
    *is_text = live->socket.is_text;
    out->len = 0;
    sat__buf_put(out, live->socket.message.data, live->socket.message.len);
    return sat__buf_status(out, err);
}

int sat__live_fd(const sat__live *live)
{
    return live->wire.fd;
}

unsigned sat__live_code(const sat__live *live)
{
    return live->socket.code;
}
