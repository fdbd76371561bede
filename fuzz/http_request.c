/*
 * http_request.c - a message reads the same whole as byte by byte
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "net/http_parse.h"

#define BODY_MAX ((size_t)4096)

/* Reads one request in steps of `step` bytes; the last event. */
static sat__http_event read_request(const uint8_t *data, size_t size,
                                    size_t step, sat__request *request)
{
    AUTO_PTR(sat__http_parser) parser = NULL;
    sat__http_event event = SAT_HTTP_MORE;

    if (sat__http_parser_requests(request, &parser, NULL) != SAT_OK)
        return SAT_HTTP_FAILED;
    for (size_t at = 0; event != SAT_HTTP_DONE && event != SAT_HTTP_FAILED &&
                        (at < size || sat__http_parser_is_pending(parser));) {
        const size_t len = size - at < step ? size - at : step;
        size_t used;
        event =
            sat__http_parser_feed(parser, (sat_bytes){data + at, len}, &used);
        if (used > len)
            abort();
        at += used;
        if (event == SAT_HTTP_HEAD)
            sat__http_parser_limit(parser, BODY_MAX);
    }
    if (request->body.len > BODY_MAX)
        abort();
    return event;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(sat__request) whole = {0};
    AUTO(sat__request) pieces = {0};
    const sat__http_event event = read_request(data, size, SIZE_MAX, &whole);

    if (event != read_request(data, size, 1, &pieces))
        abort();
    if (event != SAT_HTTP_DONE)
        return 0;
    if (strcmp(whole.method, pieces.method) != 0 ||
        !bytes_equal(buf_view(&whole.target), buf_view(&pieces.target)) ||
        !bytes_equal(buf_view(&whole.body), buf_view(&pieces.body)) ||
        whole.headers.count != pieces.headers.count)
        abort();
    return 0;
}
