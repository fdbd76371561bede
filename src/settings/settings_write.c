/*
 * settings_write.c - setting, unsetting, bringing in
 *
 * Each is one transaction. A value that is there already is not written again,
 * so that only what changed travels.
 */
#include "base/sql.h"
#include "crypto/hash.h"
#include "settings/account.h"
#include "settings/settings.h"
#include "store/audit.h"

/* A change of one or both tables, under way. */
typedef struct edit {
    sat_settings *settings;
    sqlite3 *db;
    sat__leaves now; /* all rows, sorted */
    sat__sql_transaction change;
    bool is_changed;
} edit;

static void edit_clear(edit *self)
{
    sat__leaves_clear(&self->now);
    sat__sql_rollback(&self->change);
}

DEFINE_AUTO(edit, edit_clear);

static sat_status begin(sat_settings *settings, edit *self, sat_error *err)
{
    self->settings = settings;
    self->db = settings->db;
    TRY(sat__sql_begin(self->db, &self->change, err));
    TRY(sat__settings_read(self->db, &self->now, err));
    sat__leaves_sort(&self->now);
    return SAT_OK;
}

/* `what` is for the audit: which setting, never its value. */
static sat_status commit(edit *self, const char *what, sat_error *err)
{
    if (self->is_changed)
        TRY(sat__audit_add(self->db, self->settings->env, SAT_EVENT_SETTINGS,
                           what, err));
    TRY(sat__sql_commit(&self->change, err));
    return self->is_changed ? sat__settings_reload(self->settings, err)
                            : SAT_OK;
}

static sat_status run(edit *self, const char *sql, const char *one,
                      const char *two, const char *three, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    const char *const texts[] = {one, two, three};

    TRY(sat__sql_prepare(self->db, &stmt, sql, err));
    for (int i = 0; i < 3 && texts[i] != NULL; i++)
        (void)sqlite3_bind_text(stmt, i + 1, texts[i], -1, SQLITE_STATIC);
    self->is_changed = true;
    return sat__sql_run(stmt, err);
}

static sat_status remove_leaf(edit *self, const sat__leaf *leaf, sat_error *err)
{
    if (leaf->origin == SAT_SETTING_LOCAL)
        return run(self, "DELETE FROM satchel_setting_local WHERE path = ?",
                   leaf->path, NULL, NULL, err);
    return run(self, "DELETE FROM satchel_setting WHERE id = ?", leaf->id, NULL,
               NULL, err);
}

static sat_status update_leaf(edit *self, const sat__leaf *leaf,
                              const char *value, sat_error *err)
{
    if (strcmp(leaf->value, value) == 0)
        return SAT_OK;
    if (leaf->origin == SAT_SETTING_LOCAL)
        return run(self,
                   "UPDATE satchel_setting_local SET value = ? WHERE path = ?",
                   value, leaf->path, NULL, err);
    return run(self, "UPDATE satchel_setting SET value = ? WHERE id = ?", value,
               leaf->id, NULL, err);
}

static sat_status insert_leaf(edit *self, const sat__leaf *leaf, sat_error *err)
{
    const sat_env *const env = self->settings->env;
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    char id[33];

    if (leaf->origin == SAT_SETTING_LOCAL)
        return run(self,
                   "INSERT INTO satchel_setting_local(path, value) VALUES(?, "
                   "?)",
                   leaf->path, leaf->value, NULL, err);
    sat__account_id(env, id);
    TRY(sat__sql_prepare(self->db, &stmt,
                         "INSERT INTO satchel_setting(id, path, value, "
                         "created) VALUES(?, ?, ?, ?)",
                         err));
    (void)sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, leaf->path, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 3, leaf->value, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 4, (int64_t)env->wall(env->context));
    self->is_changed = true;
    return sat__sql_run(stmt, err);
}

/* ---- set ---- */

/* Whether a local value stands at, above or below `path`. */
static bool is_local(const edit *self, const char *path)
{
    for (size_t i = 0; i < self->now.count; i++) {
        const sat__leaf *const leaf = &self->now.items[i];
        if (leaf->origin == SAT_SETTING_LOCAL &&
            (sat__path_is_within(leaf->path, path) ||
             sat__path_is_within(path, leaf->path)))
            return true;
    }
    return false;
}

/* Makes the rows at, above and below `path` be those of `wanted`, a settled
 * list. */
static sat_status replace(edit *self, const char *path,
                          const sat__leaves *wanted, sat_setting_origin origin,
                          sat_error *err)
{
    for (size_t i = 0; i < self->now.count; i++) {
        const sat__leaf *const leaf = &self->now.items[i];
        const bool is_above = sat__path_is_within(path, leaf->path);
        if (leaf->origin != origin ||
            (!is_above && !sat__path_is_within(leaf->path, path)))
            continue;
        const sat__leaf *const keep = sat__leaves_find(wanted, leaf->path);
        if (keep != NULL &&
            sat__leaves_first(&self->now, leaf->path, origin) == leaf)
            TRY(update_leaf(self, leaf, keep->value, err));
        else
            TRY(remove_leaf(self, leaf, err));
    }
    for (size_t i = 0; i < wanted->count; i++)
        if (sat__leaves_first(&self->now, wanted->items[i].path, origin) ==
            NULL)
            TRY(insert_leaf(self, &wanted->items[i], err));
    return SAT_OK;
}

