/*
 * links.c - reading and writing chains, and what follows from them
 */
#include "hub/links.h"

/* ---- links ---- */

static sat_status query_links(hub_db *db, sat__chain_kind kind,
                              const uint8_t id[32], int64_t after,
                              hub_rows *rows, sat_error *err)
{
    if (kind == SAT_CHAIN_ACCOUNT)
        return hub_query(db, rows, err,
                         "SELECT link FROM account_links WHERE account = $1"
                         " AND n > $2 ORDER BY n",
                         "xi", id, after);
    return hub_query(db, rows, err,
                     "SELECT link FROM vault_links WHERE vault = $1"
                     " AND n > $2 ORDER BY n",
                     "xi", id, after);
}

sat_status hub_chain_load(hub_db *db, sat__chain_kind kind,
                          const uint8_t id[32], sat__chain **out,
                          sat_error *err)
{
    AUTO_PTR(sat__chain) chain = NULL;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    if (kind == SAT_CHAIN_ACCOUNT)
        TRY(sat__account_new(&chain, err));
    else
        TRY(sat__vault_chain_new(&chain, err));
    TRY(query_links(db, kind, id, 0, &rows, err));
    while (HUB_NEXT(&rows, err))
        TRY(sat__chain_append(chain, hub_bytes(&rows, 0), NULL, err));
    if (sat__chain_count(chain) == 0)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "there is no such chain");
    *out = TAKE(chain);
    return SAT_OK;
}

static sat_status put_link(hub_db *db, sat__chain_kind kind,
                           const uint8_t id[32], int64_t n, sat_bytes link,
                           sat_error *err)
{
    sat__link_parts parts;
    sat__id hash;

    TRY(sat__link_split(link, &parts, err));
    sat__link_hash(parts.bytes, &hash);
    if (kind == SAT_CHAIN_ACCOUNT)
        return hub_exec(db, NULL, err,
                        "INSERT INTO account_links(account, n, hash, link)"
                        " VALUES($1, $2, $3, $4)",
                        "xixb", id, n, hash.bytes, link);
    return hub_exec(db, NULL, err,
                    "INSERT INTO vault_links(vault, n, hash, link)"
                    " VALUES($1, $2, $3, $4)",
                    "xixb", id, n, hash.bytes, link);
}

sat_status hub_links_put(hub_db *db, sat__chain_kind kind, const uint8_t id[32],
                         size_t from, const sat_bytes *links, size_t count,
                         sat_error *err)
{
    for (size_t i = 0; i < count; i++)
        TRY(put_link(db, kind, id, (int64_t)(from + i + 1), links[i], err));
    return SAT_OK;
}

sat_status hub_links_append(hub_db *db, sat__chain *chain, sat__chain_kind kind,
                            const sat_bytes *links, size_t count, size_t *added,
                            sat_error *err)
{
    const sat__id id = *sat__chain_id(chain);
    size_t here = sat__chain_count(chain);

    *added = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_new;
        TRY(sat__chain_append(chain, links[i], &is_new, err));
        if (!is_new)
            continue;
        TRY(put_link(db, kind, id.bytes, (int64_t)++here, links[i], err));
        ++*added;
    }
    return SAT_OK;
}

sat_status hub_links_refuse(hub_call *call, sat_status status, sat_error *err)
{
    sat_error why = *err;

    switch (status) {
    case SAT_ERR_NOT_FOUND:
        return hub_refuse(call, 409, "parents", err,
                          "the chain has no such parent: send what is before "
                          "it first");
    case SAT_ERR_AUTH:
    case SAT_ERR_DENIED:
        return hub_refuse(call, 422, "link", err, "%s", why.message);
    case SAT_ERR_CORRUPT:
    case SAT_ERR_VERSION:
    case SAT_ERR_LIMIT:
        return hub_refuse(call, 422, "link", err, "this link can not be read");
    default:
        return status;
    }
}

