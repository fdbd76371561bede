/*
 * registry.c - two tables: what is known, and the chain of who may
 *
 *   sync_peers   a device: its key, name, url, and when it last synced
 *   sync_links   s, and the link with its signature, oldest first
 *
 * Whether a device may sync is in neither column: it is the last link about it.
 */
#include "peer/registry.h"

#include <stdio.h>

#include "base/cbor.h"
#include "base/error.h"
#include "base/sql.h"
#include "crypto/labels.h"

struct sat__registry {
    sqlite3 *db;
    const sat_env *env;
    const sat__identity *identity;
};

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS sync_peers("
    " id BLOB PRIMARY KEY, key BLOB NOT NULL, name TEXT NOT NULL,"
    " url TEXT NOT NULL DEFAULT '', last_sync INTEGER NOT NULL DEFAULT 0)"
    " WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sync_links("
    " s INTEGER PRIMARY KEY, device BLOB NOT NULL, link BLOB NOT NULL,"
    " signature BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS sync_links_device ON sync_links(device, s);";

/* ---- the chain ---- */

/* Verifies the chain from its beginning; `head` is the hash of its end. */
static sat_status verify_chain(sat__registry *registry,
                               uint8_t head[SAT_SHA256_SIZE], sat_error *err)
{
    const uint8_t *const key =
        sat__identity_principal(registry->identity)->sign;
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    sat__link link;

    memset(head, 0, SAT_SHA256_SIZE);
    TRY(sat__sql_prepare(
        registry->db, &stmt,
        "SELECT link, signature, device FROM sync_links ORDER BY s", err));
    while (NEXT_ROW(stmt, err)) {
        uint8_t id[SAT_DEVICE_ID_SIZE];
        TRY(sat__link_follow(sql_bytes(stmt, 0), sql_bytes(stmt, 1), key, head,
                             &link, err));
        sat__device_id(link.key, id);
        if (!bytes_equal(sql_bytes(stmt, 2), bytes_of(id, sizeof id)))
            return sat__fail(err, SAT_ERR_AUTH,
                             "a link of the chain of devices is filed wrongly");
    }
    return SAT_OK;
}

static sat_status append_link(sat__registry *registry, sat__link *link,
                              const uint8_t id[SAT_DEVICE_ID_SIZE],
                              sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    uint8_t signature[SAT_SIGNATURE_SIZE];

    TRY(verify_chain(registry, link->before, err));
    link->time_ms = registry->env->wall(registry->env->context);
    sat__link_encode(link, &bytes);
    TRY(sat__buf_status(&bytes, err));
    TRY(sat__identity_sign(registry->identity, SAT_PURPOSE_ACCOUNT_LINK,
                           buf_view(&bytes), signature, err));
    TRY(sat__sql_prepare(registry->db, &stmt,
                         "INSERT INTO sync_links(device, link, signature) "
                         "VALUES(?, ?, ?)",
                         err));
    sql_bind_bytes(stmt, 1, bytes_of(id, SAT_DEVICE_ID_SIZE));
    sql_bind_bytes(stmt, 2, buf_view(&bytes));
    sql_bind_bytes(stmt, 3, bytes_of(signature, sizeof signature));
    return sat__sql_run(stmt, err);
}

/* What the last link about the device says. */
static sat_status read_standing(sat__registry *registry,
                                sat__known_device *device, sat_error *err)
{
    const uint8_t *const key =
        sat__identity_principal(registry->identity)->sign;
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    sat__link link;

    TRY(sat__sql_prepare(registry->db, &stmt,
                         "SELECT link, signature FROM sync_links WHERE device "
                         "= ? ORDER BY s DESC LIMIT 1",
                         err));
    sql_bind_bytes(stmt, 1, bytes_of(device->id, sizeof device->id));
    if (!NEXT_ROW(stmt, err))
        return SAT_OK;
    TRY(sat__link_open(sql_bytes(stmt, 0), sql_bytes(stmt, 1), key, &link,
                       err));
    if (memcmp(link.key, device->key, sizeof link.key) != 0)
        return sat__fail(err, SAT_ERR_AUTH,
                         "the chain of devices names another key");
    device->is_authorized = link.kind == SAT_LINK_ADD;
    device->is_admin = device->is_authorized && link.is_admin;
    device->is_revoked = link.kind == SAT_LINK_REVOKE;
    return SAT_OK;
}

/* ---- opening ---- */

sat_status sat__registry_open(sqlite3 *db, const sat_env *env,
                              const sat__identity *identity,
                              sat__registry **out, sat_error *err)
{
    AUTO_PTR(sat__registry) registry = calloc(1, sizeof *registry);
    uint8_t head[SAT_SHA256_SIZE];

    if (registry == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    *registry = (sat__registry){db, env, identity};
    if (sqlite3_exec(db, tables, NULL, NULL, NULL) != SQLITE_OK)
        return sat__sql_fail(db, err);
    TRY(verify_chain(registry, head, err));
    *out = TAKE(registry);
    return SAT_OK;
}

void sat__registry_close(sat__registry *registry)
{
    free(registry);
}

/* ---- what is known ---- */

static void copy_text(char *out, size_t size, sqlite3_stmt *stmt, int column)
{
    const unsigned char *const text = sqlite3_column_text(stmt, column);

    (void)snprintf(out, size, "%s", text != NULL ? (const char *)text : "");
}

/* id, key, name, url, last_sync */
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
    return read_standing(registry, out, err);
}

#define SELECT_DEVICES "SELECT id, key, name, url, last_sync FROM sync_peers "

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

sat_status sat__registry_register(sat__registry *registry,
                                  const uint8_t key[SAT_SIGN_KEY_SIZE],
                                  const char *name, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    uint8_t id[SAT_DEVICE_ID_SIZE];

    TRY(check_name(name, err));
    sat__device_id(key, id);
    TRY(check_room(registry, id, err));
    TRY(sat__sql_prepare(registry->db, &stmt,
                         "INSERT INTO sync_peers(id, key, name) VALUES(?, ?, "
                         "?) ON CONFLICT(id) DO UPDATE SET name = "
                         "excluded.name WHERE name <> excluded.name",
                         err));
    sql_bind_bytes(stmt, 1, bytes_of(id, sizeof id));
    sql_bind_bytes(stmt, 2, bytes_of(key, SAT_SIGN_KEY_SIZE));
    (void)sqlite3_bind_text(stmt, 3, name, -1, SQLITE_STATIC);
    return sat__sql_run(stmt, err);
}

/* ---- who may ---- */

sat_status sat__registry_authorize(sat__registry *registry,
                                   const uint8_t id[SAT_DEVICE_ID_SIZE],
                                   bool is_admin,
                                   const uint8_t by[SAT_DEVICE_ID_SIZE],
                                   sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    sat__link link = {.kind = SAT_LINK_ADD, .is_admin = is_admin};
    sat__known_device device;

    TRY(sat__sql_begin(registry->db, &change, err));
    TRY(sat__registry_find(registry, id, &device, err));
    if (device.is_revoked)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "this device was revoked; it can come back only as a "
                         "new one");
    if (device.is_authorized && device.is_admin == is_admin)
        return SAT_OK;
    memcpy(link.key, device.key, sizeof link.key);
    memcpy(link.by, by, sizeof link.by);
    TRY(append_link(registry, &link, id, err));
    return sat__sql_commit(&change, err);
}

sat_status sat__registry_revoke(sat__registry *registry,
                                const uint8_t id[SAT_DEVICE_ID_SIZE],
                                const uint8_t by[SAT_DEVICE_ID_SIZE],
                                sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    sat__link link = {.kind = SAT_LINK_REVOKE};
    sat__known_device device;

    TRY(sat__sql_begin(registry->db, &change, err));
    TRY(sat__registry_find(registry, id, &device, err));
    if (device.is_revoked)
        return SAT_OK;
    memcpy(link.key, device.key, sizeof link.key);
    memcpy(link.by, by, sizeof link.by);
    TRY(append_link(registry, &link, id, err));
    return sat__sql_commit(&change, err);
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
