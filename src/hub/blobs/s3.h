/*
 * s3.h - which bucket of which S3, for those who ask it
 */
#ifndef SAT_SRC_HUB_BLOBS_S3_H
#define SAT_SRC_HUB_BLOBS_S3_H

#include "hub/blobs/blobs.h"
#include "net/url.h"

typedef struct hub_s3_end {
    sat__url url;
    char host[280];   /* as it stands in the Host field, and is signed */
    char origin[300]; /* what an address there begins with */
} hub_s3_end;

typedef struct hub_s3_address {
    char bucket[64], region[64];
    char prefix[201]; /* ends in '/' unless it is empty */
    hub_s3_end endpoint, public_end;
} hub_s3_address;

/* Reads what stands at hub_blobs_s3(). */
SAT_CHECK sat_status hub_s3_address_parse(const char *text, hub_s3_address *out,
                                          sat_error *err);

#endif /* SAT_SRC_HUB_BLOBS_S3_H */
