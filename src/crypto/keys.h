/*
 * keys.h - one type for each kind of key
 *
 * A key in the wrong place does not compile. AUTO(sat__file_key) wipes it at
 * the end of its block; where it outlives a call it is a member of something
 * made by sat__secret_new().
 *
 *      master key ─> seal keys, by label
 *      database key ─> SQLCipher     file key ─> a stream
 */
#ifndef SAT_SRC_CRYPTO_KEYS_H
#define SAT_SRC_CRYPTO_KEYS_H

#include "crypto/hash.h"
#include "crypto/secret.h"
#include "satchel/env.h"

#define SAT_KEY_SIZE 32

#define DEFINE_KEY(type)                                                       \
    typedef struct type {                                                      \
        uint8_t bytes[SAT_KEY_SIZE];                                           \
    } type;                                                                    \
    static inline void type##_wipe(type *key)                                  \
    {                                                                          \
        sat__wipe(key, sizeof *key);                                           \
    }                                                                          \
    static inline void type##_generate(const sat_env *env, type *out)          \
    {                                                                          \
        env->random(env->context, out->bytes, sizeof out->bytes);              \
    }                                                                          \
    DEFINE_AUTO(type, type##_wipe)

DEFINE_KEY(sat__master_key);   /* of the account: everything hangs on it */
DEFINE_KEY(sat__database_key); /* of one SQLCipher file on one device */
DEFINE_KEY(sat__file_key); /* of one stream: a media file, a backup object */
DEFINE_KEY(sat__keychain_key); /* of one keychain slot */
DEFINE_KEY(sat__seal_key);     /* what crypto/seal.h takes, always derived */

/* The key under `label`, one of crypto/labels.h. */
static inline void master_key_derive(const sat__master_key *key,
                                     const char *label, sat__seal_key *out)
{
    sat__derive(bytes_of(key->bytes, sizeof key->bytes), label, out->bytes);
}

#endif /* SAT_SRC_CRYPTO_KEYS_H */
