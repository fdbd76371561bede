/*
 * registry.c - what is known of devices, beside the account's chain
 *
 *   sync_peers   a device: its keys, name, url, when it last synced; whether it
 *                was joined, and whether it is kept out though in no account
 */
#include "peer/registry.h"

#include <stdio.h>

#include "base/cbor.h"
#include "base/error.h"
#include "base/sql.h"

struct sat__registry {
    sqlite3 *db;
    const sat_env *env;
    sat__id own;
    sat__ledger *ledger;
};

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS sync_peers("
    " id BLOB PRIMARY KEY, key BLOB NOT NULL, exchange BLOB NOT NULL,"
    " name TEXT NOT NULL, url TEXT NOT NULL DEFAULT '',"
    " last_sync INTEGER NOT NULL DEFAULT 0,"
    " is_joined INTEGER NOT NULL DEFAULT 0,"
    " is_blocked INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID";

/* ---- the account ---- */

/* Makes a device of the account known, as its link names it. */
static sat_status note_member(sat__registry *registry, const sat__party *who,
                              sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(registry->db, &stmt,
                         "INSERT INTO sync_peers(id, key, exchange, name) "
                         "VALUES(?, ?, ?, ?) ON CONFLICT(id) DO NOTHING",
                         err));
    sql_bind_bytes(stmt, 1, bytes_of(who->id.bytes, sizeof who->id.bytes));
    sql_bind_bytes(stmt, 2, bytes_of(who->keys.sign, sizeof who->keys.sign));
    sql_bind_bytes(stmt, 3,
                   bytes_of(who->keys.exchange, sizeof who->keys.exchange));
    (void)sqlite3_bind_text(stmt, 4, who->name, -1, SQLITE_STATIC);
    return sat__sql_run(stmt, err);
}

static sat_status note_members(sat__registry *registry, sat_error *err)
{
    const sat__account_state *state;

    TRY(sat__ledger_chain(registry->ledger, NULL, &state, err));
    for (size_t i = 0; i < state->principal_count; i++)
        if (state->principals[i].who.kind == SAT_PRINCIPAL_DEVICE &&
            !id_equal(&state->principals[i].who.id, &registry->own))
            TRY(note_member(registry, &state->principals[i].who, err));
    return SAT_OK;
}

/* What the account says of the device, else what was noted of it. */
static sat_status read_standing(sat__registry *registry, bool is_joined,
                                bool is_blocked, sat__known_device *device,
                                sat_error *err)
{
    const sat__account_state *state;
    sat__id id;

    memcpy(id.bytes, device->id, sizeof id.bytes);
    TRY(sat__ledger_chain(registry->ledger, NULL, &state, err));
    const sat__account_principal *const found = sat__account_find(state, &id);
    device->is_revoked = found != NULL ? found->is_removed : is_blocked;
    device->is_joined = found == NULL && is_joined && !is_blocked;
    device->is_authorized =
        device->is_joined || (found != NULL && !found->is_removed);
    device->is_admin =
        found != NULL && !found->is_removed && found->who.is_admin;
    return SAT_OK;
}

sat_status sat__registry_take(sat__registry *registry, const sat_bytes *links,
                              size_t count, size_t *taken, sat_error *err)
{
    *taken = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_new;
        TRY(sat__ledger_take(registry->ledger, links[i], &is_new, err));
        *taken += is_new;
    }
    return *taken > 0 ? note_members(registry, err) : SAT_OK;
}

sat_status sat__registry_adopt(sat__registry *registry, const sat_bytes *links,
                               size_t count,
                               const uint8_t host[SAT_DEVICE_ID_SIZE],
                               sat_error *err)
{
    sat__known_device device;
    sat__id id;

    TRY(sat__registry_find(registry, host, &device, err));
    if (!device.is_joined)
        return sat__fail(err, SAT_ERR_DENIED,
                         "the device '%s' is of another account, and was not "
                         "joined",
                         device.name);
    memcpy(id.bytes, host, sizeof id.bytes);
    TRY(sat__ledger_adopt(registry->ledger, links, count, &id, err));
    TRY(sat__sql_exec(registry->db, err,
                      "UPDATE sync_peers SET is_joined = 0"));
    return note_members(registry, err);
}

/* ---- opening ---- */