sat_status sat_settings_set(sat_settings *settings, const char *path,
                            const char *json, int local, sat_error *err)
{
    AUTO(edit) self = {.db = NULL};
    AUTO(sat__leaves) wanted = {.items = NULL};

    TRY(sat__path_check(path, err));
    TRY(begin(settings, &self, err));
    const sat_setting_origin origin =
        local || is_local(&self, path) ? SAT_SETTING_LOCAL : SAT_SETTING_SYNCED;
    TRY(sat__leaves_split(&wanted, path, json, origin, err));
    if (self.now.count + wanted.count > SAT_SETTINGS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "there can not be more than %d settings",
                         SAT_SETTINGS_MAX);
    TRY(sat__leaves_settle(&wanted, err));
    TRY(replace(&self, path, &wanted, origin, err));
    return commit(&self, path, err);
}

/* ---- unset ---- */

static sat_status remove_all(edit *self, const char *path,
                             sat_setting_origin origin, bool *any,
                             sat_error *err)
{
    *any = false;
    for (size_t i = 0; i < self->now.count; i++) {
        const sat__leaf *const leaf = &self->now.items[i];
        if (leaf->origin != origin || !sat__path_is_within(leaf->path, path))
            continue;
        TRY(remove_leaf(self, leaf, err));
        *any = true;
    }
    return SAT_OK;
}

sat_status sat_settings_unset(sat_settings *settings, const char *path,
                              sat_error *err)
{
    AUTO(edit) self = {.db = NULL};
    bool any;

    TRY(sat__path_check(path, err));
    TRY(begin(settings, &self, err));
    TRY(remove_all(&self, path, SAT_SETTING_LOCAL, &any, err));
    if (!any)
        TRY(remove_all(&self, path, SAT_SETTING_SYNCED, &any, err));
    if (!any)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "there is no setting '%.64s'",
                         path);
    return commit(&self, path, err);
}

/* ---- bringing in what was kept elsewhere ---- */

/* Notes that this object was brought in; *is_first says that it was not. */
static sat_status note_import(edit *self, const sat__leaves *leaves,
                              bool *is_first, sat_error *err)
{
    const sat_env *const env = self->settings->env;
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    uint8_t digest[SAT_SHA256_SIZE];
    char hash[2 * SAT_SHA256_SIZE + 1];

    sat__leaves_compose(leaves, "", &text);
    TRY(sat__buf_status(&text, err));
    sat__sha256(buf_view(&text), digest);
    sat__hex_format(digest, sizeof digest, hash);
    TRY(sat__sql_prepare(self->db, &stmt,
                         "INSERT INTO satchel_setting_import(hash, imported) "
                         "VALUES(?, ?) ON CONFLICT DO NOTHING",
                         err));
    (void)sqlite3_bind_text(stmt, 1, hash, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)env->wall(env->context));
    TRY(sat__sql_run(stmt, err));
    *is_first = sqlite3_changes(self->db) == 1;
    return SAT_OK;
}

/* Whether `path` has a value, or would be hidden by one above or below it. */
static bool is_taken(const sat__leaves *settled, const char *path)
{
    size_t from, to;

    sat__leaves_range(settled, path, &from, &to);
    for (size_t len = strlen(path); from == to && len > 0;) {
        char above[SAT_SETTING_PATH_MAX + 1];
        len = sat__path_parent(path, len);
        memcpy(above, path, len);
        above[len] = '\0';
        if (len > 0 && sat__leaves_find(settled, above) != NULL)
            return true;
    }
    return from != to;
}

sat_status sat_settings_import(sat_settings *settings, const char *json,
                               uint64_t *count, sat_error *err)
{
    AUTO(edit) self = {.db = NULL};
    AUTO(sat__leaves) wanted = {.items = NULL};
    uint64_t taken = 0;
    bool is_first;

    TRY(sat__leaves_split(&wanted, "", json, SAT_SETTING_SYNCED, err));
    TRY(sat__leaves_settle(&wanted, err));
    TRY(begin(settings, &self, err));
    if (self.now.count + wanted.count > SAT_SETTINGS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "there can not be more than %d settings",
                         SAT_SETTINGS_MAX);
    TRY(note_import(&self, &wanted, &is_first, err));
    TRY(sat__leaves_settle(&self.now, err));
    for (size_t i = 0; is_first && i < wanted.count; i++) {
        if (is_taken(&self.now, wanted.items[i].path))
            continue;
        TRY(insert_leaf(&self, &wanted.items[i], err));
        taken++;
    }
    TRY(commit(&self, "brought in", err));
    if (count != NULL)
        *count = taken;
    return SAT_OK;
}
