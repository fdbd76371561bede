/*
 * sqlite.c - one file; many readers, and one writer that commits for all
 *
 * Readers have a connection each, from a pool, and see the last commit. Writers
 * queue up for one thread, which runs whatever is there in one transaction, a
 * savepoint each, and syncs once: a hundred clients cost one fsync.
 */
#include "base/sql.h"
#include "hub/storage/storage.h"
#include "hub/trouble.h"

#define READERS_MAX 64
#define STATEMENTS_MAX 256 /* a power of two; by address of their text */
#define GROUP_MAX 512
#define LOCKED_MS 5000 /* how long another process may hold the file */

typedef struct connection {
    hub_db db; /* first: a hub_db is its connection */
    sqlite3 *sqlite;
    struct {
        const char *sql;
        sqlite3_stmt *stmt;
    } kept[STATEMENTS_MAX];
} connection;

typedef struct job {
    struct job *next;
    hub_work_fn *work;
    void *context;
    sat_error err;
    sat_status status;
    bool is_done;
} job;

typedef struct store {
    char *path;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    job *first, **last;               /* guarded by lock */
    bool is_stopping;                 /* guarded by lock */
    connection *readers[READERS_MAX]; /* guarded by lock: those at rest */
    size_t reader_count;              /* guarded by lock */
    connection *writer;
} store;

/* ---- connections ---- */

static void close_connection(connection *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        (void)sqlite3_finalize(c->kept[i].stmt);
    (void)sqlite3_close_v2(c->sqlite);
    free(c);
}

static void close_slot(connection **slot)
{
    close_connection(*slot);
}

#define AUTO_CONNECTION __attribute__((cleanup(close_slot))) connection *

static const hub_driver driver;

