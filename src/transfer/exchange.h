/*
 * exchange.h - the hub's part of a transfer, as either side asks for it
 *
 * docs/formats/hub-protocol.md has the routes.
 */
#ifndef SAT_SRC_TRANSFER_EXCHANGE_H
#define SAT_SRC_TRANSFER_EXCHANGE_H

#include "account/hub.h"
#include "net/fetch.h"
#include "transfer/blob.h"
#include "transfer/code.h"

/* As the hub says it. */
typedef enum sat__transfer_stage {
    SAT_STAGE_OFFERED = 1,
    SAT_STAGE_CLAIMED = 2,
    SAT_STAGE_RELEASED = 3,
    SAT_STAGE_DONE = 4
} sat__transfer_stage;

/* ---- the old device, in a session ---- */

typedef struct sat__transfer_offer {
    uint8_t id[32];
    uint64_t expires_at;
} sat__transfer_offer;

/* Announces the blob, as often as it takes: *url is fresh each time. */
SAT_CHECK sat_status sat__transfer_offer_make(
    sat__hub *hub, const sat__transfer_code *code,
    const sat__transfer_blob *blob, const uint8_t md5[16],
    sat__transfer_offer *out, char url[SAT_FETCH_URL_SIZE], sat_error *err);

/* From now on `code` claims it, and no code before. SAT_ERR_CONFLICT: somebody
 * has claimed it already. */
SAT_CHECK sat_status sat__transfer_offer_renew(sat__hub *hub,
                                               const sat__transfer_offer *offer,
                                               const sat__transfer_code *code,
                                               sat_error *err);

/* How it stands; the claim is appended once there is one. */
SAT_CHECK sat_status sat__transfer_offer_look(sat__hub *hub,
                                              const sat__transfer_offer *offer,
                                              sat__transfer_stage *stage,
                                              sat_buf *claim, sat_error *err);

SAT_CHECK sat_status
sat__transfer_offer_release(sat__hub *hub, const sat__transfer_offer *offer,
                            sat_bytes release, sat_error *err);

/* The code is dead from now on, and the blob is gone. */
SAT_CHECK sat_status sat__transfer_offer_cancel(
    sat__hub *hub, const sat__transfer_offer *offer, sat_error *err);

/* ---- the new device, which has no account there ---- */

/* How it stands for whoever claimed it; what is beyond `expires_at` is filled
 * once it is released. */
typedef struct sat__transfer_gift {
    sat__transfer_stage stage;
    uint64_t expires_at;
    char url[SAT_FETCH_URL_SIZE];
    sat__transfer_blob blob;
    sat_buf release;
} sat__transfer_gift;

#define SAT_TRANSFER_GIFT_INIT                                                 \
    {                                                                          \
        .release = SAT_BUF_INIT                                                \
    }

void sat__transfer_gift_clear(sat__transfer_gift *gift);
DEFINE_AUTO(sat__transfer_gift, sat__transfer_gift_clear);

/* Claims it, and asks how it stands. The same claim may be made any number of
 * times; another one finds nothing. */
SAT_CHECK sat_status sat__transfer_ask(sat__hub *hub,
                                       const sat__transfer_code *code,
                                       sat_bytes claim,
                                       sat__transfer_gift *gift,
                                       sat_error *err);

/* Everything has arrived: the hub forgets it. */
SAT_CHECK sat_status sat__transfer_confirm(sat__hub *hub,
                                           const sat__transfer_code *code,
                                           sat_bytes claim, sat_error *err);

#endif /* SAT_SRC_TRANSFER_EXCHANGE_H */
