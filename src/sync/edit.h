/*
 * edit.h - changing rows as a local writer would, but knowingly
 *
 * Resolving a conflict and reverting a row write entries of a new group of our
 * own and settle the tables, in one transaction, after what local writers did
 * has been collected.
 */
#ifndef SAT_SRC_SYNC_EDIT_H
#define SAT_SRC_SYNC_EDIT_H

#include "sync/settle.h"

typedef struct sat__edit {
    sat_replica *replica;
    sat__sql_transaction change;
    sat__settle settle;
    sat__arena arena;
    sat__group group;
} sat__edit;

SAT_CHECK sat_status sat__edit_begin(sat__edit *edit, sat_replica *replica,
                                     sat_error *err);
SAT_CHECK sat_status sat__edit_commit(sat__edit *edit, sat_error *err);
void sat__edit_clear(sat__edit *edit);
DEFINE_AUTO(sat__edit, sat__edit_clear);

/* Writes one cell; a resolution or a deletion replaces every entry. */
SAT_CHECK sat_status sat__edit_cell(sat__edit *edit, sat__row *row, int c,
                                    const sat__value *value, bool is_dead,
                                    bool is_resolution, sat_error *err);

/* Deletes the row, or makes it live again with what it shows. */
SAT_CHECK sat_status sat__edit_delete(sat__edit *edit, sat__row *row,
                                      sat_error *err);
SAT_CHECK sat_status sat__edit_revive(sat__edit *edit, sat__row *row,
                                      sat_error *err);

/* Brings the row's table in line with what was edited. */
SAT_CHECK sat_status sat__edit_settle(sat__edit *edit, sat__row *row,
                                      sat_error *err);

/* Writes the columns that a JSON object names. */
SAT_CHECK sat_status sat__edit_object(sat__edit *edit, sat__row *row,
                                      const char *json, sat_error *err);

/* The value that a JSON text stands for, as sat__value_to_json() writes it. */
SAT_CHECK sat_status sat__edit_parse(sat__edit *edit, const char *json,
                                     sat__value *out, sat_error *err);

/* "SELECT value, key FROM", where what follows is a json_each(): values as
 * sat__value_to_json() writes them. */
extern const char sat__json_value_sql[];

#endif /* SAT_SRC_SYNC_EDIT_H */
