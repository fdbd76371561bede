/*
 * code.h - what the old device shows and the new one scans
 *
 *      SATCHEL:0G1…      base32 of [1, hub, token, exchange key, secret],
 * checked
 *
 * The code holds no key of data: it names the hub and the transfer, and lets
 * two devices be sure of each other (pairing.h). Who photographs it can do no
 * more than be the one receiver that the six digits then turn away.
 * docs/formats/transfer.md has the bytes.
 */
#ifndef SAT_SRC_TRANSFER_CODE_H
#define SAT_SRC_TRANSFER_CODE_H

#include "crypto/identity.h"

#define SAT_TRANSFER_TOKEN_SIZE 32
#define SAT_TRANSFER_SECRET_SIZE 16
#define SAT_TRANSFER_HUB_SIZE 256 /* with the end */
#define SAT_TRANSFER_CODE_MAX 1024

typedef struct sat__transfer_code {
    char hub[SAT_TRANSFER_HUB_SIZE]; /* its address */
    uint8_t token[SAT_TRANSFER_TOKEN_SIZE];
    uint8_t exchange[SAT_EXCHANGE_KEY_SIZE]; /* of the sender, for this only */
    uint8_t secret[SAT_TRANSFER_SECRET_SIZE];
} sat__transfer_code;

void sat__transfer_code_wipe(sat__transfer_code *code);
DEFINE_AUTO(sat__transfer_code, sat__transfer_code_wipe);

/* Appends the code as text, of characters that QR codes pack densely. */
SAT_CHECK sat_status sat__transfer_code_format(const sat__transfer_code *code,
                                               sat_buf *out, sat_error *err);

/*
 * Reads one as it was scanned or typed: either case, with hyphens or blanks.
 * SAT_ERR_INVALID where it is none or mistyped, SAT_ERR_VERSION where a newer
 * satchel shows it.
 */
SAT_CHECK sat_status sat__transfer_code_parse(sat_bytes text,
                                              sat__transfer_code *out,
                                              sat_error *err);

#endif /* SAT_SRC_TRANSFER_CODE_H */
