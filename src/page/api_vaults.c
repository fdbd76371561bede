/*
 * api_vaults.c - vaults, and the items in one
 *
 * Items are rows of the tracked table satchel_item(id, data), as `satchel item`
 * has them.
 */
#include <sys/stat.h>

#include "account/turn.h"
#include "base/error.h"
#include "base/sql.h"
#include "page/api.h"
#include "satchel/replica.h"
#include "store/vault.h"
#include "sync/core.h"

#define ITEMS_MAX 1000
#define TABLE "satchel_item"

/* ---- vaults ---- */

typedef struct vault_listing {
    const sat__page *page;
    json_t *list;
} vault_listing;

static sat_status put_vault(const char *name, void *context, sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    const vault_listing *const to = context;
    char path[SAT_PATH_SIZE];
    struct stat info = {0};
    uint64_t conflicts;

    TRY(sat_vault_path(to->page->profile, name, path, err));
    (void)stat(path, &info);
    TRY(sat_replica_open(to->page->profile, name, &replica, err));
    TRY(sat_replica_conflict_count(replica, &conflicts, err));
    if (json_array_append_new(
            to->list, json_pack("{s:s, s:I, s:I, s:i}", "name", name, "size",
                                (json_int_t)info.st_size, "conflicts",
                                (json_int_t)conflicts, "tables",
                                (int)replica->tables.count)) != 0)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

sat_status page_get_vaults(void *context, sat__request *request, const char *id,
                           sat__response *response, sat_error *err)
{
    const sat__page *const page = context;
    AUTO_JSON json_t *list = json_array();
    vault_listing to = {page, list};

    (void)request;
    (void)id;
    TRY(sat_vault_list(page->profile, put_vault, &to, err));
    return page_answer(response, TAKE(list), err);
}

/* {"do": "create" | "delete", "name"} or {"do": "rename", "name", "to"}. */
sat_status page_post_vaults(void *context, sat__request *request,
                            const char *id, sat__response *response,
                            sat_error *err)
{
    sat__page *const page = context;
    AUTO_FD int turn = -1; /* no sync with the hub has the vault open */
    AUTO_JSON json_t *body = NULL;
    const char *what, *name, *to;

    (void)id;
    TRY(page_body(request, &body, err));
    TRY(page_text(body, "do", &what, err));
    TRY(page_text(body, "name", &name, err));
    if (strcmp(what, "create") == 0) {
        TRY(sat_vault_create(page->profile, name, err));
    } else if (strcmp(what, "rename") == 0) {
        TRY(page_text(body, "to", &to, err));
        TRY(sat__hub_turn(page->profile, NULL, NULL, NULL, &turn, err));
        TRY(sat_vault_rename(page->profile, name, to, err));
    } else if (strcmp(what, "delete") == 0) {
        TRY(sat__hub_turn(page->profile, NULL, NULL, NULL, &turn, err));
        TRY(sat_vault_delete(page->profile, name, err));
    } else {
        return sat__fail(err, SAT_ERR_INVALID, "a vault can not be done that");
    }
    sat__page_touch(page);
    return page_answer(response, json_object(), err);
}

/* ---- items ---- */

static void db_close(sqlite3 **db)
{
    (void)sqlite3_close_v2(*db);
}

#define AUTO_DB __attribute__((cleanup(db_close)))

static sat_status has_items(sqlite3 *db, bool *out, sat_error *err)
{
    int64_t count;

    TRY(sat__sql_int(db,
                     "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
                     " AND name = '" TABLE "'",
                     &count, err));
    *out = count > 0;
    return SAT_OK;
}

static const char *column(sqlite3_stmt *stmt, int at)
{
    return (const char *)sqlite3_column_text(stmt, at);
}

static sat_status list_items(sqlite3 *db, json_t *list, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;

    TRY(sat__sql_prepare(
        db, &stmt, "SELECT id, data FROM " TABLE " ORDER BY id LIMIT ?", err));
    (void)sqlite3_bind_int(stmt, 1, ITEMS_MAX);
    for (;;) {
        TRY(sat__sql_step(stmt, &row, err));
        if (!row)
            return SAT_OK;
        const char *const id = column(stmt, 0);
        const char *const data = column(stmt, 1);
        if (json_array_append_new(
                list, json_pack("{s:s, s:s}", "id", id != NULL ? id : "",
                                "data", data != NULL ? data : "null")) != 0)
            return sat__fail(err, SAT_ERR_CORRUPT, "an item is not text");
    }
}

sat_status page_get_items(void *context, sat__request *request, const char *id,
                          sat__response *response, sat_error *err)
{
    const sat__page *const page = context;
    AUTO_JSON json_t *list = json_array();
    AUTO_DB sqlite3 *db = NULL;
    char vault[65];
    bool is_there;

    (void)id;
    TRY(page_vault(page, request, vault, err));
    TRY(sat__vault_open(page->profile, vault, 0, &db, err));
    TRY(has_items(db, &is_there, err));
    if (is_there)
        TRY(list_items(db, list, err));
    return page_answer(response, TAKE(list), err);
}

/* Makes the table where there is none, and tracks it. */
static sat_status make_table(sat_replica *replica, sat_error *err)
{
    sqlite3 *const db = sat__replica_db(replica);
    bool is_there;

    TRY(has_items(db, &is_there, err));
    if (!is_there)
        TRY(sat__sql_exec(db, err,
                          "CREATE TABLE " TABLE "("
                          "id TEXT PRIMARY KEY NOT NULL, data TEXT)"));
    if (sat__tables_by_name(&replica->tables, TABLE) != NULL)
        return SAT_OK;
    return sat_replica_track(replica, TABLE, err);
}

static sat_status write_item(sqlite3 *db, const char *id, const char *data,
                             sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;

    TRY(sat__sql_prepare(
        db, &stmt,
        data != NULL ? "INSERT INTO " TABLE
                       "(id, data) SELECT ?1, json(?2) WHERE"
                       " json_valid(?2) ON CONFLICT(id) DO UPDATE SET"
                       " data = excluded.data RETURNING 1"
                     : "DELETE FROM " TABLE " WHERE id = ?1 RETURNING 1",
        err));
    (void)sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
    if (data != NULL)
        (void)sqlite3_bind_text(stmt, 2, data, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row)
        return data != NULL
                   ? sat__fail(err, SAT_ERR_INVALID, "the value is not JSON")
                   : sat__fail(err, SAT_ERR_NOT_FOUND, "there is no such item");
    return sat__sql_run(stmt, err);
}

/* {"id", "data"} writes, and without "data" deletes: an app's write, and a
 * version of its own in the item's history. */
sat_status page_post_items(void *context, sat__request *request, const char *id,
                           sat__response *response, sat_error *err)
{
    sat__page *const page = context;
    AUTO_PTR(sat_replica) replica = NULL;
    AUTO_DB sqlite3 *db = NULL;
    AUTO_JSON json_t *body = NULL;
    const char *key;
    char vault[65];

    (void)id;
    TRY(page_body(request, &body, err));
    TRY(page_text(body, "id", &key, err));
    TRY(page_vault(page, request, vault, err));
    TRY(sat_replica_open(page->profile, vault, &replica, err));
    TRY(make_table(replica, err));
    TRY(sat__vault_open(page->profile, vault, 0, &db, err));
    TRY(write_item(db, key, json_string_value(json_object_get(body, "data")),
                   err));
    TRY(sat__replica_collect(replica, NULL, err));
    sat__page_touch(page);
    return page_answer(response, json_object(), err);
}
