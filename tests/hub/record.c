/*
 * record.c - exchanges as lines of a file
 */
#include "record.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scope.h"
#include "hub/handlers.h"

#define BODY_MAX ((size_t)1 << 18)
#define EXCHANGES_MAX 20000

static void write_line(FILE *file, json_t *line)
{
    char *const text = json_dumps(line, JSON_COMPACT);

    if (text == NULL || fprintf(file, "%s\n", text) < 0 || fflush(file) != 0)
        abort();
    free(text);
    json_decref(line);
}

/* The file, begun anew by each program; NULL where nothing is to be written. */
static FILE *record_file(void)
{
    static FILE *file;
    const char *const path = getenv("SAT_EXCHANGES");

    if (file != NULL || path == NULL)
        return file;
    file = fopen(path, "w");
    if (file == NULL)
        abort();
    for (size_t i = 0; i < hub_route_count; i++)
        write_line(file,
                   json_pack("{s:s, s:s, s:b}", "route", hub_paths[i].pattern,
                             "method", hub_paths[i].method, "body",
                             hub_paths[i].body_max > 0));
    return file;
}

static json_t *hex_of(const sat_buf *body)
{
    char *const text = malloc(2 * body->len + 1);

    if (text == NULL)
        abort();
    sat__hex_format(body->data, body->len, text);
    json_t *const made = json_string(text);
    free(text);
    return made;
}

static json_t *text_of(const sat_buf *buf)
{
    return json_stringn((const char *)buf->data, buf->len);
}

static const char *type_of(const sat__headers *headers)
{
    const char *const type = sat__headers_get(headers, "Content-Type");

    return type != NULL ? type : "";
}

void record_exchange(const sat__request *request, const sat__response *response)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int count;
    SCOPED_LOCK(&lock);
    FILE *const file = record_file();

    if (file == NULL || request->body.len > BODY_MAX ||
        response->body.len > BODY_MAX || ++count > EXCHANGES_MAX)
        return;
    write_line(
        file, json_pack("{s:s, s:o, s:s, s:o, s:i, s:s, s:o}", "method",
                        request->method, "path", text_of(&request->target),
                        "asked_type", type_of(&request->headers), "asked",
                        hex_of(&request->body), "status", (int)response->status,
                        "answered_type", type_of(&response->headers),
                        "answered", hex_of(&response->body)));
}
