/*
 * follow.c - what a device knows of its vault at a hub
 *
 *   sync_hub         key, value: the vault's id, cursor, set, head, …
 *   sync_hub_items   every current item: id, version, hash of what is sealed
 *   sync_hub_shapes  tables as items named them, by hash
 *   sync_hub_wide    wide rows as they were written whole (wide.h)
 */
#include "account/follow.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/sql.h"
#include "crypto/labels.h"
#include "sync/core.h"

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS sync_hub("
    " key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sync_hub_items("
    " id BLOB PRIMARY KEY, version INTEGER NOT NULL, hash BLOB NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sync_hub_shapes("
    " at INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, body BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS sync_hub_wide("
    " id BLOB PRIMARY KEY, version INTEGER NOT NULL, shape BLOB NOT NULL,"
    " marks BLOB NOT NULL) WITHOUT ROWID;";

/* ---- values ---- */

static sat_status get_of(sqlite3 *db, const char *key, sat_buf *out,
                         bool *found, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(db, &stmt, "SELECT value FROM sync_hub WHERE key = ?",
                         err));
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, found, err));
    if (*found) {
        const sat_bytes value = sql_bytes(stmt, 0);
        sat__buf_put(out, value.data, value.len);
    }
    return sat__buf_status(out, err);
}

sat_status sat__follow_get(sat__follow *follow, const char *key, sat_buf *out,
                           bool *found, sat_error *err)
{
    return get_of(follow->db, key, out, found, err);
}

sat_status sat__follow_put(sat__follow *follow, const char *key,
                           sat_bytes value, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(follow->db, &stmt,
                         "INSERT OR REPLACE INTO sync_hub VALUES(?, ?)", err));
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    sql_bind_bytes(stmt, 2, value);
    return sat__sql_run(stmt, err);
}

sat_status sat__follow_number(sat__follow *follow, const char *key,
                              uint64_t *out, sat_error *err)
{
    AUTO(sat_buf) value = SAT_BUF_INIT;
    bool found;
    *out = 0;
    TRY(sat__follow_get(follow, key, &value, &found, err));
    if (value.len == 8)
        *out = bytes_get_u64(value.data);
    return SAT_OK;
}

sat_status sat__follow_id(sat_profile *profile, const char *name, sat__id *out,
                          bool *found, sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    AUTO(sat_buf) value = SAT_BUF_INIT;
    TRY(sat_replica_open(profile, name, &replica, err));
    TRY(sat__sql_exec(replica->db, err, "%s", tables));
    TRY(get_of(replica->db, "vault", &value, found, err));
    if (*found && value.len != sizeof out->bytes)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the vault's id at the hub is damaged");
    if (*found)
        memcpy(out->bytes, value.data, sizeof out->bytes);
    return SAT_OK;
}

sat_status sat__follow_is_of(sat_profile *profile, const char *name,
                             const sat__id *account, bool *out, sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    AUTO_PTR(sat__chain) chain = NULL;
    TRY(sat_replica_open(profile, name, &replica, err));
    TRY(sat__vault_links_load(replica->db, &chain, err));
    const sat__vault_state *const state = sat__vault_state_of(chain);
    *out = state != NULL && state->member_count > 0 &&
           id_equal(&state->members[0].account, account);
    return SAT_OK;
}

/* ---- opening ---- */

static sat_status check_id(sat__follow *follow, sat_error *err)
{
    AUTO(sat_buf) value = SAT_BUF_INIT;
    const sat_bytes id = bytes_of(follow->id.bytes, sizeof follow->id.bytes);
    bool found;
    TRY(sat__follow_get(follow, "vault", &value, &found, err));
    if (!found)
        return sat__follow_put(follow, "vault", id, err);
    if (!bytes_equal(buf_view(&value), id))
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "this vault is another one at the hub");
    return SAT_OK;
}

/* Who must have seen a deletion before it is forgotten: every member's devices,
 * and the hub, whose claims are kept as what the vault's id reports. */
static sat_status note_members(sat__follow *follow, sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(follow->chain);
    AUTO(sat_buf) ids = SAT_BUF_INIT;
    sat__buf_put(&ids, follow->id.bytes, sizeof follow->id.bytes);
    for (size_t i = 0; state != NULL && i < state->principal_count; i++) {
        const sat__vault_principal *const one = &state->principals[i];
        if (one->who.kind == SAT_PRINCIPAL_DEVICE && !one->is_removed)
            sat__buf_put(&ids, one->who.id.bytes, sizeof one->who.id.bytes);
    }
    TRY(sat__buf_status(&ids, err));
    return sat__replica_set_members(follow->replica, "hub", ids.data,
                                    ids.len / SAT_DEVICE_ID_SIZE, err);
}

