/*
 * snapshot.h - every page of a vault as of one moment, while the app writes
 *
 * A read transaction holds the moment. What it sees of a page is its latest
 * frame in the write-ahead log up to the last one of that moment, else what
 * stands in the database; both lie on the disk sealed alike, and are read from
 * there in any order and unsealed by whoever wants to (crypto/page.h). Nothing
 * holds writers back, and what they write stays in the log until the end.
 */
#ifndef SAT_SRC_STORE_SNAPSHOT_H
#define SAT_SRC_STORE_SNAPSHOT_H

#include "crypto/page.h"
#include "store/vault.h"

/* Where the latest version of a page is in the log. */
typedef struct sat__log_page {
    uint32_t page;
    uint32_t frame; /* from 1 */
} sat__log_page;

typedef struct sat__snapshot {
    sqlite3 *db;
    uint32_t pages; /* of the database */
    sat__page_key key;
    sat__log_page *log; /* by page */
    size_t log_count;
} sat__snapshot;

/* Takes one of the vault `name`; AUTO(sat__snapshot) ends it. */
SAT_CHECK sat_status sat__snapshot_begin(sat_profile *profile, const char *name,
                                         sat__snapshot *out, sat_error *err);
void sat__snapshot_end(sat__snapshot *snapshot);
DEFINE_AUTO(sat__snapshot, sat__snapshot_end);

/* Reads the nonces that `count` pages from page `first` on are sealed with, and
 * nothing else of them, one behind the other into `out`. */
SAT_CHECK sat_status sat__snapshot_nonces(const sat__snapshot *snapshot,
                                          uint32_t first, uint32_t count,
                                          uint8_t (*out)[SAT_PAGE_NONCE_SIZE],
                                          sat_error *err);

/* Reads `count` pages from page `first` on into `out`, sealed as they are. */
SAT_CHECK sat_status sat__snapshot_read(const sat__snapshot *snapshot,
                                        uint32_t first, uint32_t count,
                                        uint8_t *out, sat_error *err);

#endif /* SAT_SRC_STORE_SNAPSHOT_H */
