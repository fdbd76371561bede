/*
 * address.h - blobs by the addresses that a hub gives out
 *
 * An address is good for one thing, for some minutes, and needs no session. It
 * is on the hub itself where it begins with '/', else wherever it says. What
 * comes is what was asked for: its length and SHA-256 are checked.
 */
#ifndef SAT_SRC_ACCOUNT_ADDRESS_H
#define SAT_SRC_ACCOUNT_ADDRESS_H

#include "account/hub.h"

#define SAT_ADDRESS_SIZE 4096

/* What an answer with an address says. */
typedef struct sat__address {
    char url[SAT_ADDRESS_SIZE];
    uint64_t size;
    uint8_t hash[SAT_SHA256_SIZE];
} sat__address;

/* Reads "url", and, of an address to download, "size" and "sha256". */
SAT_CHECK sat_status sat__address_read_upload(sat_bytes answer,
                                              sat__address *out,
                                              sat_error *err);
SAT_CHECK sat_status sat__address_read_download(sat_bytes answer,
                                                sat__address *out,
                                                sat_error *err);

/* Brings `blob` there; that it is there already is as good. */
SAT_CHECK sat_status sat__address_put(sat__hub *hub,
                                      const sat__address *address,
                                      sat_bytes blob, sat_error *err);

/* Fetches what is there into `out`: SAT_ERR_CORRUPT where it is not what the
 * address says, or longer than `max`. */
SAT_CHECK sat_status sat__address_get(sat__hub *hub,
                                      const sat__address *address, size_t max,
                                      sat_buf *out, sat_error *err);

#endif /* SAT_SRC_ACCOUNT_ADDRESS_H */
