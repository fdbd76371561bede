/*
 * settings.c - the settings as they are read: kept, refreshed, watched
 *
 * A read asks the watch at most once a millisecond, and the database only while
 * a write may be on its way, or when what is kept has become old.
 */
#include "settings/settings.h"

#include "base/sql.h"
#include "settings/account.h"
#include "store/profile.h"
#include "store/vault_watch.h"

#define LIFETIME_MS 120000
#define NEVER_LOOKED UINT64_MAX

static const char synced_table[] =
    "CREATE TABLE IF NOT EXISTS satchel_setting("
    "id TEXT PRIMARY KEY NOT NULL, path TEXT NOT NULL, value TEXT NOT NULL, "
    "created INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS satchel_setting_path ON satchel_setting(path)";

static const char local_table[] =
    "CREATE TABLE IF NOT EXISTS satchel_setting_local("
    "path TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID";

static const char import_table[] =
    "CREATE TABLE IF NOT EXISTS satchel_setting_import("
    "hash TEXT PRIMARY KEY NOT NULL, imported INTEGER NOT NULL)";

static void release(sat__settings_view *view)
{
    if (view == NULL || --view->holders > 0)
        return;
    sat__leaves_clear(&view->leaves);
    free(view);
}

static sat__settings_view *hold(sat__settings_view *view)
{
    view->holders++;
    return view;
}

static void drop_view(sat__settings_view **slot)
{
    release(*slot);
}

sat_status sat__settings_read(sqlite3 *db, sat__leaves *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *rows = NULL;

    TRY(sat__sql_prepare(db, &rows,
                         "SELECT path, value, id, created, 1 FROM "
                         "satchel_setting UNION ALL SELECT path, value, NULL, "
                         "0, 2 FROM satchel_setting_local",
                         err));
    while (NEXT_ROW(rows, err)) {
        const sat__leaf leaf = {
            .path = (const char *)sqlite3_column_text(rows, 0),
            .value = (const char *)sqlite3_column_text(rows, 1),
            .id = (const char *)sqlite3_column_text(rows, 2),
            .created = sqlite3_column_int64(rows, 3),
            .origin = (sat_setting_origin)sqlite3_column_int(rows, 4)};
        if (leaf.path == NULL || sat__path_check(leaf.path, NULL) != SAT_OK ||
            !sat__leaf_is_sound(leaf.value))
            continue;
        TRY(sat__leaves_add(out, &leaf, err));
    }
    return SAT_OK;
}

static uint64_t now_ms(const sat_settings *settings)
{
    return settings->env->wall(settings->env->context);
}

static sat_status read_version(sat_settings *settings, int64_t *out,
                               sat_error *err)
{
    AUTO_RESET sqlite3_stmt *stmt = NULL;
    bool row;

    TRY(sat__sql_prepare(settings->db, &settings->version_stmt,
                         "PRAGMA data_version", err));
    stmt = settings->version_stmt;
    TRY(sat__sql_step(stmt, &row, err));
    *out = row ? sqlite3_column_int64(stmt, 0) : 0;
    return SAT_OK;
}

