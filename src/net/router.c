/*
 * router.c - a table, searched from its top
 */
#include "net/router.h"

#include <ctype.h>

static bool is_plain_segment(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isalnum(text[i]) && strchr("-_.~", text[i]) == NULL)
            return false;
    return len > 0 && !(len == 1 && text[0] == '.') &&
           !(len == 2 && text[0] == '.' && text[1] == '.');
}

/* Every segment is plain; the path begins with '/', as the parser checked. */
static bool is_plain(sat_bytes path)
{
    for (size_t at = 1; at <= path.len;) {
        const uint8_t *const from = path.data + at;
        const uint8_t *const slash = memchr(from, '/', path.len - at);
        const size_t len = slash ? (size_t)(slash - from) : path.len - at;
        if (!is_plain_segment(from, len))
            return path.len == 1;
        at += len + 1;
    }
    return true;
}

static bool matches(const char *pattern, sat_bytes path,
                    char id[SAT_ROUTE_ID_SIZE])
{
    size_t at = 0;

    while (*pattern != 0) {
        if (*pattern != '{') {
            if (at == path.len || path.data[at++] != (uint8_t)*pattern++)
                return false;
            continue;
        }
        size_t len = 0;
        while (at < path.len && path.data[at] != '/') {
            if (len + 1 == SAT_ROUTE_ID_SIZE)
                return false;
            id[len++] = (char)path.data[at++];
        }
        id[len] = 0;
        pattern += 4;
    }
    return at == path.len;
}

static bool is_usual_method(const char *method)
{
    static const char *const usual[] = {"GET",    "HEAD",    "POST", "PUT",
                                        "DELETE", "OPTIONS", "PATCH"};

    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (strcmp(method, usual[i]) == 0)
            return true;
    return false;
}

const sat__route *sat__route_find(const sat__route *routes, size_t count,
                                  const sat__request *request,
                                  char id[SAT_ROUTE_ID_SIZE],
                                  sat__response *response)
{
    const sat_bytes path = sat__request_path(request);
    bool is_path = false;

    if (!is_plain(path)) {
        sat__response_problem(response, 400,
                              "the path holds what no path here has");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!matches(routes[i].pattern, path, id))
            continue;
        if (strcmp(routes[i].method, request->method) == 0)
            return &routes[i];
        is_path = true;
    }
    if (!is_usual_method(request->method))
        sat__response_problem(response, 501, "this method is not known here");
    else if (is_path)
        sat__response_problem(response, 405,
                              "the path does not have this method");
    else
        sat__response_problem(response, 404, "there is nothing here");
    return NULL;
}

void sat__route_id(const sat__route *route, const sat__request *request,
                   char id[SAT_ROUTE_ID_SIZE])
{
    id[0] = 0;
    (void)matches(route->pattern, sat__request_path(request), id);
}
