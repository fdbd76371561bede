/*
 * admin.c - lists from the storage of a hub
 *
 * Each is one query and what its columns are; `$1` is the address of the one
 * account that is asked for, or empty, and `$2` how many rows at most.
 */
#include "hub/admin.h"

#include <stdio.h>
#include <time.h>

#include "hub/factor.h"
#include "hub/out.h"

#define COLUMNS_MAX 12

typedef enum kind { TEXT, NUMBER, TIME, ID, YES, STATE } kind;

typedef struct column {
    const char *name;
    kind kind;
} column;

typedef struct list {
    const char *name, *sql;
    column columns[COLUMNS_MAX]; /* ends with a NULL name */
    bool is_one;                 /* one row: an object instead of a list */
} list;

#define OF_EMAIL " WHERE ($1 = '' OR a.email = $1)"

static const list lists[] = {
    {"users",
     "SELECT a.email, a.id, a.created, (SELECT MAX(s.seen) FROM sessions s"
     " WHERE s.account = a.id), (SELECT COUNT(*) FROM devices d WHERE"
     " d.account = a.id AND d.kind = 1 AND d.removed IS NULL),"
     " (SELECT COUNT(*) FROM members m JOIN vaults v ON v.id = m.vault WHERE"
     " m.account = a.id AND m.standing = 3 AND v.deleted IS NULL), a.used,"
     " CASE WHEN a.totp = 2 THEN 1 ELSE 0 END FROM accounts a" OF_EMAIL
     " ORDER BY a.created, a.id LIMIT $2",
     {{"email", TEXT},
      {"account_id", ID},
      {"created_at", TIME},
      {"seen_at", TIME},
      {"devices", NUMBER},
      {"vaults", NUMBER},
      {"bytes", NUMBER},
      {"login_factor", YES}},
     false},
    {"mfa",
     "SELECT a.email, m.id, m.state, m.created, m.verified, m.used,"
     " d.device, n.name, m.reported FROM mfa_entries m JOIN accounts a"
     " ON a.id = m.account LEFT JOIN mfa_devices d ON d.account = m.account"
     " AND d.entry = m.id LEFT JOIN devices n ON n.account = d.account"
     " AND n.id = d.device" OF_EMAIL
     " ORDER BY a.email, m.created, m.id, d.device LIMIT $2",
     {{"email", TEXT},
      {"id", ID},
      {"state", STATE},
      {"created_at", TIME},
      {"verified_at", TIME},
      {"used_at", TIME},
      {"device_id", ID},
      {"device_name", TEXT},
      {"reported_at", TIME}},
     false},
    {"audit",
     "SELECT u.time, a.email, u.n, u.event, u.detail, u.hash FROM audit u"
     " JOIN accounts a ON a.id = u.account" OF_EMAIL
     " ORDER BY u.time DESC, u.n DESC LIMIT $2",
     {{"time", TIME},
      {"email", TEXT},
      {"n", NUMBER},
      {"event", TEXT},
      {"detail", TEXT},
      {"hash", ID}},
     false},
    {"sessions",
     "SELECT a.email, s.name, s.device, s.id, s.created, s.seen FROM"
     " sessions s JOIN accounts a ON a.id = s.account" OF_EMAIL
     " AND s.ended IS NULL ORDER BY s.seen DESC, s.id LIMIT $2",
     {{"email", TEXT},
      {"device_name", TEXT},
      {"device_id", ID},
      {"id", ID},
      {"created_at", TIME},
      {"seen_at", TIME}},
     false},
    {"stats",
     "SELECT (SELECT COUNT(*) FROM accounts WHERE $1 = '' AND $2 > 0),"
     " (SELECT COUNT(*) FROM devices WHERE kind = 1 AND removed IS NULL),"
     " (SELECT COUNT(*) FROM sessions WHERE ended IS NULL),"
     " (SELECT COUNT(*) FROM vaults WHERE deleted IS NULL),"
     " (SELECT COUNT(*) FROM items WHERE deleted = 0),"
     " (SELECT COUNT(*) FROM versions), (SELECT COUNT(*) FROM blobs),"
     " (SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM blobs),"
     " (SELECT COUNT(*) FROM backups), (SELECT COUNT(*) FROM transfers),"
     " (SELECT CAST(COALESCE(SUM(used), 0) AS BIGINT) FROM accounts)",
     {{"accounts", NUMBER},
      {"devices", NUMBER},
      {"sessions", NUMBER},
      {"vaults", NUMBER},
      {"items", NUMBER},
      {"versions", NUMBER},
      {"blobs", NUMBER},
      {"blob_bytes", NUMBER},
      {"backups", NUMBER},
      {"transfers", NUMBER},
      {"bytes", NUMBER}},
     true},
};

