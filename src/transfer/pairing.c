/*
 * pairing.c - X25519 and a shared secret make a session; six digits of it
 */
#include "transfer/pairing.h"

#include <inttypes.h>
#include <sodium.h>

#include "base/bytes.h"
#include "base/cbor.h"
#include "base/error.h"
#include "crypto/labels.h"

#define VERSION 1
#define DIGITS 1000000

void sat__transfer_session_wipe(sat__transfer_session *session)
{
    sat__wipe(session, sizeof *session);
}

sat_status sat__transfer_code_new(const sat_env *env, const char *hub,
                                  sat__exchange_key *key,
                                  sat__transfer_code *out, sat_error *err)
{
    if (strlen(hub) >= sizeof out->hub)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the hub's address is longer than %zu characters",
                         sizeof out->hub - 1);
    memset(out, 0, sizeof *out);
    memcpy(out->hub, hub, strlen(hub) + 1);
    env->random(env->context, out->token, sizeof out->token);
    env->random(env->context, out->secret, sizeof out->secret);
    sat__exchange_key_generate(env, key);
    (void)crypto_scalarmult_base(out->exchange, key->bytes);
    return SAT_OK;
}

/* What both sides saw: the code without its secret, and the claim's body. */
static sat_status transcript_of(const sat__transfer_code *code, sat_bytes body,
                                uint8_t out[SAT_SHA256_SIZE], sat_error *err)
{
    AUTO(sat_buf) seen = SAT_BUF_INIT;

    sat__cbor_put_array(&seen, 5);
    sat__cbor_put_uint(&seen, VERSION);
    sat__cbor_put_str(&seen, code->hub);
    sat__cbor_put_bytes(&seen, code->token, sizeof code->token);
    sat__cbor_put_bytes(&seen, code->exchange, sizeof code->exchange);
    sat__cbor_put_bytes(&seen, body.data, body.len);
    TRY(sat__buf_status(&seen, err));
    sat__sha256(buf_view(&seen), out);
    return SAT_OK;
}

/* Says that whoever wrote the claim saw the code. */
static void mac_of(const sat__transfer_code *code,
                   const uint8_t transcript[SAT_SHA256_SIZE],
                   uint8_t out[SAT_SHA256_SIZE])
{
    AUTO(sat__seal_key) key;

    sat__derive(bytes_of(code->secret, sizeof code->secret),
                SAT_LABEL_TRANSFER_CLAIM, key.bytes);
    sat__hmac(SAT_SHA256, bytes_of(key.bytes, sizeof key.bytes),
              bytes_of(transcript, SAT_SHA256_SIZE), out);
}

/* `session` has its transcript already. */
static sat_status derive(const sat__transfer_code *code,
                         const sat__shared_key *shared,
                         sat__transfer_session *session, sat_error *err)
{
    AUTO(sat_buf) secret = SAT_BUF_INIT;
    AUTO(sat_buf) info = SAT_BUF_INIT;
    AUTO(sat__seal_key) root = {{0}};
    AUTO(sat__seal_key) digits;

    sat__buf_put(&secret, shared->bytes, sizeof shared->bytes);
    sat__buf_put(&secret, code->secret, sizeof code->secret);
    sat__buf_put_text(&info, SAT_LABEL_TRANSFER_SESSION);
    sat__buf_put(&info, session->transcript, sizeof session->transcript);
    TRY(sat__buf_status(&secret, err));
    TRY(sat__buf_status(&info, err));
    TRY(sat__hkdf(SAT_SHA256, buf_view(&secret), bytes_of(NULL, 0),
                  buf_view(&info), root.bytes, sizeof root.bytes, err));

    const sat_bytes view = bytes_of(root.bytes, sizeof root.bytes);
    sat__derive(view, SAT_LABEL_TRANSFER_RELEASE, session->key.bytes);
    sat__derive(view, SAT_LABEL_TRANSFER_DIGITS, digits.bytes);
    (void)snprintf(session->digits, sizeof session->digits, "%06" PRIu64,
                   bytes_get_u64(digits.bytes) % DIGITS);
    return SAT_OK;
}

sat_status sat__transfer_claim(const sat_env *env,
                               const sat__transfer_code *code,
                               const sat__identity *device, const char *name,
                               sat_buf *claim, sat__transfer_session *session,
                               sat_error *err)
{
    const sat__principal *principal = sat__identity_principal(device);
    AUTO(sat__exchange_key) key;
    AUTO(sat__shared_key) shared = {{0}};
    AUTO(sat_buf) body = SAT_BUF_INIT;
    uint8_t public[SAT_EXCHANGE_KEY_SIZE];
    uint8_t mac[SAT_SHA256_SIZE];
    uint8_t signature[SAT_SIGNATURE_SIZE];

    sat__exchange_key_generate(env, &key);
    (void)crypto_scalarmult_base(public, key.bytes);
    sat__cbor_put_array(&body, 5);
    sat__cbor_put_uint(&body, VERSION);
    sat__cbor_put_bytes(&body, public, sizeof public);
    sat__cbor_put_bytes(&body, principal->sign, sizeof principal->sign);
    sat__cbor_put_bytes(&body, principal->exchange, sizeof principal->exchange);
    sat__cbor_put_str(&body, name);
    TRY(sat__buf_status(&body, err));
    TRY(transcript_of(code, buf_view(&body), session->transcript, err));
    mac_of(code, session->transcript, mac);
    TRY(sat__identity_sign(
        device, SAT_PURPOSE_TRANSFER_CLAIM,
        bytes_of(session->transcript, sizeof session->transcript), signature,
        err));
    TRY(sat__exchange_share(&key, code->exchange, &shared, err));
    TRY(derive(code, &shared, session, err));
    sat__cbor_put_array(claim, 3);
    sat__cbor_put_bytes(claim, body.data, body.len);
    sat__cbor_put_bytes(claim, mac, sizeof mac);
    sat__cbor_put_bytes(claim, signature, sizeof signature);
    return sat__buf_status(claim, err);
}

