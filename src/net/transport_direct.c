/*
 * transport_direct.c - a network that is a function call
 */
#include "net/transport.h"

#include <errno.h>
#include <unistd.h>

#include "base/error.h"

/* The server changes a request as it reads it, so it gets one of its own. */
static sat_status copy_request(const sat__request *request, sat__request *out,
                               sat_error *err)
{
    memcpy(out->method, request->method, sizeof out->method);
    sat__buf_put(&out->target, request->target.data, request->target.len);
    sat__buf_put(&out->body, request->body.data, request->body.len);
    for (size_t i = 0; i < request->headers.count; i++) {
        const char *const text = (const char *)request->headers.text.data;
        sat__headers_put(&out->headers, text + request->headers.at[i].name,
                         text + request->headers.at[i].value);
    }
    TRY(sat__buf_status(&out->target, err));
    TRY(sat__buf_status(&out->body, err));
    return sat__headers_status(&out->headers, err);
}

/* Nothing follows: a call returns all of it. */
static sat_status read_file(sat__response *response, sat_error *err)
{
    sat__body_file *const file = &response->file;
    sat_buf *const body = &response->body;

    while (file->left > 0) {
        if (!sat__buf_reserve(body, (size_t)file->left))
            return sat__buf_status(body, err);
        const ssize_t got =
            read(file->fd, body->data + body->len, (size_t)file->left);
        if (got <= 0)
            return sat__fail_os(err, errno, "a body ends too early");
        body->len += (size_t)got;
        file->left -= (uint64_t)got;
    }
    return SAT_OK;
}

static sat_status exchange(void *self, const sat__request *sent,
                           sat__response *response, sat_error *err)
{
    const sat__handler *const handler = self;
    AUTO(sat__request) copy = {0};
    sat__request *const request = &copy;

    TRY(copy_request(sent, request, err));
    const size_t limit = handler->begin(handler->context, request, response);
    const sat__body_sink *const sink = &request->sink;

    if (response->status == 0 && request->body.len > limit)
        sat__response_problem(response, 413,
                              "the body is larger than is accepted");
    else if (response->status == 0 && sink->self != NULL &&
             !sink->take(sink->self, buf_view(&request->body)))
        sat__response_problem(response, 503, "the body can not be kept now");
    else if (response->status == 0 &&
             !handler->handle(handler->context, request, response))
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "the other side answers later, and this is a call");
    TRY(sat__headers_status(&response->headers, err));
    TRY(read_file(response, err));
    return sat__buf_status(&response->body, err);
}

static void count_nothing(void *self, uint64_t *sent, uint64_t *received)
{
    (void)self;
    *sent = *received = 0;
}

static void close_nothing(void *self)
{
    (void)self;
}

void sat__transport_direct(const sat__handler *handler, sat__transport *out)
{
    *out = (sat__transport){.self = (void *)(uintptr_t)handler,
                            .authority = "direct",
                            .exchange = exchange,
                            .close = close_nothing,
                            .count = count_nothing};
}
