/*
 * tokens.c - JSON web tokens of one form (RFC 7519, RFC 8037)
 *
 * The form is fixed, so a token is compared, not parsed: algorithm and order of
 * the claims are ours. Signatures that were good are remembered for a while,
 * since each is asked about many times.
 */
#include "hub/tokens.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "crypto/hash.h"
#include "crypto/secret.h"

#define HEADER "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9" /* EdDSA, JWT */
#define CLAIMS                                                                 \
    "{\"iss\":\"%s\",\"aud\":\"%s\",\"sub\":\"%s\",\"dev\":\"%s\","            \
    "\"sid\":\"%s\",\"iat\":%010" PRIu64 ",\"exp\":%010" PRIu64 "}"
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define GOOD_COUNT 8192
#define RECENT_SETS 128
#define RECENT_WAYS 4

typedef struct secrets {
    uint8_t sign[crypto_sign_SECRETKEYBYTES];
    sat__seal_key seal;
    uint8_t hash[32];
} secrets;

/* A token that was good, and what it says. */
typedef struct recent {
    uint64_t issued;
    hub_session session;
    size_t len; /* 0 where there is none */
    char text[HUB_ACCESS_SIZE];
} recent;

typedef struct recent_set {
    pthread_mutex_t lock;
    recent ways[RECENT_WAYS]; /* guarded by lock, as is */
    unsigned turn;            /* which goes next */
} recent_set;

struct hub_tokens {
    secrets *secrets; /* in guarded memory */
    recent_set recent[RECENT_SETS];
    uint8_t public_key[32];
    char issuer[65];
    pthread_mutex_t lock;
    uint8_t good[GOOD_COUNT][32]; /* guarded by lock: hashes of good tokens */
};

void hub_tokens_free(hub_tokens *tokens)
{
    if (tokens == NULL)
        return;
    sat__secret_free(tokens->secrets);
    (void)pthread_mutex_destroy(&tokens->lock);
    for (size_t i = 0; i < RECENT_SETS; i++)
        (void)pthread_mutex_destroy(&tokens->recent[i].lock);
    free(tokens);
}

