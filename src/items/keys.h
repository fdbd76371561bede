/*
 * keys.h - the keys of a vault's items
 *
 *      id key, fixed at the vault's genesis ─HMAC─> item ids
 *      epoch key, one for each epoch ─HKDF─> item key
 *
 * docs/formats/items.md has the bytes.
 */
#ifndef SAT_SRC_ITEMS_KEYS_H
#define SAT_SRC_ITEMS_KEYS_H

#include "crypto/seal.h"
#include "satchel/keys.h"

#define SAT_ITEM_ID_SIZE 32
#define SAT_EPOCH_ID_SIZE 32 /* the hash of the link that began it */
#define SAT_VAULT_ID_SIZE 32 /* the hash of the vault's genesis */
#define SAT_EPOCHS_MAX 1000

DEFINE_KEY(sat__id_key);
DEFINE_KEY(sat__epoch_key);

typedef struct sat__item_epoch {
    uint8_t id[SAT_EPOCH_ID_SIZE];
    sat__seal_key item_key;
    sat__seal_key head_key;
} sat__item_epoch;

/* In guarded memory. */
typedef struct sat__item_keys {
    uint8_t vault[SAT_VAULT_ID_SIZE];
    sat__id_key id_key;
    bool is_compressed; /* items are; not those of the vault `account` */
    size_t count;
    sat__item_epoch epochs[SAT_EPOCHS_MAX]; /* the last is the present one */
} sat__item_keys;

SAT_CHECK sat_status sat__item_keys_new(sat__item_keys **out, sat_error *err);
void sat__item_keys_free(sat__item_keys *keys);
DEFINE_AUTO_PTR(sat__item_keys, sat__item_keys_free);

/* Adds the next epoch; SAT_ERR_LIMIT beyond SAT_EPOCHS_MAX. */
SAT_CHECK sat_status sat__item_keys_add(sat__item_keys *keys,
                                        const uint8_t epoch[SAT_EPOCH_ID_SIZE],
                                        const sat__epoch_key *key,
                                        sat_error *err);

/* The epoch of that id; NULL where its key is not here. */
const sat__item_epoch *sat__item_keys_find(
    const sat__item_keys *keys, const uint8_t epoch[SAT_EPOCH_ID_SIZE]);

/* The present epoch; there is one. */
static inline const sat__item_epoch *item_keys_now(const sat__item_keys *keys)
{
    return &keys->epochs[keys->count - 1];
}

/* Item id = HMAC-SHA256(id key, name). */
void sat__item_id(const sat__item_keys *keys, sat_bytes name,
                  uint8_t out[SAT_ITEM_ID_SIZE]);

#endif /* SAT_SRC_ITEMS_KEYS_H */
