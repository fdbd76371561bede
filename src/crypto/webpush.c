/*
 * webpush.c - P-256, HKDF and AES-128-GCM as RFC 8291 puts them together
 *
 *      salt (16) │ record size (4) │ 65 (1) │ sender's point (65) │ record
 */
#include "crypto/webpush.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

#define HEAD_SIZE (SAT_WEBPUSH_SALT_SIZE + 4 + 1 + SAT_WEBPUSH_POINT_SIZE)
#define TAG_SIZE 16
#define LAST_RECORD 2 /* behind the plain bytes, before zeros */

static void evp_pkey_free(EVP_PKEY *key)
{
    EVP_PKEY_free(key);
}

static void evp_pkey_ctx_free(EVP_PKEY_CTX *context)
{
    EVP_PKEY_CTX_free(context);
}

static void evp_cipher_ctx_free(EVP_CIPHER_CTX *context)
{
    EVP_CIPHER_CTX_free(context);
}

static void evp_md_ctx_free(EVP_MD_CTX *context)
{
    EVP_MD_CTX_free(context);
}

static void ec_group_free(EC_GROUP *group)
{
    EC_GROUP_free(group);
}

static void ec_point_free(EC_POINT *point)
{
    EC_POINT_free(point);
}

static void bignum_free(BIGNUM *number)
{
    BN_clear_free(number);
}

static void param_bld_free(OSSL_PARAM_BLD *build)
{
    OSSL_PARAM_BLD_free(build);
}

static void param_free(OSSL_PARAM *params)
{
    OSSL_PARAM_free(params);
}

static void ecdsa_sig_free(ECDSA_SIG *signature)
{
    ECDSA_SIG_free(signature);
}

DEFINE_AUTO_PTR(EVP_PKEY, evp_pkey_free);
DEFINE_AUTO_PTR(EVP_PKEY_CTX, evp_pkey_ctx_free);
DEFINE_AUTO_PTR(EVP_CIPHER_CTX, evp_cipher_ctx_free);
DEFINE_AUTO_PTR(EVP_MD_CTX, evp_md_ctx_free);
DEFINE_AUTO_PTR(EC_GROUP, ec_group_free);
DEFINE_AUTO_PTR(EC_POINT, ec_point_free);
DEFINE_AUTO_PTR(BIGNUM, bignum_free);
DEFINE_AUTO_PTR(OSSL_PARAM_BLD, param_bld_free);
DEFINE_AUTO_PTR(OSSL_PARAM, param_free);
DEFINE_AUTO_PTR(ECDSA_SIG, ecdsa_sig_free);

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "P-256 can not be prepared");
}

/* ---- keys ---- */

void sat__webpush_key_wipe(sat__webpush_key *key)
{
    sat__wipe(key, sizeof *key);
}

sat_status sat__webpush_key_of(const uint8_t secret[32], sat__webpush_key *out,
                               sat_error *err)
{
    AUTO_PTR(EC_GROUP)
    group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    AUTO_PTR(BIGNUM) scalar = BN_bin2bn(secret, 32, NULL);
    AUTO_PTR(EC_POINT) point = group != NULL ? EC_POINT_new(group) : NULL;

    if (scalar == NULL || point == NULL)
        return no_memory(err);
    if (BN_is_zero(scalar) || BN_cmp(scalar, EC_GROUP_get0_order(group)) >= 0)
        return sat__fail(err, SAT_ERR_INVALID, "this is no key of P-256");
    BN_set_flags(scalar, BN_FLG_CONSTTIME);
    if (EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) != 1 ||
        EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED,
                           out->point, sizeof out->point,
                           NULL) != sizeof out->point)
        return no_memory(err);
    memcpy(out->secret, secret, sizeof out->secret);
    return SAT_OK;
}

sat_status sat__webpush_key_generate(const sat_env *env, sat__webpush_key *out,
                                     sat_error *err)
{
    uint8_t secret[32];
    sat_status st;

    do {
        env->random(env->context, secret, sizeof secret);
        st = sat__webpush_key_of(secret, out, err);
    } while (st == SAT_ERR_INVALID);
    sat__wipe(secret, sizeof secret);
    return st;
}

