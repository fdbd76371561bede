/*
 * webpush.h - a short message to a device that sleeps, through a stranger
 *
 * A push service keeps the message until the device is there, and reads nothing
 * of it: it is sealed for a key of the device (RFC 8291, content encoding
 * aes128gcm of RFC 8188). Who sends says who it is by a signature that the
 * service can check (VAPID, RFC 8292).
 */
#ifndef SAT_SRC_CRYPTO_WEBPUSH_H
#define SAT_SRC_CRYPTO_WEBPUSH_H

#include "base/buf.h"
#include "satchel/env.h"

#define SAT_WEBPUSH_POINT_SIZE 65 /* of P-256, not compressed */
#define SAT_WEBPUSH_AUTH_SIZE 16
#define SAT_WEBPUSH_SALT_SIZE 16
#define SAT_WEBPUSH_PLAIN_MAX ((size_t)2000)
#define SAT_WEBPUSH_SEALED_MAX ((size_t)4096)

typedef struct sat__webpush_key {
    uint8_t secret[32];
    uint8_t point[SAT_WEBPUSH_POINT_SIZE];
} sat__webpush_key;

void sat__webpush_key_wipe(sat__webpush_key *key);
DEFINE_AUTO(sat__webpush_key, sat__webpush_key_wipe);

/* SAT_ERR_INVALID where `secret` is no key, which of random bytes one in 2^32
 * is. */
SAT_CHECK sat_status sat__webpush_key_of(const uint8_t secret[32],
                                         sat__webpush_key *out, sat_error *err);
SAT_CHECK sat_status sat__webpush_key_generate(const sat_env *env,
                                               sat__webpush_key *out,
                                               sat_error *err);

/* Whether it is a point of the curve. */
bool sat__webpush_point_is_valid(const uint8_t point[SAT_WEBPUSH_POINT_SIZE]);

/* What a device has told about itself. */
typedef struct sat__webpush_receiver {
    uint8_t point[SAT_WEBPUSH_POINT_SIZE];
    uint8_t auth[SAT_WEBPUSH_AUTH_SIZE];
} sat__webpush_receiver;

/* Appends the sealed message. `own` and `salt` are of this message alone. */
SAT_CHECK sat_status sat__webpush_seal(
    const sat__webpush_key *own, const uint8_t salt[SAT_WEBPUSH_SALT_SIZE],
    const sat__webpush_receiver *to, sat_bytes plain, sat_buf *out,
    sat_error *err);

/* Appends what it says. SAT_ERR_CORRUPT where it is no message, SAT_ERR_AUTH
 * where it is not for this key. */
SAT_CHECK sat_status sat__webpush_open(
    const sat__webpush_key *key, const uint8_t auth[SAT_WEBPUSH_AUTH_SIZE],
    sat_bytes sealed, sat_buf *out, sat_error *err);

/* Appends the value of an Authorization field, for the service at `audience`
 * (https://host). `subject` says whose the sender is, "mailto:…" or
 * "https://…", or is NULL. */
SAT_CHECK sat_status sat__webpush_vapid(const sat__webpush_key *key,
                                        const char *audience,
                                        const char *subject, uint64_t expires_s,
                                        sat_buf *out, sat_error *err);

#endif /* SAT_SRC_CRYPTO_WEBPUSH_H */
