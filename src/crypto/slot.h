/*
 * slot.h - one way to unlock the master key
 *
 * A slot holds the master key, sealed under what a root derives: a password
 * with the secret key, a recovery phrase, or a keychain's random key. It says
 * by what cost it was made, and that is authenticated with the rest; a slot
 * below the floor is refused, whoever sent it.
 *
 *      sat__slot_decode(bytes, &slot, err)
 *      sat__root_of_password(&slot.cost, password, secret_key, &root, err)
 *      sat__slot_open(&slot, &root, &master, err)
 */
#ifndef SAT_SRC_CRYPTO_SLOT_H
#define SAT_SRC_CRYPTO_SLOT_H

#include "crypto/root.h"
#include "crypto/seal.h"

#define SAT_SLOT_ID_SIZE 16
#define SAT_SLOT_SEALED_SIZE (SAT_KEY_SIZE + SAT_SEAL_COMMITTED_OVERHEAD)

/* A longer encoding is no slot. */
#define SAT_SLOT_SIZE_MAX 512

typedef struct sat__slot {
    uint8_t id[SAT_SLOT_ID_SIZE]; /* random, new with every sealing */
    sat__slot_kind kind;
    sat__kdf_cost cost;
    uint64_t generation;      /* of the master key inside */
    sat__principal principal; /* of its root; zero for a keychain */
    uint8_t sealed[SAT_SLOT_SEALED_SIZE];
} sat__slot;

/* Makes a slot that opens with `root`. */
SAT_CHECK sat_status sat__slot_seal(const sat_env *env, const sat__root *root,
                                    const sat__master_key *master,
                                    uint64_t generation, sat__slot *out,
                                    sat_error *err);

/*
 * Opens it. A wrong password, phrase or key fails with SAT_ERR_AUTH, and so
 * does a slot that was changed.
 */
SAT_CHECK sat_status sat__slot_open(const sat__slot *slot,
                                    const sat__root *root, sat__master_key *out,
                                    sat_error *err);

/* Appends the slot to `out`. */
void sat__slot_encode(const sat__slot *slot, sat_buf *out);

/*
 * Reads exactly one slot. SAT_ERR_VERSION where a newer satchel wrote it, and
 * the statuses of sat__kdf_cost_check().
 */
SAT_CHECK sat_status sat__slot_decode(sat_bytes bytes, sat__slot *out,
                                      sat_error *err);

#endif /* SAT_SRC_CRYPTO_SLOT_H */
