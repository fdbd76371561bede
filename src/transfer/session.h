/*
 * session.h - what the two sides of a transfer have in common
 */
#ifndef SAT_SRC_TRANSFER_SESSION_H
#define SAT_SRC_TRANSFER_SESSION_H

#include "transfer/exchange.h"
#include "transfer/folder.h"

/* Copies the options that the caller knows of. */
SAT_CHECK sat_status sat__transfer_options(const sat_transfer_options *given,
                                           sat_transfer_options *out,
                                           sat_error *err);

/* Tells the caller. */
SAT_CHECK sat_status sat__transfer_tell(const sat_transfer_options *options,
                                        const sat_transfer_news *news,
                                        sat_error *err);

/* SAT_ERR_STOPPED where the caller has had enough, or it was cancelled. */
SAT_CHECK sat_status sat__transfer_check(const sat_transfer_options *options,
                                         const sat__transfer_folder *folder,
                                         sat_error *err);

/* Waits `ms`, and looks up several times a second whether to stop. */
SAT_CHECK sat_status sat__transfer_wait(const sat_transfer_options *options,
                                        const sat__transfer_folder *folder,
                                        uint64_t ms, sat_error *err);

/* How long to wait before the `tries`th try of what failed: longer each time,
 * and not alike everywhere. */
uint64_t sat__transfer_pause(const sat_env *env, unsigned tries);

/* A fetch from the hub at `hub`, that stops when the caller wants it. */
typedef struct sat__transfer_mover {
    sat__fetch fetch;
    const sat_transfer_options *options;
    const sat__transfer_folder *folder;
} sat__transfer_mover;

SAT_CHECK sat_status
sat__transfer_mover_init(const char *hub, const sat_transfer_options *options,
                         const sat__transfer_folder *folder,
                         sat__transfer_mover *out, sat_error *err);

/* Has the process that has the folder end it, and waits until it has. */
SAT_CHECK sat_status sat__transfer_cancel_other(const char *folder,
                                                sat_error *err);

/* What is released: the key of the blob, and what opens the backup in it. */
void sat__transfer_gift_encode(const sat__file_key *key, sat_bytes handover,
                               sat_buf *out);
SAT_CHECK sat_status sat__transfer_gift_decode(sat_bytes bytes,
                                               sat__file_key *key,
                                               sat_bytes *handover,
                                               sat_error *err);

#endif /* SAT_SRC_TRANSFER_SESSION_H */
