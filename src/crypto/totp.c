/*
 * totp.c - one-time codes
 */
#include "crypto/totp.h"

#include <sodium.h>

#include "base/bytes.h"

/* RFC 4226, section 5.3: four bytes of the hash, from where its last nibble
 * says, without the sign, modulo 10^digits. */
static uint32_t cut(const uint8_t *mac, size_t size)
{
    const uint8_t *const at = mac + (mac[size - 1] & 0xf);

    return (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

void sat__hotp(sat__hash hash, sat_bytes key, uint64_t counter, unsigned digits,
               char out[SAT_TOTP_CODE_SIZE])
{
    uint8_t mac[SAT_HASH_SIZE_MAX], message[8];

    bytes_put_u64(message, counter);
    sat__hmac(hash, key, bytes_of(message, sizeof message), mac);
    uint32_t code = cut(mac, sat__hash_size(hash));
    for (unsigned i = digits; i > 0; i--, code /= 10)
        out[i - 1] = (char)('0' + code % 10);
    out[digits] = '\0';
    sodium_memzero(mac, sizeof mac);
}
