/*
 * keys_file.h - keys.cbor: who the device is, its key slots, what they guard
 *
 *      [format, sign, exchange, salt, generation, [[slot, envelope], …],
 * sealed]
 *
 * Everything that hangs on the master key is in this one file, so that
 * replacing the file changes all of it or nothing. Nothing in it is secret
 * without a slot. docs/formats/profile.md draws it.
 */
#ifndef SAT_SRC_STORE_KEYS_FILE_H
#define SAT_SRC_STORE_KEYS_FILE_H

#include "crypto/envelope.h"
#include "crypto/slot.h"

#define SAT_KEYS_FILE_SIZE_MAX (1 << 20)
#define SAT_KEYS_FILE_SLOTS_MAX 16
#define SAT_MASTER_ENVELOPE_SIZE (SAT_KEY_SIZE + SAT_ENVELOPE_OVERHEAD)

/* A way to the master key. A slot whose secret was not at hand when the master
 * key was renewed still opens the former one; the present one is then in an
 * envelope for the slot's principal. */
typedef struct sat__keys_entry {
    sat__slot slot;
    bool has_envelope;
    uint8_t envelope[SAT_MASTER_ENVELOPE_SIZE];
} sat__keys_entry;

/*
 * What is kept of each slot among the secrets: which slot it is, and a key made
 * of the master key inside it. An envelope is bound to that key, so that nobody
 * who can not open the slot, or what the present master key seals, makes one;
 * and a slot that somebody else put into the file gets none.
 */
typedef struct sat__slot_tie {
    uint8_t slot[SAT_SHA256_SIZE]; /* hash of its encoding */
    sat__seal_key key;
} sat__slot_tie;

typedef struct sat__slot_ties {
    size_t count;
    sat__slot_tie list[SAT_KEYS_FILE_SLOTS_MAX];
} sat__slot_ties;

typedef struct sat__keys_file {
    sat__principal device;
    sat__secret_key salt; /* of the passwords; public, and this device's own */
    uint64_t generation;  /* of the master key */
    size_t count;
    sat__keys_entry entries[SAT_KEYS_FILE_SLOTS_MAX];
    sat_buf sealed; /* see store/secrets.h */
} sat__keys_file;

void sat__keys_file_clear(sat__keys_file *file);
DEFINE_AUTO(sat__keys_file, sat__keys_file_clear);

/* Appends the file's content to `out`. */
void sat__keys_file_encode(const sat__keys_file *file, sat_buf *out);

/* SAT_ERR_VERSION for a newer format; otherwise as sat__slot_decode(). The
 * caller clears `out` where it succeeds. */
SAT_CHECK sat_status sat__keys_file_decode(sat_bytes bytes, sat__keys_file *out,
                                           sat_error *err);

/* Finds the master key with the root of a secret; SAT_ERR_AUTH where no slot of
 * its kind opens with it. */
SAT_CHECK sat_status sat__keys_file_open(const sat__keys_file *file,
                                         const sat__root *root,
                                         sat__master_key *out, sat_error *err);

/* The first slot of `kind`, NULL if there is none. */
const sat__slot *sat__keys_file_slot(const sat__keys_file *file,
                                     sat__slot_kind kind);

/* Removes the slots of root's kind, and makes one for it, with its tie. */
SAT_CHECK sat_status sat__keys_file_put(sat__keys_file *file,
                                        const sat_env *env,
                                        const sat__root *root,
                                        const sat__master_key *master,
                                        sat__slot_ties *ties, sat_error *err);

/* Takes over a slot that another device made, which holds `master`. */
SAT_CHECK sat_status sat__keys_file_take(sat__keys_file *file,
                                         const sat__slot *slot,
                                         const sat__master_key *master,
                                         sat__slot_ties *ties, sat_error *err);
void sat__keys_file_remove(sat__keys_file *file, sat__slot_kind kind);

/* Begins the next generation: addresses `master` to the principals of all slots
 * that have a tie, and removes the others and those of a keychain. */
SAT_CHECK sat_status sat__keys_file_renew(sat__keys_file *file,
                                          const sat_env *env,
                                          const sat__master_key *master,
                                          const sat__slot_ties *ties,
                                          sat_error *err);

#endif /* SAT_SRC_STORE_KEYS_FILE_H */
