/*
 * vaults.c - which vaults are this person's, and what they are called
 */
#include "account/vaults.h"

#include <stdio.h>
#include <time.h>

#include "account/files.h"
#include "account/mfa_report.h"
#include "account/password.h"
#include "account/turn.h"
#include "base/error.h"
#include "base/sql.h"
#include "settings/account.h"
#include "store/vault.h"
#include "sync/members.h"

#define VAULTS_TABLE "satchel_vaults"
#define ACCOUNT_TABLE "satchel_account"

static sat_status make_tables(sat__session *session, sat_error *err)
{
    TRY(sat__account_table(session->profile, session->db, VAULTS_TABLE,
                           "CREATE TABLE IF NOT EXISTS satchel_vaults("
                           "id TEXT PRIMARY KEY, name TEXT NOT NULL)",
                           err));
    return sat__account_table(session->profile, session->db, ACCOUNT_TABLE,
                              "CREATE TABLE IF NOT EXISTS satchel_account("
                              "key TEXT PRIMARY KEY, value TEXT NOT NULL)",
                              err);
}

/* ---- what the hub has ---- */

static sat_status list_ids(sat__session *session, sat__arena *arena,
                           sat__id **out, size_t *count, sat_error *err)
{
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    sat__cbor in;
    TRY(sat__hub_call(&session->hub, "GET", "/api/vaults", bytes_of(NULL, 0),
                      &answer, err));
    TRY(sat__map_get(buf_view(&answer), "vaults", &in, err));
    TRY(sat__cbor_array(&in, SAT_VAULTS_MAX, count, err));
    *out = sat__arena_alloc(arena, (*count + 1) * sizeof **out);
    if (*out == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < *count; i++) {
        sat_bytes one;
        TRY(sat__cbor_skip(&in, &one, err));
        TRY(sat__map_fixed(one, "id", (*out)[i].bytes, sizeof(sat__id), err));
    }
    return SAT_OK;
}

static sat_status note_account_vault(sat__session *session, const sat__id *id,
                                     sat_error *err)
{
    char hex[2 * sizeof id->bytes + 1];
    sat__hex_format(id->bytes, sizeof id->bytes, hex);
    return sat__session_put(session, "vault", hex, err);
}

static sat_status let_in_one(sat__session *session, const sat__id *id,
                             const sat__opener *opener, const sat__id *whom,
                             sat_error *err)
{
    const sat__opener device = {session->identity, session->device};
    AUTO_PTR(sat__chain) chain = NULL;
    AUTO_PTR(sat__item_keys) keys = NULL;
    AUTO(sat_buf) moved = SAT_BUF_INIT;
    TRY(sat__vault_chain_new(&chain, err));
    TRY(sat__vault_fetch(session, id, chain, NULL, err));
    const sat_status st = sat__vault_is_ours(session, chain, err);
    if (st == SAT_ERR_DENIED)
        return SAT_OK; /* an invitation, at most */
    TRY(st);
    TRY(sat__vault_let_in(session->env, chain, session->chain, opener, whom,
                          &moved, err));
    if (moved.len > 0)
        TRY(sat__vault_give(session, id, buf_view(&moved), err));
    TRY(sat__vault_keys(chain, &device, &keys, err));
    if (sat__vault_is_account(keys->id_key.bytes))
        return note_account_vault(session, id, err);
    return SAT_OK;
}

sat_status sat__vaults_let_in(sat__session *session, const sat__opener *opener,
                              const sat__id *whom, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    sat__id *ids;
    size_t count;
    TRY(list_ids(session, &arena, &ids, &count, err));
    for (size_t i = 0; i < count; i++)
        TRY(let_in_one(session, &ids[i], opener, whom, err));
    return SAT_OK;
}

/* ---- the vault `account` ---- */

static sat_status account_vault(sat__session *session, sat__id *out,
                                bool *found, sat_error *err)
{
    char hex[2 * sizeof out->bytes + 1];
    TRY(sat__session_get(session, "vault", hex, sizeof hex, err));
    *found = hex[0] != 0;
    if (!*found)
        return SAT_OK;
    return sat__hex_parse(hex, out->bytes, sizeof out->bytes, err);
}

/* Gives the hub a vault that is here, with the chain that it has; another
 * device that has the same one may have done so before. */
