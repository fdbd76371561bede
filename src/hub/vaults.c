/*
 * vaults.c - making and listing vaults, and their heads
 */
#include "hub/vaults.h"

#include "hub/handlers.h"
#include "hub/links.h"

static void chain_release(sat__chain **slot)
{
    sat__chain_free(*slot);
}

/* ---- making one ---- */

typedef struct creation {
    hub_call *call;
    sat_bytes genesis;
    sat__chain *chain;
    bool is_taken, is_gone;
} creation;

/* The vault is here: that may be all that was asked. */
static sat_status look_at_vault(hub_db *db, creation *c, const uint8_t id[32],
                                sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err, "SELECT deleted FROM vaults WHERE id = $1",
                  "x", id));
    c->is_gone = HUB_NEXT(&rows, err) && hub_int(&rows, 0) != 0;
    return SAT_OK;
}

static sat_status store_vault(hub_db *db, void *context, sat_error *err)
{
    creation *const c = context;
    const uint8_t *const id = sat__chain_id(c->chain)->bytes;
    const int64_t now = (int64_t)hub_now(c->call->hub);
    int64_t changed;

    TRY(hub_exec(db, &changed, err,
                 "INSERT INTO vaults(id, owner, created, updated, links)"
                 " VALUES($1, $2, $3, $4, 0) ON CONFLICT DO NOTHING",
                 "xxii", id, c->call->session.account, now, now));
    c->is_taken = changed == 0;
    if (c->is_taken)
        return look_at_vault(db, c, id, err);
    TRY(hub_links_put(db, SAT_CHAIN_VAULT, id, 0, &c->genesis, 1, err));
    return hub_vault_derive(db, c->chain, err);
}

