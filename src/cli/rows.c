/*
 * rows.c - the result of a statement, as it is shown
 *
 * Values are shown exactly: a number by digits that read back as the same
 * number, a blob as X'…', text byte by byte.
 */
#include "cli/rows.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/list.h"
#include "base/sql.h"
#include "sync/value.h"

/* A real as SQL reads it back: 0.1, 1.0, -0.0, 1e+300, and 9e999 for infinity.
 */
static void put_real(sat_buf *out, double value)
{
    char text[40];

    if (value - value != 0.0) {
        sat__buf_put_text(out, value > 0 ? "9e999" : "-9e999");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    sat__buf_put_text(out, text);
    if (strpbrk(text, ".e") == NULL)
        sat__buf_put_text(out, ".0");
}

static void put_blob(sat_buf *out, sat_bytes blob)
{
    sat__buf_put_text(out, "X'");
    for (size_t i = 0; i < blob.len; i++)
        sat__buf_printf(out, "%02x", blob.data[i]);
    sat__buf_put_byte(out, '\'');
}

static void put_value(sat_buf *out, const sat__value *value)
{
    switch (value->type) {
    case SQLITE_INTEGER:
        sat__buf_printf(out, "%" PRId64, value->integer);
        break;
    case SQLITE_FLOAT:
        put_real(out, value->real);
        break;
    case SQLITE_TEXT:
        sat__buf_put(out, value->bytes.data, value->bytes.len);
        break;
    case SQLITE_BLOB:
        put_blob(out, value->bytes);
        break;
    default:
        break;
    }
}

static bool needs_quotes(sat_bytes text)
{
    if (text.len == 0)
        return true;
    for (size_t i = 0; i < text.len; i++)
        if (strchr("\",\r\n", text.data[i]) != NULL)
            return true; /* NUL is found too */
    return false;
}

/* Only text is quoted, so that what is empty without quotes is NULL. */
static void put_csv_text(sat_buf *out, sat_bytes text)
{
    if (!needs_quotes(text)) {
        sat__buf_put(out, text.data, text.len);
        return;
    }
    sat__buf_put_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"')
            sat__buf_put_byte(out, '"');
        sat__buf_put_byte(out, text.data[i]);
    }
    sat__buf_put_byte(out, '"');
}

static void put_csv(sat_buf *out, const sat__value *value)
{
    if (value->type == SQLITE_TEXT)
        put_csv_text(out, value->bytes);
    else
        put_value(out, value);
}

static sat_bytes column_name(sqlite3_stmt *stmt, int at)
{
    const char *const name = sqlite3_column_name(stmt, at);
    return name != NULL ? bytes_of(name, strlen(name)) : bytes_of("", 0);
}

/* Writes the line and empties it. */
static sat_status put_line(sat_buf *line, sat_error *err)
{
    TRY(sat__buf_status(line, err));
    (void)fwrite(line->data, 1, line->len, stdout);
    line->len = 0;
    return ferror(stdout) != 0 ? cli_flush(err) : SAT_OK;
}

static sat_status print_lines(sqlite3_stmt *stmt, char separator,
                              void (*put)(sat_buf *, const sat__value *),
                              sat_error *err)
{
    AUTO(sat_buf) line = SAT_BUF_INIT;
    const int columns = sqlite3_column_count(stmt);
    bool row;

    for (;;) {
        TRY(sat__sql_step(stmt, &row, err));
        if (!row)
            return SAT_OK;
        for (int i = 0; i < columns; i++) {
            const sat__value value = sat__value_column(stmt, i);
            if (i > 0)
                sat__buf_put_byte(&line, (uint8_t)separator);
            put(&line, &value);
        }
        sat__buf_put_byte(&line, '\n');
        TRY(put_line(&line, err));
    }
}

static sat_status print_csv(sqlite3_stmt *stmt, sat_error *err)
{
    AUTO(sat_buf) line = SAT_BUF_INIT;

    for (int i = 0; i < sqlite3_column_count(stmt); i++) {
        if (i > 0)
            sat__buf_put_byte(&line, ',');
        put_csv_text(&line, column_name(stmt, i));
    }
    sat__buf_put_byte(&line, '\n');
    TRY(put_line(&line, err));
    return print_lines(stmt, ',', put_csv, err);
}

static void put_object(sat_buf *out, sqlite3_stmt *stmt)
{
    for (int i = 0; i < sqlite3_column_count(stmt); i++) {
        const sat__value value = sat__value_column(stmt, i);
        sat__buf_put_byte(out, i == 0 ? '{' : ',');
        sat__json_put_text(out, column_name(stmt, i));
        sat__buf_put_byte(out, ':');
        sat__value_to_json(out, &value);
    }
    sat__buf_put_byte(out, '}');
}

static sat_status print_json(sqlite3_stmt *stmt, sat_error *err)
{
    AUTO(sat_buf) line = SAT_BUF_INIT;
    const char *before = "[";
    bool row;

    for (;;) {
        TRY(sat__sql_step(stmt, &row, err));
        if (!row)
            break;
        sat__buf_put_text(&line, before);
        put_object(&line, stmt);
        TRY(put_line(&line, err));
        before = ",";
    }
    sat__buf_put_text(&line, before[0] == '[' ? "[]\n" : "]\n");
    return put_line(&line, err);
}

static sat_status print_table(const cli_run *cli, sqlite3_stmt *stmt,
                              sat_error *err)
{
    const int count = sqlite3_column_count(stmt);
    AUTO_FREE cli_column *columns = calloc((size_t)count + 1, sizeof *columns);
    AUTO(cli_list) list = {0};
    AUTO(sat_buf) cell = SAT_BUF_INIT;
    bool row;

    if (columns == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (int i = 0; i < count; i++) {
        const char *const name = (const char *)column_name(stmt, i).data;
        columns[i] = (cli_column){name, name};
    }
    cli_list_init(&list, cli, columns);
    list.is_whole = true;
    for (;;) {
        TRY(sat__sql_step(stmt, &row, err));
        if (!row)
            return cli_list_print(&list, "No rows.", err);
        for (int i = 0; i < count; i++) {
            const sat__value value = sat__value_column(stmt, i);
            cell.len = 0;
            put_value(&cell, &value);
            cli_list_text(&list, sat__buf_text(&cell));
        }
    }
}

sat_status cli_rows_print(const cli_run *cli, cli_format format,
                          sqlite3_stmt *stmt, sat_error *err)
{
    if (sqlite3_column_count(stmt) == 0)
        return sat__sql_run(stmt, err);
    switch (format) {
    case CLI_TABLE:
        return print_table(cli, stmt, err);
    case CLI_CSV:
        return print_csv(stmt, err);
    case CLI_JSON:
        return print_json(stmt, err);
    default:
        return print_lines(stmt, '|', put_value, err);
    }
}
