/*
 * device.h - one device of the simulation: a disk, an app, a replica, a clock
 *
 * After whatever the engine did, the device is settled: its knowledge is read,
 * what the app wrote since is told to the reference under the dot that it got,
 * and tables and conflicts are compared with what the reference makes of that
 * knowledge.
 */
#ifndef SAT_TESTS_SIM_DEVICE_H
#define SAT_TESTS_SIM_DEVICE_H

#include "app.h"
#include "count.h"
#include "disk.h"
#include "reference.h"
#include "sync/replica.h"

#define DEVICES_MAX 10

/* What is still open on the disk's database from an earlier run. */
typedef struct kept_open {
    sqlite3 *app_db, *db;
    sat_replica *replica;
    bool is_encrypted;
} kept_open;

typedef struct device {
    int number; /* of its disk, too */
    bool exists;
    bool is_encrypted;
    bool is_lax; /* its app leaves foreign keys off */
    uint8_t id[SAT_DEVICE_ID_SIZE];
    sat_env env;
    chance chance;
    chance policy;   /* what decides by itself */
    bool may_decide; /* it has strategies */
    bool meets_hub;
    int64_t skew_ms;
    sqlite3 *app_db;
    sqlite3 *db;
    kept_open kept;
    int64_t schema_version; /* of the template it was copied from; else 0 */
    sat_replica *replica;
    sim_app *app;
    reference *ref;
    knowledge known;               /* as the reference has it */
    knowledge staged[DEVICES_MAX]; /* by source, of the last page that came */
    bool from_start[DEVICES_MAX];  /* it is to be asked for everything */
    bool is_applying; /* what follows may have been applied, or not */
    bool has_applied; /* it was, the engine said */
    knowledge applying;
    int incarnation; /* its number in the reference */
    uint64_t trace;
    char *why; /* where to say what is wrong */
} device;

#define WHY_SIZE 1200
#define SIDE_SIZE 400

/* Simulated time, for all, in milliseconds since 1970. */
extern uint64_t sim_now;
uint64_t sim_wall(void);

/* The device as it is before it is first booted. */
void device_prepare(device *d, int number, uint64_t seed, reference *ref,
                    char *why);

/* Frees what prepare() made. */
void device_release(device *d);

/* Takes an encoded knowledge for the device's own. */
void device_know(device *d, sat_bytes bytes);

/* Whether there is anything yet that an app could write to. */
bool device_has_tables(const device *d);

/* Opens what lies on the disk. False where that fails. */
bool device_boot(device *d, const sim_schema *schema);
void device_halt(device *d);

/*
 * As halt(), but where the schema is that of the template still, all stays open
 * for a later boot(), when the disk holds the template again: to open it, and
 * to read the schema, takes longer than a short run. forget() closes it.
 */
void device_rest(device *d);
void device_forget(device *d);

/* Notes that the disk holds the template. */
void device_note_template(device *d);

/* Notes why the run fails, unless it failed before; returns false. */
bool device_fails(device *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * What to do about a call that failed with `status`: after a planned trouble of
 * the disk the device is repaired, or boots again, and true is returned;
 * anything else is a failure of the run.
 */
bool device_recovers(device *d, const sim_schema *schema, sat_status status,
                     const sat_error *err, const char *doing);

/* Brings the reference up to date and compares. False where the run fails. */
bool device_settle(device *d, const sim_schema *schema);

/* Takes the later schema, as an app does when it is updated. */
bool device_upgrade(device *d, const sim_schema *schema);

/* Finds out which schema the tables have. */
bool device_note_schema(device *d, const sim_schema *schema);

/* Goes on as a new incarnation. */
bool device_renew(device *d);

/* The ordinal of an imported row. */
bool device_find_ordinal(device *d, const sim_schema *schema,
                         const table_row *row, int64_t *out);

/* Runs one transaction of the app. */
bool device_write(device *d, const sim_schema *schema);

/* Compares the open conflicts with the reference. */
bool device_compare_conflicts(device *d, const sim_schema *schema);

/* An open conflict, as the device lists it. */
typedef struct open_conflict {
    ref_conflict what;
    char id[40];
    char local[SIDE_SIZE], remote[SIDE_SIZE]; /* JSON */
} open_conflict;

/* One of the open conflicts, by chance; *found is false where there is none, or
 * another that looks alike. */
bool device_pick_conflict(device *d, const sim_schema *schema,
                          open_conflict *out, bool *found);

/* Notes what was decided: with `made`, that the engine said so. */
bool device_decided(device *d, const sim_schema *schema,
                    const ref_choice *choices, int count, bool made);

/* Decides one of the open conflicts (resolve.c). */
bool device_resolve(device *d, const sim_schema *schema);

/*
 * Says who decides conflicts in one of the tables, and decides all that are
 * open at once (strategy.c). After a merge, decided_itself() judges what was
 * written under dot n, or that nothing had to be.
 */
bool device_set_strategy(device *d, const sim_schema *schema);
bool device_resolve_all(device *d, const sim_schema *schema);
bool device_decided_itself(device *d, const sim_schema *schema, uint32_t n);

/* What the engine knows, once it has recorded what the app did. */
bool device_ask_knowledge(device *d, const sim_schema *schema, knowledge *out);

/* The one integer that a query of the engine's tables returns. False where
 * there is no row. */
bool device_ask(device *d, const char *sql, int count, const datum *values,
                int64_t *out);

/* The engine's number of the device's group n, and its time. */
bool device_group(device *d, uint32_t n, int64_t *g, int64_t *time);

/* A value as the engine writes it in JSON; a row as an object. */
void datum_json(sat_buf *out, const datum *value);
void row_json(sat_buf *out, const device *d, const sim_schema *schema, int row);

/* A hash over the ids of all open conflicts. */
bool device_hash_conflicts(device *d, uint64_t *out);

#endif /* SAT_TESTS_SIM_DEVICE_H */
