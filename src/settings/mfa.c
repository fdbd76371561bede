/*
 * mfa.c - entries of the authenticator: set up, found, listed, removed
 */
#include "settings/mfa.h"

#include <sodium.h>
#include <stdio.h>

#include "settings/account.h"
#include "store/audit.h"
#include "store/profile.h"

#define NEW_SECRET_SIZE 20 /* as RFC 4226 recommends */

static const char entry_table[] =
    "CREATE TABLE IF NOT EXISTS satchel_mfa("
    "id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, issuer TEXT NOT NULL, "
    "account TEXT NOT NULL, secret BLOB NOT NULL, algorithm TEXT NOT NULL, "
    "digits INTEGER NOT NULL, period INTEGER NOT NULL, "
    "created INTEGER NOT NULL, disabled INTEGER NOT NULL)";

static const char use_table[] =
    "CREATE TABLE IF NOT EXISTS satchel_mfa_use("
    "id TEXT PRIMARY KEY NOT NULL, mfa TEXT NOT NULL, device TEXT NOT NULL, "
    "counter INTEGER NOT NULL, verified INTEGER NOT NULL, "
    "used INTEGER NOT NULL)";

static const char backup_table[] =
    "CREATE TABLE IF NOT EXISTS satchel_mfa_backup("
    "id TEXT PRIMARY KEY NOT NULL, mfa TEXT NOT NULL, hash BLOB NOT NULL, "
    "used INTEGER NOT NULL)";

void sat__mfa_row_wipe(sat__mfa_row *row)
{
    sodium_memzero(row, sizeof *row);
}

DEFINE_AUTO_PTR(sat_mfa, sat_mfa_close);

sat_status sat_mfa_open(sat_profile *profile, sat_mfa **out, sat_error *err)
{
    AUTO_PTR(sat_mfa) mfa = calloc(1, sizeof *mfa);

    if (mfa == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    mfa->profile = profile;
    mfa->env = profile->env;
    TRY(sat__account_open(profile, &mfa->db, err));
    TRY(sat__account_table(profile, mfa->db, "satchel_mfa", entry_table, err));
    TRY(sat__account_table(profile, mfa->db, "satchel_mfa_use", use_table,
                           err));
    TRY(sat__account_table(profile, mfa->db, "satchel_mfa_backup", backup_table,
                           err));
    *out = TAKE(mfa);
    return SAT_OK;
}

void sat_mfa_close(sat_mfa *mfa)
{
    if (mfa == NULL)
        return;
    (void)sqlite3_close_v2(mfa->db);
    free(mfa);
}

/* ---- rows ---- */

static bool read_text(sqlite3_stmt *row, int column, size_t size, char *out)
{
    const char *const text = (const char *)sqlite3_column_text(row, column);

    if (text == NULL || strlen(text) >= size)
        return false;
    (void)snprintf(out, size, "%s", text);
    return true;
}

bool sat__mfa_read(sqlite3_stmt *row, sat__mfa_row *out)
{
    const char *const algorithm = (const char *)sqlite3_column_text(row, 5);
    sat__otpauth *const otpauth = &out->otpauth;
    const sat_bytes secret = sql_bytes(row, 4);

    if (secret.len == 0 || secret.len > sizeof otpauth->secret ||
        algorithm == NULL)
        return false;
    memcpy(otpauth->secret, secret.data, secret.len);
    otpauth->secret_size = secret.len;
    out->created = sqlite3_column_int64(row, 8);
    out->disabled = sqlite3_column_int64(row, 9);
    return read_text(row, 0, sizeof out->id, out->id) &&
           read_text(row, 1, sizeof out->name, out->name) &&
           read_text(row, 2, sizeof otpauth->issuer, otpauth->issuer) &&
           read_text(row, 3, sizeof otpauth->account, otpauth->account) &&
           sat__otpauth_set_algorithm(otpauth, algorithm, NULL) == SAT_OK &&
           sat__otpauth_set_numbers(
               otpauth, (unsigned)sqlite3_column_int(row, 6),
               (unsigned)sqlite3_column_int(row, 7), NULL) == SAT_OK;
}

sat_status sat__mfa_find(sat_mfa *mfa, const char *name, sat__mfa_row *out,
                         sat_error *err)
{
    AUTO_STMT sqlite3_stmt *rows = NULL;
    int found = 0;

    TRY(sat__sql_prepare(mfa->db, &rows,
                         "SELECT " SAT_MFA_COLUMNS
                         " FROM satchel_mfa WHERE name = ?1 OR id = ?1 "
                         "ORDER BY id = ?1 DESC LIMIT 2",
                         err));
    (void)sqlite3_bind_text(rows, 1, name, -1, SQLITE_STATIC);
    while (NEXT_ROW(rows, err)) {
        if (found++ == 0 && !sat__mfa_read(rows, out))
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "the authenticator's entry '%.100s' is damaged",
                             name);
        if (strcmp(out->id, name) == 0)
            return SAT_OK;
    }
    if (found == 1)
        return SAT_OK;
    if (found > 1)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "two entries are named '%.100s'; name one by its id",
                         name);
    return sat__fail(err, SAT_ERR_NOT_FOUND,
                     "the authenticator has no entry '%.100s'", name);
}

