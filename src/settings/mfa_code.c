/*
 * mfa_code.c - giving codes, and verifying each of them once
 */
#include <sodium.h>
#include <stdio.h>

#include "crypto/base32.h"
#include "crypto/totp.h"
#include "settings/account.h"
#include "settings/mfa.h"
#include "store/audit.h"

#define DRIFT 1              /* periods before and after now that count too */
#define SEARCH_MS 86400000LL /* how far a wrong clock is looked for */
#define BACKUP_BYTES 7       /* of randomness in a backup code */
#define BACKUP_GROUP 4       /* characters between hyphens */

static int64_t counter_at(const sat__mfa_row *row, int64_t ms)
{
    return ms / 1000 / (int64_t)row->otpauth.period;
}

static void code_at(const sat__mfa_row *row, int64_t counter,
                    char out[SAT_MFA_CODE_SIZE])
{
    const sat__otpauth *const o = &row->otpauth;

    sat__hotp(o->hash, bytes_of(o->secret, o->secret_size), (uint64_t)counter,
              o->digits, out);
}

sat_status sat_mfa_code(sat_mfa *mfa, const char *name,
                        char code[SAT_MFA_CODE_SIZE], uint64_t *left_ms,
                        sat_error *err)
{
    AUTO(sat__mfa_row) row = {.created = 0};
    const int64_t now = mfa_now(mfa);

    TRY(sat__mfa_find_enabled(mfa, name, &row, err));
    const int64_t period_ms = (int64_t)row.otpauth.period * 1000;
    code_at(&row, counter_at(&row, now), code);
    *left_ms = (uint64_t)(period_ms - now % period_ms);
    return SAT_OK;
}

/* ---- verifying ---- */

static bool is_code_at(const sat__mfa_row *row, int64_t counter,
                       const char *code)
{
    char right[SAT_MFA_CODE_SIZE];

    if (counter < 0)
        return false;
    code_at(row, counter, right);
    return sodium_memcmp(right, code, row->otpauth.digits) == 0;
}

/* The last code that any device took, as far as we heard. */
static sat_status last_counter(sat_mfa *mfa, const char *id, int64_t *out,
                               sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;

    TRY(sat__sql_prepare(mfa->db, &stmt,
                         "SELECT coalesce(max(counter), -1) FROM "
                         "satchel_mfa_use WHERE mfa = ?",
                         err));
    (void)sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    *out = sqlite3_column_int64(stmt, 0);
    return SAT_OK;
}

/* Notes in this device's row that a code was right; `counter` -1 for a backup
 * code. */
static sat_status note_use(sat_mfa *mfa, const char *id, int64_t counter,
                           sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    char device[2 * SAT_DEVICE_ID_SIZE + 1];

    sat__hex_format(sat_profile_device_id(mfa->profile), SAT_DEVICE_ID_SIZE,
                    device);
    TRY(sat__sql_prepare(
        mfa->db, &stmt,
        "INSERT INTO satchel_mfa_use(id, mfa, device, counter, verified, used) "
        "VALUES(?1 || ':' || ?2, ?1, ?2, ?3, ?4, ?4) ON CONFLICT(id) DO UPDATE "
        "SET counter = max(counter, ?3), used = ?4, verified = "
        "iif(verified = 0, ?4, verified)",
        err));
    (void)sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, device, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 3, counter);
    (void)sqlite3_bind_int64(stmt, 4, mfa_now(mfa));
    return sat__sql_run(stmt, err);
}

/* Says by how much a clock is wrong, where the code is right at another time
 * of the day. */
static sat_status refuse(const sat_mfa *mfa, const sat__mfa_row *row,
                         const char *code, sat_error *err)
{
    const int64_t now = counter_at(row, mfa_now(mfa));
    const int64_t reach = SEARCH_MS / 1000 / (int64_t)row->otpauth.period;

    for (int64_t by = DRIFT + 1; by <= reach; by++)
        for (int sign = -1; sign <= 1; sign += 2)
            if (is_code_at(row, now + sign * by, code))
                return sat__fail(
                    err, SAT_ERR_AUTH,
                    "the code is one of about %lld minutes %s: a clock is "
                    "wrong, here or where the code came from",
                    (long long)(by * (int64_t)row->otpauth.period + 30) / 60,
                    sign < 0 ? "ago" : "from now");
    return sat__fail(err, SAT_ERR_AUTH, "the code is not right");
}

static sat_status take_code(sat_mfa *mfa, const sat__mfa_row *row,
                            const char *code, sat_error *err)
{
    const int64_t now = counter_at(row, mfa_now(mfa));
    int64_t last;

    TRY(last_counter(mfa, row->id, &last, err));
    for (int64_t counter = now - DRIFT; counter <= now + DRIFT; counter++) {
        if (!is_code_at(row, counter, code))
            continue;
        if (counter <= last)
            return sat__fail(err, SAT_ERR_AUTH,
                             "the code was used already; wait for the next");
        return note_use(mfa, row->id, counter, err);
    }
    return refuse(mfa, row, code, err);
}

/* ---- backup codes ---- */

static void hash_backup(const char *id, sat_bytes code,
                        uint8_t out[SAT_SHA256_SIZE])
{
    sat__hmac(SAT_SHA256, bytes_of(id, strlen(id)), code, out);
}

