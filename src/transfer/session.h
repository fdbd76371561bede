/*
 * session.h - what the two sides of a transfer have in common
 */
#ifndef SAT_SRC_TRANSFER_SESSION_H
#define SAT_SRC_TRANSFER_SESSION_H

#include "satchel/transfer.h"
#include "transfer/exchange.h"

#define SAT_TRANSFER_POLL_MS 300

/* Copies the options that the caller knows of. */
SAT_CHECK sat_status sat__transfer_options(const sat_transfer_options *given,
                                           sat_transfer_options *out,
                                           sat_error *err);

/* Tells the caller. */
SAT_CHECK sat_status sat__transfer_tell(const sat_transfer_options *options,
                                        const sat_transfer_news *news,
                                        sat_error *err);

/* Waits a moment; SAT_ERR_STOPPED where the caller has had enough. */
SAT_CHECK sat_status sat__transfer_wait(const sat_transfer_options *options,
                                        sat_error *err);

/* What is released: the key of the blob, and what opens the backup in it. */
void sat__transfer_gift_encode(const sat__file_key *key, sat_bytes handover,
                               sat_buf *out);
SAT_CHECK sat_status sat__transfer_gift_decode(sat_bytes bytes,
                                               sat__file_key *key,
                                               sat_bytes *handover,
                                               sat_error *err);

#endif /* SAT_SRC_TRANSFER_SESSION_H */
