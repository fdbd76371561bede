/*
 * ledger.c - the table sync_chain, and the chain that it makes
 *
 *   sync_chain(s, link)    links as moved, parents before children; an account
 *                          that is adopted begins behind the former one's end
 *   sync_chain_left(…)     the ids of accounts that this device was in before
 */
#include "store/ledger_inner.h"

#include "base/error.h"
#include "base/sql.h"
#include "store/chain_keys.h"
#include "store/ledger_note.h"

static const char table[] =
    "CREATE TABLE IF NOT EXISTS sync_chain(s INTEGER PRIMARY KEY,"
    " link BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS sync_chain_left(account BLOB PRIMARY KEY)"
    " WITHOUT ROWID;";

/* ---- reading ---- */

static void forget(sat__ledger *ledger)
{
    sat__chain_free(ledger->chain);
    ledger->chain = NULL;
    ledger->first = ledger->last = 0;
}

static sat_status read_links(sat__ledger *ledger, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(ledger->db, &stmt,
                         "SELECT s, link FROM sync_chain WHERE s > ? "
                         "ORDER BY s",
                         err));
    (void)sqlite3_bind_int64(stmt, 1, ledger->last);
    while (NEXT_ROW(stmt, err)) {
        const sat_status st =
            sat__chain_append(ledger->chain, sql_bytes(stmt, 1), NULL, err);
        if (st == SAT_ERR_NOMEM)
            return st;
        if (st != SAT_OK)
            return sat__fail(err, SAT_ERR_AUTH,
                             "the account's chain was tampered with");
        ledger->last = sqlite3_column_int64(stmt, 0);
        if (ledger->first == 0)
            ledger->first = ledger->last;
    }
    return SAT_OK;
}

/* Takes in what other processes added, or adopted. */
static sat_status refresh(sat__ledger *ledger, sat_error *err)
{
    int64_t first;

    TRY(sat__sql_int(ledger->db, "SELECT min(s) FROM sync_chain", &first, err));
    if (ledger->chain == NULL || first != ledger->first) {
        forget(ledger);
        TRY(sat__account_new(&ledger->chain, err));
    }
    TRY(read_links(ledger, err));
    if (sat__account_state_of(ledger->chain) == NULL)
        return sat__fail(err, SAT_ERR_AUTH, "the account has no chain");
    return SAT_OK;
}

