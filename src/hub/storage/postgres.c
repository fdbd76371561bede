/*
 * postgres.c - PostgreSQL: a pool of connections, each with its statements
 *
 * Everything goes in binary. Writers run beside each other; those that meet on
 * a row wait for its lock, and what the server gives up to keep the order runs
 * again from the start.
 */
#include <endian.h>
#include <libpq-fe.h>
#include <stdio.h>

#include "hub/storage/storage.h"

#define POOL_MAX 32
#define STATEMENTS_MAX 256
#define PARAMETERS_MAX 16
#define TRIES_MAX 40
#define LOCK_NUMBER "7240117"
#define LOCKED_MS "5000" /* how long another may hold what a writer needs */
#define STATEMENT_MS "30000"
#define IDLE_MS "60000"

enum {
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25
};

typedef struct connection {
    hub_db db; /* first: a hub_db is its connection */
    PGconn *pg;
    const char *kept[STATEMENTS_MAX]; /* prepared as "s" and their place */
    bool must_retry;    /* the server gave up on the transaction */
    bool is_dead;       /* nothing comes over it any more */
    bool is_committing; /* whether that has happened may not be known */
} connection;

typedef struct store {
    char *address;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    connection *idle[POOL_MAX]; /* guarded by lock */
    size_t idle_count;          /* guarded by lock */
    size_t count;               /* guarded by lock: of all that are open */
} store;

/* ---- failures ---- */

static sat_status status_of(const char *state)
{
    if (state == NULL)
        return SAT_ERR_OFFLINE;
    if (strcmp(state, "53100") == 0)
        return SAT_ERR_FULL;
    return strncmp(state, "53", 2) == 0 || strncmp(state, "57", 2) == 0 ||
                   strncmp(state, "08", 2) == 0 || strcmp(state, "55P03") == 0
               ? SAT_ERR_BUSY
               : SAT_ERR_IO;
}

/* Messages of the server may quote values: its code says enough. */
static sat_status fail_result(connection *c, const PGresult *result,
                              sat_error *err)
{
    const char *const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    /* It gave up to keep the order, or another writer came first with what was
     * looked for and not there yet. */
    c->must_retry = state != NULL && (strcmp(state, "40001") == 0 ||
                                      strcmp(state, "40P01") == 0 ||
                                      strcmp(state, "23505") == 0);
    c->is_dead |= state == NULL || strncmp(state, "57P", 3) == 0;
    return sat__fail(err, status_of(state), "PostgreSQL says %s",
                     state != NULL ? state : "nothing any more");
}

static void result_clear(PGresult **slot)
{
    PQclear(*slot);
}

#define AUTO_RESULT __attribute__((cleanup(result_clear))) PGresult *

static sat_status run_plain(connection *c, const char *sql, sat_error *err)
{
    AUTO_RESULT result = PQexec(c->pg, sql);
    const ExecStatusType got = PQresultStatus(result);

    return got == PGRES_COMMAND_OK || got == PGRES_TUPLES_OK
               ? SAT_OK
               : fail_result(c, result, err);
}

/* ---- connections ---- */

static void close_connection(connection *c)
{
    if (c == NULL)
        return;
    PQfinish(c->pg);
    free(c);
}

static const hub_driver driver;

static void close_slot(connection **slot)
{
    close_connection(*slot);
}

#define AUTO_CONNECTION __attribute__((cleanup(close_slot))) connection *

static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

