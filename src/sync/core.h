/*
 * core.h - what the files of a replica share
 *
 * Dots are spoken of by the number of their group: g counts, in this replica,
 * the groups that it has learned of, its own and others'. So whatever came
 * later has the greater g, which is what pages are cut by. Group 0 stands for
 * what was there when a table began to be tracked.
 */
#ifndef SAT_SRC_SYNC_CORE_H
#define SAT_SRC_SYNC_CORE_H

#include "base/error.h"
#include "sync/replica.h"
#include "base/sql.h"
#include "sync/table.h"
#include "sync/value.h"

enum sat__stmt {
    SQL_GROUP_GET,
    SQL_GROUP_FIND,
    SQL_GROUP_ADD,
    SQL_KNOWN_PUT,
    SQL_REPORT_PUT,
    SQL_INCARNATION_FIND,
    SQL_INCARNATION_ADD,
    SQL_INCARNATION_ID,
    SQL_AWAY_GET,
    SQL_AWAY_PUT,
    SQL_AWAY_REMOVE,
    SQL_MODS_ADD,
    SQL_HISTORY_ADD,
    SQL_OPEN_CLEAR,
    SQL_OPEN_ADD,
    SQL_STAGE_NEXT,
    SQL_PAGE_GROUPS,
    SQL_PAGE_MODS,
    SQL_PAGE_INCARNATION,
    SQL_PARKED,
    SQL_HIGH_GET,
    SQL_KNOWN_ALL,
    SQL_INCARNATIONS,
    SQL_SCHEMA,
    SQL_STATE_GET,
    SQL_STATE_PUT,
    SQL_COUNT
};

/* How far each incarnation is known, by its number i; absent is 0. */
typedef struct sat__knowledge {
    int64_t *n;
    size_t size;
} sat__knowledge;

/* A group never changes, so the last ones that were asked for are kept. */
#define GROUPS_KEPT 256

typedef struct sat__group {
    int64_t g;
    int64_t i; /* whose */
    int64_t n;
    int64_t time;
} sat__group;

/* Statements that are kept while the replica is open, by where their text is.
 */
#define KEPT_STATEMENTS 128

typedef struct sat__kept {
    const char *sql;
    sqlite3_stmt *stmt;
} sat__kept;

struct sat_replica {
    sqlite3 *db;
    sqlite3 *owned; /* the same, where closing it is our task; else NULL */
    sat_env env;
    uint8_t device[SAT_DEVICE_ID_SIZE];
    uint8_t incarnation[SAT_INCARNATION_SIZE];
    int64_t self; /* the number i of our incarnation */
    bool is_vault;
    int64_t exposed; /* our n up to which the mark has counted, as we know */
    sat_clock *clock;
    uint64_t log_days;     /* how long the log is kept; 0: 90 */
    uint64_t max_ahead_ms; /* how far in the future a time may move us */
    sat__tables tables;
    bool has_fence; /* they are on, and fenced in */
    sat__knowledge known;
    sat__knowledge forgotten; /* dots of rows whose deletion was forgotten */
    sat__group kept[GROUPS_KEPT]; /* by g, modulo */
    int64_t barren; /* the group just collected, if no row was born in it */
    sqlite3_stmt *stmts[SQL_COUNT];
    sat__kept statements[KEPT_STATEMENTS];
};

#define SAT_STATE_TIME "time"     /* greatest time ever taken or seen */
#define SAT_STATE_SELF "self"     /* the number of our incarnation */
#define SAT_STATE_FORMAT "format" /* of these tables */
#define SAT_STATE_STRATEGY "strategy"
#define SAT_FORMAT_NEWEST 3

/* ---- groups and incarnations (groups.c) ---- */

/* Known group g; a number that was never given is SAT_ERR_CORRUPT. */
SAT_CHECK sat_status sat__group_get(sat_replica *replica, int64_t g,
                                    sat__group *out, sat_error *err);