sat_status sat__mfa_find_enabled(sat_mfa *mfa, const char *name,
                                 sat__mfa_row *out, sat_error *err)
{
    TRY(sat__mfa_find(mfa, name, out, err));
    if (mfa_is_disabled(out, mfa_now(mfa)))
        return sat__fail(err, SAT_ERR_DENIED,
                         "'%s' is disabled; enable it first", out->name);
    return SAT_OK;
}

/* ---- setting up ---- */

/* A statement about the entry `id`, and `device` where that is not NULL. */
static sat_status run(sat_mfa *mfa, const char *sql, const char *id,
                      sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(mfa->db, &stmt, sql, err));
    (void)sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
    return sat__sql_run(stmt, err);
}

static sat_status insert(sat_mfa *mfa, const char *name,
                         const sat__otpauth *otpauth, const char *id,
                         sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(mfa->db, &stmt,
                         "INSERT INTO satchel_mfa(" SAT_MFA_COLUMNS
                         ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
                         err));
    (void)sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 3, otpauth->issuer, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 4, otpauth->account, -1, SQLITE_STATIC);
    sql_bind_bytes(stmt, 5, bytes_of(otpauth->secret, otpauth->secret_size));
    (void)sqlite3_bind_text(stmt, 6, sat__otpauth_algorithm(otpauth), -1,
                            SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 7, otpauth->digits);
    (void)sqlite3_bind_int64(stmt, 8, otpauth->period);
    (void)sqlite3_bind_int64(stmt, 9, mfa_now(mfa));
    return sat__sql_run(stmt, err);
}

/* The row in which this device notes what it did, with nothing done yet. */
static sat_status insert_use(sat_mfa *mfa, const char *id, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    char device[2 * SAT_DEVICE_ID_SIZE + 1];

    sat__hex_format(sat_profile_device_id(mfa->profile), SAT_DEVICE_ID_SIZE,
                    device);
    TRY(sat__sql_prepare(mfa->db, &stmt,
                         "INSERT INTO satchel_mfa_use(id, mfa, device, "
                         "counter, verified, used) VALUES(?1 || ':' || ?2, ?1, "
                         "?2, -1, 0, 0)",
                         err));
    (void)sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, device, -1, SQLITE_STATIC);
    return sat__sql_run(stmt, err);
}

static sat_status add(sat_mfa *mfa, const char *name,
                      const sat__otpauth *otpauth, char id[SAT_MFA_ID_SIZE],
                      sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    AUTO(sat__mfa_row) other = {.created = 0};

    if (!sat__otpauth_is_name(name))
        return sat__fail(err, SAT_ERR_INVALID,
                         "the name of an entry is a line of 1 to %d bytes of "
                         "UTF-8",
                         SAT_MFA_NAME_SIZE - 1);
    TRY(sat__sql_begin(mfa->db, &change, err));
    const sat_status st = sat__mfa_find(mfa, name, &other, NULL);
    if (st != SAT_ERR_NOT_FOUND)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "the authenticator has an entry '%s' already", name);
    sat__account_id(mfa->env, id);
    TRY(insert(mfa, name, otpauth, id, err));
    TRY(insert_use(mfa, id, err));
    TRY(sat__audit_add(mfa->db, mfa->env, SAT_EVENT_MFA_ADD, name, err));
    return sat__sql_commit(&change, err);
}

