/*
 * hub_head.h - the newest head of a vault that a device has seen at its hub
 *
 * A head is what a member signed over the whole vault. Devices that meet
 * without the hub name theirs to each other, so that a hub that shows two
 * histories, or withholds the newest state, is found out. Here they are bytes:
 * whoever follows the hub verifies them.
 */
#ifndef SAT_SRC_STORE_HUB_HEAD_H
#define SAT_SRC_STORE_HUB_HEAD_H

#include "base/buf.h"
#include "base/sqlite.h"
#include "crypto/identity.h"

#define SAT_HUB_HEAD_MAX ((size_t)256 * 1024)

/* Appends the head that this device has seen; nothing where there is none. */
SAT_CHECK sat_status sat__hub_head_get(sqlite3 *db, sat_buf *out,
                                       sat_error *err);

/* Keeps, to be compared, what `device` says that it has seen. */
SAT_CHECK sat_status
sat__hub_head_note(sqlite3 *db, const uint8_t device[SAT_DEVICE_ID_SIZE],
                   sat_bytes head, sat_error *err);

/* Calls `each` for what was kept; *is_done says that it may go. */
typedef sat_status sat__hub_head_fn(sat_bytes head, bool *is_done,
                                    void *context, sat_error *err);
SAT_CHECK sat_status sat__hub_head_each(sqlite3 *db, sat__hub_head_fn *each,
                                        void *context, sat_error *err);

#endif /* SAT_SRC_STORE_HUB_HEAD_H */
