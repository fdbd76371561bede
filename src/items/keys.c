/*
 * keys.c - the keys of a vault's items
 */
#include "items/keys.h"

#include "base/error.h"
#include "crypto/labels.h"

sat_status sat__item_keys_new(sat__item_keys **out, sat_error *err)
{
    *out = sat__secret_new(sizeof **out);
    if (*out == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for keys");
    return SAT_OK;
}

void sat__item_keys_free(sat__item_keys *keys)
{
    sat__secret_free(keys);
}

sat_status sat__item_keys_add(sat__item_keys *keys,
                              const uint8_t epoch[SAT_EPOCH_ID_SIZE],
                              const sat__epoch_key *key, sat_error *err)
{
    if (keys->count == SAT_EPOCHS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the vault has more than %d epochs", SAT_EPOCHS_MAX);
    sat__item_epoch *const next = &keys->epochs[keys->count++];
    const sat_bytes secret = bytes_of(key->bytes, sizeof key->bytes);
    memcpy(next->id, epoch, sizeof next->id);
    sat__derive(secret, SAT_LABEL_ITEM, next->item_key.bytes);
    sat__derive(secret, SAT_LABEL_HEAD_KNOWLEDGE, next->head_key.bytes);
    return SAT_OK;
}

const sat__item_epoch *sat__item_keys_find(
    const sat__item_keys *keys, const uint8_t epoch[SAT_EPOCH_ID_SIZE])
{
    for (size_t i = keys->count; i > 0; i--)
        if (memcmp(keys->epochs[i - 1].id, epoch, SAT_EPOCH_ID_SIZE) == 0)
            return &keys->epochs[i - 1];
    return NULL;
}

void sat__item_id(const sat__item_keys *keys, sat_bytes name,
                  uint8_t out[SAT_ITEM_ID_SIZE])
{
    sat__hmac(SAT_SHA256, bytes_of(keys->id_key.bytes, SAT_KEY_SIZE), name,
              out);
}
