/*
 * session.c - a profile with its account, as far as it has one
 */
#include "account/session.h"

#include "account/clock.h"

#include <stdio.h>

#include "base/error.h"
#include "base/sql.h"
#include "store/vault.h"

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS sync_account("
    " key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

/* The ledger lends its chain until it is asked for it again. */
static sat_status lend_chain(sat__session *session, sat_error *err)
{
    const sat__account_state *state;
    session->chain = NULL;
    return sat__ledger_chain(session->ledger, &session->chain, &state, err);
}

static sat_status keep_tokens(void *context, const char *access,
                              const char *refresh, sat_error *err)
{
    sat__session *const session = context;
    char device[2 * sizeof session->device.bytes + 1];
    sat__hex_format(session->device.bytes, sizeof session->device.bytes,
                    device);
    TRY(sat__session_put(session, "device", device, err));
    TRY(sat__session_note_clock(session, access, err));
    TRY(sat__session_put(session, "access", access, err));
    return sat__session_put(session, "refresh", refresh, err);
}

/* Those of this device: a restored profile has another's, and leaves them. */
static sat_status load_tokens(sat__session *session, sat_error *err)
{
    char own[2 * sizeof session->device.bytes + 1];
    char device[sizeof own];
    sat__hex_format(session->device.bytes, sizeof session->device.bytes, own);
    TRY(sat__session_get(session, "device", device, sizeof device, err));
    if (strcmp(own, device) != 0)
        return SAT_OK;
    TRY(sat__session_get(session, "access", session->hub.access,
                         sizeof session->hub.access, err));
    return sat__session_get(session, "refresh", session->hub.refresh,
                            sizeof session->hub.refresh, err);
}

sat_status sat__session_connect(sat__session *session, const char *url,
                                sat_error *err)
{
    if (strlen(url) >= sizeof session->url)
        return sat__fail(err, SAT_ERR_LIMIT, "the hub's address is too long");
    sat__hub_close(&session->hub);
    TRY(sat__hub_open(url, session->identity, NULL, NULL, &session->hub, err));
    if (url != session->url)
        (void)snprintf(session->url, sizeof session->url, "%s", url);
    session->hub.keep = keep_tokens;
    session->hub.keep_context = session;
    return SAT_OK;
}

static sat_status open_in(sat__session *session, sat_error *err)
{
    sat_profile *const profile = session->profile;
    char url[SAT_HUB_URL_SIZE];
    TRY(sat__profile_identity(profile, &session->identity, err));
    memcpy(session->device.bytes, sat_profile_device_id(profile),
           sizeof session->device.bytes);
    TRY(sat__vault_open(profile, "account", 0, &session->db, err));
    TRY(sat__sql_exec(session->db, err, "%s", tables));
    TRY(sat__ledger_open(session->db, session->env, session->identity,
                         &session->ledger, err));
    TRY(sat__session_follow_chain(session, err));
    TRY(sat__session_get(session, "email", session->email,
                         sizeof session->email, err));
    TRY(sat__session_get(session, "url", url, sizeof url, err));
    if (url[0] == 0)
        return SAT_OK;
    TRY(sat__session_connect(session, url, err));
    return load_tokens(session, err);
}

sat_status sat__session_open(sat_profile *profile, sat__session *out,
                             sat_error *err)
{
    *out = (sat__session){.profile = profile, .env = profile->env};
    const sat_status st = open_in(out, err);
    if (st != SAT_OK)
        sat__session_close(out);
    return st;
}

void sat__session_close(sat__session *session)
{
    sat__hub_close(&session->hub);
    sat__ledger_close(session->ledger);
    (void)sqlite3_close_v2(session->db);
    *session = (sat__session){.db = NULL};
}

sat_status sat__session_require(const sat__session *session, sat_error *err)
{
    if (session->email[0] == 0 || session->url[0] == 0)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "this profile has no account; make one with 'satchel "
                         "account register', or use one with 'satchel account "
                         "login'");
    return SAT_OK;
}

sat_status sat__session_get(sat__session *session, const char *key, char *out,
                            size_t size, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    bool row;
    out[0] = 0;
    TRY(sat__sql_prepare(session->db, &stmt,
                         "SELECT value FROM sync_account WHERE key = ?", err));
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row)
        return SAT_OK;
    const sat_bytes value = sql_bytes(stmt, 0);
    if (value.len >= size)
        return sat__fail(err, SAT_ERR_CORRUPT, "the account's '%s' is damaged",
                         key);
    if (value.len > 0) /* an empty value has no data */
        memcpy(out, value.data, value.len);
    out[value.len] = 0;
    return SAT_OK;
}

sat_status sat__session_put(sat__session *session, const char *key,
                            const char *value, sat_error *err)
{
    AUTO_STMT sqlite3_stmt *stmt = NULL;
    TRY(sat__sql_prepare(session->db, &stmt,
                         "INSERT OR REPLACE INTO sync_account VALUES(?, ?)",
                         err));
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, value, -1, SQLITE_STATIC);
    return sat__sql_run(stmt, err);
}