static bool push_key(OSSL_PARAM_BLD *build, const uint8_t *point,
                     const BIGNUM *secret)
{
    return OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
                                           "P-256", 0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
                                            point,
                                            SAT_WEBPUSH_POINT_SIZE) == 1 &&
           (secret == NULL ||
            OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret) ==
                1);
}

/* SAT_ERR_INVALID where it is no point of the curve. */
static sat_status make_key(const uint8_t *point, const uint8_t *secret,
                           EVP_PKEY **out, sat_error *err)
{
    AUTO_PTR(OSSL_PARAM_BLD) build = OSSL_PARAM_BLD_new();
    AUTO_PTR(BIGNUM)
    scalar = secret != NULL ? BN_bin2bn(secret, 32, NULL) : NULL;
    AUTO_PTR(EVP_PKEY_CTX)
    context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    AUTO_PTR(EVP_PKEY) key = NULL;

    if (build == NULL || context == NULL ||
        (secret != NULL && scalar == NULL) || !push_key(build, point, scalar))
        return no_memory(err);
    AUTO_PTR(OSSL_PARAM) params = OSSL_PARAM_BLD_to_param(build);
    if (params == NULL || EVP_PKEY_fromdata_init(context) != 1)
        return no_memory(err);
    if (EVP_PKEY_fromdata(context, &key,
                          secret != NULL ? EVP_PKEY_KEYPAIR
                                         : EVP_PKEY_PUBLIC_KEY,
                          params) != 1)
        return sat__fail(err, SAT_ERR_INVALID, "this is no point of P-256");
    *out = TAKE(key);
    return SAT_OK;
}

bool sat__webpush_point_is_valid(const uint8_t point[SAT_WEBPUSH_POINT_SIZE])
{
    AUTO_PTR(EVP_PKEY) key = NULL;

    return point[0] == 4 && make_key(point, NULL, &key, NULL) == SAT_OK;
}

/* ---- the key of a message ---- */

static sat_status agree(const sat__webpush_key *own, const uint8_t *point,
                        uint8_t out[32], sat_error *err)
{
    AUTO_PTR(EVP_PKEY) mine = NULL;
    AUTO_PTR(EVP_PKEY) theirs = NULL;
    size_t len = 32;

    TRY(make_key(own->point, own->secret, &mine, err));
    TRY(make_key(point, NULL, &theirs, err));
    AUTO_PTR(EVP_PKEY_CTX) context = EVP_PKEY_CTX_new(mine, NULL);
    if (context == NULL || EVP_PKEY_derive_init(context) != 1 ||
        EVP_PKEY_derive_set_peer(context, theirs) != 1 ||
        EVP_PKEY_derive(context, out, &len) != 1 || len != 32)
        return sat__fail(err, SAT_ERR_INVALID, "this is no point of P-256");
    return SAT_OK;
}

typedef struct message_key {
    uint8_t key[16], nonce[12];
} message_key;

/* RFC 8291, section 3.4. */
static sat_status derive(const uint8_t shared[32],
                         const sat__webpush_receiver *to, const uint8_t *sender,
                         const uint8_t *salt, message_key *out, sat_error *err)
{
    static const char info[] = "WebPush: info";
    static const char for_key[] = "Content-Encoding: aes128gcm";
    static const char for_nonce[] = "Content-Encoding: nonce";
    uint8_t both[sizeof info + 2 * SAT_WEBPUSH_POINT_SIZE];
    uint8_t secret[32];

    memcpy(both, info, sizeof info);
    memcpy(both + sizeof info, to->point, SAT_WEBPUSH_POINT_SIZE);
    memcpy(both + sizeof info + SAT_WEBPUSH_POINT_SIZE, sender,
           SAT_WEBPUSH_POINT_SIZE);
    sat_status st = sat__hkdf(
        SAT_SHA256, bytes_of(shared, 32), bytes_of(to->auth, sizeof to->auth),
        bytes_of(both, sizeof both), secret, sizeof secret, err);
    const sat_bytes from = bytes_of(secret, sizeof secret);
    const sat_bytes with = bytes_of(salt, SAT_WEBPUSH_SALT_SIZE);
    if (st == SAT_OK)
        st =
            sat__hkdf(SAT_SHA256, from, with, bytes_of(for_key, sizeof for_key),
                      out->key, sizeof out->key, err);
    if (st == SAT_OK)
        st = sat__hkdf(SAT_SHA256, from, with,
                       bytes_of(for_nonce, sizeof for_nonce), out->nonce,
                       sizeof out->nonce, err);
    sat__wipe(secret, sizeof secret);
    return st;
}

