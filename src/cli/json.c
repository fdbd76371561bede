/*
 * json.c - writing JSON
 */
#include "cli/json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "cli/cli.h"

void cli_json_clear(cli_json *json)
{
    sat__buf_clear(&json->text);
    json->comma = false;
}

static void begin_value(cli_json *json)
{
    if (json->comma)
        sat__buf_put_byte(&json->text, ',');
    json->comma = true;
}

void cli_json_open(cli_json *json, char bracket)
{
    begin_value(json);
    sat__buf_put_byte(&json->text, (uint8_t)bracket);
    json->comma = false;
}

void cli_json_close(cli_json *json, char bracket)
{
    sat__buf_put_byte(&json->text, (uint8_t)bracket);
    json->comma = true;
}

void cli_json_key(cli_json *json, const char *key)
{
    cli_json_text(json, key);
    sat__buf_put_byte(&json->text, ':');
    json->comma = false;
}

static void put_character(sat_buf *out, unsigned char c)
{
    if (c == '"' || c == '\\')
        sat__buf_printf(out, "\\%c", c);
    else if (c == '\n')
        sat__buf_put_text(out, "\\n");
    else if (c < 0x20 || c == 0x7f)
        sat__buf_printf(out, "\\u%04x", c);
    else
        sat__buf_put_byte(out, c);
}

void cli_json_text(cli_json *json, const char *text)
{
    if (text == NULL) {
        cli_json_raw(json, "null");
        return;
    }
    begin_value(json);
    sat__buf_put_byte(&json->text, '"');
    for (; *text != '\0'; text++)
        put_character(&json->text, (unsigned char)*text);
    sat__buf_put_byte(&json->text, '"');
}

void cli_json_integer(cli_json *json, int64_t number)
{
    begin_value(json);
    sat__buf_printf(&json->text, "%" PRId64, number);
}

void cli_json_real(cli_json *json, double number)
{
    begin_value(json);
    sat__buf_printf(&json->text, "%.3f", number);
}

void cli_json_bool(cli_json *json, bool yes)
{
    cli_json_raw(json, yes ? "true" : "false");
}

void cli_json_raw(cli_json *json, const char *value)
{
    begin_value(json);
    sat__buf_put_text(&json->text, value != NULL ? value : "null");
}

void cli_json_put_text(cli_json *json, const char *key, const char *text)
{
    cli_json_key(json, key);
    cli_json_text(json, text);
}

void cli_json_put_integer(cli_json *json, const char *key, int64_t number)
{
    cli_json_key(json, key);
    cli_json_integer(json, number);
}

void cli_json_put_bool(cli_json *json, const char *key, bool yes)
{
    cli_json_key(json, key);
    cli_json_bool(json, yes);
}

sat_status cli_json_print(cli_json *json, sat_error *err)
{
    sat__buf_put_byte(&json->text, '\n');
    TRY(sat__buf_status(&json->text, err));
    (void)fwrite(json->text.data, 1, json->text.len, stdout);
    json->text.len = 0;
    json->comma = false;
    return cli_flush(err);
}