static sat_status take_backup(sat_mfa *mfa, const sat__mfa_row *row,
                              const char *code, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *rows = NULL, *use = NULL;
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    uint8_t hash[SAT_SHA256_SIZE];

    if (sat__base32_parse(SAT_BASE32_CROCKFORD, bytes_of(code, strlen(code)),
                          &bytes, NULL) != SAT_OK ||
        bytes.len != BACKUP_BYTES)
        return sat__fail(err, SAT_ERR_AUTH, "the code is not right");
    TRY(sat__sql_prepare(mfa->db, &rows,
                         "SELECT id, hash, used FROM satchel_mfa_backup WHERE "
                         "mfa = ?",
                         err));
    (void)sqlite3_bind_text(rows, 1, row->id, -1, SQLITE_STATIC);
    while (NEXT_ROW(rows, err)) {
        const char *const id = (const char *)sqlite3_column_text(rows, 0);
        hash_backup(id, buf_view(&bytes), hash);
        if (!bytes_equal(sql_bytes(rows, 1), bytes_of(hash, sizeof hash)))
            continue;
        if (sqlite3_column_int64(rows, 2) != 0)
            return sat__fail(err, SAT_ERR_AUTH,
                             "the backup code was used already");
        TRY(sat__sql_prepare(
            mfa->db, &use,
            "UPDATE satchel_mfa_backup SET used = ? WHERE id = ?", err));
        (void)sqlite3_bind_int64(use, 1, mfa_now(mfa));
        (void)sqlite3_bind_text(use, 2, id, -1, SQLITE_TRANSIENT);
        TRY(sat__sql_run(use, err));
        return note_use(mfa, row->id, -1, err);
    }
    return sat__fail(err, SAT_ERR_AUTH, "the code is not right");
}

static bool is_digits(const char *code, unsigned digits)
{
    return strspn(code, "0123456789") == digits && code[digits] == '\0';
}

static sat_status verify(sat_mfa *mfa, const sat__mfa_row *row,
                         const char *code, sat_error *err)
{
    if (is_digits(code, row->otpauth.digits))
        return take_code(mfa, row, code, err);
    return take_backup(mfa, row, code, err);
}

sat_status sat_mfa_verify(sat_mfa *mfa, const char *name, const char *code,
                          sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    AUTO(sat__mfa_row) row = {.created = 0};

    TRY(sat__sql_begin(mfa->db, &change, err));
    TRY(sat__mfa_find_enabled(mfa, name, &row, err));
    const sat_status st = verify(mfa, &row, code, err);
    if (st != SAT_OK && st != SAT_ERR_AUTH)
        return st;
    TRY(sat__audit_add(mfa->db, mfa->env,
                       st == SAT_OK ? SAT_EVENT_MFA_SUCCESS
                                    : SAT_EVENT_MFA_FAILURE,
                       row.name, st == SAT_OK ? err : NULL));
    TRY(sat__sql_commit(&change, st == SAT_OK ? err : NULL));
    return st;
}

static sat_status insert_backup(sat_mfa *mfa, const char *mfa_id,
                                char out[SAT_MFA_BACKUP_SIZE], sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    uint8_t code[BACKUP_BYTES], hash[SAT_SHA256_SIZE];
    char id[33], text[SAT_BASE32_LENGTH(BACKUP_BYTES) + 1];

    mfa->env->random(mfa->env->context, code, sizeof code);
    sat__account_id(mfa->env, id);
    hash_backup(id, bytes_of(code, sizeof code), hash);
    sat__base32_format(SAT_BASE32_CROCKFORD, bytes_of(code, sizeof code), text);
    (void)snprintf(out, SAT_MFA_BACKUP_SIZE, "%.4s-%.4s-%.4s", text,
                   text + BACKUP_GROUP, text + (size_t)2 * BACKUP_GROUP);
    sodium_memzero(code, sizeof code);
    sodium_memzero(text, sizeof text);
    TRY(sat__sql_prepare(mfa->db, &stmt,
                         "INSERT INTO satchel_mfa_backup(id, mfa, hash, used) "
                         "VALUES(?, ?, ?, 0)",
                         err));
    (void)sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, mfa_id, -1, SQLITE_STATIC);
    sql_bind_bytes(stmt, 3, bytes_of(hash, sizeof hash));
    return sat__sql_run(stmt, err);
}

sat_status sat_mfa_backup_codes(
    sat_mfa *mfa, const char *name,
    char codes[SAT_MFA_BACKUP_CODES][SAT_MFA_BACKUP_SIZE], sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    AUTO(sat__mfa_row) row = {.created = 0};
    AUTO_STMT sqlite3_stmt *clear = NULL;

    TRY(sat__sql_begin(mfa->db, &change, err));
    TRY(sat__mfa_find(mfa, name, &row, err));
    TRY(sat__sql_prepare(mfa->db, &clear,
                         "DELETE FROM satchel_mfa_backup WHERE mfa = ?", err));
    (void)sqlite3_bind_text(clear, 1, row.id, -1, SQLITE_STATIC);
    TRY(sat__sql_run(clear, err));
    for (int i = 0; i < SAT_MFA_BACKUP_CODES; i++)
        TRY(insert_backup(mfa, row.id, codes[i], err));
    TRY(sat__audit_add(mfa->db, mfa->env, SAT_EVENT_MFA_CODES, row.name, err));
    return sat__sql_commit(&change, err);
}
