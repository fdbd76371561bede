/*
 * aead.c - AES-256-GCM from OpenSSL, its ciphers fetched once
 */
#include "crypto/aead.h"

#include <openssl/evp.h>
#include <stdatomic.h>

#include "base/error.h"
#include "crypto/secret.h"

#define BLOCK ((size_t)16)

DEFINE_AUTO_PTR(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free);

static _Atomic(EVP_CIPHER *) fetched_gcm;
static _Atomic(EVP_CIPHER *) fetched_ecb;

/* Looking a cipher up costs more than a short message; the first one is kept.
 */
static EVP_CIPHER *fetch(_Atomic(EVP_CIPHER *) *cache, const char *name)
{
    EVP_CIPHER *cipher = atomic_load(cache);

    if (cipher != NULL)
        return cipher;
    EVP_CIPHER *const fresh = EVP_CIPHER_fetch(NULL, name, NULL);
    if (fresh == NULL)
        return NULL;
    if (atomic_compare_exchange_strong(cache, &cipher, fresh))
        return fresh;
    EVP_CIPHER_free(fresh); /* another thread was first */
    return cipher;
}

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "no memory for a cipher");
}

static sat_status not_authentic(sat_error *err)
{
    return sat__fail(err, SAT_ERR_AUTH,
                     "it was sealed with another key, or was changed since");
}

sat_status sat__aead_seal(const uint8_t key[SAT_AEAD_KEY_SIZE],
                          const uint8_t nonce[SAT_AEAD_NONCE_SIZE],
                          sat_bytes ad, sat_bytes plain, sat_buf *out,
                          sat_error *err)
{
    if (plain.len > SAT_AEAD_MAX || ad.len > SAT_AEAD_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "%zu bytes are too many for one message", plain.len);
    if (!sat__buf_reserve(out, plain.len + SAT_AEAD_TAG_SIZE))
        return sat__buf_status(out, err);

    AUTO_PTR(EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *const gcm = fetch(&fetched_gcm, "AES-256-GCM");
    uint8_t *const at = out->data + out->len;
    int len;
    if (ctx == NULL || gcm == NULL ||
        EVP_EncryptInit_ex2(ctx, gcm, key, nonce, NULL) != 1 ||
        EVP_EncryptUpdate(ctx, NULL, &len, ad.data, (int)ad.len) != 1 ||
        EVP_EncryptUpdate(ctx, at, &len, plain.data, (int)plain.len) != 1 ||
        EVP_EncryptFinal_ex(ctx, at + len, &len) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SAT_AEAD_TAG_SIZE,
                            at + plain.len) != 1)
        return no_memory(err);
    out->len += plain.len + SAT_AEAD_TAG_SIZE;
    return SAT_OK;
}

sat_status sat__aead_unseal(const uint8_t key[SAT_AEAD_KEY_SIZE],
                            const uint8_t nonce[SAT_AEAD_NONCE_SIZE],
                            sat_bytes ad, sat_bytes sealed, sat_buf *out,
                            sat_error *err)
{
    if (sealed.len < SAT_AEAD_TAG_SIZE)
        return not_authentic(err);
    const size_t size = sealed.len - SAT_AEAD_TAG_SIZE;
    if (size > SAT_AEAD_MAX || ad.len > SAT_AEAD_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "%zu bytes are too many for one message", size);
    if (!sat__buf_reserve(out, size))
        return sat__buf_status(out, err);

    AUTO_PTR(EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *const gcm = fetch(&fetched_gcm, "AES-256-GCM");
    uint8_t *const at = out->data + out->len;
    uint8_t tag[SAT_AEAD_TAG_SIZE];
    int len;
    memcpy(tag, sealed.data + size, sizeof tag);
    if (ctx == NULL || gcm == NULL ||
        EVP_DecryptInit_ex2(ctx, gcm, key, nonce, NULL) != 1 ||
        EVP_DecryptUpdate(ctx, NULL, &len, ad.data, (int)ad.len) != 1 ||
        EVP_DecryptUpdate(ctx, at, &len, sealed.data, (int)size) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) != 1)
        return no_memory(err);
    if (EVP_DecryptFinal_ex(ctx, at + len, &len) != 1) {
        sat__wipe(at, size);
        return not_authentic(err);
    }
    out->len += size;
    return SAT_OK;
}

/* One of CMAC's subkeys: the block times x in GF(2^128). */
static void double_block(uint8_t block[BLOCK])
{
    const uint8_t carry = (uint8_t)(block[0] >> 7);

    for (size_t i = 0; i < BLOCK - 1; i++)
        block[i] = (uint8_t)(block[i] << 1 | block[i + 1] >> 7);
    block[BLOCK - 1] = (uint8_t)(block[BLOCK - 1] << 1);
    block[BLOCK - 1] ^= (uint8_t)(0x87 & -carry);
}

/*
 * CMAC of one full block under K is AES(K, block XOR K1), and the two blocks
 * are 00 counter "X" 00 nonce.
 */
sat_status sat__aead_extend(const uint8_t key[SAT_AEAD_KEY_SIZE],
                            const uint8_t nonce[12],
                            uint8_t out[SAT_AEAD_KEY_SIZE], sat_error *err)
{
    AUTO_PTR(EVP_CIPHER_CTX) ctx = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *const ecb = fetch(&fetched_ecb, "AES-256-ECB");
    uint8_t subkey[BLOCK] = {0};
    uint8_t blocks[2 * BLOCK];
    int len;

    if (ctx == NULL || ecb == NULL ||
        EVP_EncryptInit_ex2(ctx, ecb, key, NULL, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(ctx, 0) != 1 ||
        EVP_EncryptUpdate(ctx, subkey, &len, subkey, (int)BLOCK) != 1)
        return no_memory(err);
    double_block(subkey);
    for (size_t i = 0; i < 2; i++) {
        uint8_t *const block = blocks + BLOCK * i;
        const uint8_t head[] = {0, (uint8_t)(i + 1), 'X', 0};
        memcpy(block, head, sizeof head);
        memcpy(block + sizeof head, nonce, 12);
        for (size_t j = 0; j < BLOCK; j++)
            block[j] ^= subkey[j];
    }
    sat__wipe(subkey, sizeof subkey);
    if (EVP_EncryptUpdate(ctx, out, &len, blocks, sizeof blocks) != 1)
        return no_memory(err);
    return SAT_OK;
}