sat_status hub_tokens_new(const uint8_t secret[32], hub_tokens **out,
                          sat_error *err)
{
    AUTO_FREE hub_tokens *tokens = calloc(1, sizeof *tokens);
    uint8_t seed[32];

    if (tokens == NULL ||
        (tokens->secrets = sat__secret_new(sizeof *tokens->secrets)) == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    const sat_bytes from = bytes_of(secret, 32);
    sat__derive(from, SAT_LABEL_HUB_TOKEN, seed);
    (void)crypto_sign_seed_keypair(tokens->public_key, tokens->secrets->sign,
                                   seed);
    sat__wipe(seed, sizeof seed);
    sat__derive(from, SAT_LABEL_HUB_SEAL, tokens->secrets->seal.bytes);
    sat__derive(from, SAT_LABEL_HUB_HASH, tokens->secrets->hash);
    uint8_t id[32];
    sat__sha256(bytes_of(tokens->public_key, 32), id);
    sat__hex_format(id, sizeof id, tokens->issuer);
    (void)pthread_mutex_init(&tokens->lock, NULL);
    for (size_t i = 0; i < RECENT_SETS; i++)
        (void)pthread_mutex_init(&tokens->recent[i].lock, NULL);
    *out = TAKE(tokens);
    return SAT_OK;
}

const char *hub_tokens_issuer(const hub_tokens *tokens)
{
    return tokens->issuer;
}

const sat__seal_key *hub_tokens_seal_key(const hub_tokens *tokens)
{
    return &tokens->secrets->seal;
}

void hub_tokens_hash(const hub_tokens *tokens, const char *what,
                     sat_bytes bytes, uint8_t out[32])
{
    AUTO(sat_buf) text = SAT_BUF_INIT;

    sat__buf_put(&text, what, strlen(what) + 1);
    sat__buf_put(&text, bytes.data, bytes.len);
    if (text.failed)
        abort(); /* some hundred bytes */
    sat__hmac(SAT_SHA256, bytes_of(tokens->secrets->hash, 32), buf_view(&text),
              out);
}

/* ---- access ---- */

static void format_claims(const hub_tokens *tokens, const hub_session *session,
                          uint64_t now_s, char *out, size_t size)
{
    char account[65], device[65], id[33];

    sat__hex_format(session->account, 32, account);
    sat__hex_format(session->device, 32, device);
    sat__hex_format(session->id, 16, id);
    (void)snprintf(out, size, CLAIMS, tokens->issuer, tokens->issuer, account,
                   device, id, now_s, now_s + HUB_TOKEN_SECONDS);
}

void hub_access_format(const hub_tokens *tokens, const hub_session *session,
                       uint64_t now_ms, char out[HUB_ACCESS_SIZE])
{
    char claims[400], body[560], signature[90];
    uint8_t bytes[64];

    format_claims(tokens, session, now_ms / 1000, claims, sizeof claims);
    (void)sodium_bin2base64(body, sizeof body, (const uint8_t *)claims,
                            strlen(claims), VARIANT);
    (void)snprintf(out, HUB_ACCESS_SIZE, HEADER ".%s", body);
    const size_t len = strlen(out);
    (void)crypto_sign_detached(bytes, NULL, (const uint8_t *)out, len,
                               tokens->secrets->sign);
    (void)sodium_bin2base64(signature, sizeof signature, bytes, sizeof bytes,
                            VARIANT);
    (void)snprintf(out + len, HUB_ACCESS_SIZE - len, ".%s", signature);
}

static bool is_remembered(hub_tokens *tokens, const uint8_t hash[32])
{
    const size_t at = (size_t)(hash[0] << 8 | hash[1]) % GOOD_COUNT;

    SCOPED_LOCK(&tokens->lock);
    return memcmp(tokens->good[at], hash, 32) == 0;
}

static void remember(hub_tokens *tokens, const uint8_t hash[32])
{
    const size_t at = (size_t)(hash[0] << 8 | hash[1]) % GOOD_COUNT;

    SCOPED_LOCK(&tokens->lock);
    memcpy(tokens->good[at], hash, 32);
}

static bool is_signed(hub_tokens *tokens, const char *text, size_t len,
                      size_t signed_len)
{
    uint8_t hash[32], signature[64];
    size_t got;

    sat__sha256(bytes_of(text, len), hash);
    if (is_remembered(tokens, hash))
        return true;
    if (sodium_base642bin(signature, sizeof signature, text + signed_len + 1,
                          len - signed_len - 1, NULL, &got, NULL,
                          VARIANT) != 0 ||
        got != sizeof signature ||
        crypto_sign_verify_detached(signature, (const uint8_t *)text,
                                    signed_len, tokens->public_key) != 0)
        return false;
    remember(tokens, hash);
    return true;
}

/* The value between "name":" and the next quotation mark. */
static bool take_claim(const char *claims, const char *name, uint8_t *out,
                       size_t len)
{
    char mark[12];

    (void)snprintf(mark, sizeof mark, "\"%s\":\"", name);
    const char *const at = strstr(claims, mark);
    if (at == NULL || strlen(at) < strlen(mark) + 2 * len)
        return false;
    char text[65];
    memcpy(text, at + strlen(mark), 2 * len);
    text[2 * len] = 0;
    return sat__hex_parse(text, out, len, NULL) == SAT_OK;
}

static bool is_timely(uint64_t issued, uint64_t now_s)
{
    return now_s < issued + HUB_TOKEN_SECONDS && issued <= now_s + 60;
}

static bool read_claims(const hub_tokens *tokens, const char *text, size_t len,
                        hub_session *out, uint64_t *issued)
{
    char claims[400], again[400];
    size_t got;

    if (sodium_base642bin((uint8_t *)claims, sizeof claims - 1, text, len, NULL,
                          &got, NULL, VARIANT) != 0)
        return false;
    claims[got] = 0;
    const char *const at = strstr(claims, "\"iat\":");
    if (at == NULL || sscanf(at + 6, "%10" SCNu64, issued) != 1 ||
        !take_claim(claims, "sub", out->account, 32) ||
        !take_claim(claims, "dev", out->device, 32) ||
        !take_claim(claims, "sid", out->id, 16))
        return false;
    format_claims(tokens, out, *issued, again, sizeof again);
    return strcmp(claims, again) == 0;
}

/* ---- tokens that were read lately ---- */

/* How fast it is says nothing of where they differ. */
static bool is_same(const char *a, const char *b, size_t len)
{
    uint64_t differ = 0, x, y;
    size_t at = 0;

    for (; at + 8 <= len; at += 8) {
        memcpy(&x, a + at, 8);
        memcpy(&y, b + at, 8);
        differ |= x ^ y;
    }
    for (; at < len; at++)
        differ |= (uint64_t)(unsigned char)(a[at] ^ b[at]);
    return differ == 0;
}

/* Whoever asks does so many times, with one token. Tokens end with a signature,
 * which says where they are. */
static recent_set *recent_of(hub_tokens *tokens, const char *text, size_t len)
{
    unsigned at = 0;

    for (size_t i = 1; i <= 4; i++)
        at = at * 31 + (unsigned char)text[len - i];
    return &tokens->recent[at % RECENT_SETS];
}

static bool find_recent(hub_tokens *tokens, const char *text, size_t len,
                        hub_session *out, uint64_t *issued)
{
    recent_set *const set = recent_of(tokens, text, len);

    SCOPED_LOCK(&set->lock);
    for (size_t i = 0; i < RECENT_WAYS; i++) {
        const recent *const way = &set->ways[i];
        if (way->len != len || !is_same(way->text, text, len))
            continue;
        *out = way->session;
        *issued = way->issued;
        return true;
    }
    return false;
}

static void keep_recent(hub_tokens *tokens, const char *text, size_t len,
                        const hub_session *session, uint64_t issued)
{
    recent_set *const set = recent_of(tokens, text, len);

    SCOPED_LOCK(&set->lock);
    recent *const way = &set->ways[set->turn++ % RECENT_WAYS];
    way->issued = issued;
    way->session = *session;
    way->len = len;
    memcpy(way->text, text, len);
}

static sat_status refuse_token(sat_error *err)
{
    return sat__fail(err, SAT_ERR_AUTH,
                     "the token is not one of this hub, or has run out");
}

sat_status hub_access_parse(hub_tokens *tokens, const char *text, size_t len,
                            uint64_t now_ms, hub_session *out, sat_error *err)
{
    const size_t head = strlen(HEADER);
    const char *const dot =
        len > head + 1 ? memchr(text + head + 1, '.', len - head - 1) : NULL;

    uint64_t issued = 0;

    *out = (hub_session){.is_member = false};
    if (len >= HUB_ACCESS_SIZE || dot == NULL)
        return refuse_token(err);
    if (!find_recent(tokens, text, len, out, &issued)) {
        if (memcmp(text, HEADER ".", head + 1) != 0 ||
            !is_signed(tokens, text, len, (size_t)(dot - text)) ||
            !read_claims(tokens, text + head + 1,
                         (size_t)(dot - text) - head - 1, out, &issued))
            return refuse_token(err);
        keep_recent(tokens, text, len, out, issued);
    }
    return is_timely(issued, now_ms / 1000) ? SAT_OK : refuse_token(err);
}

/* ---- refresh ---- */

void hub_refresh_new(const sat_env *env, char out[HUB_REFRESH_SIZE])
{
    uint8_t random[32];

    env->random(env->context, random, sizeof random);
    sat__hex_format(random, sizeof random, out);
}

void hub_refresh_next(const hub_tokens *tokens, const char *used,
                      char out[HUB_REFRESH_SIZE])
{
    uint8_t hash[32];

    hub_tokens_hash(tokens, "refresh", bytes_of(used, strlen(used)), hash);
    sat__hex_format(hash, sizeof hash, out);
}