/* What the caller gave, checked; a new secret where none was given. */
static sat_status take_options(sat_mfa *mfa, const sat_mfa_options *given,
                               sat__otpauth *out, sat_error *err)
{
    sat_mfa_options options = SAT_MFA_INIT;

    if (given != NULL && given->size > sizeof options)
        return sat__fail(err, SAT_ERR_VERSION, "options of a newer version");
    if (given != NULL)
        memcpy(&options, given, given->size);
    TRY(sat__otpauth_set_algorithm(out, options.algorithm, err));
    TRY(sat__otpauth_set_numbers(out, options.digits, options.period, err));
    TRY(sat__otpauth_set_name(options.issuer != NULL ? options.issuer : "",
                              out->issuer, err));
    TRY(sat__otpauth_set_name(options.account != NULL ? options.account : "",
                              out->account, err));
    if (options.secret != NULL)
        return sat__otpauth_set_secret(
            out, bytes_of(options.secret, strlen(options.secret)), err);
    out->secret_size = NEW_SECRET_SIZE;
    mfa->env->random(mfa->env->context, out->secret, out->secret_size);
    return SAT_OK;
}

sat_status sat_mfa_add(sat_mfa *mfa, const char *name,
                       const sat_mfa_options *options, char id[SAT_MFA_ID_SIZE],
                       sat_error *err)
{
    AUTO(sat__otpauth) otpauth = {.secret_size = 0};

    TRY(take_options(mfa, options, &otpauth, err));
    if (otpauth.issuer[0] == '\0' && otpauth.account[0] == '\0' &&
        strchr(name, ':') == NULL && sat__otpauth_is_name(name))
        (void)snprintf(otpauth.account, sizeof otpauth.account, "%s", name);
    return add(mfa, name, &otpauth, id, err);
}

sat_status sat_mfa_add_uri(sat_mfa *mfa, const char *name, const char *uri,
                           char id[SAT_MFA_ID_SIZE], sat_error *err)
{
    AUTO(sat__otpauth) otpauth = {.secret_size = 0};

    TRY(sat__otpauth_parse(uri, &otpauth, err));
    if (name == NULL)
        name = otpauth.issuer[0] != '\0' ? otpauth.issuer : otpauth.account;
    return add(mfa, name, &otpauth, id, err);
}

sat_status sat_mfa_export(sat_mfa *mfa, const char *name,
                          char uri[SAT_MFA_URI_SIZE], sat_error *err)
{
    AUTO(sat__mfa_row) row = {.created = 0};

    TRY(sat__mfa_find(mfa, name, &row, err));
    TRY(sat__otpauth_format(&row.otpauth, uri, err));
    return sat__audit_add(mfa->db, mfa->env, SAT_EVENT_MFA_EXPORT, row.name,
                          err);
}

sat_status sat_mfa_remove(sat_mfa *mfa, const char *name, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    AUTO(sat__mfa_row) row = {.created = 0};

    TRY(sat__sql_begin(mfa->db, &change, err));
    TRY(sat__mfa_find(mfa, name, &row, err));
    TRY(run(mfa, "DELETE FROM satchel_mfa WHERE id = ?", row.id, err));
    TRY(run(mfa, "DELETE FROM satchel_mfa_use WHERE mfa = ?", row.id, err));
    TRY(run(mfa, "DELETE FROM satchel_mfa_backup WHERE mfa = ?", row.id, err));
    TRY(sat__audit_add(mfa->db, mfa->env, SAT_EVENT_MFA_REMOVE, row.name, err));
    return sat__sql_commit(&change, err);
}

