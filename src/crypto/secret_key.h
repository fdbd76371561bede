/*
 * secret_key.h - what makes a password unguessable away from its devices
 *
 * 128 random bits, held by a person's devices and printed once on the recovery
 * sheet. Whatever is derived from a password is derived from these bits too, so
 * nothing that leaves a device can be tried against a list of passwords.
 */
#ifndef SAT_SRC_CRYPTO_SECRET_KEY_H
#define SAT_SRC_CRYPTO_SECRET_KEY_H

#include "crypto/keys.h"

#define SAT_SECRET_KEY_SIZE 16

/* "SK1" and eight groups of four, hyphens between, and the end. */
#define SAT_SECRET_KEY_TEXT_SIZE 44

typedef struct sat__secret_key {
    uint8_t bytes[SAT_SECRET_KEY_SIZE];
} sat__secret_key;

void sat__secret_key_generate(const sat_env *env, sat__secret_key *out);
void sat__secret_key_wipe(sat__secret_key *key);
DEFINE_AUTO(sat__secret_key, sat__secret_key_wipe);

/* As it is printed, with a checksum: SK1-0123-4567-… */
void sat__secret_key_format(const sat__secret_key *key,
                            char out[SAT_SECRET_KEY_TEXT_SIZE]);

/* As a person types it: in either case, with hyphens, blanks or neither. A
 * wrong character or checksum fails with SAT_ERR_INVALID. */
SAT_CHECK sat_status sat__secret_key_parse(const char *text,
                                           sat__secret_key *out,
                                           sat_error *err);

#endif /* SAT_SRC_CRYPTO_SECRET_KEY_H */