static sat_status make_vault(sat__session *session, const char *name,
                             sat__id *out, sat_error *err)
{
    AUTO(sat_buf) body = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    AUTO_PTR(sat_replica) replica = NULL;
    AUTO(sat__members) members = {.chain = NULL};
    AUTO(sat__map) map = {.count = 0};
    TRY(sat_replica_open(session->profile, name, &replica, err));
    TRY(sat__members_open(replica, session->env, session->identity,
                          session->chain, strcmp(name, "account") == 0,
                          &members, err));
    TRY(sat__members_settle(&members, false, err));
    *out = *sat__chain_id(members.chain);
    map_put_bytes(&map, "genesis", sat__chain_at(members.chain, 0).moved);
    TRY(sat__map_end(&map, &body, err));
    const sat_status st = sat__hub_call(&session->hub, "POST", "/api/vaults",
                                        buf_view(&body), &answer, err);
    return st == SAT_ERR_CONFLICT ? SAT_OK : st;
}

static sat_status sync_one(sat__session *session, const char *name,
                           const sat__id *id, sat_sync_report *report,
                           sat_sync_progress_fn *progress, void *context,
                           sat_error *err)
{
    AUTO(sat__follow) follow = {.session = NULL};
    TRY(sat__follow_open(session, name, id, &follow, err));
    follow.report = report;
    follow.progress = progress;
    follow.progress_context = context;
    sat_status st = sat__follow_sync(&follow, err);
    if (st == SAT_OK && strcmp(name, "account") != 0)
        st = sat__files_sync(&follow, name, err);
    if (st == SAT_ERR_CORRUPT || st == SAT_ERR_AUTH)
        return sat__context(err, st == SAT_ERR_AUTH ? SAT_ERR_CORRUPT : st,
                            "vault '%s'", name);
    return st;
}

/* ---- rows ---- */

sat_status sat__vaults_add(sat__session *session, const sat__id *id,
                           const char *name, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    char hex[2 * sizeof id->bytes + 1];
    sat__hex_format(id->bytes, sizeof id->bytes, hex);
    TRY(make_tables(session, err));
    TRY(sat__sql_prepare(session->db, &stmt,
                         "INSERT OR IGNORE INTO satchel_vaults(id, name) "
                         "VALUES(?, ?)",
                         err));
    (void)sqlite3_bind_text(stmt, 1, hex, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC);
    return sat__sql_run(stmt, err);
}

static sat_status put_secret(sat__session *session, const char *key,
                             const char *value, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(session->db, &stmt,
                         "INSERT INTO satchel_account(key, value) VALUES(?, ?) "
                         "ON CONFLICT(key) DO NOTHING",
                         err));
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, value, -1, SQLITE_STATIC);
    return sat__sql_run(stmt, err);
}

sat_status sat__vaults_secret_key(sat__session *session, sat__secret_key *out,
                                  sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    sat_sync_report report = {.pushed = 0};
    sat__id id;
    bool found;
    TRY(account_vault(session, &id, &found, err));
    if (found) {
        TRY(make_tables(session, err));
        TRY(sync_one(session, "account", &id, &report, NULL, NULL, err));
        TRY(sat__sql_prepare(session->db, &stmt,
                             "SELECT value FROM satchel_account WHERE key = "
                             "'secret key'",
                             err));
        TRY(sat__sql_step(stmt, &found, err));
    }
    if (!found)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the account at the hub has no secret key; log in "
                         "with the password and the secret key");
    return sat__secret_key_parse((const char *)sqlite3_column_text(stmt, 0),
                                 out, err);
}

typedef struct named_vault {
    char name[SAT_VAULT_NAME_MAX + 1];
    sat__id id;
    bool has_id;
    bool is_new; /* the id, which is not kept yet */
} named_vault;

typedef struct local_list {
    named_vault vaults[SAT_VAULTS_MAX];
    size_t count;
} local_list;

static sat_status add_local(const char *name, void *context, sat_error *err)
{
    local_list *const list = context;
    if (strcmp(name, "account") == 0)
        return SAT_OK;
    if (list->count == SAT_VAULTS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "too many vaults");
    (void)snprintf(list->vaults[list->count++].name,
                   sizeof(named_vault){0}.name, "%s", name);
    return SAT_OK;
}

static sat_status list_local(sat__session *session, local_list *out,
                             sat_error *err)
{
    TRY(sat_vault_list(session->profile, add_local, out, err));
    for (size_t i = 0; i < out->count; i++)
        TRY(sat__follow_id(session->profile, out->vaults[i].name,
                           &out->vaults[i].id, &out->vaults[i].has_id, err));
    return SAT_OK;
}

