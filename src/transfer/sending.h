/*
 * sending.h - the old device's side of a transfer, for the files that make it
 */
#ifndef SAT_SRC_TRANSFER_SENDING_H
#define SAT_SRC_TRANSFER_SENDING_H

#include "account/session.h"
#include "transfer/record.h"
#include "transfer/session.h"
#include "transfer/watch.h"

typedef struct sending {
    sat_profile *profile;
    sat_transfer_options options;
    sat__session account;
    sat__transfer_folder folder;
    sat__seal_key key; /* of the state */
    sat__transfer_mark mark;
    sat__send_record record;
    sat_buf code_text;
    sat__transfer_watch watch;
    sat__transfer_receiver receiver; /* once it was accepted */
    sat__transfer_session session;
} sending;

/* ---- send.c ---- */

SAT_CHECK sat_status sending_save(sending *job, sat_error *err);
SAT_CHECK sat_status sending_tell(sending *job, sat_error *err);

/* Writes down that this state is reached, and says so. */
SAT_CHECK sat_status sending_enter(sending *job, sat_transfer_state state,
                                   sat_error *err);

/* ---- send_blob.c ---- */

SAT_CHECK sat_status sending_create(sending *job, sat_error *err);
SAT_CHECK sat_status sending_upload(sending *job, sat_error *err);

/* ---- send_code.c ---- */

SAT_CHECK sat_status sending_show(sending *job, sat_error *err);
SAT_CHECK sat_status sending_await_claim(sending *job, sat_error *err);

/* Whoever claimed has seen the code, or the one before. */
SAT_CHECK sat_status sending_accept(sending *job, sat_error *err);
SAT_CHECK sat_status sending_hand_over(sending *job, sat_error *err);

#endif /* SAT_SRC_TRANSFER_SENDING_H */
