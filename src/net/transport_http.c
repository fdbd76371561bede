/*
 * transport_http.c - one request at a time over a connection that stays open
 */
#include "net/transport.h"

#include "base/error.h"
#include "net/http_parse.h"

typedef struct client {
    sat__wire wire;
    bool has_answer; /* a byte of the present answer has come */
} client;

static sat_status send_request(client *c, const sat__request *request,
                               sat_error *err)
{
    AUTO(sat_buf) plain = SAT_BUF_INIT;

    sat__request_write(request, &plain);
    TRY(sat__headers_status(&request->headers, err));
    TRY(sat__buf_status(&plain, err));
    return sat__wire_send(&c->wire, buf_view(&plain), err);
}

static sat_status receive_response(client *c, bool skips_body,
                                   sat__response *response, sat_error *err)
{
    AUTO_PTR(sat__http_parser) parser = NULL;
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    sat__http_event event = SAT_HTTP_MORE;
    const char *detail;
    size_t at = 0;

    TRY(sat__http_parser_responses(response, &parser, err));
    if (skips_body)
        sat__http_parser_skip_body(parser);
    while (event != SAT_HTTP_DONE) {
        if (at == plain.len && !sat__http_parser_is_pending(parser)) {
            TRY(sat__wire_receive(&c->wire, &plain, err));
            c->has_answer = true;
            c->wire.patience_ms = c->wire.options.timeout_ms;
            at = 0;
        }
        size_t used;
        event = sat__http_parser_feed(
            parser, bytes_of(plain.data + at, plain.len - at), &used);
        at += used;
        if (event == SAT_HTTP_HEAD)
            sat__http_parser_limit(parser, c->wire.options.body_max);
        if (event == SAT_HTTP_FAILED) {
            (void)sat__http_parser_failure(parser, &detail);
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "%s does not answer properly: %s",
                             c->wire.authority, detail);
        }
    }
    response->must_close = sat__http_parser_wants_close(parser);
    return SAT_OK;
}

static sat_status try_exchange(client *c, const sat__request *request,
                               sat__response *response, sat_error *err)
{
    if (c->wire.fd < 0)
        TRY(sat__wire_connect(&c->wire, err));
    c->has_answer = false;
    c->wire.patience_ms = c->wire.options.timeout_ms;
    sat_status status = send_request(c, request, err);
    c->wire.patience_ms = c->wire.options.answer_ms;
    /* A server that refuses a body answers, and hangs up before it has it all.
     */
    if (status == SAT_OK || status == SAT_ERR_OFFLINE)
        status = receive_response(c, strcmp(request->method, "HEAD") == 0,
                                  response, err);
    if (status != SAT_OK || response->must_close)
        sat__wire_disconnect(&c->wire);
    return status;
}

static sat_status exchange(void *self, const sat__request *request,
                           sat__response *response, sat_error *err)
{
    client *const c = self;
    const bool was_open = c->wire.fd >= 0;

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

    *sent = c->wire.sent;
    *received = c->wire.received;
}

static void close_client(void *self)
{
    client *const c = self;

    sat__wire_clear(&c->wire);
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
    TRY(sat__wire_init(&c->wire, options, pinned, err));
    *out = TAKE(c);
    return SAT_OK;
}

sat_status sat__transport_http(const sat__http_options *options,
                               sat__transport *out, sat_error *err)
{
    client *c;

    if (options->url.is_tls && !options->url.has_device && !options->is_public)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the id of the device is needed, "
                         "https://host:port#device-id");
    TRY(new_client(options, options->url.device, &c, err));
    *out = (sat__transport){
        .self = c, .exchange = exchange, .close = close_client, .count = count};
    memcpy(out->authority, c->wire.authority, sizeof out->authority);
    return SAT_OK;
}

sat_status sat__transport_probe(const sat__http_options *options,
                                uint8_t id[SAT_DEVICE_ID_SIZE], sat_error *err)
{
    AUTO(sat__wire) wire = {.fd = -1};

    if (!options->url.is_tls)
        return sat__fail(err, SAT_ERR_INVALID,
                         "only https shows which device answers");
    TRY(sat__wire_init(&wire, options, NULL, err));
    TRY(sat__wire_connect(&wire, err));
    return sat__tls_remote(wire.tls, id, err);
}