/* ---- sealing ---- */

static sat_status encrypt(const message_key *key, sat_bytes plain, sat_buf *out,
                          sat_error *err)
{
    static const uint8_t last = LAST_RECORD;
    AUTO_PTR(EVP_CIPHER_CTX) context = EVP_CIPHER_CTX_new();
    int len = 0, more = 0;

    if (context == NULL || !sat__buf_reserve(out, plain.len + 1 + TAG_SIZE))
        return no_memory(err);
    uint8_t *const at = out->data + out->len;
    if (EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, key->key,
                           key->nonce) != 1 ||
        EVP_EncryptUpdate(context, at, &len, plain.data, (int)plain.len) != 1 ||
        EVP_EncryptUpdate(context, at + len, &more, &last, 1) != 1 ||
        EVP_EncryptFinal_ex(context, at + len + more, &more) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE,
                            at + plain.len + 1) != 1)
        return no_memory(err);
    out->len += plain.len + 1 + TAG_SIZE;
    return SAT_OK;
}

sat_status sat__webpush_seal(const sat__webpush_key *own,
                             const uint8_t salt[SAT_WEBPUSH_SALT_SIZE],
                             const sat__webpush_receiver *to, sat_bytes plain,
                             sat_buf *out, sat_error *err)
{
    static const uint8_t record_size[4] = {0, 0, 16, 0};
    uint8_t shared[32];
    message_key key;

    if (plain.len == 0 || plain.len > SAT_WEBPUSH_PLAIN_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "a message of %zu bytes",
                         plain.len);
    TRY(agree(own, to->point, shared, err));
    sat_status st = derive(shared, to, own->point, salt, &key, err);
    sat__buf_put(out, salt, SAT_WEBPUSH_SALT_SIZE);
    sat__buf_put(out, record_size, sizeof record_size);
    sat__buf_put_byte(out, SAT_WEBPUSH_POINT_SIZE);
    sat__buf_put(out, own->point, SAT_WEBPUSH_POINT_SIZE);
    if (st == SAT_OK)
        st = encrypt(&key, plain, out, err);
    sat__wipe(shared, sizeof shared);
    sat__wipe(&key, sizeof key);
    return st != SAT_OK ? st : sat__buf_status(out, err);
}

/* ---- opening ---- */

static sat_status decrypt(const message_key *key, sat_bytes sealed,
                          uint8_t *out, sat_error *err)
{
    AUTO_PTR(EVP_CIPHER_CTX) context = EVP_CIPHER_CTX_new();
    uint8_t tag[TAG_SIZE];
    const size_t len = sealed.len - TAG_SIZE;
    int got = 0;

    memcpy(tag, sealed.data + len, sizeof tag);
    if (context == NULL ||
        EVP_DecryptInit_ex(context, EVP_aes_128_gcm(), NULL, key->key,
                           key->nonce) != 1 ||
        EVP_DecryptUpdate(context, out, &got, sealed.data, (int)len) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) != 1)
        return no_memory(err);
    if (EVP_DecryptFinal_ex(context, out + got, &got) != 1)
        return sat__fail(err, SAT_ERR_AUTH,
                         "the message is not for this device");
    return SAT_OK;
}

/* The plain bytes end with a 2 and zeros. */
static sat_status take_plain(const uint8_t *padded, size_t len, sat_buf *out,
                             sat_error *err)
{
    while (len > 0 && padded[len - 1] == 0)
        len--;
    if (len == 0 || padded[len - 1] != LAST_RECORD)
        return sat__fail(err, SAT_ERR_CORRUPT, "the message has no end");
    sat__buf_put(out, padded, len - 1);
    return sat__buf_status(out, err);
}

static size_t record_size_of(const uint8_t *at)
{
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 |
           at[3];
}

