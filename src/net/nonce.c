/*
 * nonce.c - a window that slides over what was given out
 */
#include "net/nonce.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

#define CODE_SIZE 16
#define RAW_SIZE (16 + CODE_SIZE)

struct sat__nonces {
    const sat_env *env;
    uint8_t key[SAT_SHA256_SIZE];
    uint64_t issued;                    /* the counter of the newest */
    uint8_t used[SAT_NONCE_WINDOW / 8]; /* by counter, modulo the window */
};

sat_status sat__nonces_new(const sat_env *env, sat__nonces **out,
                           sat_error *err)
{
    sat__nonces *const nonces = sat__secret_new(sizeof *nonces);

    if (nonces == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    nonces->env = env;
    env->random(env->context, nonces->key, sizeof nonces->key);
    *out = nonces;
    return SAT_OK;
}

void sat__nonces_free(sat__nonces *nonces)
{
    sat__secret_free(nonces);
}

static void authenticate(const sat__nonces *nonces, uint8_t raw[RAW_SIZE])
{
    uint8_t code[SAT_SHA256_SIZE];

    sat__hmac(SAT_SHA256, bytes_of(nonces->key, sizeof nonces->key),
              bytes_of(raw, 16), code);
    memcpy(raw + 16, code, CODE_SIZE);
}

void sat__nonces_issue(sat__nonces *nonces, char out[SAT_NONCE_SIZE])
{
    uint8_t raw[RAW_SIZE];
    const uint64_t counter = ++nonces->issued;

    nonces->used[counter % SAT_NONCE_WINDOW / 8] &=
        (uint8_t) ~(1U << (counter % 8));
    bytes_put_u64(raw, nonces->env->wall(nonces->env->context));
    bytes_put_u64(raw + 8, counter);
    authenticate(nonces, raw);
    sat__hex_format(raw, sizeof raw, out);
}

sat_status sat__nonces_use(sat__nonces *nonces, sat_bytes text, sat_error *err)
{
    uint8_t raw[RAW_SIZE], expected[RAW_SIZE];
    char digits[SAT_NONCE_SIZE];

    if (text.len != sizeof digits - 1)
        return sat__fail(err, SAT_ERR_AUTH, "the nonce is not one of ours");
    memcpy(digits, text.data, text.len);
    digits[text.len] = 0;
    if (sat__hex_parse(digits, raw, sizeof raw, NULL) != SAT_OK)
        return sat__fail(err, SAT_ERR_AUTH, "the nonce is not one of ours");
    memcpy(expected, raw, sizeof expected);
    authenticate(nonces, expected);
    if (!sat__equal_secret(raw, expected, sizeof raw))
        return sat__fail(err, SAT_ERR_AUTH, "the nonce is not one of ours");

    const uint64_t issued_ms = bytes_get_u64(raw);
    const uint64_t counter = bytes_get_u64(raw + 8);
    const uint64_t now = nonces->env->wall(nonces->env->context);
    if (now > issued_ms + SAT_NONCE_AGE_MAX_MS ||
        nonces->issued - counter >= SAT_NONCE_WINDOW)
        return sat__fail(err, SAT_ERR_AUTH, "the nonce is too old");
    uint8_t *const byte = &nonces->used[counter % SAT_NONCE_WINDOW / 8];
    const uint8_t bit = (uint8_t)(1U << (counter % 8));
    if ((*byte & bit) != 0)
        return sat__fail(err, SAT_ERR_AUTH, "the nonce was used before");
    *byte |= bit;
    return SAT_OK;
}
