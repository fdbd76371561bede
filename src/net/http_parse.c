/*
 * http_parse.c - http-parser, behind checks of our own
 *
 * Debian's http-parser is built lenient, so it only does what it does well:
 * telling methods, lengths and chunks apart. What a head may look like is
 * decided here, before it sees a byte of it.
 */
#include "net/http_parse.h"

#include <ctype.h>
#include <http_parser.h>
#include <stdio.h>
#include <strings.h>

#include "base/error.h"

#define HEAD_END "\r\n\r\n"

struct sat__http_parser {
    http_parser machine;
    sat__request *request; /* one of the two is NULL */
    sat__response *response;
    sat_buf head;   /* what has come of it */
    sat_bytes name; /* of the field whose value comes next */
    size_t body_max, body_taken;
    bool has_head, is_done, must_close;
    bool skips_body;  /* of a response to HEAD */
    unsigned failure; /* HTTP status, 0 while all is well */
    const char *detail;
};

static int fail(sat__http_parser *parser, unsigned status, const char *detail)
{
    if (parser->failure == 0) {
        parser->failure = status;
        parser->detail = detail;
    }
    return -1;
}

static sat__headers *headers_of(sat__http_parser *parser)
{
    return parser->request != NULL ? &parser->request->headers
                                   : &parser->response->headers;
}

static sat_buf *body_of(sat__http_parser *parser)
{
    return parser->request != NULL ? &parser->request->body
                                   : &parser->response->body;
}

/* ---- what http-parser calls ---- */

static int on_url(http_parser *machine, const char *at, size_t len)
{
    sat__http_parser *const parser = machine->data;

    sat__buf_put(&parser->request->target, at, len);
    return 0;
}

static int on_field(http_parser *machine, const char *at, size_t len)
{
    sat__http_parser *const parser = machine->data;

    if (parser->has_head)
        return fail(parser, 400, "fields after the body are not accepted");
    parser->name = bytes_of(at, len);
    return 0;
}

static bool may_repeat(sat_bytes name)
{
    static const char *const single[] = {"host", "content-length",
                                         "transfer-encoding"};

    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
        if (name.len == strlen(single[i]) &&
            strncasecmp((const char *)name.data, single[i], name.len) == 0)
            return false;
    return true;
}

static int on_value(http_parser *machine, const char *at, size_t len)
{
    sat__http_parser *const parser = machine->data;
    char name[32];

    while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
        len--;
    (void)snprintf(name, sizeof name, "%.*s", (int)parser->name.len,
                   (const char *)parser->name.data);
    if (!may_repeat(parser->name) &&
        sat__headers_get(headers_of(parser), name) != NULL)
        return fail(parser, 400, "a field that comes once came twice");
    if (!sat__headers_add(headers_of(parser), parser->name, bytes_of(at, len)))
        return fail(parser, 431, "there are too many header fields");
    return 0;
}

static int check_framing(sat__http_parser *parser)
{
    const sat__headers *const headers = headers_of(parser);
    const char *const coding = sat__headers_get(headers, "Transfer-Encoding");
    const char *const length = sat__headers_get(headers, "Content-Length");

    if (coding != NULL && length != NULL)
        return fail(parser, 400, "the length of the body is said twice");
    if (coding != NULL && strcasecmp(coding, "chunked") != 0)
        return fail(parser, 400, "this transfer coding is not accepted");
    if (length != NULL && strspn(length, "0123456789") != strlen(length))
        return fail(parser, 400, "the length of the body is not a number");
    if (parser->machine.method == HTTP_CONNECT && parser->request != NULL)
        return fail(parser, 400, "there is no other protocol to change to");
    if (parser->response != NULL && coding == NULL && length == NULL &&
        !parser->skips_body && parser->machine.status_code != 101 &&
        parser->machine.status_code != 204 &&
        parser->machine.status_code != 304)
        return fail(parser, 400, "the response has no length");
    return 0;
}

static int on_head(http_parser *machine)
{
    sat__http_parser *const parser = machine->data;

    parser->has_head = true;
    if (machine->http_major != 1 || machine->http_minor != 1)
        return fail(parser, 400, "only HTTP/1.1 is spoken here");
    if (check_framing(parser) != 0)
        return -1;
    machine->upgrade = 0; /* whoever answers decides, not the parser */
    if (parser->response != NULL) {
        parser->response->status = machine->status_code;
    } else {
        (void)snprintf(parser->request->method, sizeof parser->request->method,
                       "%s",
                       http_method_str((enum http_method)machine->method));
        if (sat__headers_get(&parser->request->headers, "Host") == NULL)
            return fail(parser, 400, "the Host field is missing");
    }
    parser->must_close = !http_should_keep_alive(machine);
    http_parser_pause(machine, 1);
    return parser->skips_body ? 1 : 0;
}