static named_vault *find_id(local_list *list, const sat__id *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->vaults[i].has_id && id_equal(&list->vaults[i].id, id))
            return &list->vaults[i];
    return NULL;
}

static named_vault *find_name(local_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->vaults[i].name, name) == 0)
            return &list->vaults[i];
    return NULL;
}

/* A vault of the account that is not here yet, under its name or one like it.
 */
static sat_status take_vault(sat__session *session, local_list *list,
                             const sat__id *id, const char *wanted,
                             sat_error *err)
{
    char name[SAT_VAULT_NAME_MAX + 1];
    named_vault *local = find_name(list, wanted);
    if (local != NULL && !local->has_id) {
        local->id = *id;
        local->has_id = local->is_new = true;
        return SAT_OK;
    }
    (void)snprintf(name, sizeof name, "%s", wanted);
    for (unsigned n = 2; find_name(list, name) != NULL; n++)
        (void)snprintf(name, sizeof name, "%.58s-%u", wanted, n);
    TRY(sat_vault_create(session->profile, name, err));
    TRY(add_local(name, list, err));
    local = find_name(list, name);
    local->id = *id;
    local->has_id = local->is_new = true;
    return SAT_OK;
}

static bool is_listed(const sat__id *ids, size_t count, const sat__id *id)
{
    for (size_t i = 0; i < count; i++)
        if (id_equal(&ids[i], id))
            return true;
    return false;
}

/* Those that are confirmed: a share that waits for it is not followed yet. */
static sat_status take_rows(sat__session *session, local_list *list,
                            const sat__id *ids, size_t count, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(session->db, &stmt,
                         "SELECT id, name FROM satchel_vaults ORDER BY id",
                         err));
    while (NEXT_ROW(stmt, err)) {
        const char *const hex = (const char *)sqlite3_column_text(stmt, 0);
        const char *const name = (const char *)sqlite3_column_text(stmt, 1);
        sat__id id;
        if (sqlite3_column_bytes(stmt, 0) != 2 * sizeof id.bytes ||
            sat__hex_parse(hex, id.bytes, sizeof id.bytes, NULL) != SAT_OK ||
            sat__vault_name_check(name, NULL) != SAT_OK ||
            find_id(list, &id) != NULL || !is_listed(ids, count, &id))
            continue;
        TRY(take_vault(session, list, &id, name, err));
    }
    return SAT_OK;
}

static sat_status keep_id(sat__session *session, const named_vault *vault,
                          sat_error *err)
{
    AUTO(sat__follow) follow = {.session = NULL};
    return sat__follow_open(session, vault->name, &vault->id, &follow, err);
}

static sat_status make_missing(sat__session *session, local_list *list,
                               bool *any, sat_error *err)
{
    *any = false;
    for (size_t i = 0; i < list->count; i++) {
        named_vault *const vault = &list->vaults[i];
        if (vault->has_id)
            continue;
        TRY(make_vault(session, vault->name, &vault->id, err));
        vault->has_id = *any = true;
        TRY(keep_id(session, vault, err));
        TRY(sat__vaults_add(session, &vault->id, vault->name, err));
    }
    return SAT_OK;
}

static sat_status make_account_vault(sat__session *session, sat__id *id,
                                     sat_error *err)
{
    char text[SAT_SECRET_KEY_TEXT_SIZE];
    TRY(make_vault(session, "account", id, err));
    TRY(note_account_vault(session, id, err));
    sat__secret_key_format(&session->profile->secrets->secret_key, text);
    const sat_status st = put_secret(session, "secret key", text, err);
    sat__wipe(text, sizeof text);
    return st;
}

/* Another device may have made it. */
static sat_status find_account_vault(sat__session *session, sat__id *id,
                                     bool *found, sat_error *err)
{
    const sat__opener self = {session->identity, session->device};
    TRY(account_vault(session, id, found, err));
    if (*found)
        return SAT_OK;
    TRY(sat__vaults_let_in(session, &self, &session->device, err));
    return account_vault(session, id, found, err);
}

