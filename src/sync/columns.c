/*
 * columns.c - following what became of a tracked table's columns
 */
#include "sync/columns.h"

#include <strings.h>

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

typedef struct name_list {
    size_t count, room;
    int64_t *numbers; /* of the registry's columns */
    const char **names;
} name_list;

static sat_status add_name(sat__arena *arena, name_list *list, int64_t number,
                           const char *name, sat_error *err)
{
    if (list->count == list->room) {
        const size_t room = 2 * list->room + 16;
        int64_t *const numbers =
            sat__arena_alloc(arena, room * sizeof *numbers);
        const char **const names =
            sat__arena_alloc(arena, room * sizeof *names);
        if (numbers == NULL || names == NULL)
            return no_memory(err);
        for (size_t i = 0; i < list->count; i++) {
            numbers[i] = list->numbers[i];
            names[i] = list->names[i];
        }
        list->numbers = numbers;
        list->names = names;
        list->room = room;
    }
    list->numbers[list->count] = number;
    list->names[list->count] = sat__arena_text(arena, name, strlen(name));
    return list->names[list->count++] != NULL ? SAT_OK : no_memory(err);
}

static sat_status read_names(sat_replica *replica, sat__arena *arena,
                             const char *sql, int64_t t, const char *table,
                             name_list *out, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    TRY(sat__core_keep(replica, sql, &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, t);
    (void)sqlite3_bind_text(stmt, 2, table, -1, SQLITE_STATIC);
    while (NEXT_ROW(stmt, err))
        TRY(add_name(arena, out, sqlite3_column_int64(stmt, 0),
                     (const char *)sqlite3_column_text(stmt, 1), err));
    return SAT_OK;
}

static bool contains(const name_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->names[i], name) == 0)
            return true;
    return false;
}

static sat_status rename_column(sat_replica *replica, int64_t t, int64_t c,
                                const char *name, sat_error *err)
{
    return sat__sql_exec(replica->db, err,
                         "UPDATE sync_columns SET name = %Q WHERE t = %lld AND "
                         "c = %lld",
                         name, (long long)t, (long long)c);
}

static sat_status drop_column(sat_replica *replica, int64_t t, int64_t c,
                              sat_error *err)
{
    return sat__sql_exec(replica->db, err,
                         "UPDATE sync_columns SET present = 0, since = "
                         "9223372036854775807 WHERE t = %lld AND c = %lld;"
                         "INSERT INTO sync_dropped(t, uid) SELECT t, uid FROM "
                         "sync_columns WHERE t = %lld AND c = %lld",
                         (long long)t, (long long)c, (long long)t,
                         (long long)c);
}

/*
 * A column that others' rows named before keeps its number; one that was
 * dropped here and comes again is of the next generation.
 */
static sat_status add_column(sat_replica *replica, int64_t t, const char *name,
                             sat_error *err)
{
    return sat__sql_exec(
        replica->db, err,
        "INSERT INTO sync_columns(t, c, uid, gen, name, since, present) "
        "SELECT %lld, coalesce((SELECT c FROM sync_columns WHERE t = %lld AND "
        "uid = %Q AND present = 0 AND gen = (SELECT count(*) FROM sync_dropped "
        "WHERE t = %lld AND uid = %Q)), (SELECT coalesce(max(c), 0) + 1 FROM "
        "sync_columns WHERE t = %lld)), %Q, (SELECT count(*) FROM sync_dropped "
        "WHERE t = %lld AND uid = %Q), %Q, (SELECT coalesce(max(g), 0) + 1 "
        "FROM sync_groups), 1 "
        "ON CONFLICT(t, c) DO UPDATE SET present = 1, name = excluded.name, "
        "since = excluded.since",
        (long long)t, (long long)t, name, (long long)t, name, (long long)t,
        name, (long long)t, name, name);
}

/* What stands behind UPDATE OF in a trigger; NULL where nothing does. */
static const char *column_of_trigger(sat__arena *arena, const char *sql)
{
    static const char before[] = " UPDATE OF ";
    const char *at = strstr(sql, before);
    char *const name = sat__arena_text(arena, sql, strlen(sql));
    size_t len = 0;
    if (at == NULL || name == NULL)
        return NULL;
    at += sizeof before - 1;
    const char end = *at == '"' ? '"' : ' ';
    at += end == '"';
    for (; *at != 0 && (*at != end || (end == '"' && at[1] == end)); at++) {
        at += *at == '"';
        name[len++] = *at;
    }
    name[len] = 0;
    return name;
}

/* SQLite renames a column in its trigger, too: *out is the name that column c
 * has there, NULL where it has no trigger. */
static sat_status name_now(sat_replica *replica, sat__arena *arena, int64_t t,
                           int64_t c, const char **out, sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(sat__core_keep(replica,
                       "SELECT sql FROM sqlite_master WHERE type = 'trigger' "
                       "AND name = 'sync_' || ? || '_update_' || ?",
                       &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, t);
    (void)sqlite3_bind_int64(stmt, 2, c);
    TRY(sat__sql_step(stmt, &row, err));
    *out = row ? column_of_trigger(arena,
                                   (const char *)sqlite3_column_text(stmt, 0))
               : NULL;
    return SAT_OK;
}

static sat_status follow_renames(sat_replica *replica, sat__arena *arena,
                                 int64_t t, name_list *before,
                                 const name_list *now, bool *changed,
                                 sat_error *err)
{
    for (size_t i = 0; i < before->count; i++) {
        const char *name;
        TRY(name_now(replica, arena, t, before->numbers[i], &name, err));
        if (name == NULL || strcasecmp(name, before->names[i]) == 0 ||
            !contains(now, name))
            continue;
        *changed = true;
        TRY(rename_column(replica, t, before->numbers[i], name, err));
        before->names[i] = name;
    }
    return SAT_OK;
}

sat_status sat__columns_follow(sat_replica *replica, int64_t t,
                               const char *table, bool *changed, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    name_list before = {0};
    name_list now = {0};
    TRY(read_names(replica, &arena,
                   "SELECT c, name FROM sync_columns WHERE t = ?1 AND present "
                   "= 1 AND ?2 = ?2 ORDER BY c",
                   t, table, &before, err));
    TRY(read_names(replica, &arena,
                   "SELECT cid, name FROM pragma_table_xinfo(?2) WHERE hidden "
                   "= 0 AND ?1 = ?1 ORDER BY cid",
                   t, table, &now, err));
    TRY(follow_renames(replica, &arena, t, &before, &now, changed, err));
    for (size_t i = 0; i < before.count; i++) {
        if (contains(&now, before.names[i]))
            continue;
        *changed = true;
        /* In its place one of an unknown name: the same column, renamed. */
        if (before.count == now.count && !contains(&before, now.names[i])) {
            TRY(rename_column(replica, t, before.numbers[i], now.names[i],
                              err));
            before.names[i] = now.names[i];
        } else {
            TRY(drop_column(replica, t, before.numbers[i], err));
        }
    }
    for (size_t i = 0; i < now.count; i++) {
        if (contains(&before, now.names[i]))
            continue;
        *changed = true;
        TRY(add_column(replica, t, now.names[i], err));
    }
    return SAT_OK;
}
