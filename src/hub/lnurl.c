/*
 * lnurl.c - secp256k1, and the spelling that wallets scan
 */
#include "hub/lnurl.h"

#include <secp256k1.h>

#define CHECKSUM 6

sat_status hub_lnurl_verify(const uint8_t k1[32], sat_bytes key,
                            sat_bytes signature, sat_error *err)
{
    const secp256k1_context *const context = secp256k1_context_static;
    secp256k1_pubkey point;
    secp256k1_ecdsa_signature parsed;

    if (key.len != HUB_LNURL_KEY_SIZE ||
        secp256k1_ec_pubkey_parse(context, &point, key.data, key.len) != 1)
        return sat__fail(err, SAT_ERR_INVALID,
                         "'key' is no point of secp256k1");
    if (secp256k1_ecdsa_signature_parse_der(context, &parsed, signature.data,
                                            signature.len) != 1 ||
        secp256k1_ecdsa_verify(context, &parsed, k1, &point) != 1)
        return sat__fail(err, SAT_ERR_AUTH,
                         "the signature is not one of this key");
    return SAT_OK;
}

/* ---- bech32 ---- */

static uint32_t step(uint32_t sum, uint8_t value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                                         0x3d4233dd, 0x2a1462b3};
    const uint32_t top = sum >> 25;

    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        if ((top >> i & 1) != 0)
            sum ^= generator[i];
    return sum;
}

static void put(uint32_t *sum, uint8_t value, sat_buf *out)
{
    static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

    *sum = step(*sum, value);
    sat__buf_put_byte(out, (uint8_t)letters[value]);
}

void hub_lnurl_encode(const char *url, sat_buf *out)
{
    static const char prefix[] = "lnurl";
    uint32_t sum = 1, bits = 0;
    int count = 0;

    for (const char *at = prefix; *at != 0; at++)
        sum = step(sum, (uint8_t)*at >> 5);
    sum = step(sum, 0);
    for (const char *at = prefix; *at != 0; at++)
        sum = step(sum, (uint8_t)*at & 31);
    sat__buf_put_text(out, prefix);
    sat__buf_put_byte(out, '1');
    for (; *url != 0; url++) {
        bits = (bits << 8 | (uint8_t)*url) & 0xffff;
        for (count += 8; count >= 5; count -= 5)
            put(&sum, (uint8_t)(bits >> (count - 5) & 31), out);
    }
    if (count > 0)
        put(&sum, (uint8_t)(bits << (5 - count) & 31), out);
    for (int i = 0; i < CHECKSUM; i++)
        sum = step(sum, 0);
    sum ^= 1;
    for (int i = 0; i < CHECKSUM; i++) {
        uint32_t ignored = 0;
        put(&ignored, (uint8_t)(sum >> 5 * (5 - i) & 31), out);
    }
}
