/*
 * record.h - what it takes to go on with a transfer that was cut
 */
#ifndef SAT_SRC_TRANSFER_RECORD_H
#define SAT_SRC_TRANSFER_RECORD_H

#include "transfer/exchange.h"
#include "transfer/pairing.h"

/* A code, and the secret half of its exchange key. */
typedef struct sat__shown_code {
    bool is_there;
    sat__transfer_code code;
    sat__exchange_key key;
} sat__shown_code;

/* The old device. */
typedef struct sat__send_record {
    sat__file_key blob_key;
    sat__transfer_blob blob; /* once it is sealed */
    sat__shown_code now;     /* on the screen */
    sat__shown_code before;  /* that somebody may have claimed meanwhile */
    bool is_renewing;        /* whether the hub knows of `now` is not known */
    uint64_t shown_until;
    bool is_offered;
    sat__transfer_offer offer;
    bool is_tried; /* the digits were typed … */
    bool is_right; /* … and are those of the new device */
    sat_buf claim; /* of the new device; empty before */
} sat__send_record;

void sat__send_record_wipe(sat__send_record *record);
DEFINE_AUTO(sat__send_record, sat__send_record_wipe);

/* Appends it as CBOR, a secret; and back. */
void sat__send_record_encode(const sat__send_record *record, sat_buf *out);
SAT_CHECK sat_status sat__send_record_decode(sat_bytes bytes,
                                             sat__send_record *out,
                                             sat_error *err);

/* The new device. */
typedef struct sat__receive_record {
    sat__transfer_code code;
    sat__identity *identity; /* of the device that this becomes */
    char name[SAT_DEVICE_NAME_SIZE];
    bool is_replacing; /* a profile that is there goes */
    sat_buf claim;
    sat__transfer_session session;
    sat__transfer_blob blob; /* once it was released */
    sat_buf release;
} sat__receive_record;

void sat__receive_record_wipe(sat__receive_record *record);
DEFINE_AUTO(sat__receive_record, sat__receive_record_wipe);

SAT_CHECK sat_status sat__receive_record_encode(
    const sat__receive_record *record, sat_buf *out, sat_error *err);
SAT_CHECK sat_status sat__receive_record_decode(sat_bytes bytes,
                                                sat__receive_record *out,
                                                sat_error *err);

#endif /* SAT_SRC_TRANSFER_RECORD_H */