sat_status sat__vaults_update(sat__session *session, sat_sync_report *report,
                              sat_sync_progress_fn *progress, void *context,
                              sat_error *err)
{
    AUTO_FREE local_list *list = calloc(1, sizeof *list);
    AUTO(sat__arena) arena = {0};
    sat__id *ids;
    size_t count;
    sat__id id;
    bool found;
    bool any;
    if (list == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(make_tables(session, err));
    TRY(find_account_vault(session, &id, &found, err));
    if (!found)
        TRY(make_account_vault(session, &id, err));
    TRY(sync_one(session, "account", &id, report, progress, context, err));
    TRY(list_local(session, list, err));
    TRY(list_ids(session, &arena, &ids, &count, err));
    TRY(take_rows(session, list, ids, count, err));
    for (size_t i = 0; i < list->count; i++)
        if (list->vaults[i].is_new)
            TRY(keep_id(session, &list->vaults[i], err));
    TRY(make_missing(session, list, &any, err));
    if (any)
        TRY(sync_one(session, "account", &id, report, progress, context, err));
    return SAT_OK;
}

sat_status sat__vaults_list(sat__session *session, sat__arena *arena,
                            sat__vault_place **out, size_t *count,
                            sat_error *err)
{
    AUTO_FREE local_list *list = calloc(1, sizeof *list);
    *count = 0;
    if (list == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(list_local(session, list, err));
    *out = sat__arena_alloc(arena, (list->count + 1) * sizeof **out);
    if (*out == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < list->count; i++) {
        if (!list->vaults[i].has_id)
            continue;
        sat__vault_place *const place = &(*out)[(*count)++];
        (void)snprintf(place->name, sizeof place->name, "%s",
                       list->vaults[i].name);
        place->id = list->vaults[i].id;
    }
    return SAT_OK;
}

/* ---- all of them ---- */

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* A vault that somebody shared and took back is not followed any more; what is
 * here of it stays. One of our own that the hub does not list is asked for. */
static sat_status sync_all(sat__session *session,
                           sat_sync_progress_fn *progress, void *context,
                           sat_sync_report *report, sat_error *err)
{
    AUTO(sat__arena) arena = {0};
    sat__vault_place *vaults;
    sat__id *ids;
    size_t count, listed;
    TRY(sat__session_update_chain(session, NULL, err));
    TRY(sat__password_tell(session, err));
    TRY(sat__vaults_update(session, report, progress, context, err));
    TRY(sat__vaults_list(session, &arena, &vaults, &count, err));
    TRY(list_ids(session, &arena, &ids, &listed, err));
    for (size_t i = 0; i < count; i++) {
        bool is_own = true;
        if (!is_listed(ids, listed, &vaults[i].id))
            TRY(sat__follow_is_of(session->profile, vaults[i].name,
                                  sat__chain_id(session->chain), &is_own, err));
        if (is_own || is_listed(ids, listed, &vaults[i].id))
            TRY(sync_one(session, vaults[i].name, &vaults[i].id, report,
                         progress, context, err));
    }
    return sat__mfa_report(session, err);
}

/* What seems to be by a stranger may be by a device that the account has let in
 * since its chain was read here. */
static sat_status sync_settled(sat__session *session,
                               sat_sync_progress_fn *progress, void *context,
                               sat_sync_report *report, sat_error *err)
{
    bool changed = false;
    const sat_status st = sync_all(session, progress, context, report, err);
    if ((st != SAT_ERR_DENIED && st != SAT_ERR_CORRUPT) ||
        sat__session_update_chain(session, &changed, NULL) != SAT_OK ||
        !changed)
        return st;
    return sync_all(session, progress, context, report, err);
}

/* For `status`: how it went, and when it last went well. */
static sat_status note(sat__session *session, sat_status st, sat_error *err)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%d", (int)st);
    TRY(sat__session_put(session, "status", text, err));
    if (st != SAT_OK)
        return SAT_OK;
    (void)snprintf(
        text, sizeof text, "%llu",
        (unsigned long long)session->env->wall(session->env->context));
    return sat__session_put(session, "synced", text, err);
}

sat_status sat_hub_sync(sat_profile *profile, sat_sync_progress_fn *progress,
                        void *context, sat_sync_report *out, sat_error *err)
{
    AUTO_FD int turn = -1;
    AUTO(sat__session) session = {.db = NULL};
    *out = (sat_sync_report){.pushed = 0};
    TRY(sat__profile_require(profile, err));
    TRY(sat__hub_turn(profile, progress, out, context, &turn, err));
    const uint64_t start = now_us();
    TRY(sat__session_open(profile, &session, err));
    TRY(sat__session_require(&session, err));
    const sat_status st = sync_settled(&session, progress, context, out, err);
    session.hub.transport.count(session.hub.transport.self, &out->bytes_sent,
                                &out->bytes_received);
    out->duration_us = now_us() - start;
    const sat_status noted = note(&session, st, st == SAT_OK ? err : NULL);
    return st != SAT_OK ? st : noted;
}