static sat_status open_connection(const char *path, connection **out,
                                  sat_error *err)
{
    AUTO_CONNECTION c = calloc(1, sizeof *c);

    if (c == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    c->db.driver = &driver;
    if (sqlite3_open_v2(path, &c->sqlite,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                            SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return sat__context(err, hub_trouble(sat__sql_fail(c->sqlite, err)),
                            "cannot open '%s'", path);
    (void)sqlite3_busy_timeout(c->sqlite, LOCKED_MS);
    TRY(hub_trouble(sat__sql_exec(c->sqlite, err,
                                  "PRAGMA journal_mode = WAL;"
                                  "PRAGMA synchronous = FULL;"
                                  "PRAGMA temp_store = MEMORY;"
                                  "PRAGMA cache_size = -8192;"
                                  "PRAGMA wal_autocheckpoint = 4000")));
    *out = TAKE(c);
    return SAT_OK;
}

/* ---- statements ---- */

static sat_status find_statement(connection *c, const char *sql,
                                 sqlite3_stmt **out, sat_error *err)
{
    size_t at = ((uintptr_t)sql >> 3) * 2654435761u % STATEMENTS_MAX;

    for (size_t i = 0; i < STATEMENTS_MAX && c->kept[at].sql != NULL; i++) {
        if (c->kept[at].sql == sql) {
            *out = c->kept[at].stmt;
            return SAT_OK;
        }
        at = (at + 1) % STATEMENTS_MAX;
    }
    if (c->kept[at].sql != NULL)
        return sat__fail(err, SAT_ERR_LIMIT, "too many statements");
    if (sqlite3_prepare_v3(c->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT,
                           &c->kept[at].stmt, NULL) != SQLITE_OK)
        return hub_trouble(sat__sql_fail(c->sqlite, err));
    c->kept[at].sql = sql;
    *out = c->kept[at].stmt;
    return SAT_OK;
}

static void bind(sqlite3_stmt *stmt, int at, const hub_value *value)
{
    switch (value->type) {
    case HUB_NULL:
        (void)sqlite3_bind_null(stmt, at);
        break;
    case HUB_INT:
        (void)sqlite3_bind_int64(stmt, at, value->integer);
        break;
    case HUB_BYTES:
        sql_bind_bytes(stmt, at, value->bytes);
        break;
    case HUB_TEXT:
        (void)sqlite3_bind_text64(stmt, at, (const char *)value->bytes.data,
                                  value->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
        break;
    }
}

static sat_status query(hub_db *db, const char *sql, const hub_value *values,
                        size_t count, hub_rows *rows, sat_error *err)
{
    connection *const c = (connection *)db;
    sqlite3_stmt *stmt;

    TRY(find_statement(c, sql, &stmt, err));
    for (size_t i = 0; i < count; i++)
        bind(stmt, (int)i + 1, &values[i]);
    *rows = (hub_rows){.db = db, .state = stmt};
    return SAT_OK;
}

static sat_status next(hub_rows *rows, bool *row, sat_error *err)
{
    TRY(hub_trouble(sat__sql_step(rows->state, row, err)));
    if (!*row)
        rows->changed = sqlite3_changes(((connection *)rows->db)->sqlite);
    return SAT_OK;
}

static void column(const hub_rows *rows, int at, hub_value *out)
{
    sqlite3_stmt *const stmt = rows->state;

    switch (sqlite3_column_type(stmt, at)) {
    case SQLITE_INTEGER:
        *out = (hub_value){.type = HUB_INT,
                           .integer = sqlite3_column_int64(stmt, at)};
        break;
    case SQLITE_TEXT: {
        const unsigned char *const text = sqlite3_column_text(stmt, at);
        *out = (hub_value){
            .type = HUB_TEXT,
            .bytes = {text, (size_t)sqlite3_column_bytes(stmt, at)}};
        break;
    }
    case SQLITE_BLOB:
        *out = (hub_value){.type = HUB_BYTES, .bytes = sql_bytes(stmt, at)};
        break;
    default:
        break;
    }
}

static void release(hub_rows *rows)
{
    (void)sqlite3_reset(rows->state);
    (void)sqlite3_clear_bindings(rows->state);
}

static const hub_driver driver = {query, next, column, release};

/* ---- readers ---- */

static connection *take_reader(store *s)
{
    SCOPED_LOCK(&s->lock);
    return s->reader_count > 0 ? s->readers[--s->reader_count] : NULL;
}

static void put_reader(store *s, connection *c)
{
    {
        SCOPED_LOCK(&s->lock);
        if (s->reader_count < READERS_MAX) {
            s->readers[s->reader_count++] = c;
            return;
        }
    }
    close_connection(c);
}

static sat_status read_all(void *self, hub_work_fn *work, void *context,
                           sat_error *err)
{
    store *const s = self;
    connection *c = take_reader(s);

    if (c == NULL)
        TRY(open_connection(s->path, &c, err));
    sat_status status = hub_exec(&c->db, NULL, err, "BEGIN", "");
    if (status == SAT_OK) {
        status = work(&c->db, context, err);
        const sat_status ended = hub_exec(&c->db, NULL, NULL, "COMMIT", "");
        if (ended != SAT_OK) {
            close_connection(c);
            return status;
        }
    }
    put_reader(s, c);
    return status;
}

/* ---- the writer ---- */

static job *take_jobs(store *s)
{
    SCOPED_LOCK(&s->lock);
    while (s->first == NULL && !s->is_stopping)
        (void)pthread_cond_wait(&s->work, &s->lock);
    job *const first = s->first;
    job *at = first;
    for (size_t i = 1; at != NULL && at->next != NULL && i < GROUP_MAX; i++)
        at = at->next;
    if (at == NULL)
        return NULL;
    s->first = at->next;
    if (s->first == NULL)
        s->last = &s->first;
    at->next = NULL;
    return first;
}

/* Runs one job so that it leaves all or nothing. */
static void run_job(connection *c, job *j)
{
    j->status = hub_exec(&c->db, NULL, &j->err, "SAVEPOINT job", "");
    if (j->status != SAT_OK)
        return;
    j->status = j->work(&c->db, j->context, &j->err);
    const char *const end =
        j->status == SAT_OK ? "RELEASE job" : "ROLLBACK TO job";
    const sat_status ended = hub_exec(&c->db, NULL, NULL, end, "");
    if (j->status != SAT_OK)
        (void)(hub_exec(&c->db, NULL, NULL, "RELEASE job", "") == SAT_OK);
    else if (ended != SAT_OK)
        j->status = hub_trouble(sat__sql_fail(c->sqlite, &j->err));
}

static sat_status run_group(connection *c, job *first, sat_error *err)
{
    TRY(hub_exec(&c->db, NULL, err, "BEGIN IMMEDIATE", ""));
    for (job *j = first; j != NULL; j = j->next)
        run_job(c, j);
    return hub_exec(&c->db, NULL, err, "COMMIT", "");
}

static void finish_group(store *s, job *first, sat_status status,
                         const sat_error *err)
{
    job *next;

    SCOPED_LOCK(&s->lock);
    for (job *j = first; j != NULL; j = next) {
        next = j->next;
        if (status != SAT_OK && j->status == SAT_OK) {
            j->status = status;
            j->err = *err;
        }
        j->is_done = true; /* it may be gone from here on */
    }
    (void)pthread_cond_broadcast(&s->done);
}

static void *write_on(void *context)
{
    store *const s = context;
    job *first;

    while ((first = take_jobs(s)) != NULL) {
        sat_error err = {0};
        const sat_status status = run_group(s->writer, first, &err);
        if (status != SAT_OK && sqlite3_get_autocommit(s->writer->sqlite) == 0)
            (void)(hub_exec(&s->writer->db, NULL, NULL, "ROLLBACK", "") ==
                   SAT_OK);
        finish_group(s, first, status, &err);
    }
    return NULL;
}

static sat_status write_one(void *self, hub_work_fn *work, void *context,
                            sat_error *err)
{
    store *const s = self;
    job j = {.work = work, .context = context};

    {
        SCOPED_LOCK(&s->lock);
        *s->last = &j;
        s->last = &j.next;
        (void)pthread_cond_signal(&s->work);
        while (!j.is_done)
            (void)pthread_cond_wait(&s->done, &s->lock);
    }
    if (err != NULL && j.status != SAT_OK)
        *err = j.err;
    return j.status;
}

/* ---- beginning and end ---- */

static void close_store(void *self)
{
    store *const s = self;

    {
        SCOPED_LOCK(&s->lock);
        s->is_stopping = true;
        (void)pthread_cond_signal(&s->work);
    }
    (void)pthread_join(s->thread, NULL);
    for (size_t i = 0; i < s->reader_count; i++)
        close_connection(s->readers[i]);
    close_connection(s->writer);
    (void)pthread_cond_destroy(&s->work);
    (void)pthread_cond_destroy(&s->done);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->path);
    free(s);
}

static sat_status make_tables(connection *c, sat_error *err)
{
    for (size_t i = 0; hub_schema[i] != NULL; i++)
        TRY(sat__sql_exec(c->sqlite, err, "%s", hub_schema[i]));
    return SAT_OK;
}

sat_status hub_storage_sqlite(const char *path, hub_storage *out,
                              sat_error *err)
{
    AUTO_CONNECTION writer = NULL;
    AUTO_FREE char *copy = strdup(path);
    AUTO_FREE store *s = calloc(1, sizeof *s);

    if (copy == NULL || s == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(open_connection(path, &writer, err));
    TRY(make_tables(writer, err));
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->work, NULL);
    (void)pthread_cond_init(&s->done, NULL);
    s->last = &s->first;
    s->path = copy;
    s->writer = writer;
    const int code = pthread_create(&s->thread, NULL, write_on, s);
    if (code != 0)
        return sat__fail_os(err, code, "no thread can be started");
    (void)TAKE(copy);
    (void)TAKE(writer);
    *out = (hub_storage){.self = TAKE(s),
                         .name = "sqlite",
                         .is_quick = true,
                         .read = read_all,
                         .write = write_one,
                         .close = close_store};
    return SAT_OK;
}
