/*
 * satchel_extension.c - the entry of the loadable extension, satchel.so
 *
 *      .load ./satchel          SELECT load_extension('./satchel');
 */
#include "base/sqlite.h"
#include "extension/extension.h"

SQLITE_EXTENSION_INIT1

__attribute__((visibility("default"))) int sqlite3_satchel_init(
    sqlite3 *db, char **message, const sqlite3_api_routines *api);

int sqlite3_satchel_init(sqlite3 *db, char **message,
                         const sqlite3_api_routines *api)
{
    sat_error err = {0};

    SQLITE_EXTENSION_INIT2(api);
    if (sat__extension_register(db, &err) == SAT_OK)
        return SQLITE_OK;
    *message = sqlite3_mprintf("%s", err.message);
    return SQLITE_ERROR;
}
