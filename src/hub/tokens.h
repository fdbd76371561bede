/*
 * tokens.h - what a session shows: short-lived, signed, and renewed
 *
 *      access   JWT, EdDSA: {"iss","aud","sub","dev","sid","iat","exp"}
 *      refresh  32 random bytes in hexadecimal, kept as a hash
 *
 * An access token says which session it is of; whether that still stands is for
 * the storage to say, at each request. Any thread may use it.
 */
#ifndef SAT_SRC_HUB_TOKENS_H
#define SAT_SRC_HUB_TOKENS_H

#include "crypto/keys.h"
#include "crypto/labels.h"
#include "hub/hub.h"

#define HUB_TOKEN_SECONDS 600
#define HUB_ACCESS_SIZE 640
#define HUB_REFRESH_SIZE 65

/* Keys are derived from the hub's secret. */
SAT_CHECK sat_status hub_tokens_new(const uint8_t secret[32], hub_tokens **out,
                                    sat_error *err);
void hub_tokens_free(hub_tokens *tokens);
DEFINE_AUTO_PTR(hub_tokens, hub_tokens_free);

/* The hub's name in tokens: 64 digits. */
const char *hub_tokens_issuer(const hub_tokens *tokens);

void hub_access_format(const hub_tokens *tokens, const hub_session *session,
                       uint64_t now_ms, char out[HUB_ACCESS_SIZE]);

/* SAT_ERR_AUTH unless we signed it and it has not run out. */
SAT_CHECK sat_status hub_access_parse(hub_tokens *tokens, const char *text,
                                      size_t len, uint64_t now_ms,
                                      hub_session *out, sat_error *err);

/* A new one; and the one that follows a used one, always the same. */
void hub_refresh_new(const sat_env *env, char out[HUB_REFRESH_SIZE]);
void hub_refresh_next(const hub_tokens *tokens, const char *used,
                      char out[HUB_REFRESH_SIZE]);

/* The key that seals the secrets of second factors. */
const sat__seal_key *hub_tokens_seal_key(const hub_tokens *tokens);

/* A keyed hash, for answers that must look alike for unknown people and for
 * recovery codes. */
void hub_tokens_hash(const hub_tokens *tokens, const char *what,
                     sat_bytes bytes, uint8_t out[32]);

#endif /* SAT_SRC_HUB_TOKENS_H */
