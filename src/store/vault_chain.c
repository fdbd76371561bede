/*
 * vault_chain.c - the chain of one vault, as a device keeps and writes it
 */
#include "store/vault_chain.h"

#include "base/error.h"
#include "base/sql.h"
#include "crypto/labels.h"

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

/* ---- kept ---- */

static sat_status make_table(sqlite3 *db, sat_error *err)
{
    return sat__sql_exec(db, err,
                         "CREATE TABLE IF NOT EXISTS sync_vault_chain("
                         "s INTEGER PRIMARY KEY, link BLOB NOT NULL)");
}

sat_status sat__vault_links_load(sqlite3 *db, sat__chain **out, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO_PTR(sat__chain) chain = NULL;

    TRY(make_table(db, err));
    TRY(sat__vault_chain_new(&chain, err));
    TRY(sat__sql_prepare(db, &stmt,
                         "SELECT link FROM sync_vault_chain ORDER BY s", err));
    while (NEXT_ROW(stmt, err))
        if (sat__chain_append(chain, sql_bytes(stmt, 0), NULL, err) != SAT_OK)
            return sat__context(err, SAT_ERR_AUTH,
                                "the vault's chain was tampered with");
    *out = TAKE(chain);
    return SAT_OK;
}

/* The whole of it anew: it is short, and in its line. */
sat_status sat__vault_links_keep(sqlite3 *db, sat__chain *chain, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    AUTO(sat__sql_transaction) change = {0};

    TRY(sat__sql_begin(db, &change, err));
    TRY(make_table(db, err));
    TRY(sat__sql_exec(db, err, "DELETE FROM sync_vault_chain"));
    TRY(sat__sql_prepare(db, &stmt,
                         "INSERT INTO sync_vault_chain(link) VALUES(?)", err));
    for (size_t i = 0; i < sat__chain_count(chain); i++) {
        sql_bind_bytes(stmt, 1, sat__chain_at(chain, i).moved);
        TRY(sat__sql_run(stmt, err));
    }
    return sat__sql_commit(&change, err);
}

/* ---- the vault `account` ---- */

/* The second half of its id key is a mark over the first. */
static void mark_of(const uint8_t id_key[SAT_KEY_SIZE], uint8_t out[16])
{
    uint8_t mark[SAT_SHA256_SIZE];
    sat__hmac(
        SAT_SHA256, bytes_of(id_key, 16),
        bytes_of(SAT_LABEL_ACCOUNT_VAULT, strlen(SAT_LABEL_ACCOUNT_VAULT)),
        mark);
    memcpy(out, mark, 16);
}

bool sat__vault_is_account(const uint8_t id_key[SAT_KEY_SIZE])
{
    uint8_t mark[16];
    mark_of(id_key, mark);
    return sat__equal_secret(mark, id_key + 16, sizeof mark);
}

/* ---- genesis ---- */

sat_status sat__account_parties(sat__chain *account, sat__arena *arena,
                                sat__party **parties, size_t *count,
                                sat_error *err)
{
    const sat__account_state *const state = sat__account_state_of(account);
    *count = 0;
    *parties = state == NULL ? NULL
                             : sat__arena_alloc(arena, state->principal_count *
                                                           sizeof **parties);
    if (*parties == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "the account has no chain");
    for (size_t i = 0; i < state->principal_count; i++)
        if (!state->principals[i].is_removed)
            (*parties)[(*count)++] = state->principals[i].who;
    return SAT_OK;
}

sat_status sat__vault_genesis(const sat_env *env, sat__chain *account,
                              const sat__identity *identity, bool is_account,
                              sat_buf *out, sat_error *err)
{
    AUTO_PTR(sat__chain) chain = NULL;
    AUTO(sat__key_maker) maker = {.key = {.count = 0}};
    AUTO(sat__arena) arena = {0};
    AUTO(sat__epoch_plain) plain;
    sat__vault_change change = {.op = SAT_VAULT_GENESIS,
                                .account = *sat__chain_id(account)};
    sat__party *parties;
    env->random(env->context, plain.epoch, sizeof plain.epoch);
    env->random(env->context, plain.id_key, sizeof plain.id_key);
    if (is_account)
        mark_of(plain.id_key, plain.id_key + 16);
    TRY(sat__account_parties(account, &arena, &parties, &change.party_count,
                             err));
    change.parties = parties;
    sat__chain_commit(plain.id_key, change.id_key);
    TRY(sat__key_make(&maker, env, 1, bytes_of(&plain, sizeof plain), parties,
                      change.party_count, err));
    change.key = maker.key;
    TRY(sat__vault_chain_new(&chain, err));
    return sat__vault_sign(chain, &change, identity, env->wall(env->context),
                           out, err);
}

/* ---- keys ---- */

sat_status sat__vault_open_epoch(const sat__vault_state *state,
                                 const sat__epoch *epoch,
                                 const sat__opener *opener,
                                 sat__epoch_plain *out, sat_error *err)
{
    sat_bytes envelope;
    uint8_t commitment[32];
    sat__vault_envelope(state, &epoch->link, &opener->id, &envelope);
    TRY(sat__key_open(&epoch->key, envelope, opener->identity, (uint8_t *)out,
                      sizeof *out, err));
    sat__chain_commit(out->id_key, commitment);
    if (memcmp(commitment, state->id_key, sizeof commitment) != 0)
        return sat__fail(err, SAT_ERR_AUTH,
                         "an epoch of the vault brings another id key");
    return SAT_OK;
}

static bool is_in(const sat__vault_state *state, const sat__id *principal)
{
    const sat__vault_principal *const found =
        sat__vault_principal_find(state, principal);
    return found != NULL && !found->is_removed;
}

