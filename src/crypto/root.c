/*
 * root.c - from what a person keeps to the keys of a slot
 */
#include "crypto/root.h"

#include <sodium.h>

#include "base/error.h"
#include "crypto/labels.h"
#include "crypto/unicode.h"

#define STRETCHED_SIZE 32

typedef struct root_labels {
    const char *slot;
    const char *sign;
    const char *exchange;
} root_labels;

static const root_labels labels[] = {
    [SAT_SLOT_PASSWORD] = {SAT_LABEL_PASSWORD_SLOT, SAT_LABEL_PASSWORD_SIGN,
                           SAT_LABEL_PASSWORD_EXCHANGE},
    [SAT_SLOT_PHRASE] = {SAT_LABEL_PHRASE_SLOT, SAT_LABEL_PHRASE_SIGN,
                         SAT_LABEL_PHRASE_EXCHANGE},
    [SAT_SLOT_KEYCHAIN] = {SAT_LABEL_KEYCHAIN_SLOT, NULL, NULL},
};

static sat_status check_range(const char *what, uint32_t value, uint32_t min,
                              uint32_t max, sat_error *err)
{
    if (value < min)
        return sat__fail(
            err, SAT_ERR_CORRUPT,
            "the key slot is too weak: %u %s where %u is the least", value,
            what, min);
    if (value > max)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the key slot asks for %u %s where %u is the most",
                         value, what, max);
    return SAT_OK;
}

static sat_status check_memory(const sat__kdf_cost *cost, uint32_t min,
                               uint32_t max, sat_error *err)
{
    return check_range("KiB of memory", cost->memory_kib, min, max, err);
}

static sat_status check_passes(const sat__kdf_cost *cost, uint32_t min,
                               uint32_t max, sat_error *err)
{
    return check_range("passes", cost->passes, min, max, err);
}

sat_status sat__kdf_cost_check(sat__slot_kind kind, const sat__kdf_cost *cost,
                               sat_error *err)
{
    if ((kind == SAT_SLOT_PASSWORD) == (cost->kdf == SAT_KDF_NONE))
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the key slot's way from secret to key is not the one "
                         "of its kind");
    switch (cost->kdf) {
    case SAT_KDF_NONE:
        TRY(check_passes(cost, 0, 0, err));
        return check_memory(cost, 0, 0, err);
    case SAT_KDF_ARGON2ID:
        TRY(check_passes(cost, SAT_ARGON2ID_PASSES_MIN, SAT_ARGON2ID_PASSES_MAX,
                         err));
        return check_memory(cost, SAT_ARGON2ID_MEMORY_MIN,
                            SAT_ARGON2ID_MEMORY_MAX, err);
    case SAT_KDF_PBKDF2:
        TRY(check_passes(cost, SAT_PBKDF2_PASSES_MIN, SAT_PBKDF2_PASSES_MAX,
                         err));
        return check_memory(cost, 0, 0, err);
    }
    return sat__fail(err, SAT_ERR_VERSION,
                     "the key slot derives its key in a way not known here");
}

void sat__root_wipe(sat__root *root)
{
    sat__wipe(root, sizeof *root);
}

static sat_status stretch(const sat__kdf_cost *cost, sat_bytes password,
                          const uint8_t salt[crypto_pwhash_SALTBYTES],
                          uint8_t out[STRETCHED_SIZE], sat_error *err)
{
    if (cost->kdf == SAT_KDF_PBKDF2)
        return sat__pbkdf2(SAT_SHA256, password,
                           bytes_of(salt, crypto_pwhash_SALTBYTES),
                           cost->passes, out, STRETCHED_SIZE, err);
    if (crypto_pwhash(out, STRETCHED_SIZE, (const char *)password.data,
                      password.len, salt, cost->passes,
                      (size_t)cost->memory_kib * 1024,
                      crypto_pwhash_ALG_ARGON2ID13) != 0)
        return sat__fail(err, SAT_ERR_NOMEM,
                         "no %u KiB of memory to check a password with",
                         cost->memory_kib);
    return SAT_OK;
}

sat_status sat__root_of_password(const sat__kdf_cost *cost, sat_bytes password,
                                 const sat__secret_key *secret_key,
                                 sat__root *out, sat_error *err)
{
    AUTO(sat_buf) spelled = SAT_BUF_INIT;
    uint8_t salt[SAT_KEY_SIZE];

    if (password.len == 0)
        return sat__fail(err, SAT_ERR_INVALID, "the password is empty");
    TRY(sat__kdf_cost_check(SAT_SLOT_PASSWORD, cost, err));
    TRY(sat__unicode_nfkd(password, &spelled, err));
    sat__derive(bytes_of(secret_key->bytes, sizeof secret_key->bytes),
                SAT_LABEL_PASSWORD_SALT, salt);

    AUTO(sat__root) root = {.kind = SAT_SLOT_PASSWORD, .cost = *cost};
    TRY(stretch(cost, buf_view(&spelled), salt, root.secret, err));
    memcpy(root.secret + STRETCHED_SIZE, secret_key->bytes,
           sizeof secret_key->bytes);
    root.len = STRETCHED_SIZE + sizeof secret_key->bytes;
    *out = root;
    return SAT_OK;
}

sat_status sat__root_of_phrase(const sat__phrase *phrase, sat__root *out,
                               sat_error *err)
{
    AUTO(sat__root) root = {.kind = SAT_SLOT_PHRASE};

    if (phrase->words != 12 && phrase->words != 24)
        return sat__fail(err, SAT_ERR_INVALID,
                         "a recovery phrase has 12 or 24 words; this one has "
                         "%zu",
                         phrase->words);
    TRY(sat__phrase_seed(phrase, bytes_of(NULL, 0), root.secret, err));
    root.len = SAT_PHRASE_SEED_SIZE;
    *out = root;
    return SAT_OK;
}

void sat__root_of_keychain(const sat__keychain_key *key, sat__root *out)
{
    *out = (sat__root){.kind = SAT_SLOT_KEYCHAIN, .len = sizeof key->bytes};
    memcpy(out->secret, key->bytes, sizeof key->bytes);
}

static sat_bytes secret_of(const sat__root *root)
{
    return bytes_of(root->secret, root->len);
}

void sat__root_slot_key(const sat__root *root, sat__seal_key *out)
{
    sat__derive(secret_of(root), labels[root->kind].slot, out->bytes);
}

sat_status sat__root_identity(const sat__root *root, sat__identity **out,
                              sat_error *err)
{
    AUTO(sat__sign_seed) sign;
    AUTO(sat__exchange_key) exchange;
    if (root->kind == SAT_SLOT_KEYCHAIN)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "a keychain has no identity of its own");
    sat__derive(secret_of(root), labels[root->kind].sign, sign.bytes);
    sat__derive(secret_of(root), labels[root->kind].exchange, exchange.bytes);
    return sat__identity_of(&sign, &exchange, out, err);
}

sat_status sat__root_login(const sat__root *root, sat__identity **out,
                           sat_error *err)
{
    AUTO(sat__sign_seed) sign;
    AUTO(sat__exchange_key) exchange;
    if (root->kind != SAT_SLOT_PASSWORD)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "only a password has a key for logins");
    sat__derive(secret_of(root), SAT_LABEL_PASSWORD_LOGIN, sign.bytes);
    memcpy(exchange.bytes, sign.bytes, sizeof exchange.bytes);
    return sat__identity_of(&sign, &exchange, out, err);
}