/* The number of dot (i, n); it is listed with `time` if it was not. */
SAT_CHECK sat_status sat__group_find(sat_replica *replica, int64_t i, int64_t n,
                                     int64_t time, int64_t *g, sat_error *err);

/* Begins the next group of incarnation i, at a time after all that we know. */
SAT_CHECK sat_status sat__group_begin(sat_replica *replica, int64_t i,
                                      sat__group *out, sat_error *err);

/* The number of an incarnation, listed with its device if it was not. */
SAT_CHECK sat_status sat__incarnation_find(
    sat_replica *replica, const uint8_t id[SAT_INCARNATION_SIZE],
    const uint8_t device[SAT_DEVICE_ID_SIZE], int64_t *i, sat_error *err);

/* Orders incarnations by their ids, as every replica does. */
int sat__incarnation_compare(sat_replica *replica, int64_t a, int64_t b);

void sat__knowledge_clear(sat__knowledge *knowledge);
DEFINE_AUTO(sat__knowledge, sat__knowledge_clear);

static inline bool knowledge_has(const sat__knowledge *k, const sat__group *dot)
{
    return (uint64_t)dot->i < k->size && k->n[dot->i] >= dot->n;
}

/* Whether all that `b` has is in `a`. */
bool sat__knowledge_covers(const sat__knowledge *a, const sat__knowledge *b);

SAT_CHECK sat_status sat__knowledge_set(sat__knowledge *knowledge, int64_t i,
                                        int64_t n, sat_error *err);
SAT_CHECK sat_status sat__knowledge_load(sat_replica *replica, sat_error *err);
SAT_CHECK sat_status sat__knowledge_copy(const sat__knowledge *from,
                                         sat__knowledge *to, sat_error *err);

/* Takes what `other` has into our own knowledge, in the database too. */
SAT_CHECK sat_status sat__knowledge_join(sat_replica *replica,
                                         const sat__knowledge *other,
                                         sat_error *err);

/* Notes that a device has what `knowledge` says. */
SAT_CHECK sat_status sat__knowledge_report(
    sat_replica *replica, const uint8_t device[SAT_DEVICE_ID_SIZE],
    const sat__knowledge *knowledge, sat_error *err);

/* As the map of incarnation to n of pages and requests. */
SAT_CHECK sat_status sat__knowledge_encode(sat_replica *replica,
                                           const sat__knowledge *knowledge,
                                           sat_buf *out, sat_error *err);
SAT_CHECK sat_status sat__knowledge_decode(sat_replica *replica,
                                           sat_bytes bytes, sat__knowledge *out,
                                           sat_error *err);

/*
 * As sat__replica_collect(), where incarnation `author` wrote it all and had
 * seen the groups up to `seen`: what came later stays beside what it wrote.
 */
SAT_CHECK sat_status sat__collect_as(sat_replica *replica, int64_t author,
                                     int64_t seen, bool *changed,
                                     sat_error *err);

/* The log goes back to this time, in ms (trim.c). */
uint64_t sat__log_since(const sat_replica *replica);

/* ---- forgotten deletions (forget.c) ---- */

/* Reads what was forgotten into the replica. */
SAT_CHECK sat_status sat__forgotten_load(sat_replica *replica, sat_error *err);

/* Whether whoever knows `known` has missed what was forgotten here. Who knows
 * nothing has missed nothing. */
bool sat__forgotten_beyond(const sat_replica *replica,
                           const sat__knowledge *known);

/* Takes what another replica has forgotten into what is forgotten here. */
SAT_CHECK sat_status sat__forgotten_join(sat_replica *replica,
                                         const sat__knowledge *other,
                                         sat_error *err);

/* ---- time (time.c) ---- */

/* Starts the clock where the replica left off. */
SAT_CHECK sat_status sat__time_start(sat_replica *replica, sat_error *err);

/* A time after all that were taken or seen, unless a wrong clock took those
 * beyond the bound. */
