/*
 * write.h - changes of a program that is no replica, taken as its own writes
 *
 * A program that has a device key and no database sends changes by key. They
 * are done here as an app's would be, so constraints hold and triggers fire,
 * and get dots of an incarnation that this replica keeps for that device: the
 * first 16 bytes of SHA-256("satchel guest" ‖ our incarnation ‖ device).
 */
#ifndef SAT_SRC_SYNC_WRITE_H
#define SAT_SRC_SYNC_WRITE_H

#include "sync/replica.h"

#define SAT_WRITES_MAX 1000 /* at once */

typedef struct sat__write {
    const char *table_name;
    const char *record_id; /* JSON: the key, an array where it is composite */
    const char *operation; /* INSERT, UPDATE or DELETE */
    const char *data;      /* JSON object by column; unused by DELETE */
    uint64_t version;      /* of the log, that the program had seen; 0: all */
} sat__write;

typedef struct sat__write_report {
    uint64_t applied;   /* that changed something, or asked for what is so */
    uint64_t conflicts; /* open now, and not before */
    uint64_t version;   /* of the log, with these in it */
} sat__write_report;

/*
 * Takes all of them, or none: in one transaction, after local writers' changes
 * were collected. An INSERT of what is there with the same values, and a DELETE
 * of what is not, are done already. SAT_ERR_INVALID for what no such table can
 * take, SAT_ERR_NOT_FOUND for a table that is not tracked, SAT_ERR_CONFLICT for
 * what a constraint refuses or a row that is gone.
 */
SAT_CHECK sat_status sat__replica_write(
    sat_replica *replica, const uint8_t device[SAT_DEVICE_ID_SIZE],
    const sat__write *writes, size_t count, sat__write_report *out,
    sat_error *err);

#endif /* SAT_SRC_SYNC_WRITE_H */