sat_status sat__follow_update_chain(sat__follow *follow, sat_error *err)
{
    sat__session *const session = follow->session;
    const sat__opener opener = {session->identity, session->device};
    const size_t before = sat__chain_count(follow->chain);
    TRY(sat__vault_fetch(session, &follow->id, follow->chain,
                         &follow->hub_links, err));
    TRY(sat__vault_is_ours(session, follow->chain, err));
    if (sat__chain_count(follow->chain) != before)
        TRY(sat__vault_links_keep(follow->db, follow->chain, err));
    TRY(note_members(follow, err));
    follow->members.account = session->chain;
    TRY(sat__members_hold(&follow->members, err));
    sat__item_keys_free(TAKE(follow->keys));
    return sat__vault_keys(follow->chain, &opener, &follow->keys, err);
}

static sat_status load_head(sat__follow *follow, sat_error *err)
{
    AUTO(sat_buf) value = SAT_BUF_INIT;
    bool found;
    TRY(sat__follow_get(follow, "set", &value, &found, err));
    if (found && value.len == SAT_LTHASH_SIZE)
        sat__lthash_get(value.data, &follow->set);
    TRY(sat__follow_number(follow, "cursor", &follow->cursor, err));
    TRY(sat__follow_number(follow, "heads", &follow->own_heads, err));
    value.len = 0;
    TRY(sat__follow_get(follow, "head", &value, &found, err));
    if (!found)
        return SAT_OK;
    return sat__follow_advance(follow, follow->cursor, &follow->set,
                               buf_view(&value), err);
}

sat_status sat__follow_recall(sat__follow *follow, sat_error *err)
{
    TRY(sat__sql_exec(follow->db, err, "%s", tables));
    TRY(check_id(follow, err));
    return load_head(follow, err);
}

/* A chain that was begun here, of a vault that the hub has as another one, was
 * shown to nobody who goes by it. */
static sat_status open_members(sat__follow *follow, const char *name,
                               sat_error *err)
{
    sat__session *const session = follow->session;
    sat__members *const members = &follow->members;
    TRY(sat__members_open(follow->replica, session->env, session->identity,
                          session->chain, strcmp(name, "account") == 0, members,
                          err));
    const sat__id *const id = sat__chain_id(members->chain);
    if (id != NULL && !id_equal(id, &follow->id)) {
        sat__chain_free(TAKE(members->chain));
        TRY(sat__vault_chain_new(&members->chain, err));
    }
    follow->chain = members->chain;
    return sat__members_fix(follow->replica, err);
}

/* What the account and other devices say is said at the hub as well, once this
 * device has seen all that the hub has of those who leave. */
static sat_status settle(sat__follow *follow, sat_error *err)
{
    sat__session *const session = follow->session;
    const sat__opener opener = {session->identity, session->device};
    follow->members.account = session->chain;
    TRY(sat__members_settle(&follow->members, true, err));
    if (sat__chain_count(follow->chain) == follow->hub_links)
        return SAT_OK;
    TRY(sat__vault_give_missing(session, &follow->id, follow->chain, err));
    sat__item_keys_free(TAKE(follow->keys));
    return sat__vault_keys(follow->chain, &opener, &follow->keys, err);
}

static sat_status open_in(sat__follow *follow, const char *name, sat_error *err)
{
    TRY(sat_replica_open(follow->session->profile, name, &follow->replica,
                         err));
    follow->db = follow->replica->db;
    TRY(sat__sql_exec(follow->db, err, "%s", tables));
    TRY(check_id(follow, err));
    TRY(sat__item_press_new(&follow->press, err));
    TRY(open_members(follow, name, err));
    TRY(sat__follow_update_chain(follow, err));
    return load_head(follow, err);
}

sat_status sat__follow_open(sat__session *session, const char *name,
                            const sat__id *id, sat__follow *out, sat_error *err)
{
    *out = (sat__follow){.session = session, .id = *id};
    lthash_init(&out->set);
    const sat_status st = open_in(out, name, err);
    if (st != SAT_OK) {
        sat__follow_close(out);
        return sat__context(err, st, "vault '%s'", name);
    }
    return SAT_OK;
}

