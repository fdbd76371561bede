/*
 * storage.h - where a hub keeps what it knows
 *
 * Work on a storage is a function that is given a database for as long as it
 * runs. The SQL is one for all of them, in the words that SQLite and PostgreSQL
 * share: BIGINT, BYTEA and TEXT; $1, $2 in the order in which they first
 * appear; ON CONFLICT; and "FOR UPDATE" written as HUB_LOCK, which is nothing
 * where writers come one after the other anyway. A statement's text is a
 * literal, and is known by its address.
 *
 *      static sat_status find(hub_db *db, void *context, sat_error *err)
 *      {
 *          AUTO(hub_rows) rows = HUB_ROWS_INIT;
 *          TRY(hub_query(db, &rows, err,
 *                        "SELECT sequence FROM vaults WHERE id = $1", "b",
 * id)); while (HUB_NEXT(&rows, err)) … hub_int(&rows, 0) …
 *      }
 */
#ifndef SAT_SRC_HUB_STORAGE_STORAGE_H
#define SAT_SRC_HUB_STORAGE_STORAGE_H

#include "base/buf.h"
#include "base/error.h"

#define HUB_LOCK "/*lock*/"

typedef struct hub_db hub_db;

typedef sat_status hub_work_fn(hub_db *db, void *context, sat_error *err);

/* All calls may come from any thread. What goes wrong in the storage itself is
 * one of the statuses of hub_trouble(); any other is of the work. */
typedef struct hub_storage {
    void *self;
    const char *name; /* "sqlite", "postgresql" */
    bool is_quick;    /* reading blocks no longer than a disk does */
    /* Runs `work` on one state of everything; it changes nothing. */
    sat_status (*read)(void *self, hub_work_fn *work, void *context,
                       sat_error *err);
    /* Runs `work`; what it wrote is there, and survives a power cut, once this
     * has returned SAT_OK, and never happened otherwise. It may run again from
     * the start. Those of many threads may share one commit. */
    sat_status (*write)(void *self, hub_work_fn *work, void *context,
                        sat_error *err);
    void (*close)(void *self);
} hub_storage;

/* One file; made where it is not there. */
SAT_CHECK sat_status hub_storage_sqlite(const char *path, hub_storage *out,
                                        sat_error *err);

/* "postgresql://…" or what else libpq takes. */
SAT_CHECK sat_status hub_storage_postgres(const char *address, hub_storage *out,
                                          sat_error *err);

static inline void hub_storage_close(hub_storage *storage)
{
    if (storage->close != NULL)
        storage->close(storage->self);
}

DEFINE_AUTO(hub_storage, hub_storage_close);

/* ---- for work ---- */

typedef enum hub_type { HUB_NULL, HUB_INT, HUB_BYTES, HUB_TEXT } hub_type;

typedef struct hub_value {
    hub_type type;
    int64_t integer;
    sat_bytes bytes; /* of text too; a NUL follows text that is a result */
} hub_value;

typedef struct hub_rows {
    hub_db *db; /* NULL when there is nothing to release */
    void *state;
    int64_t at;
    int64_t changed; /* rows that were inserted, updated or deleted */
} hub_rows;

#define HUB_ROWS_INIT                                                          \
    {                                                                          \
        NULL, NULL, 0, 0                                                       \
    }

/*
 * Runs one statement. `types` says what follows, one letter a parameter:
 *      i  int64_t          b  sat_bytes, NULL data is NULL
 *      x  const uint8_t *, 32 bytes; NULL is NULL
 *      t  const char *, NULL is NULL
 * Bytes must stay until the rows are released.
 */
SAT_CHECK sat_status hub_query(hub_db *db, hub_rows *rows, sat_error *err,
                               const char *sql, const char *types, ...);

/* The same where no rows are wanted; *changed, unless NULL, is how many. */
SAT_CHECK sat_status hub_exec(hub_db *db, int64_t *changed, sat_error *err,
                              const char *sql, const char *types, ...);

SAT_CHECK sat_status hub_rows_next(hub_rows *rows, bool *row, sat_error *err);
void hub_rows_clear(hub_rows *rows);
DEFINE_AUTO(hub_rows, hub_rows_clear);

#define HUB_NEXT(rows, err)                                                    \
    __extension__({                                                            \
        bool hub_row_ = false;                                                 \
        TRY(hub_rows_next(rows, &hub_row_, err));                              \
        hub_row_;                                                              \
    })

/* Columns of the present row; views end with the next. NULL is 0 or empty. */
int64_t hub_int(const hub_rows *rows, int column);
sat_bytes hub_bytes(const hub_rows *rows, int column);
const char *hub_text(const hub_rows *rows, int column); /* "" for NULL */

/* Copies a column of exactly `len` bytes: SAT_ERR_IO where it is not. */
SAT_CHECK sat_status hub_fixed(const hub_rows *rows, int column, uint8_t *out,
                               size_t len, sat_error *err);

/* ---- for implementations ---- */

typedef struct hub_driver {
    sat_status (*query)(hub_db *db, const char *sql, const hub_value *values,
                        size_t count, hub_rows *rows, sat_error *err);
    sat_status (*next)(hub_rows *rows, bool *row, sat_error *err);
    void (*column)(const hub_rows *rows, int column, hub_value *out);
    void (*release)(hub_rows *rows);
} hub_driver;

struct hub_db { /* the first member of an implementation's own */
    const hub_driver *driver;
};

/* The statements that make the tables, one after the other; ends with NULL. */
extern const char *const hub_schema[];

#endif /* SAT_SRC_HUB_STORAGE_STORAGE_H */