static sat_status count_links(hub_db *db, sat__chain_kind kind,
                              const uint8_t id[32], int64_t after, size_t *out,
                              sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    if (kind == SAT_CHAIN_ACCOUNT)
        TRY(hub_query(db, &rows, err,
                      "SELECT COUNT(*) FROM account_links WHERE account = $1"
                      " AND n > $2",
                      "xi", id, after));
    else
        TRY(hub_query(db, &rows, err,
                      "SELECT COUNT(*) FROM vault_links WHERE vault = $1"
                      " AND n > $2",
                      "xi", id, after));
    *out = HUB_NEXT(&rows, err) ? (size_t)hub_int(&rows, 0) : 0;
    return SAT_OK;
}

sat_status hub_links_write(hub_db *db, sat__chain_kind kind,
                           const uint8_t id[32], int64_t after, const char *key,
                           hub_out *out, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    size_t count;

    TRY(count_links(db, kind, id, after, &count, err));
    hub_out_key(out, key);
    hub_out_array(out, count);
    TRY(query_links(db, kind, id, after, &rows, err));
    while (HUB_NEXT(&rows, err))
        hub_out_data(out, hub_bytes(&rows, 0));
    hub_out_end(out);
    return SAT_OK;
}

/* ---- what follows ---- */

sat_status hub_account_derive(hub_db *db, sat__chain *chain, int64_t now,
                              sat_error *err)
{
    const sat__account_state *const state = sat__account_state_of(chain);
    const sat__id *const id = sat__chain_id(chain);

    if (state == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < state->principal_count; i++) {
        const sat__account_principal *const at = &state->principals[i];
        TRY(hub_exec(db, NULL, err,
                     "INSERT INTO devices(account, id, kind, sign, name, added)"
                     " VALUES($1, $2, $3, $4, $5, $6)"
                     " ON CONFLICT(account, id) DO NOTHING",
                     "xxixti", id->bytes, at->who.id.bytes,
                     (int64_t)at->who.kind, at->who.keys.sign, at->who.name,
                     now));
        if (at->is_removed)
            TRY(hub_exec(db, NULL, err,
                         "UPDATE devices SET removed = $1 WHERE account = $2"
                         " AND id = $3 AND removed IS NULL",
                         "ixx", now, id->bytes, at->who.id.bytes));
    }
    return hub_exec(db, NULL, err,
                    "UPDATE accounts SET links = $1 WHERE id = $2", "ix",
                    (int64_t)sat__chain_count(chain), id->bytes);
}

static sat_status derive_member(hub_db *db, const uint8_t vault[32],
                                const sat__vault_member *member, sat_error *err)
{
    return hub_exec(db, NULL, err,
                    "INSERT INTO members(vault, account, role, standing, link)"
                    " VALUES($1, $2, $3, $4, $5)"
                    " ON CONFLICT(vault, account) DO UPDATE SET"
                    " role = excluded.role, standing = excluded.standing,"
                    " link = excluded.link",
                    "xxiix", vault, member->account.bytes,
                    (int64_t)member->role, (int64_t)member->standing,
                    member->standing == SAT_MEMBER_INVITED
                        ? member->invited.bytes
                        : member->accepted.bytes);
}

sat_status hub_vault_derive(hub_db *db, sat__chain *chain, sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(chain);

    if (state == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    const uint8_t *const id = state->id.bytes;
    for (size_t i = 0; i < state->member_count; i++)
        TRY(derive_member(db, id, &state->members[i], err));
    TRY(hub_exec(db, NULL, err, "DELETE FROM writers WHERE vault = $1", "x",
                 id));
    for (size_t i = 0; i < state->principal_count; i++) {
        const sat__vault_principal *const at = &state->principals[i];
        const sat__vault_role role = sat__vault_role_of(state, &at->who.id);
        if (role == 0 || at->is_removed)
            continue;
        TRY(hub_exec(db, NULL, err,
                     "INSERT INTO writers(vault, id, sign, role)"
                     " VALUES($1, $2, $3, $4)",
                     "xxxi", id, at->who.id.bytes, at->who.keys.sign,
                     (int64_t)role));
    }
    return hub_exec(db, NULL, err, "UPDATE vaults SET links = $1 WHERE id = $2",
                    "ix", (int64_t)sat__chain_count(chain), id);
}