void sat__follow_close(sat__follow *follow)
{
    (void)sqlite3_finalize(follow->item_get);
    (void)sqlite3_finalize(follow->item_put);
    sat__members_close(&follow->members);
    sat__item_keys_free(follow->keys);
    sat__item_press_free(follow->press);
    sat__buf_clear(&follow->head.moved);
    sat__buf_clear(&follow->knowledge);
    sat_replica_close(follow->replica);
    *follow = (sat__follow){.session = NULL};
}

/* ---- items ---- */

sat_status sat__follow_item(sat__follow *follow,
                            const uint8_t id[SAT_ITEM_ID_SIZE],
                            uint64_t *version, uint8_t hash[32], sat_error *err)
{
    bool found;
    *version = 0;
    TRY(sat__sql_prepare(
        follow->db, &follow->item_get,
        "SELECT version, hash FROM sync_hub_items WHERE id = ?", err));
    AUTO_RESET sqlite3_stmt *stmt = follow->item_get;
    sql_bind_bytes(stmt, 1, bytes_of(id, SAT_ITEM_ID_SIZE));
    TRY(sat__sql_step(stmt, &found, err));
    if (!found)
        return SAT_OK;
    *version = (uint64_t)sqlite3_column_int64(stmt, 0);
    if (sqlite3_column_bytes(stmt, 1) != 32)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "what this device knows of the hub is damaged");
    memcpy(hash, sqlite3_column_blob(stmt, 1), 32);
    return SAT_OK;
}

sat_status sat__follow_put_item(sat__follow *follow,
                                const uint8_t id[SAT_ITEM_ID_SIZE],
                                uint64_t version, const uint8_t hash[32],
                                sat_error *err)
{
    TRY(sat__sql_prepare(
        follow->db, &follow->item_put,
        "INSERT OR REPLACE INTO sync_hub_items VALUES(?, ?, ?)", err));
    sql_bind_bytes(follow->item_put, 1, bytes_of(id, SAT_ITEM_ID_SIZE));
    (void)sqlite3_bind_int64(follow->item_put, 2, (int64_t)version);
    sql_bind_bytes(follow->item_put, 3, bytes_of(hash, 32));
    return sat__sql_run(follow->item_put, err);
}

sat_status sat__follow_drop_item(sat__follow *follow,
                                 const uint8_t id[SAT_ITEM_ID_SIZE],
                                 sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(follow->db, &stmt,
                         "DELETE FROM sync_hub_items WHERE id = ?", err));
    sql_bind_bytes(stmt, 1, bytes_of(id, SAT_ITEM_ID_SIZE));
    return sat__sql_run(stmt, err);
}

sat_status sat__follow_put_shape(sat__follow *follow, sat_bytes body,
                                 sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    uint8_t hash[SAT_SHAPE_SIZE];
    sat__shape_hash(body, hash);
    TRY(sat__sql_prepare(follow->db, &stmt,
                         "INSERT OR IGNORE INTO sync_hub_shapes(hash, body) "
                         "VALUES(?, ?)",
                         err));
    sql_bind_bytes(stmt, 1, bytes_of(hash, sizeof hash));
    sql_bind_bytes(stmt, 2, body);
    return sat__sql_run(stmt, err);
}

/* ---- the head ---- */

sat_status sat__follow_keep(sat__follow *follow, uint64_t cursor,
                            const sat__lthash *set, sat_bytes head,
                            sat_error *err)
{
    uint8_t state[SAT_LTHASH_SIZE];
    uint8_t number[8];
    sat__lthash_put(set, state);
    bytes_put_u64(number, cursor);
    TRY(sat__follow_put(follow, "cursor", bytes_of(number, 8), err));
    TRY(sat__follow_put(follow, "set", bytes_of(state, sizeof state), err));
    return sat__follow_put(follow, "head", head, err);
}

sat_status sat__follow_read_head(sat__follow *follow, sat_bytes moved,
                                 sat__head *out, sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(follow->chain);
    sat_status st = sat__head_verify(moved, follow->chain, out, err);
    /* It was good when it was seen; its writer may have been removed since. */
    for (size_t i = 0; st == SAT_ERR_DENIED && i < state->principal_count; i++)
        if (sat__head_open(moved, state->principals[i].who.keys.sign, out,
                           NULL) == SAT_OK)
            st = SAT_OK;
    return st;
}