/* ---- JSON ---- */

static void write_value(const hub_rows *rows, int at, kind as, hub_out *out)
{
    const sat_bytes bytes = hub_bytes(rows, at);

    switch (as) {
    case TEXT:
        hub_out_text(out, hub_text(rows, at));
        break;
    case NUMBER:
    case TIME:
        hub_out_int(out, hub_int(rows, at));
        break;
    case YES:
        hub_out_bool(out, hub_int(rows, at) != 0);
        break;
    case STATE:
        hub_out_text(out, hub_mfa_state_name(hub_int(rows, at)));
        break;
    case ID:
        if (bytes.len == 0)
            hub_out_null(out);
        else
            hub_out_id(out, bytes.data, bytes.len);
        break;
    }
}

static void write_row(const list *of, const hub_rows *rows, hub_out *out)
{
    hub_out_map(out, 0);
    for (int i = 0; of->columns[i].name != NULL; i++) {
        hub_out_key(out, of->columns[i].name);
        write_value(rows, i, of->columns[i].kind, out);
    }
    hub_out_end(out);
}

/* ---- a table ---- */

static void print_time(int64_t ms, sat_buf *out)
{
    const time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    char text[40];

    if (ms == 0 || gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        sat__buf_put_text(out, "-");
    else
        sat__buf_put_text(out, text);
}

static void print_value(const hub_rows *rows, int at, kind as, sat_buf *out)
{
    const sat_bytes bytes = hub_bytes(rows, at);
    char hex[17] = "-";

    switch (as) {
    case TEXT:
        sat__buf_put_text(out, bytes.len > 0 ? hub_text(rows, at) : "-");
        break;
    case NUMBER:
        sat__buf_printf(out, "%lld", (long long)hub_int(rows, at));
        break;
    case TIME:
        print_time(hub_int(rows, at), out);
        break;
    case YES:
        sat__buf_put_text(out, hub_int(rows, at) != 0 ? "yes" : "no");
        break;
    case STATE:
        sat__buf_put_text(out, hub_mfa_state_name(hub_int(rows, at)));
        break;
    case ID: /* as much as tells it from others */
        if (bytes.len > 0)
            sat__hex_format(bytes.data, bytes.len < 8 ? bytes.len : 8, hex);
        sat__buf_put_text(out, hex);
        break;
    }
}

static void print_row(const list *of, const hub_rows *rows, sat_buf *out)
{
    for (int i = 0; of->columns[i].name != NULL; i++) {
        if (of->is_one)
            sat__buf_printf(out, "%s\t", of->columns[i].name);
        print_value(rows, i, of->columns[i].kind, out);
        const bool is_last = of->columns[i + 1].name == NULL;
        sat__buf_put_byte(out, of->is_one || is_last ? '\n' : '\t');
    }
}

static void print_heading(const list *of, sat_buf *out)
{
    for (int i = 0; !of->is_one && of->columns[i].name != NULL; i++)
        sat__buf_printf(out, "%s%c", of->columns[i].name,
                        of->columns[i + 1].name == NULL ? '\n' : '\t');
}

/* ---- the work ---- */

typedef struct asking {
    const list *of;
    const hub_admin_options *options;
    sat_buf *out;
} asking;

static sat_status read_list(hub_db *db, void *context, sat_error *err)
{
    const asking *const a = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    hub_out out = {.buf = a->out, .is_json = true};

    a->out->len = 0;
    TRY(hub_query(db, &rows, err, a->of->sql, "ti",
                  a->options->email != NULL ? a->options->email : "",
                  a->options->limit));
    if (!a->options->is_json)
        print_heading(a->of, a->out);
    else if (!a->of->is_one)
        hub_out_array(&out, 0);
    while (HUB_NEXT(&rows, err))
        if (a->options->is_json)
            write_row(a->of, &rows, &out);
        else
            print_row(a->of, &rows, a->out);
    if (a->options->is_json) {
        if (!a->of->is_one)
            hub_out_end(&out);
        sat__buf_put_byte(a->out, '\n');
    }
    return sat__buf_status(a->out, err);
}

sat_status hub_admin_list(const hub_storage *storage, const char *what,
                          const hub_admin_options *options, sat_buf *out,
                          sat_error *err)
{
    asking a = {.options = options, .out = out};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp(lists[i].name, what) == 0)
            a.of = &lists[i];
    if (a.of == NULL)
        return sat__fail(err, SAT_ERR_INVALID,
                         "there is nothing called '%s'; it is users, mfa, "
                         "audit, sessions, stats or token",
                         what);
    return storage->read(storage->self, read_list, &a, err);
}
