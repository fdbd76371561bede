/*
 * register.c - making an account: its chain, its slots, its place at the hub
 */
#include <ctype.h>
#include <stdio.h>

#include "account/password.h"
#include "base/error.h"
#include "crypto/labels.h"

static const sat__kdf_cost *cost_of(const sat_profile *profile)
{
    static const sat__kdf_cost standard = SAT_KDF_COST_ARGON2ID;
    const sat__slot *const slot =
        sat__keys_file_slot(&profile->keys, SAT_SLOT_PASSWORD);
    return slot != NULL ? &slot->cost : &standard;
}

/* The account's password is stretched with the secret key, which this device's
 * own slot is not. */
static sat_status root_of_password(const sat_profile *profile,
                                   const char *password, sat__root *out,
                                   sat_error *err)
{
    return sat__root_of_password(cost_of(profile),
                                 bytes_of(password, strlen(password)),
                                 &profile->secrets->secret_key, out, err);
}

/* ---- the request ---- */

static void put_hash(sat_buf *out, sat_bytes bytes)
{
    uint8_t hash[SAT_SHA256_SIZE];
    sat__sha256(bytes, hash);
    sat__cbor_put_bytes(out, hash, sizeof hash);
}

typedef struct request {
    const char *email;
    sat_buf slot, phrase_slot, links;
    size_t link_count;
    uint8_t login_key[SAT_SIGN_KEY_SIZE];
} request;

static void request_clear(request *r)
{
    sat__buf_clear(&r->slot);
    sat__buf_clear(&r->phrase_slot);
    sat__buf_clear(&r->links);
}

DEFINE_AUTO(request, request_clear);

static sat_status sign(const sat__session *session, const request *r,
                       uint8_t out[SAT_SIGNATURE_SIZE], sat_error *err)
{
    AUTO(sat_buf) statement = SAT_BUF_INIT;
    sat__hub_begin_signed(&session->hub, 7, SAT_PURPOSE_REGISTER, &statement);
    sat__cbor_put_str(&statement, r->email);
    sat__cbor_put_bytes(&statement, r->login_key, sizeof r->login_key);
    put_hash(&statement, sat__chain_at(session->chain, 0).moved);
    put_hash(&statement, buf_view(&r->slot));
    put_hash(&statement, buf_view(&r->phrase_slot));
    TRY(sat__buf_status(&statement, err));
    return sat__identity_sign(session->identity, SAT_PURPOSE_REGISTER,
                              buf_view(&statement), out, err);
}

static sat_status send(sat__session *session, const request *r, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) body = SAT_BUF_INIT, answer = SAT_BUF_INIT;
    uint8_t signature[SAT_SIGNATURE_SIZE];
    size_t count = sat__chain_count(session->chain);
    if (count > SAT_HUB_LINKS_MAX)
        count = SAT_HUB_LINKS_MAX; /* the others follow */
    TRY(sign(session, r, signature, err));
    map_put_text(&map, "email", r->email);
    sat__map_key(&map, "chain");
    sat__cbor_put_array(&map.values, count);
    for (size_t i = 0; i < count; i++) {
        const sat_bytes moved = sat__chain_at(session->chain, i).moved;
        sat__cbor_put_bytes(&map.values, moved.data, moved.len);
    }
    map_put_bytes(&map, "slot", buf_view(&r->slot));
    map_put_bytes(&map, "phrase_slot", buf_view(&r->phrase_slot));
    map_put_bytes(&map, "login_key",
                  bytes_of(r->login_key, sizeof r->login_key));
    map_put_text(&map, "origin", session->hub.origin);
    map_put_bytes(&map, "signature", bytes_of(signature, sizeof signature));
    TRY(sat__map_end(&map, &body, err));
    TRY(sat__hub_call(&session->hub, "POST", "/api/auth/register",
                      buf_view(&body), &answer, err));
    return sat__hub_take_tokens(&session->hub, buf_view(&answer), err);
}

/* Hubs know an address in lower case. */
static sat_status read_email(const char *text, char out[SAT_EMAIL_SIZE],
                             sat_error *err)
{
    const char *const at = strchr(text, '@');
    if (at == NULL || at == text || at[1] == 0 ||
        strlen(text) >= SAT_EMAIL_SIZE || strpbrk(text, " \t\r\n") != NULL)
        return sat__fail(err, SAT_ERR_INVALID, "'%.80s' is no e-mail address",
                         text);
    for (size_t i = 0; i <= strlen(text); i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    return SAT_OK;
}

/* Another device comes in by the password and the secret key: they must be the
 * ones that the account goes by. */
static sat_status check_password(sat__session *session, const sat__root *root,
                                 sat_error *err)
{
    const sat__account_state *const state =
        sat__account_state_of(session->chain);
    AUTO_PTR(sat__identity) identity = NULL;
    TRY(sat__root_identity(root, &identity, err));
    if (memcmp(&sat__account_password(state)->who.keys,
               sat__identity_principal(identity), sizeof(sat__principal)) == 0)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_DENIED,
                     "this device does not have the account's password and "
                     "secret key; register on the device where the account "
                     "began");
}

sat_status sat_account_register(sat_profile *profile, const char *url,
                                const char *email, const char *password,
                                sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(sat__root) root = {0};
    AUTO(request) r = {.email = NULL};
    char pinned[SAT_HUB_URL_SIZE];
    char address[SAT_EMAIL_SIZE];
    TRY(sat__profile_require(profile, err));
    TRY(read_email(email, address, err));
    r.email = address;
    TRY(sat__session_open(profile, &session, err));
    if (session.email[0] != 0)
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "this profile is of the account %s already",
                         session.email);
    TRY(sat__hub_pin(url, pinned, err));
    TRY(sat__session_connect(&session, pinned, err));
    TRY(root_of_password(profile, password, &root, err));
    TRY(check_password(&session, &root, err));
    TRY(sat__password_slots(&session, &root, &r.slot, &r.phrase_slot,
                            r.login_key, err));
    TRY(send(&session, &r, err));
    TRY(sat__session_put(&session, "url", pinned, err));
    TRY(sat__session_put(&session, "email", address, err));
    return sat__session_update_chain(&session, NULL, err);
}
