/*
 * shares.c - who shares what with whom, as far as the hub knows
 *
 * The vaults' chains say who was invited, accepted and was confirmed; here it
 * is looked up for those concerned, with the chain of whoever accepted, so that
 * devices compare keys before they seal anything. The hub adds the one thing
 * that devices do not have: which account an e-mail address is.
 */
#include "crypto/hash.h"
#include "hub/handlers.h"
#include "hub/links.h"
#include "hub/people.h"
#include "hub/vaults.h"

#define LABEL "satchel-v1 hub unknown account"

typedef struct asking {
    hub_call *call;
    uint8_t vault[32];
    char email[HUB_EMAIL_SIZE];
    uint8_t account[32];
} asking;

/* Of an address that is not known it is an id like any other, always the same.
 */
static void unknown_account(const hub_core *hub, const char *email,
                            uint8_t out[32])
{
    uint8_t key[32];

    sat__derive(bytes_of(hub->options.secret, 32), LABEL, key);
    sat__hmac(SAT_SHA256, bytes_of(key, sizeof key),
              bytes_of(email, strlen(email)), out);
    sat__wipe(key, sizeof key);
}

static sat_status find_account(hub_db *db, void *context, sat_error *err)
{
    asking *const a = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_vault_find(db, &a->call->session, a->vault, SAT_MEMBER_CONFIRMED,
                       err));
    TRY(hub_query(db, &rows, err, "SELECT id FROM accounts WHERE email = $1",
                  "t", a->email));
    if (HUB_NEXT(&rows, err))
        return hub_fixed(&rows, 0, a->account, 32, err);
    unknown_account(a->call->hub, a->email, a->account);
    return SAT_OK;
}

sat_status hub_share(hub_call *call, sat_error *err)
{
    asking a = {.call = call};

    TRY(hub_path_id(call, a.vault, err));
    TRY(hub_email_read(call, a.email, err));
    TRY(hub_read(call, find_account, &a, err));
    hub_out out = hub_answer(call, 200);
    hub_out_map(&out, 1);
    hub_out_key(&out, "account_id");
    hub_out_id(&out, a.account, sizeof a.account);
    hub_out_end(&out);
    return SAT_OK;
}

/* ---- what there is ---- */

/* vault, account, role, standing, email of the other side */
static const char shares_sql[] =
    "SELECT m.vault, m.account, m.role, m.standing,"
    " (SELECT a.email FROM members o JOIN accounts a ON a.id = o.account"
    "  WHERE o.vault = m.vault AND o.standing = 3 AND o.role = 3"
    "  ORDER BY a.created LIMIT 1)"
    " FROM members m JOIN vaults v ON v.id = m.vault"
    " WHERE m.account = $1 AND m.standing < 3 AND v.deleted IS NULL "
    "UNION ALL "
    "SELECT o.vault, o.account, o.role, o.standing,"
    " (SELECT a.email FROM accounts a WHERE a.id = o.account)"
    " FROM members m JOIN members o ON o.vault = m.vault"
    " AND o.account <> m.account JOIN vaults v ON v.id = m.vault"
    " WHERE m.account = $1 AND m.standing = 3 AND v.deleted IS NULL";

static sat_status write_share(hub_db *db, const hub_rows *rows, hub_out *out,
                              sat_error *err)
{
    const sat_bytes vault = hub_bytes(rows, 0);
    const sat_bytes account = hub_bytes(rows, 1);
    const int64_t standing = hub_int(rows, 3);
    const bool has_chain = standing == SAT_MEMBER_ACCEPTED;

    if (vault.len != 32 || account.len != 32)
        return sat__fail(err, SAT_ERR_CORRUPT, "a stored id is not whole");
    uint8_t id[32];
    hub_share_id(vault.data, account.data, id);
    hub_out_map(out, has_chain ? 7 : 6);
    hub_out_key(out, "id");
    hub_out_id(out, id, sizeof id);
    hub_out_key(out, "role");
    hub_out_int(out, hub_int(rows, 2));
    if (has_chain)
        TRY(hub_links_write(db, SAT_CHAIN_ACCOUNT, account.data, 0, "chain",
                            out, err));
    hub_out_key(out, "email");
    const sat_bytes email = hub_bytes(rows, 4);
    char text[HUB_EMAIL_SIZE] = "";
    memcpy(text, email.data, email.len < sizeof text ? email.len : 0);
    hub_out_text(out, text);
    hub_out_key(out, "vault");
    hub_out_id(out, vault.data, vault.len);
    hub_out_key(out, "account");
    hub_out_id(out, account.data, account.len);
    hub_out_key(out, "standing");
    hub_out_int(out, standing);
    hub_out_end(out);
    return SAT_OK;
}

static sat_status list_shares(hub_db *db, void *context, sat_error *err)
{
    hub_call *const call = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    size_t count = 0;

    hub_out out = hub_answer(call, 200);
    hub_out list = {.buf = &text, .is_json = out.is_json, .depth = 1};
    TRY(hub_query(db, &rows, err, shares_sql, "x", call->session.account));
    for (; HUB_NEXT(&rows, err); count++)
        TRY(write_share(db, &rows, &list, err));
    TRY(sat__buf_status(&text, err));
    hub_out_map(&out, 1);
    hub_out_key(&out, "shares");
    hub_out_list(&out, &text, count);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_shares(hub_call *call, sat_error *err)
{
    return hub_read(call, list_shares, call, err);
}
