/*
 * storage.c - parameters and columns, whatever the database
 */
#include "hub/storage/storage.h"

#include <stdarg.h>

#define PARAMETERS_MAX 16

static hub_value bytes_value(hub_type type, const void *data, size_t len)
{
    return data == NULL ? (hub_value){.type = HUB_NULL}
                        : (hub_value){.type = type, .bytes = {data, len}};
}

static size_t take_parameters(const char *types, va_list *arguments,
                              hub_value values[PARAMETERS_MAX])
{
    size_t count = 0;

    for (; types[count] != 0 && count < PARAMETERS_MAX; count++) {
        hub_value *const value = &values[count];
        switch (types[count]) {
        case 'i':
            *value = (hub_value){.type = HUB_INT,
                                 .integer = va_arg(*arguments, int64_t)};
            break;
        case 'b': {
            const sat_bytes bytes = va_arg(*arguments, sat_bytes);
            *value = bytes_value(HUB_BYTES, bytes.data, bytes.len);
            break;
        }
        case 'x':
            *value =
                bytes_value(HUB_BYTES, va_arg(*arguments, const uint8_t *), 32);
            break;
        default: {
            const char *const text = va_arg(*arguments, const char *);
            *value =
                bytes_value(HUB_TEXT, text, text != NULL ? strlen(text) : 0);
        }
        }
    }
    return count;
}

sat_status hub_query(hub_db *db, hub_rows *rows, sat_error *err,
                     const char *sql, const char *types, ...)
{
    hub_value values[PARAMETERS_MAX];
    va_list arguments;

    va_start(arguments, types);
    const size_t count = take_parameters(types, &arguments, values);
    va_end(arguments);
    hub_rows_clear(rows);
    return db->driver->query(db, sql, values, count, rows, err);
}

sat_status hub_exec(hub_db *db, int64_t *changed, sat_error *err,
                    const char *sql, const char *types, ...)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    hub_value values[PARAMETERS_MAX];
    va_list arguments;
    bool row = true;

    va_start(arguments, types);
    const size_t count = take_parameters(types, &arguments, values);
    va_end(arguments);
    TRY(db->driver->query(db, sql, values, count, &rows, err));
    while (row)
        TRY(hub_rows_next(&rows, &row, err));
    if (changed != NULL)
        *changed = rows.changed;
    return SAT_OK;
}

sat_status hub_rows_next(hub_rows *rows, bool *row, sat_error *err)
{
    return rows->db->driver->next(rows, row, err);
}

void hub_rows_clear(hub_rows *rows)
{
    if (rows->db != NULL)
        rows->db->driver->release(rows);
    *rows = (hub_rows)HUB_ROWS_INIT;
}

static hub_value column_of(const hub_rows *rows, int column)
{
    hub_value value = {.type = HUB_NULL};

    rows->db->driver->column(rows, column, &value);
    return value;
}

int64_t hub_int(const hub_rows *rows, int column)
{
    return column_of(rows, column).integer;
}

sat_bytes hub_bytes(const hub_rows *rows, int column)
{
    return column_of(rows, column).bytes;
}

const char *hub_text(const hub_rows *rows, int column)
{
    const hub_value value = column_of(rows, column);

    return value.type == HUB_TEXT ? (const char *)value.bytes.data : "";
}

sat_status hub_fixed(const hub_rows *rows, int column, uint8_t *out, size_t len,
                     sat_error *err)
{
    const sat_bytes bytes = hub_bytes(rows, column);

    if (bytes.len != len)
        return sat__fail(err, SAT_ERR_IO,
                         "a stored value has %zu bytes instead of %zu",
                         bytes.len, len);
    memcpy(out, bytes.data, len);
    return SAT_OK;
}