/* What a claim says, once its MAC and signature are verified. */
static sat_status read_body(sat_bytes body,
                            uint8_t public[SAT_EXCHANGE_KEY_SIZE],
                            sat__transfer_receiver *out, sat_error *err)
{
    sat__cbor in = cbor_of(body);
    size_t count;
    uint64_t version;
    sat_bytes name;

    TRY(sat__cbor_array(&in, 16, &count, err));
    TRY(sat__cbor_uint(&in, &version, err));
    if (version != VERSION)
        return sat__fail(err, SAT_ERR_VERSION,
                         "the new device runs a newer satchel; update this "
                         "one first");
    TRY(sat__cbor_fixed(&in, public, SAT_EXCHANGE_KEY_SIZE, err));
    TRY(sat__cbor_fixed(&in, out->principal.sign, sizeof out->principal.sign,
                        err));
    TRY(sat__cbor_fixed(&in, out->principal.exchange,
                        sizeof out->principal.exchange, err));
    TRY(sat__cbor_text(&in, &name, err));
    if (count != 5 || name.len == 0 || name.len >= sizeof out->name ||
        memchr(name.data, 0, name.len) != NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the new device's claim is not of the known form");
    memcpy(out->name, name.data, name.len);
    out->name[name.len] = 0;
    return sat__cbor_done(&in, err);
}

sat_status sat__transfer_accept(const sat__transfer_code *code,
                                const sat__exchange_key *key, sat_bytes claim,
                                sat__transfer_receiver *receiver,
                                sat__transfer_session *session, sat_error *err)
{
    sat__cbor in = cbor_of(claim);
    AUTO(sat__shared_key) shared = {{0}};
    size_t count;
    sat_bytes body;
    uint8_t public[SAT_EXCHANGE_KEY_SIZE];
    uint8_t mac[SAT_SHA256_SIZE], expected[SAT_SHA256_SIZE];
    uint8_t signature[SAT_SIGNATURE_SIZE];

    memset(receiver, 0, sizeof *receiver);
    if (claim.len > SAT_TRANSFER_CLAIM_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "the claim is too long");
    TRY(sat__cbor_array(&in, 3, &count, err));
    if (count != 3)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the claim is not of the known form");
    TRY(sat__cbor_bytes(&in, &body, err));
    TRY(sat__cbor_fixed(&in, mac, sizeof mac, err));
    TRY(sat__cbor_fixed(&in, signature, sizeof signature, err));
    TRY(sat__cbor_done(&in, err));
    TRY(transcript_of(code, body, session->transcript, err));
    mac_of(code, session->transcript, expected);
    if (!sat__equal_secret(mac, expected, sizeof mac))
        return sat__fail(err, SAT_ERR_AUTH,
                         "whoever answered has not seen the code; nothing was "
                         "released");
    TRY(read_body(body, public, receiver, err));
    TRY(sat__signature_verify(
        receiver->principal.sign, SAT_PURPOSE_TRANSFER_CLAIM,
        bytes_of(session->transcript, sizeof session->transcript), signature,
        err));
    TRY(sat__exchange_share(key, public, &shared, err));
    return derive(code, &shared, session, err);
}

bool sat__transfer_digits_match(const sat__transfer_session *session,
                                const char *typed)
{
    char digits[SAT_TRANSFER_DIGITS_SIZE] = {0};
    size_t count = 0;

    for (; *typed != 0; typed++) {
        if (strchr(" -\t\r\n", *typed) != NULL)
            continue;
        if (*typed < '0' || *typed > '9' || count + 1 == sizeof digits)
            return false;
        digits[count++] = *typed;
    }
    return count + 1 == sizeof digits &&
           sat__equal_secret(digits, session->digits, sizeof digits);
}

static sat__seal_context context_of(const sat__transfer_session *session)
{
    return (sat__seal_context){
        .purpose = SAT_PURPOSE_TRANSFER_RELEASE,
        .object = bytes_of(session->transcript, sizeof session->transcript)};
}

sat_status sat__transfer_release(const sat_env *env,
                                 const sat__transfer_session *session,
                                 sat_bytes plain, sat_buf *out, sat_error *err)
{
    const sat__seal_context context = context_of(session);

    return sat__seal_committed(env, &session->key, &context, plain, out, err);
}

sat_status sat__transfer_unseal(const sat__transfer_session *session,
                                sat_bytes sealed, sat_buf *out, sat_error *err)
{
    const sat__seal_context context = context_of(session);

    return sat__unseal_committed(&session->key, &context, sealed, out, err);
}