static sat_status set_disabled(sat_mfa *mfa, const char *name, int64_t until,
                               const char *event, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    AUTO(sat__mfa_row) row = {.created = 0};
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_begin(mfa->db, &change, err));
    TRY(sat__mfa_find(mfa, name, &row, err));
    TRY(sat__sql_prepare(mfa->db, &stmt,
                         "UPDATE satchel_mfa SET disabled = ? WHERE id = ? AND "
                         "disabled IS NOT ?1",
                         err));
    (void)sqlite3_bind_int64(stmt, 1, until);
    (void)sqlite3_bind_text(stmt, 2, row.id, -1, SQLITE_STATIC);
    TRY(sat__sql_run(stmt, err));
    TRY(sat__audit_add(mfa->db, mfa->env, event, row.name, err));
    return sat__sql_commit(&change, err);
}

sat_status sat_mfa_disable(sat_mfa *mfa, const char *name, uint64_t for_ms,
                           sat_error *err)
{
    const int64_t now = mfa_now(mfa);

    if (for_ms > (uint64_t)(INT64_MAX - now))
        return sat__fail(err, SAT_ERR_INVALID, "this is too long a time");
    return set_disabled(mfa, name, for_ms == 0 ? -1 : now + (int64_t)for_ms,
                        SAT_EVENT_MFA_DISABLE, err);
}

sat_status sat_mfa_enable(sat_mfa *mfa, const char *name, sat_error *err)
{
    return set_disabled(mfa, name, 0, SAT_EVENT_MFA_ENABLE, err);
}

/* ---- listing ---- */

static sat_status tell(const sat_mfa *mfa, sqlite3_stmt *rows, sat_mfa_fn *each,
                       void *context, sat_error *err)
{
    AUTO(sat__mfa_row) row = {.created = 0};
    const char *const devices = (const char *)sqlite3_column_text(rows, 13);
    const int64_t verified = sqlite3_column_int64(rows, 10);

    if (!sat__mfa_read(rows, &row))
        return SAT_OK;
    const bool is_disabled = mfa_is_disabled(&row, mfa_now(mfa));
    const sat_mfa_entry entry = {
        .id = row.id,
        .name = row.name,
        .issuer = row.otpauth.issuer,
        .account = row.otpauth.account,
        .algorithm = sat__otpauth_algorithm(&row.otpauth),
        .digits = row.otpauth.digits,
        .period = row.otpauth.period,
        .status = is_disabled    ? "disabled"
                  : verified > 0 ? "verified"
                                 : "active",
        .disabled_until_ms =
            is_disabled && row.disabled > 0 ? (uint64_t)row.disabled : 0,
        .created_ms = (uint64_t)row.created,
        .verified_ms = (uint64_t)verified,
        .last_used_ms = (uint64_t)sqlite3_column_int64(rows, 11),
        .backup_codes = (unsigned)sqlite3_column_int(rows, 12),
        .devices = devices != NULL ? devices : "[]"};
    return each(&entry, context, err);
}

sat_status sat_mfa_list(sat_mfa *mfa, sat_mfa_fn *each, void *context,
                        sat_error *err)
{
    AUTO_STMT sqlite3_stmt *rows = NULL;

    TRY(sat__sql_prepare(
        mfa->db, &rows,
        "SELECT " SAT_MFA_COLUMNS
        ", (SELECT coalesce(min(verified), 0) FROM satchel_mfa_use AS u WHERE "
        "u.mfa = m.id AND verified > 0), (SELECT coalesce(max(used), 0) FROM "
        "satchel_mfa_use AS u WHERE u.mfa = m.id), (SELECT count(*) FROM "
        "satchel_mfa_backup AS b WHERE b.mfa = m.id AND used = 0), (SELECT "
        "json_group_array(device) FROM satchel_mfa_use AS u WHERE u.mfa = m.id)"
        " FROM satchel_mfa AS m ORDER BY name COLLATE NOCASE, id",
        err));
    while (NEXT_ROW(rows, err))
        TRY(tell(mfa, rows, each, context, err));
    return SAT_OK;
}