sat_status sat__vault_grants(const sat_env *env, sat__chain *chain,
                             const sat__opener *opener, const sat__party *to,
                             sat__arena *arena, sat__grant *grants,
                             size_t *count, sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(chain);
    *count = 0;
    for (size_t i = 0; state != NULL && i < state->epoch_count; i++) {
        const sat__epoch *const epoch = &state->epochs[i];
        AUTO(sat__epoch_plain) plain = {{0}, {0}};
        AUTO(sat_buf) envelope = SAT_BUF_INIT;
        const sat_status st =
            sat__vault_open_epoch(state, epoch, opener, &plain, err);
        if (st == SAT_ERR_NOT_FOUND)
            continue;
        TRY(st);
        TRY(sat__key_hand_on(env, &epoch->key, &to->keys,
                             bytes_of(&plain, sizeof plain), &envelope, err));
        const void *const kept =
            sat__arena_copy(arena, envelope.data, envelope.len);
        if (kept == NULL)
            return no_memory(err);
        grants[(*count)++] =
            (sat__grant){epoch->link, to->id, bytes_of(kept, envelope.len)};
    }
    return SAT_OK;
}

static sat_status sign_in(const sat_env *env, sat__chain *chain,
                          const sat__vault_change *change,
                          const sat__opener *opener, sat_buf *moved,
                          sat_error *err)
{
    const size_t before = moved->len;
    TRY(sat__vault_sign(chain, change, opener->identity,
                        env->wall(env->context), moved, err));
    return sat__chain_append(
        chain, bytes_of(moved->data + before, moved->len - before), NULL, err);
}

sat_status sat__vault_let_in(const sat_env *env, sat__chain *chain,
                             sat__chain *account, const sat__opener *opener,
                             const sat__id *whom, sat_buf *moved,
                             sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(chain);
    const sat__account_state *const people = sat__account_state_of(account);
    AUTO(sat__arena) arena = {0};
    sat__vault_change change = {.op = SAT_VAULT_REKEY,
                                .account = *sat__chain_id(account),
                                .party_count = 1};
    if (state == NULL || people == NULL)
        return no_memory(err);
    if (is_in(state, whom))
        return SAT_OK;
    const sat__account_principal *const device =
        sat__account_find(people, whom);
    sat__grant *const grants =
        sat__arena_alloc(&arena, state->epoch_count * sizeof *grants);
    if (device == NULL || grants == NULL)
        return no_memory(err);
    change.parties = &device->who;
    TRY(sat__vault_grants(env, chain, opener, &device->who, &arena, grants,
                          &change.grant_count, err));
    change.grants = grants;
    return sign_in(env, chain, &change, opener, moved, err);
}

/* ---- another epoch ---- */

static bool is_listed(const sat__id *ids, size_t count, const sat__id *id)
{
    for (size_t i = 0; i < count; i++)
        if (id_equal(&ids[i], id))
            return true;
    return false;
}

/* The next epoch, for all who are there but those who leave. */
static sat_status next_epoch(const sat_env *env, const sat__vault_state *state,
                             const sat__opener *opener, const sat__id *leave,
                             size_t leave_count, sat__key_maker *maker,
                             sat_error *err)
{
    const sat__epoch *const now = &state->epochs[state->epoch_count - 1];
    sat__party *const parties = sat__arena_alloc(
        &maker->arena, (state->principal_count + 1) * sizeof *parties);
    AUTO(sat__epoch_plain) plain = {{0}, {0}};
    sat_status st = SAT_ERR_NOT_FOUND;
    size_t count = 0;
    if (parties == NULL)
        return no_memory(err);
    /* The id key is in every epoch that we were given. */
    for (size_t i = state->epoch_count; i > 0 && st == SAT_ERR_NOT_FOUND; i--)
        st = sat__vault_open_epoch(state, &state->epochs[i - 1], opener, &plain,
                                   err);
    TRY(st);
    env->random(env->context, plain.epoch, sizeof plain.epoch);
    for (size_t i = 0; i < state->principal_count; i++)
        if (!state->principals[i].is_removed &&
            !is_listed(leave, leave_count, &state->principals[i].who.id))
            parties[count++] = state->principals[i].who;
    return sat__key_make(maker, env, now->key.generation + 1,
                         bytes_of(&plain, sizeof plain), parties, count, err);
}

sat_status sat__vault_expel(const sat_env *env, sat__chain *chain,
                            const sat__id *account, const sat__opener *opener,
                            const sat__id *ids, size_t id_count,
                            const sat__last_dot *dots, size_t dot_count,
                            sat_buf *moved, sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(chain);
    AUTO(sat__key_maker) maker = {.key = {.count = 0}};
    sat__vault_change change = {.op = SAT_VAULT_REMOVE,
                                .account = *account,
                                .removed = ids,
                                .removed_count = id_count,
                                .dots = dots,
                                .dot_count = dot_count};
    if (state == NULL)
        return no_memory(err);
    TRY(next_epoch(env, state, opener, ids, id_count, &maker, err));
    change.key = maker.key;
    return sign_in(env, chain, &change, opener, moved, err);
}

sat_status sat__vault_renew(const sat_env *env, sat__chain *chain,
                            const sat__opener *opener, sat_buf *moved,
                            sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(chain);
    AUTO(sat__key_maker) maker = {.key = {.count = 0}};
    sat__vault_change change = {.op = SAT_VAULT_EPOCH};
    if (state == NULL)
        return no_memory(err);
    TRY(next_epoch(env, state, opener, NULL, 0, &maker, err));
    change.key = maker.key;
    return sign_in(env, chain, &change, opener, moved, err);
}
