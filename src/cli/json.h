/*
 * json.h - writing JSON
 *
 * Values are appended to a buffer; commas come by themselves.
 */
#ifndef SAT_SRC_CLI_JSON_H
#define SAT_SRC_CLI_JSON_H

#include "base/buf.h"

typedef struct cli_json {
    sat_buf text;
    bool comma; /* the next value follows another one */
} cli_json;

#define CLI_JSON_INIT                                                          \
    {                                                                          \
        SAT_BUF_INIT, false                                                    \
    }

void cli_json_clear(cli_json *json);
DEFINE_AUTO(cli_json, cli_json_clear);

/* `bracket` is one of { [ ] }. */
void cli_json_open(cli_json *json, char bracket);
void cli_json_close(cli_json *json, char bracket);

void cli_json_key(cli_json *json, const char *key);

/* NULL becomes null. */
void cli_json_text(cli_json *json, const char *text);
void cli_json_integer(cli_json *json, int64_t number);
void cli_json_real(cli_json *json, double number);
void cli_json_bool(cli_json *json, bool yes);

/* A value that is JSON already; NULL becomes null. */
void cli_json_raw(cli_json *json, const char *value);

/* Key and value at once, for the members of an object. */
void cli_json_put_text(cli_json *json, const char *key, const char *text);
void cli_json_put_integer(cli_json *json, const char *key, int64_t number);
void cli_json_put_bool(cli_json *json, const char *key, bool yes);

/* Prints what was written so far, and a newline, to stdout. */
SAT_CHECK sat_status cli_json_print(cli_json *json, sat_error *err);

#endif /* SAT_SRC_CLI_JSON_H */
