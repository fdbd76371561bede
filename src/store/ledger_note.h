/*
 * ledger_note.h - every change of the account is shown to its person
 *
 * As an event of the audit (store/audit.h), in the vault `account`, in the
 * transaction that takes the link.
 */
#ifndef SAT_SRC_STORE_LEDGER_NOTE_H
#define SAT_SRC_STORE_LEDGER_NOTE_H

#include "base/sqlite.h"
#include "chain/account.h"
#include "satchel/env.h"

/* Lists a link that was taken; `state` is the one after it. */
SAT_CHECK sat_status sat__ledger_note(sqlite3 *db, const sat_env *env,
                                      const sat__account_state *state,
                                      sat_bytes moved, sat_error *err);

/* Lists that this device went over to another account. */
SAT_CHECK sat_status sat__ledger_note_joined(sqlite3 *db, const sat_env *env,
                                             const sat__id *account,
                                             sat_error *err);

#endif /* SAT_SRC_STORE_LEDGER_NOTE_H */