sat_status sat__ledger_open(sqlite3 *db, const sat_env *env,
                            const sat__identity *device, sat__ledger **out,
                            sat_error *err)
{
    AUTO_PTR(sat__ledger) ledger = calloc(1, sizeof *ledger);

    if (ledger == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    *ledger = (sat__ledger){.db = db, .env = env, .device = device};
    sat__device_id(sat__identity_principal(device)->sign, ledger->id.bytes);
    TRY(refresh(ledger, err));
    *out = TAKE(ledger);
    return SAT_OK;
}

sat_status sat__ledger_require(sat__ledger *ledger, sat_error *err)
{
    const sat__account_state *state;

    TRY(sat__ledger_chain(ledger, NULL, &state, err));
    if (sat__account_find(state, &ledger->id) == NULL)
        return sat__fail(err, SAT_ERR_AUTH,
                         "the account's chain is another device's");
    return SAT_OK;
}

void sat__ledger_close(sat__ledger *ledger)
{
    if (ledger != NULL)
        forget(ledger);
    free(ledger);
}

sat_status sat__ledger_chain(sat__ledger *ledger, sat__chain **out,
                             const sat__account_state **state, sat_error *err)
{
    TRY(refresh(ledger, err));
    if (out != NULL)
        *out = ledger->chain;
    *state = sat__account_state_of(ledger->chain);
    return SAT_OK;
}

/* ---- writing ---- */

sat_status sat__ledger_put(sqlite3 *db, sat_bytes moved, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;

    TRY(sat__sql_prepare(db, &stmt, "INSERT INTO sync_chain(link) VALUES(?)",
                         err));
    sql_bind_bytes(stmt, 1, moved);
    return sat__sql_run(stmt, err);
}

void sat__ledger_change_end(sat__ledger_change *change)
{
    sat__sql_transaction_auto_clear_(&change->transaction);
    if (change->ledger != NULL)
        forget(change->ledger);
    sat__key_maker_clear(&change->maker);
    sat__buf_clear(&change->envelope);
}

sat_status sat__ledger_begin(sat__ledger *ledger, sat__ledger_change *change,
                             sat_error *err)
{
    TRY(sat__sql_begin(ledger->db, &change->transaction, err));
    change->ledger = ledger;
    return sat__ledger_chain(ledger, NULL, &change->state, err);
}

static sat_status add_moved(sat__ledger_change *change, sat_bytes moved,
                            bool *is_new, sat_error *err)
{
    sat__ledger *const ledger = change->ledger;

    TRY(sat__chain_append(ledger->chain, moved, is_new, err));
    if (!*is_new)
        return SAT_OK;
    TRY(sat__ledger_put(ledger->db, moved, err));
    ledger->last = sqlite3_last_insert_rowid(ledger->db);
    return sat__ledger_note(ledger->db, ledger->env,
                            sat__account_state_of(ledger->chain), moved, err);
}

sat_status sat__ledger_commit(sat__ledger_change *change, sat_error *err)
{
    TRY(sat__sql_commit(&change->transaction, err));
    change->ledger = NULL;
    return SAT_OK;
}

static sat_status sign_and_commit(sat__ledger_change *change,
                                  const sat__account_change *what,
                                  sat_error *err)
{
    sat__ledger *const ledger = change->ledger;
    AUTO(sat_buf) moved = SAT_BUF_INIT;
    bool is_new;

    TRY(sat__account_sign(ledger->chain, what, ledger->device,
                          ledger->env->wall(ledger->env->context), &moved,
                          err));
    TRY(add_moved(change, buf_view(&moved), &is_new, err));
    return sat__ledger_commit(change, err);
}

/* ---- keys ---- */

static const sat__epoch *present_epoch(const sat__account_state *state)
{
    return &state->epochs[state->epoch_count - 1];
}

static sat_status open_master(sat__ledger *ledger,
                              const sat__account_state *state,
                              sat__master_key *out, sat_error *err)
{
    const sat__epoch *const epoch = present_epoch(state);
    sat_bytes envelope;

    sat__account_envelope(state, &epoch->link, &ledger->id, &envelope);
    return sat__key_open(&epoch->key, envelope, ledger->device, out->bytes,
                         sizeof out->bytes, err);
}

sat_status sat__ledger_master(sat__ledger *ledger, sat__master_key *out,
                              sat_error *err)
{
    const sat__account_state *state;

    TRY(sat__ledger_chain(ledger, NULL, &state, err));
    return open_master(ledger, state, out, err);
}

sat_status sat__ledger_is_former(sat__ledger *ledger,
                                 const sat__master_key *master, bool *out,
                                 uint64_t *generation, sat_error *err)
{
    const sat__account_state *state;
    uint8_t commitment[32];

    TRY(sat__ledger_chain(ledger, NULL, &state, err));
    sat__chain_commit(master->bytes, commitment);
    *generation = present_epoch(state)->key.generation;
    *out = false;
    for (size_t i = 0; i < state->epoch_count; i++)
        if (memcmp(state->epochs[i].key.commitment, commitment,
                   sizeof commitment) == 0)
            *out = i + 1 < state->epoch_count;
    return SAT_OK;
}

/* The next master key, for all who are there, but `leaves` and with `comes`. */
static sat_status next_key(sat__ledger_change *change, const sat__id *leaves,
                           const sat__party *comes, sat__chain_key *out,
                           sat_error *err)
{
    const sat__account_state *const state = change->state;
    AUTO(sat__master_key) master = {{0}};
    size_t count = 0;
    sat__party *const parties = sat__arena_alloc(
        &change->maker.arena, (state->principal_count + 1) * sizeof *parties);

    if (parties == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < state->principal_count; i++)
        if (!state->principals[i].is_removed &&
            (leaves == NULL || !id_equal(&state->principals[i].who.id, leaves)))
            parties[count++] = state->principals[i].who;
    if (comes != NULL)
        parties[count++] = *comes;
    sat__master_key_generate(change->ledger->env, &master);
    TRY(sat__key_make(&change->maker, change->ledger->env,
                      present_epoch(state)->key.generation + 1,
                      bytes_of(master.bytes, sizeof master.bytes), parties,
                      count, err));
    *out = change->maker.key;
    return SAT_OK;
}

/* The present master key for one more. */
static sat_status grant_key(sat__ledger_change *change, const sat__party *to,
                            sat__grant *out, sat_error *err)
{
    const sat__epoch *const epoch = present_epoch(change->state);
    AUTO(sat__master_key) master = {{0}};

    TRY(open_master(change->ledger, change->state, &master, err));
    TRY(sat__key_hand_on(change->ledger->env, &epoch->key, &to->keys,
                         bytes_of(master.bytes, sizeof master.bytes),
                         &change->envelope, err));
    *out = (sat__grant){epoch->link, to->id, buf_view(&change->envelope)};
    return SAT_OK;
}

/* ---- changes ---- */

sat_status sat__ledger_found(sqlite3 *db, const sat_env *env,
                             const sat__identity *phrase,
                             const sat__principal *password,
                             const sat__master_key *master,
                             const sat__identity *device,
                             const char *device_name, sat_error *err)
{
    AUTO_PTR(sat__chain) chain = NULL;
    AUTO(sat__key_maker) maker = {.key = {.count = 0}};
    AUTO(sat_buf) moved = SAT_BUF_INIT;
    sat__account_change genesis = {.op = SAT_ACCOUNT_GENESIS, .has_key = true};

    sat__party_of(SAT_PRINCIPAL_PHRASE, sat__identity_principal(phrase), "",
                  true, &genesis.phrase);
    sat__party_of(SAT_PRINCIPAL_PASSWORD, password, "", false,
                  &genesis.password);
    sat__party_of(SAT_PRINCIPAL_DEVICE, sat__identity_principal(device),
                  device_name, true, &genesis.device);
    const sat__party parties[] = {genesis.phrase, genesis.password,
                                  genesis.device};
    TRY(sat__key_make(&maker, env, 1,
                      bytes_of(master->bytes, sizeof master->bytes), parties, 3,
                      err));
    genesis.key = maker.key;
    TRY(sat__account_new(&chain, err));
    TRY(sat__account_sign(chain, &genesis, phrase, env->wall(env->context),
                          &moved, err));
    TRY(sat__chain_append(chain, buf_view(&moved), NULL, err));
    TRY(sat__sql_exec(db, err, table));
    return sat__ledger_put(db, buf_view(&moved), err);
}

sat_status sat__ledger_admit(sat__ledger *ledger, const sat__principal *device,
                             const char *name, bool is_admin, sat_error *err)
{
    AUTO(sat__ledger_change) change = {.ledger = NULL};
    sat__account_change add = {.op = SAT_ACCOUNT_ADD};
    sat__grant grant;

    TRY(sat__ledger_begin(ledger, &change, err));
    sat__party_of(SAT_PRINCIPAL_DEVICE, device, name, is_admin, &add.device);
    const sat__account_principal *const known =
        sat__account_find(change.state, &add.device.id);
    if (known != NULL && known->is_removed)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "this device was revoked; it comes back only as "
                         "another one, by 'satchel device renew' there");
    if (known != NULL && known->who.is_admin && !is_admin)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "this device is an administrator; only revoking it "
                         "takes that back");
    if (known != NULL && known->who.is_admin == is_admin)
        return sat__ledger_commit(&change, err);
    if (known == NULL) {
        TRY(grant_key(&change, &add.device, &grant, err));
        add.grant_count = 1;
        add.grants = &grant;
    }
    return sign_and_commit(&change, &add, err);
}