static sat_status open_connection(const char *address, connection **out,
                                  sat_error *err)
{
    AUTO_CONNECTION c = calloc(1, sizeof *c);

    if (c == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    c->db.driver = &driver;
    /* What the address says comes later, and counts. */
    const char *const names[] = {"connect_timeout", "tcp_user_timeout",
                                 "keepalives_idle", "options",
                                 "dbname",          NULL};
    const char *const values[] = {
        "5",
        "10000",
        "10",
        "-c lock_timeout=" LOCKED_MS " -c statement_timeout=" STATEMENT_MS
        " -c idle_in_transaction_session_timeout=" IDLE_MS,
        address,
        NULL};
    c->pg = PQconnectdbParams(names, values, 1);
    if (PQstatus(c->pg) != CONNECTION_OK)
        return sat__fail(err, SAT_ERR_OFFLINE,
                         "PostgreSQL can not be reached: is it running, and is "
                         "the address right?");
    (void)PQsetNoticeReceiver(c->pg, ignore_notice, NULL);
    *out = TAKE(c);
    return SAT_OK;
}

/* A connection at rest, a new one, or the next that is given back. */
static sat_status take_connection(store *s, connection **out, sat_error *err)
{
    {
        SCOPED_LOCK(&s->lock);
        while (s->idle_count == 0 && s->count == POOL_MAX)
            (void)pthread_cond_wait(&s->freed, &s->lock);
        if (s->idle_count > 0) {
            *out = s->idle[--s->idle_count];
            return SAT_OK;
        }
        s->count++;
    }
    const sat_status status = open_connection(s->address, out, err);
    if (status != SAT_OK) {
        SCOPED_LOCK(&s->lock);
        s->count--;
        (void)pthread_cond_signal(&s->freed);
    }
    return status;
}

static void give_back(store *s, connection *c)
{
    const bool is_good = PQstatus(c->pg) == CONNECTION_OK && !c->is_dead &&
                         PQtransactionStatus(c->pg) == PQTRANS_IDLE;

    if (!is_good)
        close_connection(c);
    SCOPED_LOCK(&s->lock);
    if (is_good)
        s->idle[s->idle_count++] = c;
    else
        s->count--;
    (void)pthread_cond_signal(&s->freed);
}

/* ---- statements ---- */

/* "FOR UPDATE" in the place of HUB_LOCK. */
static void translate(const char *sql, sat_buf *out)
{
    const char *const mark = strstr(sql, HUB_LOCK);

    if (mark == NULL) {
        sat__buf_put_text(out, sql);
        return;
    }
    sat__buf_put(out, sql, (size_t)(mark - sql));
    sat__buf_put_text(out, "FOR UPDATE");
    sat__buf_put_text(out, mark + strlen(HUB_LOCK));
}

static Oid type_of(const hub_value *value)
{
    switch (value->type) {
    case HUB_INT:
        return OID_INT8;
    case HUB_BYTES:
        return OID_BYTEA;
    case HUB_TEXT:
        return OID_TEXT;
    default:
        return 0;
    }
}

static sat_status prepare(connection *c, const char *name, const char *sql,
                          const hub_value *values, size_t count, sat_error *err)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    Oid types[PARAMETERS_MAX];

    for (size_t i = 0; i < count; i++)
        types[i] = type_of(&values[i]);
    translate(sql, &text);
    TRY(sat__buf_status(&text, err));
    AUTO_RESULT result =
        PQprepare(c->pg, name, sat__buf_text(&text), (int)count, types);
    return PQresultStatus(result) == PGRES_COMMAND_OK
               ? SAT_OK
               : fail_result(c, result, err);
}

static sat_status find_statement(connection *c, const char *sql,
                                 const hub_value *values, size_t count,
                                 char name[16], sat_error *err)
{
    size_t at = ((uintptr_t)sql >> 3) * 2654435761u % STATEMENTS_MAX;

    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        (void)snprintf(name, 16, "s%zu", at);
        if (c->kept[at] == sql)
            return SAT_OK;
        if (c->kept[at] == NULL) {
            TRY(prepare(c, name, sql, values, count, err));
            c->kept[at] = sql;
            return SAT_OK;
        }
        at = (at + 1) % STATEMENTS_MAX;
    }
    return sat__fail(err, SAT_ERR_LIMIT, "too many statements");
}

static sat_status query(hub_db *db, const char *sql, const hub_value *values,
                        size_t count, hub_rows *rows, sat_error *err)
{
    connection *const c = (connection *)db;
    const char *data[PARAMETERS_MAX];
    int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];
    uint64_t integers[PARAMETERS_MAX];
    char name[16];

    TRY(find_statement(c, sql, values, count, name, err));
    for (size_t i = 0; i < count; i++) {
        const hub_value *const value = &values[i];
        integers[i] = htobe64((uint64_t)value->integer);
        formats[i] = 1;
        lengths[i] = value->type == HUB_INT ? 8 : (int)value->bytes.len;
        data[i] = value->type == HUB_NULL  ? NULL
                  : value->type == HUB_INT ? (const char *)&integers[i]
                                           : (const char *)value->bytes.data;
    }
    AUTO_RESULT result =
        PQexecPrepared(c->pg, name, (int)count, data, lengths, formats, 1);
    const ExecStatusType got = PQresultStatus(result);
    if (got != PGRES_TUPLES_OK && got != PGRES_COMMAND_OK)
        return fail_result(c, result, err);
    *rows = (hub_rows){
        .db = db, .at = -1, .changed = strtoll(PQcmdTuples(result), NULL, 10)};
    rows->state = TAKE(result);
    return SAT_OK;
}