sat_status sat__registry_open(sqlite3 *db, const sat_env *env,
                              const sat__identity *identity,
                              sat__registry **out, sat_error *err)
{
    AUTO_PTR(sat__registry) registry = calloc(1, sizeof *registry);

    if (registry == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    registry->db = db;
    registry->env = env;
    sat__device_id(sat__identity_principal(identity)->sign,
                   registry->own.bytes);
    TRY(sat__sql_exec(db, err, tables));
    TRY(sat__ledger_open(db, env, identity, &registry->ledger, err));
    TRY(sat__ledger_require(registry->ledger, err));
    TRY(note_members(registry, err));
    *out = TAKE(registry);
    return SAT_OK;
}

void sat__registry_close(sat__registry *registry)
{
    if (registry != NULL)
        sat__ledger_close(registry->ledger);
    free(registry);
}

sat__ledger *sat__registry_ledger(sat__registry *registry)
{
    return registry->ledger;
}

/* ---- what is known ---- */

static void copy_text(char *out, size_t size, sqlite3_stmt *stmt, int column)
{
    const unsigned char *const text = sqlite3_column_text(stmt, column);

    (void)snprintf(out, size, "%s", text != NULL ? (const char *)text : "");
}

/* id, key, name, url, last_sync, is_joined, is_blocked */
static sat_status read_device(sat__registry *registry, sqlite3_stmt *stmt,
                              sat__known_device *out, sat_error *err)
{
    const sat_bytes id = sql_bytes(stmt, 0);
    uint8_t expected[SAT_DEVICE_ID_SIZE];

    memset(out, 0, sizeof *out);
    if (id.len == sizeof out->id)
        memcpy(out->id, id.data, sizeof out->id);
    const sat_bytes key = sql_bytes(stmt, 1);
    if (key.len == sizeof out->key)
        memcpy(out->key, key.data, sizeof out->key);
    sat__device_id(out->key, expected);
    if (memcmp(expected, out->id, sizeof expected) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the list of devices is damaged");
    copy_text(out->name, sizeof out->name, stmt, 2);
    copy_text(out->url, sizeof out->url, stmt, 3);
    out->last_sync_ms = (uint64_t)sqlite3_column_int64(stmt, 4);
    return read_standing(registry, sqlite3_column_int(stmt, 5) != 0,
                         sqlite3_column_int(stmt, 6) != 0, out, err);
}

#define SELECT_DEVICES                                                         \
    "SELECT id, key, name, url, last_sync, is_joined, is_blocked "             \
    "FROM sync_peers "

sat_status sat__registry_find(sat__registry *registry,
                              const uint8_t id[SAT_DEVICE_ID_SIZE],
                              sat__known_device *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(registry->db, &stmt, SELECT_DEVICES "WHERE id = ?",
                         err));
    sql_bind_bytes(stmt, 1, bytes_of(id, SAT_DEVICE_ID_SIZE));
    if (!NEXT_ROW(stmt, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "this device is not known");
    return read_device(registry, stmt, out, err);
}

sat_status sat__registry_list(sat__registry *registry,
                              sat__known_device_fn *each, void *context,
                              sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(registry->db, &stmt, SELECT_DEVICES "ORDER BY id",
                         err));
    while (NEXT_ROW(stmt, err)) {
        sat__known_device device;
        TRY(read_device(registry, stmt, &device, err));
        TRY(each(&device, context, err));
    }
    return SAT_OK;
}

static sat_status check_room(sat__registry *registry,
                             const uint8_t id[SAT_DEVICE_ID_SIZE],
                             sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(registry->db, &stmt,
                         "SELECT count(*) FROM sync_peers WHERE id <> ?", err));
    sql_bind_bytes(stmt, 1, bytes_of(id, SAT_DEVICE_ID_SIZE));
    if (NEXT_ROW(stmt, err) && sqlite3_column_int64(stmt, 0) >= SAT_PEERS_MAX)
        return sat__fail(err, SAT_ERR_FULL,
                         "%d devices are known already, and no more are taken",
                         SAT_PEERS_MAX);
    return SAT_OK;
}

static sat_status check_name(const char *name, sat_error *err)
{
    const size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
            return sat__fail(err, SAT_ERR_INVALID,
                             "a device's name holds no control characters");
    if (len == 0 || len >= SAT_DEVICE_NAME_SIZE ||
        !sat__utf8_valid((const uint8_t *)name, len))
        return sat__fail(err, SAT_ERR_INVALID,
                         "a device's name has 1 to %d bytes of UTF-8",
                         SAT_DEVICE_NAME_SIZE - 1);
    return SAT_OK;
}

static sat_status read_exchange(sat__registry *registry,
                                const uint8_t id[SAT_DEVICE_ID_SIZE],
                                uint8_t out[SAT_EXCHANGE_KEY_SIZE],
                                sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(registry->db, &stmt,
                         "SELECT exchange FROM sync_peers WHERE id = ?", err));
    sql_bind_bytes(stmt, 1, bytes_of(id, SAT_DEVICE_ID_SIZE));
    if (!NEXT_ROW(stmt, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "this device is not known");
    const sat_bytes exchange = sql_bytes(stmt, 0);
    if (exchange.len != SAT_EXCHANGE_KEY_SIZE)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the list of devices is damaged");
    memcpy(out, exchange.data, exchange.len);
    return SAT_OK;
}