sat_status sat__settings_reload(sat_settings *settings, sat_error *err)
{
    __attribute__((cleanup(drop_view))) sat__settings_view *view =
        calloc(1, sizeof *view);
    int64_t version;

    if (view == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    view->holders = 1;
    TRY(read_version(settings, &version, err));
    for (size_t i = 0; i < settings->defaults.count; i++)
        TRY(sat__leaves_add(&view->leaves, &settings->defaults.items[i], err));
    TRY(sat__settings_read(settings->db, &view->leaves, err));
    TRY(sat__leaves_settle(&view->leaves, err));
    release(settings->shown);
    settings->shown = TAKE(view);
    settings->version = version;
    settings->read_ms = now_ms(settings);
    return SAT_OK;
}

/* Times are compared by distance: a wall clock may go back. */
static bool is_within(uint64_t now, uint64_t since, uint64_t ms)
{
    return now >= since && now - since < ms;
}

sat_status sat__settings_refresh(sat_settings *settings, sat_error *err)
{
    const uint64_t now = now_ms(settings);
    int64_t version;

    if (settings->shown == NULL ||
        !is_within(now, settings->read_ms, LIFETIME_MS))
        return sat__settings_reload(settings, err);
    if (now == settings->looked_ms)
        return SAT_OK;
    settings->looked_ms = now;
    if (sat__vault_watch_take(settings->watch))
        settings->touched_ms = now;
    if (!is_within(now, settings->touched_ms, SAT_VAULT_WATCH_MS))
        return SAT_OK;
    TRY(read_version(settings, &version, err));
    return version == settings->version ? SAT_OK
                                        : sat__settings_reload(settings, err);
}

static sat_status open_tables(sat_settings *settings, sat_error *err)
{
    sat_profile *const profile = settings->profile;

    TRY(sat__account_open(profile, &settings->db, err));
    TRY(sat__account_table(profile, settings->db, "satchel_setting",
                           synced_table, err));
    TRY(sat__account_table(profile, settings->db, "satchel_setting_import",
                           import_table, err));
    return sat__sql_exec(settings->db, err, "%s", local_table);
}

DEFINE_AUTO_PTR(sat_settings, sat_settings_close);

sat_status sat_settings_open(sat_profile *profile, sat_settings **out,
                             sat_error *err)
{
    AUTO_PTR(sat_settings) settings = calloc(1, sizeof *settings);

    if (settings == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    settings->watch = -1;
    settings->profile = profile;
    settings->env = profile->env;
    settings->looked_ms = NEVER_LOOKED;
    TRY(open_tables(settings, err));
    TRY(sat__vault_watch_open(settings->db, &settings->watch, err));
    TRY(sat__settings_reload(settings, err));
    *out = TAKE(settings);
    return SAT_OK;
}

void sat_settings_close(sat_settings *settings)
{
    if (settings == NULL)
        return;
    release(settings->shown);
    release(settings->reported);
    sat__leaves_clear(&settings->defaults);
    sat__buf_clear(&settings->composed);
    (void)sqlite3_finalize(settings->version_stmt);
    (void)sqlite3_close_v2(settings->db);
    if (settings->watch >= 0)
        (void)close(settings->watch);
    free(settings);
}

static sat_status nothing_there(const char *path, sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOT_FOUND, "there is no setting '%.64s'",
                     path);
}

sat_status sat_settings_get(sat_settings *settings, const char *path,
                            const char **json, sat_error *err)
{
    size_t from, to;

    TRY(sat__settings_refresh(settings, err));
    const sat__leaves *const leaves = &settings->shown->leaves;
    const sat__leaf *const leaf = sat__leaves_find(leaves, path);
    if (leaf != NULL) {
        *json = leaf->value;
        return SAT_OK;
    }
    if (path[0] != '\0') {
        TRY(sat__path_check(path, err));
        sat__leaves_range(leaves, path, &from, &to);
        if (from == to)
            return nothing_there(path, err);
    }
    settings->composed.len = 0;
    sat__leaves_compose(leaves, path, &settings->composed);
    TRY(sat__buf_status(&settings->composed, err));
    *json = sat__buf_text(&settings->composed);
    return SAT_OK;
}

static sat_setting describe(const sat__leaf *leaf, bool is_there)
{
    return (sat_setting){leaf->path, is_there ? leaf->value : NULL,
                         leaf->origin};
}

sat_status sat_settings_list(sat_settings *settings, const char *path,
                             sat_setting_fn *each, void *context,
                             sat_error *err)
{
    size_t from, to;

    if (path[0] != '\0')
        TRY(sat__path_check(path, err));
    TRY(sat__settings_refresh(settings, err));
    __attribute__((cleanup(drop_view))) sat__settings_view *view =
        hold(settings->shown);
    sat__leaves_range(&view->leaves, path, &from, &to);
    for (; from < to; from++) {
        const sat_setting setting = describe(&view->leaves.items[from], true);
        TRY(each(&setting, context, err));
    }
    return SAT_OK;
}

sat_status sat_settings_set_defaults(sat_settings *settings, const char *json,
                                     sat_error *err)
{
    AUTO(sat__leaves) defaults = {.items = NULL};

    TRY(sat__leaves_split(&defaults, "", json, SAT_SETTING_DEFAULT, err));
    sat__leaves_clear(&settings->defaults);
    settings->defaults = defaults;
    defaults = (sat__leaves){.items = NULL};
    return sat__settings_reload(settings, err);
}

/* ---- changes as they come ---- */

/* Walks both lists at once and tells of what differs. */
static sat_status tell(const sat__leaves *before, const sat__leaves *after,
                       sat_setting_fn *each, void *context, sat_error *err)
{
    size_t i = 0, j = 0;

    while (i < before->count || j < after->count) {
        const sat__leaf *const old = &before->items[i];
        const sat__leaf *const fresh = &after->items[j];
        const int order = i == before->count  ? 1
                          : j == after->count ? -1
                                              : strcmp(old->path, fresh->path);
        i += order <= 0;
        j += order >= 0;
        if (order == 0 && strcmp(old->value, fresh->value) == 0)
            continue;
        const sat_setting setting =
            order < 0 ? describe(old, false) : describe(fresh, true);
        TRY(each(&setting, context, err));
    }
    return SAT_OK;
}

int sat_settings_fd(const sat_settings *settings)
{
    return settings->watch;
}

/* While a write may be on its way we look ever more seldom; after that, when
 * what is kept becomes old. */
static int next_look_ms(const sat_settings *settings)
{
    const uint64_t now = now_ms(settings);

    if (!is_within(now, settings->touched_ms, SAT_VAULT_WATCH_MS))
        return LIFETIME_MS;
    const uint64_t since = now - settings->touched_ms;
    return since < 16 ? 1 : (int)(since / 8);
}

sat_status sat_settings_poll(sat_settings *settings, sat_setting_fn *each,
                             void *context, int *wait_ms, sat_error *err)
{
    settings->looked_ms = NEVER_LOOKED;
    TRY(sat__settings_refresh(settings, err));
    *wait_ms = next_look_ms(settings);
    if (settings->reported == settings->shown)
        return SAT_OK;
    __attribute__((cleanup(drop_view))) sat__settings_view *before =
        TAKE(settings->reported);
    settings->reported = hold(settings->shown);
    __attribute__((cleanup(drop_view))) sat__settings_view *after =
        hold(settings->shown);
    return before == NULL
               ? SAT_OK
               : tell(&before->leaves, &after->leaves, each, context, err);
}
