/*
 * replica.h - a replica from the inside: on any database, and page by page
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

#include "base/arena.h"
#include "base/buf.h"
#include "base/sqlite.h"
#include "satchel/env.h"
#include "satchel/replica.h"

#define SAT_INCARNATION_SIZE 16 /* of one life of one replica of a device */
#define SAT_AHEAD_MAX_MS 60000  /* how far ahead of ours a clock may be */

typedef struct sat__replica_options {
    const sat_env *env;
    uint8_t device[SAT_DEVICE_ID_SIZE];
    const char *device_name; /* shown to people, at most 100 bytes */
    uint64_t max_ahead_ms;   /* how far in the future a time may move us */
    uint64_t log_days;       /* how long the log is kept; 0: 90 */
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
                                       sat_replica **out, sat_error *err);
DEFINE_AUTO_PTR(sat_replica, sat_replica_close);

/* The connection that it works on; it stays the replica's. */
sqlite3 *sat__replica_db(const sat_replica *replica);

/* Ends this incarnation: what is written from now on has dots of a new one. */
SAT_CHECK sat_status sat__replica_renew(sat_replica *replica, sat_error *err);

/* The incarnation under which this replica writes now. */
void sat__replica_incarnation(const sat_replica *replica,
                              uint8_t out[SAT_INCARNATION_SIZE]);

/*
 * Gives what local writers did since the last time a dot, in one transaction.
 * Every call below that needs it does so by itself. *changed, if not NULL, says
 * whether there was anything.
 */
SAT_CHECK sat_status sat__replica_collect(sat_replica *replica, bool *changed,
                                          sat_error *err);

/* Makes the table of media files and tracks it, where another device has one
 * and this replica of a vault does not. */
SAT_CHECK sat_status sat__replica_make_files(sat_replica *replica,
                                             sat_error *err);

/* Forgets what was superseded before the log begins, and deletions, once a
 * day. */
SAT_CHECK sat_status sat__replica_trim(sat_replica *replica, sat_error *err);

/* What this replica has seen: CBOR, map of incarnation (bytes) to n. */
SAT_CHECK sat_status sat__replica_knowledge(sat_replica *replica, sat_buf *out,
                                            sat_error *err);

typedef struct sat__page_limits {
    size_t bytes; /* a page ends after the row with which it passes this */
    size_t rows;
} sat__page_limits;

/*
 * Appends one page of what `base` (a knowledge) lacks to `page`, from `cursor`
 * on, which is empty at first. `next` is where the following page begins, to be
 * handed back as it is; empty when this was the last page, which carries the
 * knowledge. The page is deterministic CBOR. SAT_ERR_CONFLICT where the base
 * has missed deletions that were forgotten here: only a base without any
 * knowledge, which asks for everything, is answered.
 */
SAT_CHECK sat_status sat__replica_read(sat_replica *replica, sat_bytes base,
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
SAT_CHECK sat_status sat__replica_stage(sat_replica *replica,
                                        const uint8_t from[SAT_DEVICE_ID_SIZE],
                                        sat_bytes page, bool *complete,
                                        sat_error *err);

/* Where staging from `from` stands: the base it began with and the cursor to
 * ask for next; both empty when nothing is staged. */
SAT_CHECK sat_status sat__replica_staged(sat_replica *replica,
                                         const uint8_t from[SAT_DEVICE_ID_SIZE],
                                         sat_buf *base, sat_buf *cursor,
                                         sat_error *err);

typedef struct sat__apply_report {
    uint64_t rows;      /* rows that came */
    uint64_t conflicts; /* conflicts open now that were not before */
} sat__apply_report;

/*
 * Merges what is staged from `from`, in one transaction, and empties it.
 * SAT_ERR_CONFLICT where it can only be understood together with what was
 * forgotten here: it is dropped, and to be pulled from the start, where every
 * row comes whole.
 */
SAT_CHECK sat_status sat__replica_apply(sat_replica *replica,
                                        const uint8_t from[SAT_DEVICE_ID_SIZE],
                                        sat__apply_report *report,
                                        sat_error *err);

/*
 * Notes what another device said it knows (its knowledge, CBOR): what it has is
 * synced, and deletions that all have seen may be forgotten.
 */
SAT_CHECK sat_status sat__replica_report(sat_replica *replica,
                                         const uint8_t from[SAT_DEVICE_ID_SIZE],
                                         sat_bytes knowledge, sat_error *err);

/*
 * Says who else may have these rows, as `source` knows it: `count` ids of
 * devices one after another, a hub's vault among them. It replaces what that
 * source said before; the members are those of all sources. Until a source has
 * spoken no deletion is forgotten.
 */
SAT_CHECK sat_status sat__replica_set_members(sat_replica *replica,
                                              const char *source,
                                              const uint8_t *ids, size_t count,
                                              sat_error *err);

/*
 * Forgets deletions that are older than the log and that every member is known
 * to have seen (rule 14 of docs/merging.md); *count, if not NULL, says how
 * many. sat__replica_trim() does it, too.
 */
SAT_CHECK sat_status sat__replica_forget(sat_replica *replica, uint64_t *count,
                                         sat_error *err);

/* Whether whoever knows `knowledge` (CBOR) and no more has missed deletions
 * that were forgotten here: it has to be sent everything, from the start. */
SAT_CHECK sat_status sat__replica_is_behind(sat_replica *replica,
                                            sat_bytes knowledge, bool *out,
                                            sat_error *err);

/* Whether deletions were missed here that others have forgotten, as `forgotten`
 * (CBOR) of theirs says: everything has to come, from the start. */
SAT_CHECK sat_status sat__replica_has_missed(sat_replica *replica,
                                             sat_bytes forgotten, bool *out,
                                             sat_error *err);

/* ---- who left (rule 13) ---- */

typedef struct sat__last_n {
    uint8_t incarnation[SAT_INCARNATION_SIZE];
    uint64_t n;
} sat__last_n;

/* A device that left: the last dots of it that count, ascending by incarnation.
 * Of other incarnations nothing does. */
typedef struct sat__departure {
    uint8_t device[SAT_DEVICE_ID_SIZE];
    size_t count;
    const sat__last_n *dots;
} sat__departure;

/* What the replica knows of a device, as it would leave now; in `arena`. */
SAT_CHECK sat_status sat__replica_dots_of(
    sat_replica *replica, const uint8_t device[SAT_DEVICE_ID_SIZE],
    sat__arena *arena, sat__departure *out, sat_error *err);

/*
 * Says which devices have left. From now on nothing of them is taken beyond
 * their last dots, from whomever it comes; what was taken of it goes. Of two
 * last dots of one incarnation the greater counts. A device that is not among
 * them any more was let in again.
 */
SAT_CHECK sat_status sat__replica_expel(sat_replica *replica,
                                        const sat__departure *who, size_t count,
                                        sat_error *err);

/*
 * Before what is staged from a device is applied: SAT_ERR_CONFLICT where it has
 * merged changes that do not count. Its rows then lack what those superseded,
 * and its knowledge says that it has it: first it must hear of the removal.
 * What was staged goes then.
 */
SAT_CHECK sat_status sat__replica_check_sender(
    sat_replica *replica, const uint8_t from[SAT_DEVICE_ID_SIZE],
    sat_error *err);

#endif /* SAT_SRC_SYNC_REPLICA_H */
