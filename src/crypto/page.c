/*
 * page.c - SQLCipher's pages, so that many threads can work on them
 *
 * SQLCipher seals one page after the other, with the database's lock. A backup
 * reads and writes whole databases, and does it on all processors.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/page.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/error.h"

#define HMAC_AT (SAT_PAGE_USED + SAT_PAGE_NONCE_SIZE)
#define HMAC_SALT_MASK 0x3a
#define HMAC_KEY_PASSES 2
#define MAGIC "SQLite format 3"

_Static_assert(sizeof(SHA512_CTX) <= sizeof(((sat__page_key *)0)->inner),
               "the states are OpenSSL's");
_Static_assert(HMAC_AT + SHA512_DIGEST_LENGTH == SAT_PAGE_SIZE,
               "the HMAC ends the page");

DEFINE_AUTO_PTR(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free);

void sat__page_key_wipe(sat__page_key *key)
{
    sat__wipe(key, sizeof *key);
}

/* SHA-512 after one block of the key under `mask` (RFC 2104). */
static void begin_hmac(const uint8_t key[SAT_KEY_SIZE], uint8_t mask,
                       uint64_t *out)
{
    uint8_t block[SHA512_CBLOCK];
    SHA512_CTX *const state = (SHA512_CTX *)out;
    memset(block, mask, sizeof block);
    for (size_t i = 0; i < SAT_KEY_SIZE; i++)
        block[i] ^= key[i];
    (void)SHA512_Init(state);
    (void)SHA512_Update(state, block, sizeof block);
    sat__wipe(block, sizeof block);
}

sat_status sat__page_key_init(sat__page_key *key,
                              const sat__database_key *database,
                              const uint8_t salt[SAT_PAGE_SALT_SIZE],
                              sat_error *err)
{
    uint8_t masked[SAT_PAGE_SALT_SIZE];
    uint8_t hmac[SAT_KEY_SIZE];
    for (size_t i = 0; i < sizeof masked; i++)
        masked[i] = salt[i] ^ HMAC_SALT_MASK;
    TRY(sat__pbkdf2(SAT_SHA512,
                    bytes_of(database->bytes, sizeof database->bytes),
                    bytes_of(masked, sizeof masked), HMAC_KEY_PASSES, hmac,
                    sizeof hmac, err));
    memcpy(key->salt, salt, SAT_PAGE_SALT_SIZE);
    key->cipher = *database;
    begin_hmac(hmac, 0x36, key->inner);
    begin_hmac(hmac, 0x5c, key->outer);
    sat__wipe(hmac, sizeof hmac);
    return SAT_OK;
}

/* The salt is in the place of the first bytes of the first page. */
static size_t start_of(uint32_t number)
{
    return number == 1 ? SAT_PAGE_SALT_SIZE : 0;
}

static void authenticate(const sat__page_key *key, uint32_t number,
                         const uint8_t *page, uint8_t out[SHA512_DIGEST_LENGTH])
{
    const uint8_t little[4] = {(uint8_t)number, (uint8_t)(number >> 8),
                               (uint8_t)(number >> 16),
                               (uint8_t)(number >> 24)};
    const size_t from = start_of(number);
    uint8_t digest[SHA512_DIGEST_LENGTH];
    SHA512_CTX state;
    memcpy(&state, key->inner, sizeof state);
    (void)SHA512_Update(&state, page + from, HMAC_AT - from);
    (void)SHA512_Update(&state, little, sizeof little);
    (void)SHA512_Final(digest, &state);
    memcpy(&state, key->outer, sizeof state);
    (void)SHA512_Update(&state, digest, sizeof digest);
    (void)SHA512_Final(out, &state);
}

static sat_status run_cipher(const sat__page_key *key, uint32_t number,
                             uint8_t *page, int is_sealing, sat_error *err)
{
    AUTO_PTR(EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new();
    const size_t from = start_of(number);
    int len = 0;
    if (ctx == NULL ||
        EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, key->cipher.bytes,
                          page + SAT_PAGE_USED, is_sealing) != 1 ||
        EVP_CIPHER_CTX_set_padding(ctx, 0) != 1 ||
        EVP_CipherUpdate(ctx, page + from, &len, page + from,
                         (int)(SAT_PAGE_USED - from)) != 1 ||
        (size_t)len != SAT_PAGE_USED - from)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a cipher");
    return SAT_OK;
}

static bool is_zero(const uint8_t *page)
{
    return page[0] == 0 && memcmp(page, page + 1, SAT_PAGE_SIZE - 1) == 0;
}

sat_status sat__page_unseal(const sat__page_key *key, uint32_t number,
                            uint8_t page[SAT_PAGE_SIZE], sat_error *err)
{
    uint8_t hmac[SHA512_DIGEST_LENGTH];
    if (number > 1 && is_zero(page))
        return SAT_OK;
    authenticate(key, number, page, hmac);
    if (!sat__equal_secret(hmac, page + HMAC_AT, sizeof hmac))
        return sat__fail(err, SAT_ERR_CORRUPT, "page %u is damaged", number);
    TRY(run_cipher(key, number, page, 0, err));
    memset(page + SAT_PAGE_USED, 0, SAT_PAGE_SIZE - SAT_PAGE_USED);
    if (number == 1)
        memcpy(page, MAGIC, sizeof MAGIC);
    return SAT_OK;
}

sat_status sat__page_seal(const sat__page_key *key, const sat_env *env,
                          uint32_t number, uint8_t page[SAT_PAGE_SIZE],
                          sat_error *err)
{
    env->random(env->context, page + SAT_PAGE_USED, SAT_PAGE_NONCE_SIZE);
    TRY(run_cipher(key, number, page, 1, err));
    if (number == 1)
        memcpy(page, key->salt, sizeof key->salt);
    authenticate(key, number, page, page + HMAC_AT);
    return SAT_OK;
}
