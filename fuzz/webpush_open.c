/*
 * webpush_open.c - a message that a push service brings, to a fixed key
 */
#include "crypto/webpush.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[32] = {[31] = 7};
    static const uint8_t auth[SAT_WEBPUSH_AUTH_SIZE];
    AUTO(sat_buf) out = SAT_BUF_INIT;
    sat__webpush_key key;
    if (sat__webpush_key_of(secret, &key, NULL) != SAT_OK)
        return 0;
    const sat_status st =
        sat__webpush_open(&key, auth, bytes_of(data, size), &out, NULL);
    return st != SAT_OK && out.len > 0 ? 1 : 0;
}
