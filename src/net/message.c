/*
 * message.c - requests and responses, held and written
 */
#include "net/message.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"

void sat__headers_clear(sat__headers *headers)
{
    sat__buf_clear(&headers->text);
    headers->count = 0;
}

static const char *text_at(const sat__headers *headers, size_t at)
{
    return (const char *)headers->text.data + at;
}

static size_t find(const sat__headers *headers, const char *name, size_t len)
{
    for (size_t i = 0; i < headers->count; i++) {
        const char *const here = text_at(headers, headers->at[i].name);
        if (strncasecmp(here, name, len) == 0 && here[len] == 0)
            return i;
    }
    return headers->count;
}

static size_t append_text(sat_buf *text, sat_bytes first, const char *between,
                          sat_bytes second)
{
    const size_t at = text->len;

    sat__buf_put(text, first.data, first.len);
    sat__buf_put_text(text, between);
    sat__buf_put(text, second.data, second.len);
    sat__buf_put_byte(text, 0);
    return at;
}

bool sat__headers_add(sat__headers *headers, sat_bytes name, sat_bytes value)
{
    const sat_bytes none = {NULL, 0};
    sat_buf *const text = &headers->text;
    const size_t i = find(headers, (const char *)name.data, name.len);

    if (i < headers->count) {
        AUTO(sat_buf) before = SAT_BUF_INIT;
        sat__buf_put_text(&before, text_at(headers, headers->at[i].value));
        headers->at[i].value =
            append_text(text, buf_view(&before), ", ", value);
        return !text->failed && !before.failed;
    }
    if (headers->count == SAT_HEADERS_MAX)
        return false;
    headers->at[i].name = append_text(text, name, "", none);
    headers->at[i].value = append_text(text, value, "", none);
    if (text->failed)
        return false;
    headers->count++;
    return true;
}

void sat__headers_put(sat__headers *headers, const char *name,
                      const char *value)
{
    if (!sat__headers_add(headers, bytes_of(name, strlen(name)),
                          bytes_of(value, strlen(value))))
        headers->text.failed = true;
}

sat_status sat__headers_status(const sat__headers *headers, sat_error *err)
{
    return sat__buf_status(&headers->text, err);
}

const char *sat__headers_get(const sat__headers *headers, const char *name)
{
    const size_t i = find(headers, name, strlen(name));

    return i < headers->count ? text_at(headers, headers->at[i].value) : NULL;
}

void sat__request_clear(sat__request *request)
{
    sat__buf_clear(&request->target);
    sat__headers_clear(&request->headers);
    sat__buf_clear(&request->body);
    if (request->sink.self != NULL)
        request->sink.close(request->sink.self);
    request->sink.self = NULL;
    request->method[0] = 0;
    request->is_signed = false;
    request->route = NULL;
}

void sat__response_clear(sat__response *response)
{
    sat__headers_clear(&response->headers);
    sat__buf_clear(&response->body);
    if (response->file.is_open)
        (void)close(response->file.fd);
    response->file.is_open = false;
    response->file.left = 0;
    response->status = 0;
    response->must_close = false;
}

void sat__request_set(sat__request *request, const char *method,
                      const char *target)
{
    (void)snprintf(request->method, sizeof request->method, "%s", method);
    sat__buf_put_text(&request->target, target);
}

sat_bytes sat__request_path(const sat__request *request)
{
    const sat_buf *const target = &request->target;
    const uint8_t *const mark =
        target->len > 0 ? memchr(target->data, '?', target->len) : NULL;
    return bytes_of(target->data,
                    mark != NULL ? (size_t)(mark - target->data) : target->len);
}

sat_bytes sat__request_query(const sat__request *request)
{
    const size_t path = sat__request_path(request).len;

    if (path == request->target.len)
        return bytes_of("?", 1);
    return bytes_of(request->target.data + path, request->target.len - path);
}

static bool is_unreserved(uint8_t c)
{
    return isalnum(c) || (c != 0 && strchr("-_.~", c) != NULL);
}

static sat_status take_value(const char *name, sat_bytes value, char *out,
                             size_t size, sat_error *err)
{
    bool is_plain = value.len < size;

    for (size_t i = 0; i < value.len && is_plain; i++)
        is_plain = is_unreserved(value.data[i]);
    if (!is_plain)
        return sat__fail(err, SAT_ERR_INVALID,
                         "parameter '%s' has a value that is not accepted",
                         name);
    memcpy(out, value.data, value.len);
    out[value.len] = 0;
    return SAT_OK;
}

sat_status sat__request_parameter(const sat__request *request, const char *name,
                                  char *out, size_t size, sat_error *err)
{
    const sat_bytes query = sat__request_query(request);
    const size_t name_len = strlen(name);
    bool is_found = false;

    for (size_t at = 1; at < query.len;) {
        const uint8_t *const from = query.data + at;
        const uint8_t *const mark = memchr(from, '&', query.len - at);
        const size_t len = mark ? (size_t)(mark - from) : query.len - at;
        at += len + 1;
        if (len <= name_len || memcmp(from, name, name_len) != 0 ||
            from[name_len] != '=')
            continue;
        if (is_found)
            return sat__fail(err, SAT_ERR_INVALID, "parameter '%s' comes twice",
                             name);
        is_found = true;
        TRY(take_value(name, bytes_of(from + name_len + 1, len - name_len - 1),
                       out, size, err));
    }
    return is_found ? SAT_OK
                    : sat__fail(err, SAT_ERR_NOT_FOUND,
                                "parameter '%s' is missing", name);
}

static void write_rest(const sat__headers *headers, const sat_buf *body,
                       uint64_t more, bool has_length, sat_buf *out)
{
    for (size_t i = 0; i < headers->count; i++)
        sat__buf_printf(out, "%s: %s\r\n",
                        text_at(headers, headers->at[i].name),
                        text_at(headers, headers->at[i].value));
    if (has_length)
        sat__buf_printf(out, "Content-Length: %llu\r\n",
                        (unsigned long long)(body->len + more));
    sat__buf_put_text(out, "\r\n");
    sat__buf_put(out, body->data, body->len);
}

void sat__request_write(const sat__request *request, sat_buf *out)
{
    sat__buf_printf(out, "%s %.*s HTTP/1.1\r\n", request->method,
                    (int)request->target.len,
                    (const char *)request->target.data);
    write_rest(&request->headers, &request->body, 0,
               strcmp(request->method, "GET") != 0 || request->body.len > 0,
               out);
}

void sat__response_write(const sat__response *response, sat_buf *out)
{
    sat__buf_printf(out, "HTTP/1.1 %u %s\r\n", response->status,
                    sat__reason_phrase(response->status));
    if (response->must_close)
        sat__buf_put_text(out, "Connection: close\r\n");
    write_rest(&response->headers, &response->body, response->file.left,
               response->status != 101, out);
}

void sat__response_problem(sat__response *response, unsigned status,
                           const char *detail)
{
    json_t *const problem =
        json_pack("{s:s, s:i, s:s}", "title", sat__reason_phrase(status),
                  "status", (int)status, "detail", detail);
    char *const text = problem ? json_dumps(problem, JSON_COMPACT) : NULL;

    sat__response_clear(response);
    response->status = status;
    sat__headers_put(&response->headers, "Content-Type",
                     "application/problem+json");
    sat__buf_put_text(&response->body, text != NULL ? text : "{}");
    free(text);
    json_decref(problem);
}

const char *sat__reason_phrase(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } phrases[] = {
        {101, "Switching Protocols"},
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {507, "Insufficient Storage"},
    };

    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Unknown";
}
