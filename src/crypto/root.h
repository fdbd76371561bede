/*
 * root.h - what a person or a keychain keeps, ready to derive keys from
 *
 *      password ─Argon2id─┐
 *      secret key ────────┴─┐              ┌─ key of the slot
 *      recovery phrase ─────┼─ root ─HKDF──┴─ identity of the slot's principal
 *      keychain key ────────┘
 *
 * Each kind of root has labels of its own, so equal secrets of different kinds
 * make different keys.
 */
#ifndef SAT_SRC_CRYPTO_ROOT_H
#define SAT_SRC_CRYPTO_ROOT_H

#include "crypto/identity.h"
#include "crypto/phrase.h"
#include "crypto/secret_key.h"

typedef enum sat__slot_kind {
    SAT_SLOT_PASSWORD = 1,
    SAT_SLOT_PHRASE = 2,
    SAT_SLOT_KEYCHAIN = 3
} sat__slot_kind;

typedef enum sat__kdf {
    SAT_KDF_NONE = 0, /* the secret can not be guessed: phrase, keychain */
    SAT_KDF_ARGON2ID = 1,
    SAT_KDF_PBKDF2 = 2 /* HMAC-SHA256, where Argon2id may not be used */
} sat__kdf;

/* What it costs to try one password. */
typedef struct sat__kdf_cost {
    sat__kdf kdf;
    uint32_t passes;     /* Argon2id's passes, PBKDF2's iterations */
    uint32_t memory_kib; /* Argon2id's */
} sat__kdf_cost;

/* The floors of passwords, and what a slot may ask for at most: a hostile one
 * must not eat the memory or the day of whoever tries to open it. */
#define SAT_ARGON2ID_PASSES_MIN 3
#define SAT_ARGON2ID_PASSES_MAX 64
#define SAT_ARGON2ID_MEMORY_MIN 65536
#define SAT_ARGON2ID_MEMORY_MAX 1048576
#define SAT_PBKDF2_PASSES_MIN 600000
#define SAT_PBKDF2_PASSES_MAX 10000000

#define SAT_KDF_COST_ARGON2ID                                                  \
    {                                                                          \
        SAT_KDF_ARGON2ID, SAT_ARGON2ID_PASSES_MIN, SAT_ARGON2ID_MEMORY_MIN     \
    }
#define SAT_KDF_COST_PBKDF2                                                    \
    {                                                                          \
        SAT_KDF_PBKDF2, SAT_PBKDF2_PASSES_MIN, 0                               \
    }

/* SAT_ERR_CORRUPT below the floor of that kind of slot, SAT_ERR_LIMIT above the
 * ceiling, SAT_ERR_VERSION for a function that is not known. */
SAT_CHECK sat_status sat__kdf_cost_check(sat__slot_kind kind,
                                         const sat__kdf_cost *cost,
                                         sat_error *err);

typedef struct sat__root {
    sat__slot_kind kind;
    sat__kdf_cost cost;
    uint8_t secret[64];
    size_t len;
} sat__root;

void sat__root_wipe(sat__root *root);
DEFINE_AUTO(sat__root, sat__root_wipe);

/*
 * The root of a password, which takes as long as `cost` says. Passwords that
 * look the same are the same (Unicode NFKD); one that is empty or not UTF-8
 * fails with SAT_ERR_INVALID.
 */
SAT_CHECK sat_status sat__root_of_password(const sat__kdf_cost *cost,
                                           sat_bytes password,
                                           const sat__secret_key *secret_key,
                                           sat__root *out, sat_error *err);

/*
 * The root of a recovery phrase: its BIP39 seed, without a passphrase. One that
 * has neither 12 nor 24 words fails with SAT_ERR_INVALID.
 */
SAT_CHECK sat_status sat__root_of_phrase(const sat__phrase *phrase,
                                         sat__root *out, sat_error *err);

/* The root of a keychain's random key. */
void sat__root_of_keychain(const sat__keychain_key *key, sat__root *out);

/* The key that seals this root's slots. */
void sat__root_slot_key(const sat__root *root, sat__seal_key *out);

/* The principal's identity. A keychain has none: SAT_ERR_UNSUPPORTED. */
SAT_CHECK sat_status sat__root_identity(const sat__root *root,
                                        sat__identity **out, sat_error *err);

/* What signs logins with a password at a hub; only its signing half is used.
 * Others have none: SAT_ERR_UNSUPPORTED. */
SAT_CHECK sat_status sat__root_login(const sat__root *root, sat__identity **out,
                                     sat_error *err);

#endif /* SAT_SRC_CRYPTO_ROOT_H */
