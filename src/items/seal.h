/*
 * seal.h - what an item says, as the hub sees it
 *
 *      plain  = how (1) │ length (4) │ content │ zeros       padded
 *      sealed = crypto/seal.h under the item key, bound to vault, item id,
 *               epoch, version and the device that sealed it
 *
 * Content is compressed by itself (how 1) where that makes the item smaller,
 * and padded to at least 256 bytes, then by Padmé (Nikitin et al. 2019): at
 * most 12 % more, and few sizes to tell apart.
 */
#ifndef SAT_SRC_ITEMS_SEAL_H
#define SAT_SRC_ITEMS_SEAL_H

#include "items/keys.h"

#define SAT_ITEM_CONTENT_MAX ((size_t)24 << 20)

/* Where a sealed item stands. */
typedef struct sat__item_place {
    const uint8_t *id;    /* SAT_ITEM_ID_SIZE bytes */
    const uint8_t *epoch; /* SAT_EPOCH_ID_SIZE bytes */
    uint64_t version;
    const uint8_t *device; /* SAT_DEVICE_ID_SIZE bytes: who sealed it */
} sat__item_place;

/* Compresses and expands; one thread at a time may use it. */
typedef struct sat__item_press sat__item_press;

SAT_CHECK sat_status sat__item_press_new(sat__item_press **out, sat_error *err);
void sat__item_press_free(sat__item_press *press);
DEFINE_AUTO_PTR(sat__item_press, sat__item_press_free);

/* `len` and the zeros behind it: at least 256, then Padmé. */
size_t sat__padded(size_t len);

/* Appends the sealed content to `out`; the place's epoch must be known. */
SAT_CHECK sat_status sat__item_seal(const sat_env *env, sat__item_press *press,
                                    const sat__item_keys *keys,
                                    const sat__item_place *place,
                                    sat_bytes content, sat_buf *out,
                                    sat_error *err);

/*
 * Appends the content to `out`. SAT_ERR_DENIED: an epoch whose key is not here;
 * SAT_ERR_AUTH: sealed for another place, or changed; SAT_ERR_CORRUPT: sealed
 * there, and still no item.
 */
SAT_CHECK sat_status sat__item_unseal(sat__item_press *press,
                                      const sat__item_keys *keys,
                                      const sat__item_place *place,
                                      sat_bytes sealed, sat_buf *out,
                                      sat_error *err);

#endif /* SAT_SRC_ITEMS_SEAL_H */
