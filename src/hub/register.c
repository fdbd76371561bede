/*
 * register.c - a new account
 *
 * What comes is public keys, a signed link and slots that only their owner can
 * open. The device that made the link signs the rest.
 */
#include <ctype.h>

#include "base/cbor.h"
#include "crypto/slot.h"
#include "hub/guard.h"
#include "hub/handlers.h"
#include "hub/links.h"
#include "hub/people.h"
#include "hub/sessions.h"

typedef struct registration {
    hub_call *call;
    char email[HUB_EMAIL_SIZE];
    uint8_t login_key[32], signature[64];
    sat_bytes *links;
    size_t link_count;
    sat_bytes slot, phrase_slot;
    sat__kdf_cost cost;
    sat__chain *chain;
    const sat__account_principal *device;
    hub_session session;
    hub_tokens_given given;
    bool is_taken, is_often;
} registration;

sat_status hub_email_read(hub_call *call, char out[HUB_EMAIL_SIZE],
                          sat_error *err)
{
    const char *text;

    TRY(hub_node_text(call->body, "email", HUB_EMAIL_SIZE - 1, &call->arena,
                      &text, err));
    const char *const at = strchr(text, '@');
    if (at == NULL || at == text || at[1] == 0 || strchr(text, ' ') != NULL)
        return sat__fail(err, SAT_ERR_INVALID, "this is no e-mail address");
    for (size_t i = 0; i <= strlen(text); i++)
        out[i] = (char)tolower((uint8_t)text[i]);
    return SAT_OK;
}

static sat_status read_slots(registration *r, sat_error *err)
{
    hub_call *const call = r->call;
    sat__slot slot;

    TRY(hub_node_data(call->body, "slot", SAT_SLOT_SIZE_MAX, &call->arena,
                      &r->slot, err));
    if (sat__slot_decode(r->slot, &slot, err) != SAT_OK ||
        slot.kind != SAT_SLOT_PASSWORD)
        return hub_refuse(call, 422, "slot", err,
                          "this is no slot of a password");
    r->cost = slot.cost;
    if (hub_node_find(call->body, "phrase_slot") == NULL)
        return SAT_OK;
    TRY(hub_node_data(call->body, "phrase_slot", SAT_SLOT_SIZE_MAX,
                      &call->arena, &r->phrase_slot, err));
    if (sat__slot_decode(r->phrase_slot, &slot, err) != SAT_OK ||
        slot.kind != SAT_SLOT_PHRASE)
        return hub_refuse(call, 422, "slot", err,
                          "this is no slot of a recovery phrase");
    return SAT_OK;
}

static sat_status read_registration(registration *r, sat_error *err)
{
    hub_call *const call = r->call;

    TRY(hub_email_read(call, r->email, err));
    TRY(hub_node_fixed(call->body, "login_key", r->login_key, 32, err));
    TRY(hub_node_fixed(call->body, "signature", r->signature, 64, err));
    TRY(hub_node_list(call->body, "chain", HUB_LINKS_MAX, SAT_LINK_MOVED_MAX,
                      &call->arena, &r->links, &r->link_count, err));
    if (r->link_count == 0)
        return sat__fail(err, SAT_ERR_INVALID, "the chain is empty");
    return read_slots(r, err);
}

static void put_hash(sat_buf *out, sat_bytes bytes)
{
    uint8_t hash[32];

    sat__sha256(bytes, hash);
    sat__cbor_put_bytes(out, hash, sizeof hash);
}

/* One of the account's devices, which signed. */
static sat_status find_signer(registration *r, sat_bytes rest, sat_error *err)
{
    const sat__account_state *const state = sat__account_state_of(r->chain);
    sat_status st = SAT_ERR_AUTH;

    if (state == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < state->principal_count && st == SAT_ERR_AUTH; i++) {
        r->device = &state->principals[i];
        if (r->device->who.kind == SAT_PRINCIPAL_DEVICE &&
            !r->device->is_removed)
            st = hub_verify(r->call, r->device->who.keys.sign,
                            SAT_PURPOSE_REGISTER, 6, rest, r->signature, err);
    }
    return st;
}

static sat_status verify_registration(registration *r, sat_error *err)
{
    AUTO(sat_buf) rest = SAT_BUF_INIT;

    sat__cbor_put_str(&rest, SAT_PURPOSE_REGISTER);
    sat__cbor_put_str(&rest, r->email);
    sat__cbor_put_bytes(&rest, r->login_key, 32);
    put_hash(&rest, r->links[0]);
    put_hash(&rest, r->slot);
    put_hash(&rest, r->phrase_slot);
    return find_signer(r, buf_view(&rest), err);
}

static sat_status store_registration(hub_db *db, void *context, sat_error *err)
{
    registration *const r = context;
    const int64_t now = (int64_t)hub_now(r->call->hub);
    int64_t changed;

    TRY(hub_rate_reached(db, &hub_rate_register, r->call->remote, now,
                         &r->is_often, err));
    if (r->is_often)
        return SAT_OK;
    TRY(hub_rate_count(db, &hub_rate_register, r->call->remote, now, err));
    TRY(hub_exec(db, &changed, err,
                 "INSERT INTO accounts(id, email, created, login_key, kdf,"
                 " passes, memory, slot, phrase_slot, links)"
                 " VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)"
                 " ON CONFLICT DO NOTHING",
                 "xtixiiibb", sat__chain_id(r->chain)->bytes, r->email, now,
                 r->login_key, (int64_t)r->cost.kdf, (int64_t)r->cost.passes,
                 (int64_t)r->cost.memory_kib, r->slot, r->phrase_slot));
    r->is_taken = changed == 0;
    if (r->is_taken)
        return SAT_OK;
    TRY(hub_links_put(db, SAT_CHAIN_ACCOUNT, r->session.account, 0, r->links,
                      r->link_count, err));
    TRY(hub_account_derive(db, r->chain, now, err));
    TRY(hub_audit(db, r->session.account, now, "register", r->device->who.name,
                  err));
    return hub_session_begin(r->call, db, &r->session, r->device->who.keys.sign,
                             r->device->who.name, &r->given, err);
}

static void chain_release(sat__chain **slot)
{
    sat__chain_free(*slot);
}

sat_status hub_register(hub_call *call, sat_error *err)
{
    registration r = {.call = call};
    __attribute__((cleanup(chain_release))) sat__chain *chain = NULL;

    TRY(read_registration(&r, err));
    TRY(sat__account_new(&chain, err));
    r.chain = chain;
    const sat_status status =
        sat__chain_append_all(chain, r.links, r.link_count, err);
    if (status != SAT_OK)
        return hub_links_refuse(call, status, err);
    TRY(verify_registration(&r, err));
    memcpy(r.session.account, sat__chain_id(chain)->bytes, 32);
    memcpy(r.session.device, r.device->who.id.bytes, 32);
    TRY(hub_write(call, store_registration, &r, err));
    if (r.is_often)
        return hub_rate_refuse(call, err);
    if (r.is_taken)
        return hub_refuse(call, 409, "taken", err,
                          "there is an account of this e-mail address; log in");
    hub_out out = hub_answer(call, 201);
    hub_out_map(&out, 4);
    hub_out_key(&out, "account_id");
    hub_out_id(&out, r.session.account, 32);
    hub_out_key(&out, "expires_in");
    hub_out_int(&out, HUB_TOKEN_SECONDS);
    hub_put_access(&out, &r.given);
    hub_put_refresh(&out, &r.given);
    hub_out_end(&out);
    return SAT_OK;
}
