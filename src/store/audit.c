/*
 * audit.c - events of this device, in a chain of hashes
 */
#include "store/audit.h"

#include <stdio.h>
#include <strings.h>

#include "base/cbor.h"
#include "base/sql.h"
#include "crypto/hash.h"
#include "store/vault.h"
#include "store/vault_db.h"

/* Every row but its hash. */
typedef struct entry {
    int64_t number, time;
    const char *event, *detail;
} entry;

static sat_status hash_entry(const entry *of,
                             const uint8_t before[SAT_SHA256_SIZE],
                             uint8_t out[SAT_SHA256_SIZE], sat_error *err)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;

    sat__buf_put(&text, before, SAT_SHA256_SIZE);
    sat__cbor_put_array(&text, 4);
    sat__cbor_put_int(&text, of->number);
    sat__cbor_put_int(&text, of->time);
    sat__cbor_put_str(&text, of->event);
    sat__cbor_put_str(&text, of->detail);
    TRY(sat__buf_status(&text, err));
    sat__sha256(buf_view(&text), out);
    return SAT_OK;
}

static sat_status make_table(sqlite3 *db, sat_error *err)
{
    return sat__sql_exec(db, err, "%s",
                         "CREATE TABLE IF NOT EXISTS sync_audit("
                         "number INTEGER PRIMARY KEY, time INTEGER NOT NULL, "
                         "event TEXT NOT NULL, detail TEXT NOT NULL, "
                         "hash BLOB NOT NULL)");
}

static bool is_event(const char *event)
{
    const size_t len = strspn(event, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

    return len > 0 && len <= SAT_AUDIT_EVENT_MAX && event[len] == '\0';
}

/* The end of the chain: its last number and hash; 0 and zeros at first. */
static sat_status read_end(sqlite3 *db, int64_t *number,
                           uint8_t hash[SAT_SHA256_SIZE], sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;

    *number = 0;
    memset(hash, 0, SAT_SHA256_SIZE);
    TRY(sat__sql_prepare(
        db, &stmt,
        "SELECT number, hash FROM sync_audit ORDER BY number DESC LIMIT 1",
        err));
    TRY(sat__sql_step(stmt, &row, err));
    if (!row)
        return SAT_OK;
    const sat_bytes last = sql_bytes(stmt, 1);
    if (last.len != SAT_SHA256_SIZE)
        return sat__fail(err, SAT_ERR_CORRUPT, "the list of events is damaged");
    *number = sqlite3_column_int64(stmt, 0);
    memcpy(hash, last.data, SAT_SHA256_SIZE);
    return SAT_OK;
}

static sat_status insert(sqlite3 *db, const entry *new_one,
                         const uint8_t hash[SAT_SHA256_SIZE], sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(db, &stmt,
                         "INSERT INTO sync_audit(number, time, event, detail, "
                         "hash) VALUES(?, ?, ?, ?, ?)",
                         err));
    (void)sqlite3_bind_int64(stmt, 1, new_one->number);
    (void)sqlite3_bind_int64(stmt, 2, new_one->time);
    (void)sqlite3_bind_text(stmt, 3, new_one->event, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 4, new_one->detail, -1, SQLITE_STATIC);
    sql_bind_bytes(stmt, 5, bytes_of(hash, SAT_SHA256_SIZE));
    return sat__sql_run(stmt, err);
}

/* Cuts where a character begins, and makes it one line. */
static void shorten(const char *detail, char out[SAT_AUDIT_DETAIL_MAX + 1])
{
    const int len = snprintf(out, SAT_AUDIT_DETAIL_MAX + 1, "%s", detail);
    size_t end = strlen(out);

    if (len > SAT_AUDIT_DETAIL_MAX)
        while (end > 0 && ((unsigned char)out[end - 1] & 0xc0) == 0x80)
            end--;
    if (len > SAT_AUDIT_DETAIL_MAX && end > 0 &&
        ((unsigned char)out[end - 1] & 0x80) != 0)
        end--;
    out[end] = '\0';
    for (size_t i = 0; i < end; i++)
        if ((unsigned char)out[i] < 0x20)
            out[i] = ' ';
}