/* Keys once seen never change. */
static sat_status check_exchange(sat__registry *registry,
                                 const uint8_t id[SAT_DEVICE_ID_SIZE],
                                 const sat__principal *keys, sat_error *err)
{
    uint8_t known[SAT_EXCHANGE_KEY_SIZE];
    const sat_status st = read_exchange(registry, id, known, err);

    if (st == SAT_ERR_NOT_FOUND)
        return SAT_OK;
    TRY(st);
    if (memcmp(known, keys->exchange, sizeof known) != 0)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "this device was known with another exchange key");
    return SAT_OK;
}

sat_status sat__registry_register(sat__registry *registry,
                                  const sat__principal *keys, const char *name,
                                  sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    uint8_t id[SAT_DEVICE_ID_SIZE];

    TRY(check_name(name, err));
    sat__device_id(keys->sign, id);
    TRY(check_exchange(registry, id, keys, err));
    TRY(check_room(registry, id, err));
    TRY(sat__sql_prepare(
        registry->db, &stmt,
        "INSERT INTO sync_peers(id, key, exchange, name) VALUES(?, ?, ?, ?) "
        "ON CONFLICT(id) DO UPDATE SET name = excluded.name "
        "WHERE name <> excluded.name",
        err));
    sql_bind_bytes(stmt, 1, bytes_of(id, sizeof id));
    sql_bind_bytes(stmt, 2, bytes_of(keys->sign, sizeof keys->sign));
    sql_bind_bytes(stmt, 3, bytes_of(keys->exchange, sizeof keys->exchange));
    (void)sqlite3_bind_text(stmt, 4, name, -1, SQLITE_STATIC);
    return sat__sql_run(stmt, err);
}

/* ---- who may ---- */

static sat_status set_flag(sat__registry *registry,
                           const uint8_t id[SAT_DEVICE_ID_SIZE],
                           const char *flag, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_preparef(registry->db, &stmt, err,
                          "UPDATE sync_peers SET %s = 1 WHERE id = ?", flag));
    sql_bind_bytes(stmt, 1, bytes_of(id, SAT_DEVICE_ID_SIZE));
    return sat__sql_run(stmt, err);
}

sat_status sat__registry_join(sat__registry *registry,
                              const uint8_t id[SAT_DEVICE_ID_SIZE],
                              sat_error *err)
{
    return set_flag(registry, id, "is_joined", err);
}

sat_status sat__registry_authorize(sat__registry *registry,
                                   const uint8_t id[SAT_DEVICE_ID_SIZE],
                                   bool is_admin, sat_error *err)
{
    sat__known_device device;
    sat__principal keys;

    TRY(sat__registry_find(registry, id, &device, err));
    if (device.is_revoked)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "this device was revoked; it comes back only as "
                         "another one, by 'satchel device renew' there");
    memcpy(keys.sign, device.key, sizeof keys.sign);
    TRY(read_exchange(registry, id, keys.exchange, err));
    return sat__ledger_admit(registry->ledger, &keys, device.name, is_admin,
                             err);
}

sat_status sat__registry_revoke(sat__registry *registry,
                                const uint8_t id[SAT_DEVICE_ID_SIZE],
                                sat_error *err)
{
    sat__known_device device;
    sat__id revoked;

    TRY(sat__registry_find(registry, id, &device, err));
    memcpy(revoked.bytes, id, sizeof revoked.bytes);
    const sat_status st = sat__ledger_expel(registry->ledger, &revoked, err);
    return st == SAT_ERR_NOT_FOUND ? set_flag(registry, id, "is_blocked", err)
                                   : st;
}

/* ---- what happened ---- */

sat_status sat__registry_set_url(sat__registry *registry,
                                 const uint8_t id[SAT_DEVICE_ID_SIZE],
                                 const char *url, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(registry->db, &stmt,
                         "UPDATE sync_peers SET url = ? WHERE id = ?", err));
    (void)sqlite3_bind_text(stmt, 1, url, -1, SQLITE_STATIC);
    sql_bind_bytes(stmt, 2, bytes_of(id, SAT_DEVICE_ID_SIZE));
    return sat__sql_run(stmt, err);
}

sat_status sat__registry_touch(sat__registry *registry,
                               const uint8_t id[SAT_DEVICE_ID_SIZE],
                               sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(registry->db, &stmt,
                         "UPDATE sync_peers SET last_sync = ? WHERE id = ?",
                         err));
    (void)sqlite3_bind_int64(
        stmt, 1, (int64_t)registry->env->wall(registry->env->context));
    sql_bind_bytes(stmt, 2, bytes_of(id, SAT_DEVICE_ID_SIZE));
    return sat__sql_run(stmt, err);
}
