/*
 * replica.h - one database as one of several that hold the same rows
 *
 * A replica sits on an open database connection. It records what local writers
 * do (tracking), numbers it (collecting), hands it to others in pages (reading)
 * and takes theirs in (staging, applying). docs/merging.md has the rules.
 *
 *      app's writes ─> journal ─collect─> rows with dots ─read─> pages
 *                                              ^                   │
 *                        tables <─project─ apply <────stage────────┘
 *
 * The connection belongs to the replica while it is open: its triggers and
 * foreign keys are off for its own writes. Apps write through connections of
 * their own. One thread at a time may use it.
 */
#ifndef SAT_SRC_SYNC_REPLICA_H
#define SAT_SRC_SYNC_REPLICA_H

#include "base/buf.h"
#include "base/sqlite.h"
#include "satchel/env.h"
#include "satchel/keys.h"

#define SAT_INCARNATION_SIZE 16 /* of one life of one replica of a device */

typedef struct sat__replica sat__replica;

typedef struct sat__replica_options {
    const sat_env *env;
    uint8_t device[SAT_DEVICE_ID_SIZE];
    const char *device_name; /* shown to people, at most 100 bytes */
    uint64_t max_ahead_ms;   /* how far in the future a time may move us */
    bool is_vault;           /* a vault of a profile, with its mark beside it */
} sat__replica_options;

/*
 * Makes `db` a replica, or goes on with the one it is. The database stays the
 * caller's, and must outlive the replica. A database written by another device
 * goes on as a new incarnation of this one, and so does a vault that was copied
 * or put back.
 */
SAT_CHECK sat_status sat__replica_open(sqlite3 *db,
                                       const sat__replica_options *options,
                                       sat__replica **out, sat_error *err);
void sat__replica_close(sat__replica *replica);
DEFINE_AUTO_PTR(sat__replica, sat__replica_close);

/* Ends this incarnation: what is written from now on has dots of a new one. */
SAT_CHECK sat_status sat__replica_renew(sat__replica *replica, sat_error *err);

/* The incarnation under which this replica writes now. */
void sat__replica_incarnation(const sat__replica *replica,
                              uint8_t out[SAT_INCARNATION_SIZE]);

/*
 * Begins to track `table`, or every table if it is NULL; their rows so far
 * count as imported. A table that can not be tracked fails with
 * SAT_ERR_UNSUPPORTED and the reason; where every table was asked for, those
 * are passed over.
 */
SAT_CHECK sat_status sat__replica_track(sat__replica *replica,
                                        const char *table, sat_error *err);
SAT_CHECK sat_status sat__replica_untrack(sat__replica *replica,
                                          const char *table, sat_error *err);

/*
 * ALTER TABLE … DROP COLUMN, which SQLite refuses while a trigger names the
 * column; renaming and adding need no help.
 */
SAT_CHECK sat_status sat__replica_drop_column(sat__replica *replica,
                                              const char *table,
                                              const char *column,
                                              sat_error *err);

/*
 * Gives what local writers did since the last time a dot, in one transaction.
 * Every call below that needs it does so by itself. *changed, if not NULL, says
 * whether there was anything.
 */
SAT_CHECK sat_status sat__replica_collect(sat__replica *replica, bool *changed,
                                          sat_error *err);

/* What this replica has seen: CBOR, map of incarnation (bytes) to n. */
SAT_CHECK sat_status sat__replica_knowledge(sat__replica *replica, sat_buf *out,
                                            sat_error *err);

typedef struct sat__page_limits {
    size_t bytes; /* a page ends after the row with which it passes this */
    size_t rows;
} sat__page_limits;

/*
 * Appends one page of what `base` (a knowledge) lacks to `page`, from `cursor`
 * on, which is empty at first. `next` is where the following page begins, to be
 * handed back as it is; empty when this was the last page, which carries the
 * knowledge. The page is deterministic CBOR.
 */
SAT_CHECK sat_status sat__replica_read(sat__replica *replica, sat_bytes base,
                                       sat_bytes cursor,
                                       const sat__page_limits *limits,
                                       sat_buf *page, sat_buf *next,
                                       sat_error *err);

/*
 * Keeps a page from device `from` until its last one has come; pages come in
 * order of cursor, and one that came before is passed over. *complete says that
 * apply() may follow. What is not a page fails with SAT_ERR_CORRUPT or
 * SAT_ERR_LIMIT and changes nothing.
 */
SAT_CHECK sat_status sat__replica_stage(sat__replica *replica,
                                        const uint8_t from[SAT_DEVICE_ID_SIZE],
                                        sat_bytes page, bool *complete,
                                        sat_error *err);

/* Where staging from `from` stands: the base it began with and the cursor to
 * ask for next; both empty when nothing is staged. */
SAT_CHECK sat_status sat__replica_staged(sat__replica *replica,
                                         const uint8_t from[SAT_DEVICE_ID_SIZE],
                                         sat_buf *base, sat_buf *cursor,
                                         sat_error *err);

