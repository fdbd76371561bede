/*
 * log.c - lines of text or of JSON
 */
#include "hub/log.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "hub/out.h"

static bool is_json_lines;

void hub_log_begin(bool is_json)
{
    is_json_lines = is_json;
}

typedef struct line {
    sat_buf text;
    hub_out json;
} line;

static void line_begin(line *l, const char *event)
{
    struct timespec now;
    struct tm parts;
    char time[32], stamp[40];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    (void)strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(stamp, sizeof stamp, "%s.%03dZ", time,
                   (int)(now.tv_nsec / 1000000));
    *l = (line){.text = SAT_BUF_INIT};
    l->json = (hub_out){.buf = &l->text, .is_json = true};
    if (!is_json_lines) {
        sat__buf_printf(&l->text, "%s %s", stamp, event);
        return;
    }
    hub_out_map(&l->json, 0);
    hub_out_key(&l->json, "time");
    hub_out_text(&l->json, stamp);
    hub_out_key(&l->json, "event");
    hub_out_text(&l->json, event);
}

static void line_text(line *l, const char *key, const char *value)
{
    if (is_json_lines) {
        hub_out_key(&l->json, key);
        hub_out_text(&l->json, value);
        return;
    }
    sat__buf_printf(&l->text, " %s=", key);
    for (; *value != 0; value++) /* a line stays one */
        sat__buf_put_byte(&l->text,
                          (uint8_t)*value < ' ' ? '?' : (uint8_t)*value);
}

static void line_number(line *l, const char *key, uint64_t value)
{
    if (is_json_lines) {
        hub_out_key(&l->json, key);
        hub_out_int(&l->json, (int64_t)value);
    } else {
        sat__buf_printf(&l->text, " %s=%llu", key, (unsigned long long)value);
    }
}

/* In one piece, so that lines of threads do not mix. */
static void line_end(line *l)
{
    if (is_json_lines)
        hub_out_end(&l->json);
    sat__buf_put_byte(&l->text, '\n');
    if (!l->text.failed) {
        const ssize_t ignored = write(STDERR_FILENO, l->text.data, l->text.len);
        (void)ignored; /* there is nobody to tell */
    }
    sat__buf_clear(&l->text);
}

void hub_log_event(const char *event, const char *detail)
{
    line l;

    line_begin(&l, event);
    if (detail != NULL && detail[0] != 0)
        line_text(&l, "detail", detail);
    line_end(&l);
}

void hub_log_request(const hub_log_entry *entry)
{
    line l;

    line_begin(&l, "request");
    line_text(&l, "id", entry->id);
    line_text(&l, "method", entry->method);
    line_text(&l, "route", entry->route);
    line_number(&l, "status", entry->status);
    line_number(&l, "us", entry->us);
    line_text(&l, "remote", entry->remote);
    line_end(&l);
}
