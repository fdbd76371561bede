/*
 * device.h - devices for tests: a real database each, a clock that tests set
 *
 * The app writes through a connection of its own, as apps do; the replica has
 * another. A failing statement ends the test with its message.
 */
#ifndef SAT_TESTS_SYNC_DEVICE_H
#define SAT_TESTS_SYNC_DEVICE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sync/replica.h"

typedef struct device {
    char path[256];
    uint8_t id[SAT_DEVICE_ID_SIZE];
    uint64_t ahead_ms; /* of test_now_ms */
    bool is_vault;     /* with a mark beside it */
    sqlite3 *app;
    sqlite3 *own;
    sat_replica *replica;
} device;

extern uint64_t test_now_ms; /* what the clocks show */

void device_open(device *d, const char *name);
/* Opens a copy of another's database; its name's first letter is its id. */
void device_copy(device *d, const char *name, device *from);
/* From now on a vault, that knows when it was copied or put back. */
void device_make_vault(device *d);
/* Keeps the database as it is now, and puts back what was kept. */
void device_save(device *d);
void device_restore(device *d);
/* Closes and opens the database again, as after a restart. */
void device_reopen(device *d);
void device_close(device *d);

/* Runs SQL as the app; the format is SQLite's. */
void device_run(device *d, const char *format, ...);
/* As run(), but returns SQLite's code instead of failing. */
int device_try(device *d, const char *sql);
/* All rows of a query as text: values quoted, '|' between, ';' behind a row. */
const char *device_get(device *d, const char *sql);
void device_track(device *d, const char *table);

/* `to` takes from `from` what it lacks, in pages of `rows` rows. */
void device_pull(device *to, device *from, size_t rows);
/* As pull(), but tells what becomes of it; from the start, if it says so. */
sat_status device_try_pull(device *to, device *from, size_t rows,
                           bool from_start, sat_error *err);
/* As a sync does: from the start where it has to be. False where the other has
 * to start afresh first. */
bool device_take(device *to, device *from, size_t rows);
/* Both take from each other until nothing is left. */
void device_sync(device *a, device *b);

/* The open conflicts as "kind:column:local:remote;" in order of text. */
const char *device_conflicts(device *d);
/* The id of the only open conflict. */
const char *device_conflict_id(device *d);

/* Both show the same rows of each listed query, have the same conflicts and
 * know the same. */
void devices_equal(device *a, device *b, const char *query);

#endif /* SAT_TESTS_SYNC_DEVICE_H */
