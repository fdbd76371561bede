/*
 * transport_direct.c - a network that is a function call
 */
#include "net/transport.h"

static sat_status exchange(void *self, sat__request *request,
                           sat__response *response, sat_error *err)
{
    const sat__handler *const handler = self;
    const size_t limit = handler->begin(handler->context, request, response);

    if (response->status == 0 && request->body.len > limit)
        sat__response_problem(response, 413,
                              "the body is larger than is accepted");
    else if (response->status == 0)
        handler->handle(handler->context, request, response);
    TRY(sat__headers_status(&response->headers, err));
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
    *out = (sat__transport){(void *)(uintptr_t)handler, exchange, close_nothing,
                            count_nothing};
}
