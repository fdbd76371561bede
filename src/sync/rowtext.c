/*
 * rowtext.c - rows as JSON, for people
 */
#include "sync/rowtext.h"

static void put_cell(sat_replica *replica, const sat__row *row, int c,
                     sat_buf *out)
{
    const sat__value value = sat__cell_value(replica, &row->cells[c]);

    sat__value_to_json(out, &value);
}

void sat__row_to_json(sat_replica *replica, const sat__row *row, sat_buf *out)
{
    bool first = true;

    sat__buf_put_byte(out, '{');
    for (int c = 1; c < row->count; c++) {
        const char *const name = row->table->columns[c].name;
        if (name == NULL || row->cells[c].count == 0)
            continue;
        if (!first)
            sat__buf_put_byte(out, ',');
        first = false;
        sat__json_put_text(out, bytes_of(name, strlen(name)));
        sat__buf_put_byte(out, ':');
        put_cell(replica, row, c, out);
    }
    sat__buf_put_byte(out, '}');
}

void sat__row_key_to_json(sat_replica *replica, const sat__row *row,
                          sat_buf *out)
{
    AUTO(sat_buf) list = SAT_BUF_INIT;
    int count = 0;

    for (int c = 1; c < row->count; c++) {
        if (!row->table->columns[c].is_key)
            continue;
        if (count++ > 0)
            sat__buf_put_byte(&list, ',');
        put_cell(replica, row, c, &list);
    }
    sat__buf_printf(out, count == 1 ? "%s" : "[%s]", sat__buf_text(&list));
}