static int on_body(http_parser *machine, const char *at, size_t len)
{
    sat__http_parser *const parser = machine->data;
    sat_buf *const body = body_of(parser);

    if (len > parser->body_max - parser->body_taken)
        return fail(parser, 413, "the body is larger than is accepted");
    parser->body_taken += len;
    if (parser->request != NULL && parser->request->sink.self != NULL) {
        const sat__body_sink *const sink = &parser->request->sink;
        return sink->take(sink->self, bytes_of((const uint8_t *)at, len))
                   ? 0
                   : fail(parser, 503, "the body can not be kept now");
    }
    sat__buf_put(body, at, len);
    return body->failed ? fail(parser, 503, "out of memory") : 0;
}

static int on_complete(http_parser *machine)
{
    sat__http_parser *const parser = machine->data;

    parser->is_done = true;
    http_parser_pause(machine, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

/* ---- the head, checked ---- */

static bool is_token(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isalnum(text[i]) &&
            (text[i] == 0 || strchr("!#$%&'*+-.^_`|~", text[i]) == NULL))
            return false;
    return len > 0;
}

static int check_field(sat__http_parser *parser, const uint8_t *line,
                       size_t len)
{
    const uint8_t *const colon = memchr(line, ':', len);

    if (colon == NULL || !is_token(line, (size_t)(colon - line)))
        return fail(parser, 400, "a header field has no proper name");
    for (size_t i = 0; i < len; i++)
        if ((line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
            return fail(parser, 400,
                        "a header field holds a control character");
    return 0;
}

static int check_request_line(sat__http_parser *parser, const uint8_t *line,
                              size_t len)
{
    const uint8_t *const method_end = memchr(line, ' ', len);

    if (method_end == NULL)
        return fail(parser, 400, "this is not an HTTP request");
    const size_t method = (size_t)(method_end - line);
    const uint8_t *const target = method_end + 1;
    const uint8_t *const target_end = memchr(target, ' ', len - method - 1);
    if (!is_token(line, method) || target_end == NULL)
        return fail(parser, 400, "this is not an HTTP request");
    if ((size_t)(target_end - target) > SAT_TARGET_SIZE_MAX)
        return fail(parser, 414, "the target is longer than 8 KB");
    if (*target != '/')
        return fail(parser, 400, "the target does not begin with '/'");
    for (const uint8_t *at = target; at < target_end; at++)
        if (*at <= ' ' || *at >= 0x7f || *at == '#')
            return fail(parser, 400, "the target holds a forbidden character");
    for (size_t i = 0; i < method; i++)
        if (!isupper(line[i]))
            return fail(parser, 400, "this is not an HTTP request");
    return 0;
}

static int check_head(sat__http_parser *parser)
{
    const uint8_t *line = parser->head.data;
    const uint8_t *const end = line + parser->head.len - 2; /* the empty line */

    for (bool is_first = true; line < end; is_first = false) {
        const uint8_t *const stop =
            memmem(line, (size_t)(end - line) + 2, "\r\n", 2);
        const size_t len = (size_t)(stop - line);
        if (memchr(line, '\n', len) != NULL || memchr(line, '\r', len) != NULL)
            return fail(parser, 400, "a line does not end in CR LF");
        if (!is_first && check_field(parser, line, len) != 0)
            return -1;
        if (is_first && parser->request != NULL &&
            check_request_line(parser, line, len) != 0)
            return -1;
        line = stop + 2;
    }
    return 0;
}

/* ---- feeding ---- */

static void fail_parsing(sat__http_parser *parser)
{
    switch (HTTP_PARSER_ERRNO(&parser->machine)) {
    case HPE_INVALID_METHOD:
        (void)fail(parser, 501, "this method is not known here");
        break;
    case HPE_INVALID_CHUNK_SIZE:
        (void)fail(parser, 400, "a chunk has no proper size");
        break;
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        (void)fail(parser, 400, "the length of the body is not a number");
        break;
    default:
        (void)fail(parser, 400, "this is not an HTTP message");
    }
}

/* Runs http-parser, which pauses itself at the two events. */
static sat__http_event run(sat__http_parser *parser, sat_bytes data,
                           size_t *used)
{
    http_parser *const machine = &parser->machine;
    const bool had_head = parser->has_head;

    *used = http_parser_execute(machine, &settings, (const char *)data.data,
                                data.len);
    if (HTTP_PARSER_ERRNO(machine) == HPE_PAUSED)
        http_parser_pause(machine, 0);
    if (parser->failure == 0 && HTTP_PARSER_ERRNO(machine) != HPE_OK)
        fail_parsing(parser);
    if (parser->failure != 0)
        return SAT_HTTP_FAILED;
    if (parser->is_done)
        return SAT_HTTP_DONE;
    return parser->has_head && !had_head ? SAT_HTTP_HEAD : SAT_HTTP_MORE;
}

static bool head_is_too_long(sat__http_parser *parser)
{
    if (parser->head.len <= SAT_HEAD_SIZE_MAX)
        return false;
    const uint8_t *const line_end =
        memchr(parser->head.data, '\r', parser->head.len);
    const bool is_target =
        line_end == NULL ||
        (size_t)(line_end - parser->head.data) > SAT_TARGET_SIZE_MAX + 32;
    if (parser->request != NULL && is_target)
        (void)fail(parser, 414, "the target is longer than 8 KB");
    else
        (void)fail(parser, 431, "the head is longer than 16 KB");
    return true;
}

/* Takes bytes up to the end of the head, and parses it once it is whole. */
static sat__http_event gather_head(sat__http_parser *parser, sat_bytes data,
                                   size_t *used)
{
    sat_buf *const head = &parser->head;
    const size_t before = head->len;
    const size_t from = before > 3 ? before - 3 : 0;
    const size_t room = SAT_HEAD_SIZE_MAX + 1 - before;

    sat__buf_put(head, data.data, data.len < room ? data.len : room);
    *used = head->len - before;
    if (head->failed) {
        (void)fail(parser, 503, "out of memory");
        return SAT_HTTP_FAILED;
    }
    if (head->len == 0)
        return SAT_HTTP_MORE;
    const uint8_t *const end =
        memmem(head->data + from, head->len - from, HEAD_END, strlen(HEAD_END));
    if (end == NULL)
        return head_is_too_long(parser) ? SAT_HTTP_FAILED : SAT_HTTP_MORE;
    const size_t len = (size_t)(end - head->data) + strlen(HEAD_END);
    *used -= head->len - len;
    head->len = len;
    if (check_head(parser) != 0)
        return SAT_HTTP_FAILED;
    size_t taken;
    return run(parser, buf_view(head), &taken);
}

sat__http_event sat__http_parser_feed(sat__http_parser *parser, sat_bytes data,
                                      size_t *used)
{
    *used = 0;
    if (parser->failure != 0)
        return SAT_HTTP_FAILED;
    if (!parser->has_head)
        return gather_head(parser, data, used);
    if (parser->is_done)
        return SAT_HTTP_DONE;
    /* http-parser stopped on the head's last byte and wants it once more: only
     * then does a message without a body turn out to be complete. */
    if (parser->head.len > 0) {
        const uint8_t last = '\n';
        parser->head.len = 0;
        size_t taken;
        const sat__http_event event = run(parser, bytes_of(&last, 1), &taken);
        if (event != SAT_HTTP_MORE)
            return event;
    }
    /* To http-parser, no bytes are the end of the connection. */
    return data.len > 0 ? run(parser, data, used) : SAT_HTTP_MORE;
}

void sat__http_parser_limit(sat__http_parser *parser, size_t bytes)
{
    parser->body_max = bytes;
    if ((parser->machine.flags & F_CONTENTLENGTH) != 0 && !parser->skips_body &&
        parser->machine.content_length > bytes)
        (void)fail(parser, 413, "the body is larger than is accepted");
}

void sat__http_parser_skip_body(sat__http_parser *parser)
{
    parser->skips_body = true;
}

unsigned sat__http_parser_failure(const sat__http_parser *parser,
                                  const char **detail)
{
    *detail = parser->detail;
    return parser->failure;
}

size_t sat__http_parser_taken(const sat__http_parser *parser)
{
    return parser->body_taken;
}

bool sat__http_parser_is_pending(const sat__http_parser *parser)
{
    return parser->has_head && !parser->is_done && parser->head.len > 0;
}

bool sat__http_parser_is_within(const sat__http_parser *parser)
{
    return parser->head.len > 0 || parser->has_head;
}

bool sat__http_parser_wants_close(const sat__http_parser *parser)
{
    return parser->must_close;
}

static void reset(sat__http_parser *parser)
{
    http_parser_init(&parser->machine,
                     parser->request != NULL ? HTTP_REQUEST : HTTP_RESPONSE);
    parser->machine.data = parser;
    parser->head.len = 0;
    parser->body_max = parser->body_taken = 0;
    parser->has_head = parser->is_done = parser->must_close = false;
    parser->failure = 0;
}

void sat__http_parser_next(sat__http_parser *parser)
{
    if (parser->request != NULL)
        sat__request_clear(parser->request);
    else
        sat__response_clear(parser->response);
    reset(parser);
}

static sat_status new_parser(sat__request *request, sat__response *response,
                             sat__http_parser **out, sat_error *err)
{
    sat__http_parser *const parser = calloc(1, sizeof *parser);

    if (parser == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    parser->request = request;
    parser->response = response;
    reset(parser);
    *out = parser;
    return SAT_OK;
}

sat_status sat__http_parser_requests(sat__request *request,
                                     sat__http_parser **out, sat_error *err)
{
    return new_parser(request, NULL, out, err);
}

sat_status sat__http_parser_responses(sat__response *response,
                                      sat__http_parser **out, sat_error *err)
{
    return new_parser(NULL, response, out, err);
}

void sat__http_parser_free(sat__http_parser *parser)
{
    if (parser == NULL)
        return;
    sat__buf_clear(&parser->head);
    free(parser);
}