/* ---- the chain ---- */

sat_status sat__session_take_links(sat__session *session,
                                   const sat_bytes *moved, size_t count,
                                   sat_error *err)
{
    sat_status st = SAT_OK;
    for (size_t i = 0; i < count && st == SAT_OK; i++) {
        bool is_new;
        st = sat__ledger_take(session->ledger, moved[i], &is_new, err);
    }
    const sat_status lent = lend_chain(session, st == SAT_OK ? err : NULL);
    return st != SAT_OK ? st : lent;
}

sat_status sat__session_replace_chain(sat__session *session,
                                      const sat_bytes *moved, size_t count,
                                      sat_error *err)
{
    session->chain = NULL;
    TRY(sat__ledger_replace(session->ledger, moved, count, err));
    return lend_chain(session, err);
}

sat_status sat__session_admit(sat__session *session,
                              const sat__identity *signer,
                              const sat__principal *device, const char *name,
                              bool is_admin, sat_error *err)
{
    AUTO_PTR(sat__ledger) ledger = NULL;
    TRY(sat__ledger_open(session->db, session->env, signer, &ledger, err));
    TRY(sat__ledger_admit(ledger, device, name, is_admin, err));
    return lend_chain(session, err);
}

/* A device that is not in the chain yet has nothing to follow. */
sat_status sat__session_follow_chain(sat__session *session, sat_error *err)
{
    TRY(lend_chain(session, err));
    const sat__account_principal *const self = sat__account_find(
        sat__account_state_of(session->chain), &session->device);
    if (self == NULL || self->is_removed)
        return SAT_OK;
    TRY(sat__profile_follow_account(session->profile, session->ledger, err));
    return lend_chain(session, err);
}

sat_status sat__links_decode(sat__cbor in, sat__arena *arena, sat_bytes **out,
                             size_t *count, sat_error *err)
{
    TRY(sat__cbor_array(&in, SAT_CHAIN_LINKS_MAX, count, err));
    *out = sat__arena_alloc(arena, (*count + 1) * sizeof **out);
    if (*out == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < *count; i++)
        TRY(sat__cbor_bytes(&in, &(*out)[i], err));
    return sat__cbor_done(&in, err);
}

bool sat__link_is_listed(const sat__id *hash, const sat_bytes *moved,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sat__link_parts parts;
        sat__id other;
        if (sat__link_split(moved[i], &parts, NULL) != SAT_OK)
            continue;
        sat__link_hash(parts.bytes, &other);
        if (id_equal(hash, &other))
            return true;
    }
    return false;
}

static sat_status give_some(sat__session *session, const sat_buf *list,
                            size_t count, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    sat__map_key(&map, "links");
    sat__cbor_put_array(&map.values, count);
    sat__buf_put(&map.values, list->data, list->len);
    TRY(sat__map_end(&map, &body, err));
    return sat__hub_call(&session->hub, "POST", "/api/account/chain",
                         buf_view(&body), &answer, err);
}

/* What the hub has not, it gets. */
static sat_status give_links(sat__session *session, const sat_bytes *theirs,
                             size_t count, sat_error *err)
{
    const size_t all = sat__chain_count(session->chain);
    for (size_t i = 0; i < all;) {
        AUTO(sat_buf) list = SAT_BUF_INIT;
        size_t missing = 0;
        for (; i < all && missing < SAT_HUB_LINKS_MAX; i++) {
            const sat__chain_entry entry = sat__chain_at(session->chain, i);
            if (sat__link_is_listed(entry.hash, theirs, count))
                continue;
            sat__cbor_put_bytes(&list, entry.moved.data, entry.moved.len);
            missing++;
        }
        if (missing > 0)
            TRY(give_some(session, &list, missing, err));
    }
    return SAT_OK;
}

sat_status sat__session_update_chain(sat__session *session, bool *changed,
                                     sat_error *err)
{
    const size_t before = sat__chain_count(session->chain);
    AUTO(sat__arena) arena = {0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    sat_bytes *links;
    sat__cbor in;
    size_t count;
    TRY(sat__hub_call(&session->hub, "GET", "/api/account/chain",
                      bytes_of(NULL, 0), &answer, err));
    TRY(sat__map_get(buf_view(&answer), "links", &in, err));
    TRY(sat__links_decode(in, &arena, &links, &count, err));
    sat_status st = sat__session_take_links(session, links, count, err);
    if (st != SAT_OK)
        return sat__context(err, SAT_ERR_CORRUPT,
                            "the hub shows a chain that this account did not "
                            "make");
    if (changed != NULL)
        *changed = sat__chain_count(session->chain) != before;
    TRY(sat__session_follow_chain(session, err));
    return give_links(session, links, count, err);
}