static sat_status next(hub_rows *rows, bool *row, sat_error *err)
{
    (void)err;
    *row = ++rows->at < PQntuples(rows->state);
    return SAT_OK;
}

static int64_t read_int(const uint8_t *data, int len)
{
    int64_t value = len > 0 && (data[0] & 0x80) != 0 ? -1 : 0;

    for (int i = 0; i < len; i++)
        value = (int64_t)((uint64_t)value << 8 | data[i]);
    return value;
}

static void column(const hub_rows *rows, int at, hub_value *out)
{
    const PGresult *const result = rows->state;
    const int row = (int)rows->at, len = PQgetlength(result, row, at);
    const uint8_t *const data = (const uint8_t *)PQgetvalue(result, row, at);

    if (PQgetisnull(result, row, at))
        return;
    switch (PQftype(result, at)) {
    case OID_INT8:
    case OID_INT4:
    case OID_INT2:
        *out = (hub_value){.type = HUB_INT, .integer = read_int(data, len)};
        break;
    case OID_BYTEA:
        *out = (hub_value){.type = HUB_BYTES, .bytes = {data, (size_t)len}};
        break;
    default:
        *out = (hub_value){.type = HUB_TEXT, .bytes = {data, (size_t)len}};
    }
}

static void release(hub_rows *rows)
{
    PQclear(rows->state);
}

static const hub_driver driver = {query, next, column, release};

/* ---- work ---- */

static sat_status run_once(connection *c, const char *begin, hub_work_fn *work,
                           void *context, sat_error *err)
{
    c->must_retry = c->is_committing = false;
    TRY(run_plain(c, begin, err));
    const sat_status status = work(&c->db, context, err);
    if (status == SAT_OK) {
        c->is_committing = true;
        return run_plain(c, "COMMIT", err);
    }
    const bool must_retry = c->must_retry;
    (void)(run_plain(c, "ROLLBACK", NULL) == SAT_OK);
    c->must_retry = must_retry;
    return status;
}

static sat_status run_work(store *s, const char *begin, hub_work_fn *work,
                           void *context, sat_error *err)
{
    sat_status status = SAT_ERR_BUSY;
    connection *c;

    for (int i = 0; i < TRIES_MAX; i++) {
        TRY(take_connection(s, &c, err));
        status = run_once(c, begin, work, context, err);
        /* Connections that rested may be dead; a commit that was cut may have
         * been, so only what had not begun to commit goes again by itself. */
        const bool is_lost = (PQstatus(c->pg) != CONNECTION_OK || c->is_dead) &&
                             !c->is_committing;
        const bool must_retry = status != SAT_OK && c->must_retry;
        give_back(s, c);
        if (!must_retry && !is_lost)
            return status;
    }
    return status;
}

static sat_status read_all(void *self, hub_work_fn *work, void *context,
                           sat_error *err)
{
    return run_work(self, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                    work, context, err);
}

static sat_status write_one(void *self, hub_work_fn *work, void *context,
                            sat_error *err)
{
    return run_work(self, "BEGIN", work, context, err);
}

/* ---- beginning and end ---- */

static void close_store(void *self)
{
    store *const s = self;

    for (size_t i = 0; i < s->idle_count; i++)
        close_connection(s->idle[i]);
    (void)pthread_cond_destroy(&s->freed);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->address);
    free(s);
}

/* Nodes that start at once make the tables one after the other. */
static sat_status make_tables(connection *c, sat_error *err)
{
    TRY(run_plain(c, "BEGIN", err));
    TRY(run_plain(c, "SELECT pg_advisory_xact_lock(" LOCK_NUMBER ")", err));
    for (size_t i = 0; hub_schema[i] != NULL; i++)
        TRY(run_plain(c, hub_schema[i], err));
    return run_plain(c, "COMMIT", err);
}

sat_status hub_storage_postgres(const char *address, hub_storage *out,
                                sat_error *err)
{
    AUTO_CONNECTION first = NULL;
    AUTO_FREE char *copy = strdup(address);
    AUTO_FREE store *s = calloc(1, sizeof *s);

    if (copy == NULL || s == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(open_connection(address, &first, err));
    TRY(make_tables(first, err));
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->freed, NULL);
    s->address = TAKE(copy);
    s->idle[0] = TAKE(first);
    s->idle_count = s->count = 1;
    *out = (hub_storage){.self = TAKE(s),
                         .name = "postgresql",
                         .read = read_all,
                         .write = write_one,
                         .close = close_store};
    return SAT_OK;
}