/* Stores the vault that the body has the genesis of; of `id`, unless NULL. */
static sat_status create(creation *c, sat__chain *chain, const uint8_t *id,
                         sat_error *err)
{
    hub_call *const call = c->call;

    TRY(hub_node_data(call->body, "genesis", SAT_LINK_MOVED_MAX, &call->arena,
                      &c->genesis, err));
    const sat_status status = sat__chain_append(chain, c->genesis, NULL, err);
    if (status != SAT_OK)
        return hub_links_refuse(call, status, err);
    c->chain = chain;
    if (id != NULL && memcmp(sat__chain_id(chain)->bytes, id, 32) != 0)
        return hub_refuse(call, 422, "id", err,
                          "this is the genesis of another vault");
    const sat__vault_state *const state = sat__vault_state_of(chain);
    if (state == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    if (memcmp(state->members[0].account.bytes, call->session.account, 32) != 0)
        return hub_refuse(call, 422, "owner", err,
                          "the vault belongs to another account");
    return hub_write(call, store_vault, c, err);
}

static sat_status answer_created(const creation *c)
{
    hub_out out = hub_answer(c->call, c->is_taken ? 200 : 201);

    hub_out_map(&out, 1);
    hub_out_key(&out, "id");
    hub_out_id(&out, sat__chain_id(c->chain)->bytes, 32);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_vault_create(hub_call *call, sat_error *err)
{
    creation c = {.call = call};
    __attribute__((cleanup(chain_release))) sat__chain *chain = NULL;

    TRY(sat__vault_chain_new(&chain, err));
    TRY(create(&c, chain, NULL, err));
    if (c.is_taken)
        return hub_refuse(call, 409, "taken", err, "this vault is here");
    return answer_created(&c);
}

/* The same where it may be here already, for whoever missed the answer. */
sat_status hub_vault_put(hub_call *call, sat_error *err)
{
    creation c = {.call = call};
    __attribute__((cleanup(chain_release))) sat__chain *chain = NULL;
    uint8_t id[32];

    TRY(hub_path_id(call, id, err));
    TRY(sat__vault_chain_new(&chain, err));
    TRY(create(&c, chain, id, err));
    if (c.is_gone)
        return hub_refuse(call, 409, "gone", err, "this vault was deleted");
    return answer_created(&c);
}

/* ---- looking ---- */

static const char *role_name(int64_t role)
{
    return role == SAT_ROLE_ADMIN   ? "admin"
           : role == SAT_ROLE_WRITE ? "write"
                                    : "read";
}

/* id, role, sequence, head_sequence, updated */
static void write_vault(const hub_rows *rows, hub_out *out)
{
    const sat_bytes id = hub_bytes(rows, 0);

    hub_out_map(out, 5);
    hub_out_key(out, "id");
    hub_out_id(out, id.data, id.len);
    hub_out_key(out, "role");
    hub_out_text(out, role_name(hub_int(rows, 1)));
    hub_out_key(out, "sequence");
    hub_out_int(out, hub_int(rows, 2));
    hub_out_key(out, "updatedAt");
    hub_out_int(out, hub_int(rows, 4));
    hub_out_key(out, "head_sequence");
    hub_out_int(out, hub_int(rows, 3));
    hub_out_end(out);
}

sat_status hub_vaults_write(hub_db *db, const hub_session *session,
                            hub_out *out, sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out list = {.buf = &text, .is_json = out->is_json, .depth = 1};
    size_t count = 0;

    TRY(hub_query(db, &rows, err,
                  "SELECT v.id, m.role, v.sequence, v.head_sequence, v.updated"
                  " FROM members m JOIN vaults v ON v.id = m.vault"
                  " WHERE m.account = $1 AND m.standing = 3"
                  " AND v.deleted IS NULL ORDER BY v.created, v.id",
                  "x", session->account));
    for (; HUB_NEXT(&rows, err); count++)
        write_vault(&rows, &list);
    TRY(sat__buf_status(&text, err));
    hub_out_list(out, &text, count);
    return SAT_OK;
}

static sat_status list_vaults(hub_db *db, void *context, sat_error *err)
{
    hub_call *const call = context;
    hub_out out = hub_answer(call, 200);

    hub_out_map(&out, 1);
    hub_out_key(&out, "vaults");
    TRY(hub_vaults_write(db, &call->session, &out, err));
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_vault_list(hub_call *call, sat_error *err)
{
    return hub_read(call, list_vaults, call, err);
}

sat_status hub_vault_find(hub_db *db, const hub_session *session,
                          const uint8_t id[32], int least_standing,
                          sat_error *err)
{
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT m.standing FROM members m JOIN vaults v"
                  " ON v.id = m.vault WHERE m.vault = $1 AND m.account = $2"
                  " AND v.deleted IS NULL",
                  "xx", id, session->account));
    const bool is_there = HUB_NEXT(&rows, err);
    const int64_t standing = is_there ? hub_int(&rows, 0) : 0;
    if (standing < least_standing || standing == SAT_MEMBER_REMOVED)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such vault");
    return SAT_OK;
}

typedef struct look {
    hub_call *call;
    uint8_t id[32];
    int64_t after;
} look;

static sat_status read_vault(hub_db *db, void *context, sat_error *err)
{
    const look *const l = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_query(db, &rows, err,
                  "SELECT v.id, m.role, v.sequence, v.head_sequence, v.updated"
                  " FROM members m JOIN vaults v ON v.id = m.vault"
                  " WHERE m.vault = $1 AND m.account = $2 AND m.standing = 3"
                  " AND v.deleted IS NULL",
                  "xx", l->id, l->call->session.account));
    if (!HUB_NEXT(&rows, err))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "no such vault");
    hub_out out = hub_answer(l->call, 200);
    write_vault(&rows, &out);
    return SAT_OK;
}

sat_status hub_vault_get(hub_call *call, sat_error *err)
{
    look l = {.call = call};

    TRY(hub_path_id(call, l.id, err));
    return hub_read(call, read_vault, &l, err);
}

#define HEADS_MAX 100

static sat_status read_heads(hub_db *db, void *context, sat_error *err)
{
    const look *const l = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    size_t count = 0;

    TRY(hub_vault_find(db, &l->call->session, l->id, SAT_MEMBER_CONFIRMED,
                       err));
    hub_out out = hub_answer(l->call, 200);
    hub_out list = {.buf = &text, .is_json = out.is_json, .depth = 1};
    TRY(hub_query(db, &rows, err,
                  "SELECT head FROM heads WHERE vault = $1 AND sequence > $2"
                  " ORDER BY sequence LIMIT $3",
                  "xii", l->id, l->after, (int64_t)HEADS_MAX));
    for (; HUB_NEXT(&rows, err); count++)
        hub_out_data(&list, hub_bytes(&rows, 0));
    TRY(sat__buf_status(&text, err));
    hub_out_map(&out, 1);
    hub_out_key(&out, "heads");
    hub_out_list(&out, &text, count);
    hub_out_end(&out);
    return SAT_OK;
}

sat_status hub_heads(hub_call *call, sat_error *err)
{
    look l = {.call = call};

    TRY(hub_path_id(call, l.id, err));
    TRY(hub_query_int(call, "after", 0, &l.after, err));
    return hub_read(call, read_heads, &l, err);
}