sat_status sat__ledger_expel(sat__ledger *ledger, const sat__id *id,
                             sat_error *err)
{
    AUTO(sat__ledger_change) change = {.ledger = NULL};
    sat__account_change revoke = {
        .op = SAT_ACCOUNT_REVOKE, .former = *id, .has_key = true};

    TRY(sat__ledger_begin(ledger, &change, err));
    const sat__account_principal *const known =
        sat__account_find(change.state, id);
    if (known == NULL || known->who.kind != SAT_PRINCIPAL_DEVICE)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "there is no such device in the account");
    if (known->is_removed)
        return sat__ledger_commit(&change, err);
    TRY(next_key(&change, id, NULL, &revoke.key, err));
    return sign_and_commit(&change, &revoke, err);
}

sat_status sat__ledger_set_password(sat__ledger *ledger,
                                    const sat__principal *password,
                                    bool is_renewed, sat_error *err)
{
    AUTO(sat__ledger_change) change = {.ledger = NULL};
    sat__account_change slot = {.op = SAT_ACCOUNT_SLOT, .has_key = is_renewed};
    sat__grant grant;

    TRY(sat__ledger_begin(ledger, &change, err));
    slot.former = sat__account_password(change.state)->who.id;
    sat__party_of(SAT_PRINCIPAL_PASSWORD, password, "", false, &slot.password);
    if (is_renewed) {
        TRY(next_key(&change, &slot.former, &slot.password, &slot.key, err));
    } else {
        TRY(grant_key(&change, &slot.password, &grant, err));
        slot.grant_count = 1;
        slot.grants = &grant;
    }
    return sign_and_commit(&change, &slot, err);
}

sat_status sat__ledger_renew(sat__ledger *ledger, sat_error *err)
{
    AUTO(sat__ledger_change) change = {.ledger = NULL};
    sat__account_change renew = {.op = SAT_ACCOUNT_RENEW, .has_key = true};

    TRY(sat__ledger_begin(ledger, &change, err));
    TRY(next_key(&change, NULL, NULL, &renew.key, err));
    return sign_and_commit(&change, &renew, err);
}

sat_status sat__ledger_take(sat__ledger *ledger, sat_bytes moved, bool *is_new,
                            sat_error *err)
{
    AUTO(sat__ledger_change) change = {.ledger = NULL};

    TRY(sat__ledger_begin(ledger, &change, err));
    TRY(add_moved(&change, moved, is_new, err));
    return sat__ledger_commit(&change, err);
}
