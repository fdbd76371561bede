/*
 * replica.h - a vault as one of several that hold the same rows
 *
 * Each device of a person has a replica of the vault. What apps write to it is
 * recorded by triggers in plain SQL; when replicas meet (peer.h), each takes
 * what it lacks, cell by cell, and all come to hold the same. Nothing is lost
 * on the way: what another device wrote at the same time is a conflict, which
 * keeps both values until somebody decides. docs/merging.md has the rules.
 *
 * Apps open the vault's database with SQLCipher, by sat_vault_path() and
 * sat_vault_key(), and use their own SQL. A replica has a connection of its own
 * beside theirs. Any number of processes may have one; one thread at a time may
 * use it.
 */
#ifndef SAT_REPLICA_H
#define SAT_REPLICA_H

#include "satchel/vault.h"

SAT_BEGIN_DECLS

typedef struct sat_replica sat_replica;

/*
 * Opens the vault `name` of an unlocked profile, which must outlive the
 * replica. A vault whose database was copied or put back goes on as a new
 * incarnation, so that nothing it writes is taken for something written before.
 */
SAT_CHECK sat_status sat_replica_open(sat_profile *profile, const char *name,
                                      sat_replica **out, sat_error *err);

/* Releases it; NULL is allowed and does nothing. */
void sat_replica_close(sat_replica *replica);

/* ---- tracking ---- */

/*
 * Begins to track `table`, or every table if it is NULL; their rows so far
 * count as imported. A table that can not be tracked fails with
 * SAT_ERR_UNSUPPORTED and the reason; where every table was asked for, those
 * are passed over.
 */
SAT_CHECK sat_status sat_replica_track(sat_replica *replica, const char *table,
                                       sat_error *err);

/* Ceases to; the rows stay, their history goes. */
SAT_CHECK sat_status sat_replica_untrack(sat_replica *replica,
                                         const char *table, sat_error *err);

/*
 * ALTER TABLE … DROP COLUMN, which SQLite refuses while a trigger names the
 * column; renaming and adding need no help.
 */
SAT_CHECK sat_status sat_replica_drop_column(sat_replica *replica,
                                             const char *table,
                                             const char *column,
                                             sat_error *err);

/* ---- conflicts ---- */

/*
 * Local is what this device wrote, remote what another did; where both or
 * neither did, local is what is shown. Lent for the call.
 */
typedef struct sat_conflict {
    const char *id;   /* 32 hexadecimal digits, the same everywhere */
    const char *kind; /* update, delete, insert, unique, foreign_key,
                         check or schema */
    const char *table_name;
    const char *record_id;    /* the key: a JSON value, or an array of them */
    const char *column;       /* NULL where the whole row is meant */
    const char *local;        /* JSON */
    const char *remote;       /* JSON */
    const char *local_device; /* hexadecimal device id, may be empty */
    const char *remote_device;
    uint64_t local_version; /* as in the log, 0 where there is none */
    uint64_t remote_version;
    const char *status; /* open or ignored */
} sat_conflict;

/* Returns SAT_OK to go on; anything else ends the listing with that. */
typedef sat_status sat_conflict_fn(const sat_conflict *conflict, void *context,
                                   sat_error *err);

/* Calls `each` for up to `limit` conflicts after the id `after`, in order of
 * id; NULL for the first ones. */
SAT_CHECK sat_status sat_replica_conflicts(sat_replica *replica,
                                           const char *after, size_t limit,
                                           sat_conflict_fn *each, void *context,
                                           sat_error *err);

/* How many are open. */
SAT_CHECK sat_status sat_replica_conflict_count(sat_replica *replica,
                                                uint64_t *count,
                                                sat_error *err);

typedef enum sat_resolution {
    SAT_RESOLVE_LOCAL = 0,  /* the local side */
    SAT_RESOLVE_REMOTE = 1, /* the remote side */
    SAT_RESOLVE_DATA = 2,   /* the caller's JSON: a value, or an object */
    SAT_RESOLVE_REKEY = 3,  /* a held row enters under a free key */
    SAT_RESOLUTION_WIDTH_ = 0x7fffffff /* pins the enum to 32 bits */
} sat_resolution;

/*
 * Decides a conflict, for every device. `json` is for SAT_RESOLVE_DATA.
 * SAT_ERR_NOT_FOUND where it is decided already, SAT_ERR_INVALID where the data
 * does not fit.
 */
SAT_CHECK sat_status sat_replica_resolve(sat_replica *replica, const char *id,
                                         sat_resolution how, const char *json,
                                         sat_error *err);

/* Decides every conflict that is open, in one change; what can not be decided
 * so stays open. */
SAT_CHECK sat_status sat_replica_resolve_all(sat_replica *replica,
                                             sat_resolution how,
                                             sat_error *err);

/* Leaves it as it is, on this device. */
SAT_CHECK sat_status sat_replica_ignore(sat_replica *replica, const char *id,
                                        sat_error *err);

/*
 * Who decides: `latest` and `manual` leave it to a person, `local` and `remote`
 * decide as soon as a conflict is seen. `table` NULL sets it for the vault.
 */
SAT_CHECK sat_status sat_replica_set_strategy(sat_replica *replica,
                                              const char *table,
                                              const char *strategy,
                                              sat_error *err);

/* Whether a deletion in `table` wins over concurrent updates, as decided by
 * this device; at first the update wins. */
SAT_CHECK sat_status sat_replica_set_delete_wins(sat_replica *replica,
                                                 const char *table, int wins,
                                                 sat_error *err);

/*
 * Declares that a column of a tracked table counts: concurrent changes of an
 * integer there add up instead of being a conflict. It holds for every device
 * once it is known there, and for good. SAT_ERR_INVALID where the column is
 * part of a key, or of a constraint with others, or can hold no integers.
 */
SAT_CHECK sat_status sat_replica_set_counter(sat_replica *replica,
                                             const char *table,
                                             const char *column,
                                             sat_error *err);

/* ---- history ---- */

/* Lent for the call. */
typedef struct sat_log_entry {
    const char *table_name;
    const char *record_id; /* JSON, as in a conflict */
    const char *operation; /* INSERT, UPDATE, DELETE */
    const char *data;      /* JSON object: the columns that were written */
    uint64_t version;      /* counts the changes that this replica learned of */
    uint64_t timestamp;    /* milliseconds since 1970 */
    const char *device;    /* hexadecimal device id */
    const char *hash;      /* SHA-256 in hexadecimal over the fields above */
    int is_synced;         /* another device is known to have it */
} sat_log_entry;

/* Returns SAT_OK to go on; anything else ends the listing with that. */
typedef sat_status sat_log_fn(const sat_log_entry *entry, void *context,
                              sat_error *err);

/*
 * The log, oldest first: of all tables (table NULL), of one, or of the row
 * whose key is `key` (text as in a shell, or a JSON array for a composite key).
 */
SAT_CHECK sat_status sat_replica_log(sat_replica *replica, const char *table,
                                     const char *key, uint64_t since_ms,
                                     size_t limit, sat_log_fn *each,
                                     void *context, sat_error *err);

/* Writes the row's values as they were at `version` of the log, as a new
 * change. */
SAT_CHECK sat_status sat_replica_revert(sat_replica *replica, const char *table,
                                        const char *key, uint64_t version,
                                        sat_error *err);

SAT_END_DECLS

#endif /* SAT_REPLICA_H */
