/*
 * share_routes.c - one share: a vault, and one account that it is shared with
 *
 * Its id is the SHA-256 of both. What changes it are links of the vault's
 * chain, which are refused where they do not do what was asked.
 */
#include "crypto/hash.h"
#include "hub/handlers.h"
#include "hub/links.h"
#include "hub/vaults.h"

void hub_share_id(const uint8_t vault[32], const uint8_t account[32],
                  uint8_t out[32])
{
    uint8_t both[64];

    memcpy(both, vault, 32);
    memcpy(both + 32, account, 32);
    sat__sha256(bytes_of(both, sizeof both), out);
}

typedef struct share {
    const hub_call *call;
    uint8_t id[32], vault[32];
    sat__id account;
    bool is_found, is_end;
} share;

/* Among those that the asker sees in its list. */
static sat_status find_share(hub_db *db, void *context, sat_error *err)
{
    share *const s = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    uint8_t id[32];

    s->is_found = false;
    TRY(hub_query(db, &rows, err,
                  "SELECT o.vault, o.account FROM members m JOIN members o"
                  " ON o.vault = m.vault JOIN vaults v ON v.id = m.vault"
                  " WHERE m.account = $1 AND v.deleted IS NULL"
                  " AND (m.standing = 3 OR o.account = m.account)"
                  " AND m.standing <> 4",
                  "x", s->call->session.account));
    while (!s->is_found && HUB_NEXT(&rows, err)) {
        TRY(hub_fixed(&rows, 0, s->vault, 32, err));
        TRY(hub_fixed(&rows, 1, s->account.bytes, 32, err));
        hub_share_id(s->vault, s->account.bytes, id);
        s->is_found = memcmp(id, s->id, sizeof id) == 0;
    }
    return s->is_found ? SAT_OK
                       : sat__fail(err, SAT_ERR_NOT_FOUND, "no such share");
}

static sat_status check_share(hub_db *db, sat__chain *chain, void *context,
                              sat_error *err)
{
    const share *const s = context;
    const sat__vault_state *const state = sat__vault_state_of(chain);

    (void)db;
    if (state == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    const sat__vault_member *const member =
        sat__vault_member_find(state, &s->account);
    const bool is_over =
        member == NULL || member->standing == SAT_MEMBER_REMOVED;
    if (is_over != s->is_end)
        return sat__fail(err, SAT_ERR_DENIED,
                         "these links do not %s this share",
                         s->is_end ? "end" : "keep");
    return SAT_OK;
}

static sat_status extend_share(hub_call *call, bool is_end, sat_error *err)
{
    share s = {.call = call, .is_end = is_end};

    TRY(hub_path_id(call, s.id, err));
    TRY(hub_read(call, find_share, &s, err));
    TRY(hub_vault_extend(call, s.vault, check_share, &s, err));
    return hub_answer_empty(call, 200);
}

sat_status hub_share_change(hub_call *call, sat_error *err)
{
    return extend_share(call, false, err);
}

sat_status hub_share_end(hub_call *call, sat_error *err)
{
    return extend_share(call, true, err);
}
