/*
 * secret_key.c - SK1-…: 16 bytes and 4 of checksum, in Crockford's base32
 */
#include "crypto/secret_key.h"

#include "base/error.h"
#include "crypto/base32.h"
#include "crypto/labels.h"

#define PREFIX "SK1"
#define CHECK_SIZE 4
#define GROUP 4

void sat__secret_key_generate(const sat_env *env, sat__secret_key *out)
{
    env->random(env->context, out->bytes, sizeof out->bytes);
}

void sat__secret_key_wipe(sat__secret_key *key)
{
    sat__wipe(key, sizeof *key);
}

/* Keyed by a label, since a bare hash of a secret is better not shown. */
static void checksum(const uint8_t key[SAT_SECRET_KEY_SIZE],
                     uint8_t out[CHECK_SIZE])
{
    uint8_t digest[SAT_KEY_SIZE];

    sat__derive(bytes_of(key, SAT_SECRET_KEY_SIZE), SAT_LABEL_SECRET_KEY_CHECK,
                digest);
    memcpy(out, digest, CHECK_SIZE);
}

void sat__secret_key_format(const sat__secret_key *key,
                            char out[SAT_SECRET_KEY_TEXT_SIZE])
{
    uint8_t raw[SAT_SECRET_KEY_SIZE + CHECK_SIZE];
    char digits[SAT_BASE32_LENGTH(sizeof raw) + 1];
    char *at = stpcpy(out, PREFIX);

    memcpy(raw, key->bytes, sizeof key->bytes);
    checksum(key->bytes, raw + SAT_SECRET_KEY_SIZE);
    sat__base32_format(SAT_BASE32_CROCKFORD, bytes_of(raw, sizeof raw), digits);
    for (size_t i = 0; digits[i] != 0; i++) {
        if (i % GROUP == 0)
            *at++ = '-';
        *at++ = digits[i];
    }
    *at = 0;
    sat__wipe(raw, sizeof raw);
    sat__wipe(digits, sizeof digits);
}

static sat_status wrong(sat_error *err)
{
    return sat__fail(err, SAT_ERR_INVALID,
                     "this is not a secret key; one reads " PREFIX
                     "-XXXX-… with eight groups of four characters");
}

sat_status sat__secret_key_parse(const char *text, sat__secret_key *out,
                                 sat_error *err)
{
    AUTO(sat_buf) raw = SAT_BUF_INIT;
    uint8_t check[CHECK_SIZE];

    text += strspn(text, " ");
    if (strncasecmp(text, PREFIX, strlen(PREFIX)) != 0)
        return wrong(err);
    text += strlen(PREFIX);
    if (sat__base32_parse(SAT_BASE32_CROCKFORD, bytes_of(text, strlen(text)),
                          &raw, NULL) != SAT_OK ||
        raw.len != SAT_SECRET_KEY_SIZE + CHECK_SIZE)
        return wrong(err);
    checksum(raw.data, check);
    if (!sat__equal_secret(raw.data + SAT_SECRET_KEY_SIZE, check, CHECK_SIZE))
        return sat__fail(err, SAT_ERR_INVALID,
                         "a character of the secret key is mistyped");
    memcpy(out->bytes, raw.data, sizeof out->bytes);
    return SAT_OK;
}