typedef struct sat__apply_report {
    uint64_t rows;      /* rows that came */
    uint64_t conflicts; /* conflicts open now that were not before */
} sat__apply_report;

/* Merges what is staged from `from`, in one transaction, and empties it. */
SAT_CHECK sat_status sat__replica_apply(sat__replica *replica,
                                        const uint8_t from[SAT_DEVICE_ID_SIZE],
                                        sat__apply_report *report,
                                        sat_error *err);

/*
 * Notes what another device said it knows (its knowledge, CBOR): what it has is
 * synced, and deletions that all have seen may be forgotten.
 */
SAT_CHECK sat_status sat__replica_report(sat__replica *replica,
                                         const uint8_t from[SAT_DEVICE_ID_SIZE],
                                         sat_bytes knowledge, sat_error *err);

/* ---- conflicts ---- */

typedef struct sat__conflict {
    const char *id;   /* 32 hexadecimal digits, the same everywhere */
    const char *kind; /* update, delete, insert, unique, … */
    const char *table_name;
    const char *record_id; /* the key: JSON value, or array of them */
    const char *column;    /* NULL where the whole row is meant */
    const char *local;     /* JSON: what this device wrote, or what is shown */
    const char *remote;    /* JSON: the other side */
    const char *local_device; /* hexadecimal device id */
    const char *remote_device;
    uint64_t local_version, remote_version; /* as in the log */
    const char *status;                     /* open, ignored */
} sat__conflict;

typedef sat_status sat__conflict_fn(const sat__conflict *conflict,
                                    void *context, sat_error *err);

/* Calls `each` for up to `limit` conflicts after the id `after` (NULL: from the
 * first on; ids ascend). */
SAT_CHECK sat_status sat__replica_conflicts(sat__replica *replica,
                                            const char *after, size_t limit,
                                            sat__conflict_fn *each,
                                            void *context, sat_error *err);
SAT_CHECK sat_status sat__replica_conflict_count(sat__replica *replica,
                                                 uint64_t *count,
                                                 sat_error *err);

typedef enum sat__resolution {
    SAT_RESOLVE_LOCAL = 0,  /* the local side */
    SAT_RESOLVE_REMOTE = 1, /* the remote side */
    SAT_RESOLVE_DATA = 2,   /* the caller's JSON: a value, or an object */
    SAT_RESOLVE_REKEY = 3   /* a held row enters under a free key */
} sat__resolution;

SAT_CHECK sat_status sat__replica_resolve(sat__replica *replica, const char *id,
                                          sat__resolution how, const char *json,
                                          sat_error *err);
/* Decides every conflict that is open, in one change; what can not be decided
 * so stays open. */
SAT_CHECK sat_status sat__replica_resolve_all(sat__replica *replica,
                                              sat__resolution how,
                                              sat_error *err);
SAT_CHECK sat_status sat__replica_ignore(sat__replica *replica, const char *id,
                                         sat_error *err);

/* `table` NULL sets it for the vault; `strategy` is latest, local, remote or
 * manual. */
SAT_CHECK sat_status sat__replica_set_strategy(sat__replica *replica,
                                               const char *table,
                                               const char *strategy,
                                               sat_error *err);

/* Whether a deletion in `table` wins over concurrent updates, as decided by
 * this device; at first the update wins. */
SAT_CHECK sat_status sat__replica_set_delete_wins(sat__replica *replica,
                                                  const char *table, bool wins,
                                                  sat_error *err);

/* ---- history ---- */

typedef struct sat__log_entry {
    const char *table_name;
    const char *record_id; /* JSON, as in a conflict */
    const char *operation; /* INSERT, UPDATE, DELETE */
    const char *data;      /* JSON object: the columns that were written */
    uint64_t version;      /* counts the changes that this replica learned of */
    uint64_t timestamp;    /* milliseconds since 1970 */
    const char *device;    /* hexadecimal device id */
    const char *hash;      /* SHA-256 in hexadecimal over the other fields */
    bool is_synced;        /* another device is known to have it */
} sat__log_entry;

typedef sat_status sat__log_fn(const sat__log_entry *entry, void *context,
                               sat_error *err);

/*
 * The log, oldest first: of all tables (table NULL), of one, or of the row
 * whose key is `key` (text as in a shell, or a JSON array for a composite key).
 */
SAT_CHECK sat_status sat__replica_log(sat__replica *replica, const char *table,
                                      const char *key, uint64_t since_ms,
                                      size_t limit, sat__log_fn *each,
                                      void *context, sat_error *err);

/* Writes the row's values as they were at `version` of the log, as a new
 * change. */
SAT_CHECK sat_status sat__replica_revert(sat__replica *replica,
                                         const char *table, const char *key,
                                         uint64_t version, sat_error *err);

#endif /* SAT_SRC_SYNC_REPLICA_H */