sat_status sat__audit_add(sqlite3 *db, const sat_env *env, const char *event,
                          const char *detail, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    uint8_t before[SAT_SHA256_SIZE], hash[SAT_SHA256_SIZE];
    char line[SAT_AUDIT_DETAIL_MAX + 1];
    entry new_one = {.event = event, .detail = line};

    shorten(detail, line);
    TRY(sat__sql_begin(db, &change, err));
    TRY(make_table(db, err));
    TRY(read_end(db, &new_one.number, before, err));
    new_one.number++;
    new_one.time = (int64_t)env->wall(env->context);
    TRY(hash_entry(&new_one, before, hash, err));
    TRY(insert(db, &new_one, hash, err));
    return sat__sql_commit(&change, err);
}

sat_status sat_audit_add(sat_profile *profile, const char *event,
                         const char *detail, sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    const size_t len = strlen(detail);

    if (!is_event(event))
        return sat__fail(err, SAT_ERR_INVALID,
                         "the name of an event is 1 to %d of A-Z, 0-9 and _",
                         SAT_AUDIT_EVENT_MAX);
    if (len > SAT_AUDIT_DETAIL_MAX || strpbrk(detail, "\r\n") != NULL ||
        !sat__utf8_valid((const uint8_t *)detail, len))
        return sat__fail(err, SAT_ERR_INVALID,
                         "the detail of an event is a line of UTF-8 of at most "
                         "%d bytes",
                         SAT_AUDIT_DETAIL_MAX);
    TRY(sat__vault_open(profile, "account", 0, &db, err));
    return sat__audit_add(db, profile->env, event, detail, err);
}

/* ---- reading ---- */

static const char *text_of(sqlite3_stmt *row, int column)
{
    const char *const text = (const char *)sqlite3_column_text(row, column);

    return text != NULL ? text : "";
}

static entry describe(sqlite3_stmt *row)
{
    return (entry){sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
                   text_of(row, 2), text_of(row, 3)};
}

static sat_status verify(sqlite3 *db, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *rows = NULL;
    uint8_t hash[SAT_SHA256_SIZE] = {0};
    int64_t number = 0;

    TRY(sat__sql_prepare(db, &rows,
                         "SELECT number, time, event, detail, hash FROM "
                         "sync_audit ORDER BY number",
                         err));
    while (NEXT_ROW(rows, err)) {
        const entry at = describe(rows);
        TRY(hash_entry(&at, hash, hash, err));
        if (at.number != ++number ||
            !bytes_equal(sql_bytes(rows, 4), bytes_of(hash, sizeof hash)))
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "the list of events was changed by somebody: "
                             "entry %lld does not fit the one before it",
                             (long long)number);
    }
    return SAT_OK;
}

static bool occurs(const char *search, const entry *in)
{
    return search == NULL || strcasestr(in->event, search) != NULL ||
           strcasestr(in->detail, search) != NULL;
}

static sat_status list(sqlite3 *db, uint64_t since_ms, const char *search,
                       sat_audit_fn *each, void *context, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *rows = NULL;
    char hash[2 * SAT_SHA256_SIZE + 1];

    TRY(sat__sql_prepare(db, &rows,
                         "SELECT number, time, event, detail, hash FROM "
                         "sync_audit WHERE time >= ? ORDER BY number",
                         err));
    (void)sqlite3_bind_int64(rows, 1, (int64_t)since_ms);
    while (NEXT_ROW(rows, err)) {
        const entry at = describe(rows);
        if (!occurs(search, &at))
            continue;
        sat__hex_format(sql_bytes(rows, 4).data, SAT_SHA256_SIZE, hash);
        const sat_audit_entry told = {(uint64_t)at.number, (uint64_t)at.time,
                                      at.event, at.detail, hash};
        TRY(each(&told, context, err));
    }
    return SAT_OK;
}

sat_status sat_audit_list(sat_profile *profile, uint64_t since_ms,
                          const char *search, sat_audit_fn *each, void *context,
                          sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    AUTO(sat__sql_transaction) snapshot = {0};

    TRY(sat__vault_open(profile, "account", 0, &db, err));
    TRY(make_table(db, err));
    TRY(sat__sql_begin(db, &snapshot, err));
    TRY(verify(db, err));
    return list(db, since_ms, search, each, context, err);
}
