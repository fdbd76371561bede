/*
 * ledger_move.c - leaving one account for another
 */
#include "base/error.h"
#include "store/ledger_inner.h"
#include "store/ledger_note.h"

static bool is_present(const sat__account_state *state, const sat__id *id)
{
    const sat__account_principal *const found = sat__account_find(state, id);

    return found != NULL && !found->is_removed &&
           found->who.kind == SAT_PRINCIPAL_DEVICE;
}

static bool is_alone(const sat__ledger *ledger, const sat__account_state *state)
{
    for (size_t i = 0; i < state->principal_count; i++)
        if (is_present(state, &state->principals[i].who.id) &&
            !id_equal(&state->principals[i].who.id, &ledger->id))
            return false;
    return true;
}

sat_status sat__ledger_adopt(sat__ledger *ledger, const sat_bytes *links,
                             size_t count, const sat__id *host, sat_error *err)
{
    AUTO_PTR(sat__chain) chain = NULL;

    TRY(sat__account_new(&chain, err));
    TRY(sat__chain_append_all(chain, links, count, err));
    const sat__account_state *const theirs = sat__account_state_of(chain);
    if (theirs == NULL || !is_present(theirs, host) ||
        !is_present(theirs, &ledger->id))
        return sat__fail(err, SAT_ERR_DENIED,
                         "the other device's account does not have both "
                         "devices");
    return sat__ledger_replace(ledger, links, count, err);
}

static sat_status note_left(sat__ledger *ledger, sat_error *err)
{
    const sat__id *const id = sat__chain_id(ledger->chain);
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(ledger->db, &stmt,
                         "INSERT OR IGNORE INTO sync_chain_left VALUES(?)",
                         err));
    sql_bind_bytes(stmt, 1, bytes_of(id->bytes, sizeof id->bytes));
    return sat__sql_run(stmt, err);
}

sat_status sat__ledger_has_left(sat__ledger *ledger, const sat__id *id,
                                bool *out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(ledger->db, &stmt,
                         "SELECT 1 FROM sync_chain_left WHERE account = ?",
                         err));
    sql_bind_bytes(stmt, 1, bytes_of(id->bytes, sizeof id->bytes));
    return sat__sql_step(stmt, out, err);
}

/* The links of another account come in the place of ours; they are numbered on,
 * so that other processes notice. */
static sat_status remove_links(sqlite3 *db, sat_error *err)
{
    return sat__sql_exec(db, err,
                         "CREATE TEMP TABLE sync_end AS SELECT max(s) AS s "
                         "FROM sync_chain; DELETE FROM sync_chain;"
                         "INSERT INTO sync_chain SELECT s, x'' FROM sync_end;"
                         "DROP TABLE sync_end");
}

static sat_status end_removal(sqlite3 *db, sat_error *err)
{
    return sat__sql_exec(db, err,
                         "DELETE FROM sync_chain WHERE length(link) = 0");
}

static sat_status exchange_links(sat__ledger *ledger, const sat_bytes *links,
                                 size_t count, sat_error *err)
{
    TRY(remove_links(ledger->db, err));
    for (size_t i = 0; i < count; i++)
        TRY(sat__ledger_put(ledger->db, links[i], err));
    return end_removal(ledger->db, err);
}

sat_status sat__ledger_found_anew(sqlite3 *db, const sat_env *env,
                                  const sat__identity *phrase,
                                  const sat__principal *password,
                                  const sat__master_key *master,
                                  const sat__identity *device,
                                  const char *device_name, sat_error *err)
{
    AUTO_PTR(sat__ledger) ledger = NULL;
    AUTO(sat__ledger_change) change = {.ledger = NULL};

    TRY(sat__ledger_open(db, env, device, &ledger, err));
    TRY(sat__ledger_begin(ledger, &change, err));
    TRY(note_left(ledger, err));
    TRY(remove_links(db, err));
    TRY(sat__ledger_found(db, env, phrase, password, master, device,
                          device_name, err));
    TRY(end_removal(db, err));
    return sat__ledger_commit(&change, err);
}

sat_status sat__ledger_replace(sat__ledger *ledger, const sat_bytes *links,
                               size_t count, sat_error *err)
{
    AUTO(sat__ledger_change) change = {.ledger = NULL};
    const sat__account_state *state;

    TRY(sat__ledger_begin(ledger, &change, err));
    if (!is_alone(ledger, change.state))
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "this device has an account with other devices; "
                         "revoke them before it joins another account");
    TRY(note_left(ledger, err));
    TRY(exchange_links(ledger, links, count, err));
    TRY(sat__ledger_chain(ledger, NULL, &state, err));
    TRY(sat__ledger_note_joined(ledger->db, ledger->env,
                                sat__chain_id(ledger->chain), err));
    return sat__ledger_commit(&change, err);
}