sat_status sat__webpush_open(const sat__webpush_key *key,
                             const uint8_t auth[SAT_WEBPUSH_AUTH_SIZE],
                             sat_bytes sealed, sat_buf *out, sat_error *err)
{
    uint8_t plain[SAT_WEBPUSH_SEALED_MAX];
    uint8_t shared[32];
    sat__webpush_receiver self;
    message_key of;

    if (sealed.len <= HEAD_SIZE + TAG_SIZE ||
        sealed.len > SAT_WEBPUSH_SEALED_MAX ||
        sealed.data[SAT_WEBPUSH_SALT_SIZE + 4] != SAT_WEBPUSH_POINT_SIZE ||
        record_size_of(sealed.data + SAT_WEBPUSH_SALT_SIZE) <
            sealed.len - HEAD_SIZE)
        return sat__fail(err, SAT_ERR_CORRUPT, "this is no pushed message");
    const uint8_t *const sender = sealed.data + SAT_WEBPUSH_SALT_SIZE + 5;
    const sat_bytes record =
        bytes_of(sealed.data + HEAD_SIZE, sealed.len - HEAD_SIZE);
    if (!sat__webpush_point_is_valid(sender))
        return sat__fail(err, SAT_ERR_CORRUPT, "this is no pushed message");
    memcpy(self.point, key->point, sizeof self.point);
    memcpy(self.auth, auth, sizeof self.auth);
    TRY(agree(key, sender, shared, err));
    sat_status st = derive(shared, &self, sender, sealed.data, &of, err);
    if (st == SAT_OK)
        st = decrypt(&of, record, plain, err);
    if (st == SAT_OK)
        st = take_plain(plain, record.len - TAG_SIZE, out, err);
    sat__wipe(plain, sizeof plain);
    sat__wipe(shared, sizeof shared);
    sat__wipe(&of, sizeof of);
    return st;
}

/* ---- who sends ---- */

static void put_base64(sat_buf *out, const void *data, size_t len)
{
    const size_t size = sodium_base64_ENCODED_LEN(
        len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);

    if (!sat__buf_reserve(out, size))
        return;
    (void)sodium_bin2base64((char *)out->data + out->len, size, data, len,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    out->len += size - 1;
}

/* ES256 (RFC 7518): r and s, 32 bytes each. */
static sat_status sign(const sat__webpush_key *key, sat_bytes text,
                       uint8_t out[64], sat_error *err)
{
    AUTO_PTR(EVP_PKEY) own = NULL;
    AUTO_PTR(EVP_MD_CTX) context = EVP_MD_CTX_new();
    uint8_t der[80];
    size_t len = sizeof der;

    TRY(make_key(key->point, key->secret, &own, err));
    if (context == NULL ||
        EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, own) != 1 ||
        EVP_DigestSign(context, der, &len, text.data, text.len) != 1)
        return no_memory(err);
    const uint8_t *at = der;
    AUTO_PTR(ECDSA_SIG) signature = d2i_ECDSA_SIG(NULL, &at, (long)len);
    if (signature == NULL ||
        BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, 32) != 32 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + 32, 32) != 32)
        return no_memory(err);
    return SAT_OK;
}

sat_status sat__webpush_vapid(const sat__webpush_key *key, const char *audience,
                              const char *subject, uint64_t expires_s,
                              sat_buf *out, sat_error *err)
{
    static const char head[] = "{\"typ\":\"JWT\",\"alg\":\"ES256\"}";
    AUTO(sat_buf) claims = SAT_BUF_INIT;
    AUTO(sat_buf) token = SAT_BUF_INIT;
    uint8_t signature[64];

    sat__buf_printf(&claims, "{\"aud\":\"%s\",\"exp\":%llu", audience,
                    (unsigned long long)expires_s);
    if (subject != NULL)
        sat__buf_printf(&claims, ",\"sub\":\"%s\"", subject);
    sat__buf_put_byte(&claims, '}');
    TRY(sat__buf_status(&claims, err));
    put_base64(&token, head, sizeof head - 1);
    sat__buf_put_byte(&token, '.');
    put_base64(&token, claims.data, claims.len);
    TRY(sat__buf_status(&token, err));
    TRY(sign(key, buf_view(&token), signature, err));
    sat__buf_put_text(out, "vapid t=");
    sat__buf_put(out, token.data, token.len);
    sat__buf_put_byte(out, '.');
    put_base64(out, signature, sizeof signature);
    sat__buf_put_text(out, ", k=");
    put_base64(out, key->point, sizeof key->point);
    return sat__buf_status(out, err);
}
