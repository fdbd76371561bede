/*
 * settings.h - the open settings, from the inside
 *
 * Two tables of the vault `account`, of which only the first is tracked:
 *
 *      satchel_setting        id, path, value (JSON), created (ms)
 *      satchel_setting_local  path, value
 *
 * A path is no key: two devices that create one at once make two rows, of which
 * the one created later is shown, and the next write removes the other.
 */
#ifndef SAT_SRC_SETTINGS_SETTINGS_H
#define SAT_SRC_SETTINGS_SETTINGS_H

#include "base/sqlite.h"
#include "settings/leaves.h"

/* What was read at one time; several may hold it. */
typedef struct sat__settings_view {
    sat__leaves leaves;
    int holders;
} sat__settings_view;

struct sat_settings {
    sat_profile *profile;
    const sat_env *env;
    sqlite3 *db;
    int watch;
    sat__leaves defaults;
    sat__settings_view *shown;    /* NULL until it is read */
    sat__settings_view *reported; /* what the last poll saw, or NULL */
    int64_t version;              /* of the database, as it was read */
    uint64_t read_ms;             /* when that was */
    uint64_t looked_ms;           /* when the watch was asked last */
    uint64_t touched_ms;          /* when it last said yes; 0: never */
    sqlite3_stmt *version_stmt;
    sat_buf composed; /* what get() lends of an object */
};

/* Appends the rows that a device wrote itself, or all have; unsettled. Rows
 * that are not as we write them are passed over. */
SAT_CHECK sat_status sat__settings_read(sqlite3 *db, sat__leaves *out,
                                        sat_error *err);

/* Reads again, whatever the cache says. */
SAT_CHECK sat_status sat__settings_reload(sat_settings *settings,
                                          sat_error *err);

/* Reads again where something may have changed. */
SAT_CHECK sat_status sat__settings_refresh(sat_settings *settings,
                                           sat_error *err);

#endif /* SAT_SRC_SETTINGS_SETTINGS_H */