SAT_CHECK sat_status sat__time_take(sat_replica *replica, int64_t *out,
                                    sat_error *err);

/* ---- the vault's mark (mark.c) ---- */

/* Begins a new incarnation if the vault is a copy. */
SAT_CHECK sat_status sat__mark_check(sat_replica *replica, sat_error *err);

/* To be called before dots leave the device that have not before. */
SAT_CHECK sat_status sat__mark_expose(sat_replica *replica, sat_error *err);

/* As expose(), where the dots are another incarnation's, given here. */
SAT_CHECK sat_status sat__mark_advance(sat_replica *replica, sat_error *err);

/* ---- state (replica.c) ---- */

SAT_CHECK sat_status sat__state_get(sat_replica *replica, const char *key,
                                    int64_t *out, sat_error *err);
SAT_CHECK sat_status sat__state_put(sat_replica *replica, const char *key,
                                    int64_t value, sat_error *err);

/* The statement of a slot, prepared from `sql`. */
static inline sat_status core_sql(sat_replica *replica, enum sat__stmt slot,
                                  const char *sql, sqlite3_stmt **out,
                                  sat_error *err)
{
    TRY(sat__sql_prepare(replica->db, &replica->stmts[slot], sql, err));
    *out = replica->stmts[slot];
    return SAT_OK;
}

/* ---- collecting (collect.c) ---- */

/* As sat__replica_collect(), in a transaction of the caller's, which must not
 * outlive a failure. */
SAT_CHECK sat_status sat__collect(sat_replica *replica, bool *changed,
                                  sat_error *err);

/*
 * As core_sql(), for a literal text, which needs no slot. It is to be reset
 * after use (AUTO_RESET); while it is stepped through, another call gets
 * another statement.
 */
SAT_CHECK sat_status sat__core_keep(sat_replica *replica, const char *literal,
                                    sqlite3_stmt **out, sat_error *err);

/* The one integer that a literal text returns, 0 if none; its parameter, if it
 * has one, is `value`. */
SAT_CHECK sat_status sat__core_int(sat_replica *replica, const char *literal,
                                   int64_t value, int64_t *out, sat_error *err);

/* ---- the schema (track.c, schema.c) ---- */

/* Begins to track one table, inside a transaction; `name` in any case. */
SAT_CHECK sat_status sat__table_track(sat_replica *replica, const char *name,
                                      sat_error *err);

/*
 * As track(), for a table that was just made from another replica's schema: it
 * and its columns, a CBOR list of [number, uid, gen, name, present], keep the
 * names that they have there.
 */
SAT_CHECK sat_status sat__table_take_over(sat_replica *replica,
                                          const char *name, sat_bytes uid,
                                          int64_t gen, sat_bytes columns,
                                          sat_error *err);

/* Makes the table that says which rows of table t are in it. */
SAT_CHECK sat_status sat__table_create_rows(sat_replica *replica, int64_t t,
                                            sat_error *err);

/* Puts into the table what was held because the schema did not have it. */
SAT_CHECK sat_status sat__table_release(sat_replica *replica, sat__table *table,
                                        sat_error *err);

/* Follows what was done to the schema since the tables were loaded. */
SAT_CHECK sat_status sat__schema_follow(sat_replica *replica, sat_error *err);

/* Puts the table's triggers in place, or takes them away. */
SAT_CHECK sat_status sat__triggers_install(sat_replica *replica,
                                           const sat__table *table,
                                           sat_error *err);
SAT_CHECK sat_status sat__triggers_remove(sat_replica *replica, int64_t t,
                                          sat_error *err);

/* Rows above the greatest rowid now are new ones to the next collect. */
SAT_CHECK sat_status sat__high_set(sat_replica *replica, sat__table *table,
                                   sat_error *err);
SAT_CHECK sat_status sat__high_get(sat_replica *replica,
                                   const sat__table *table, int64_t *out,
                                   sat_error *err);

#endif /* SAT_SRC_SYNC_CORE_H */