sat_status sat__follow_advance(sat__follow *follow, uint64_t cursor,
                               const sat__lthash *set, sat_bytes head,
                               sat_error *err)
{
    sat__seen_head *const seen = &follow->head;
    sat__head parsed;
    follow->cursor = cursor;
    follow->set = *set;
    if (!bytes_equal(buf_view(&seen->moved), head)) {
        seen->moved.len = 0;
        sat__buf_put(&seen->moved, head.data, head.len);
        TRY(sat__buf_status(&seen->moved, err));
    }
    TRY(sat__follow_read_head(follow, buf_view(&seen->moved), &parsed, err));
    TRY(sat__head_hash(buf_view(&seen->moved), &seen->hash, err));
    seen->sequence = parsed.sequence;
    seen->is_there = true;
    follow->knowledge.len = 0;
    return sat__knowledge_unseal(follow, &parsed, &follow->knowledge, NULL,
                                 err);
}

static sat__seal_context knowledge_context(const sat__head *head,
                                           const uint8_t *epoch)
{
    return (sat__seal_context){
        .purpose = SAT_PURPOSE_HEAD_KNOWLEDGE,
        .vault = bytes_of(head->vault.bytes, sizeof head->vault.bytes),
        .object = bytes_of(head->previous.bytes, sizeof head->previous.bytes),
        .epoch = bytes_of(epoch, SAT_EPOCH_ID_SIZE),
        .version = head->sequence,
        .device = bytes_of(head->device.bytes, sizeof head->device.bytes)};
}

/* The epoch's id, and what it seals, padded by the size of knowledge alone. */
sat_status sat__knowledge_seal(sat__follow *follow, const sat__head *head,
                               sat_bytes knowledge, sat_buf *out,
                               sat_error *err)
{
    const sat__item_epoch *const epoch = item_keys_now(follow->keys);
    const sat__seal_context context = knowledge_context(head, epoch->id);
    sat__buf_put(out, epoch->id, sizeof epoch->id);
    return sat__seal(follow->session->env, &epoch->head_key, &context,
                     knowledge, out, err);
}

static sat_status split_knowledge(sat_bytes plain, sat_buf *out,
                                  sat_buf *forgotten, sat_error *err)
{
    sat__cbor in = cbor_of(plain);
    sat_bytes part = {NULL, 0};
    if (plain.len > 0)
        TRY(sat__cbor_skip(&in, &part, err));
    sat__buf_put(out, part.data, part.len);
    part = bytes_of(NULL, 0);
    if (in.at != in.end)
        TRY(sat__cbor_skip(&in, &part, err));
    if (forgotten != NULL) {
        sat__buf_put(forgotten, part.data, part.len);
        TRY(sat__buf_status(forgotten, err));
    }
    TRY(sat__buf_status(out, err));
    return sat__cbor_done(&in, err);
}

sat_status sat__knowledge_unseal(sat__follow *follow, const sat__head *head,
                                 sat_buf *out, sat_buf *forgotten,
                                 sat_error *err)
{
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    const sat_bytes sealed = head->knowledge;
    if (sealed.len < SAT_EPOCH_ID_SIZE)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a head without what its device knew");
    const sat__item_epoch *const epoch =
        sat__item_keys_find(follow->keys, sealed.data);
    if (epoch == NULL)
        return sat__fail(err, SAT_ERR_DENIED,
                         "a head of an epoch to which this device has no key");
    const sat__seal_context context = knowledge_context(head, epoch->id);
    TRY(sat__unseal(&epoch->head_key, &context,
                    bytes_of(sealed.data + SAT_EPOCH_ID_SIZE,
                             sealed.len - SAT_EPOCH_ID_SIZE),
                    &plain, err));
    return split_knowledge(buf_view(&plain), out, forgotten, err);
}

sat_status sat__follow_progress(sat__follow *follow, sat_error *err)
{
    if (follow->progress != NULL &&
        follow->progress(follow->report, follow->progress_context) == 0)
        return sat__fail(err, SAT_ERR_STOPPED,
                         "stopped; the next sync goes on from here");
    return SAT_OK;
}

sat_status sat__follow_sync(sat__follow *follow, sat_error *err)
{
    for (int attempt = 0;; attempt++) {
        TRY(sat__follow_pull(follow, err));
        TRY(settle(follow, err));
        const sat_status st = sat__follow_push(follow, false, err);
        if (st != SAT_ERR_CONFLICT || attempt == 20)
            return st;
    }
}
