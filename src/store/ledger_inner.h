/*
 * ledger_inner.h - the ledger, between its files
 */
#ifndef SAT_SRC_STORE_LEDGER_INNER_H
#define SAT_SRC_STORE_LEDGER_INNER_H

#include "base/sql.h"
#include "store/chain_keys.h"
#include "store/ledger.h"

struct sat__ledger {
    sqlite3 *db;
    const sat_env *env;
    const sat__identity *device;
    sat__id id; /* of the device */
    sat__chain *chain;
    int64_t first, last; /* s of the links in the chain; 0: none */
};

/* A change of the chain: nobody else adds meanwhile. What ends without commit
 * is forgotten, and read again. */
typedef struct sat__ledger_change {
    sat__ledger *ledger; /* NULL when it is committed */
    const sat__account_state *state;
    sat__key_maker maker;
    sat_buf envelope;
    sat__sql_transaction transaction;
} sat__ledger_change;

SAT_CHECK sat_status sat__ledger_begin(sat__ledger *ledger,
                                       sat__ledger_change *change,
                                       sat_error *err);
SAT_CHECK sat_status sat__ledger_commit(sat__ledger_change *change,
                                        sat_error *err);
void sat__ledger_change_end(sat__ledger_change *change);
DEFINE_AUTO(sat__ledger_change, sat__ledger_change_end);

/* Appends a link to the table. */
SAT_CHECK sat_status sat__ledger_put(sqlite3 *db, sat_bytes moved,
                                     sat_error *err);

#endif /* SAT_SRC_STORE_LEDGER_INNER_H */
