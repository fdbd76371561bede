/*
 * page.h - a page of a SQLCipher 4 database, sealed and unsealed
 *
 *      ciphertext (4016) │ nonce (16) │ HMAC-SHA512 (64)
 *
 * AES-256-CBC under the raw key; the HMAC is over ciphertext, nonce and the
 * page's number, under a key derived from the raw key and the salt. The salt is
 * the first 16 bytes of the file, in the place of SQLite's own first 16. Every
 * writing of a page has a random nonce of its own, so the nonce alone tells
 * whether a page was written since. (SQLCipher's design; docs/formats/backup.md
 * says what we make of it.)
 */
#ifndef SAT_SRC_CRYPTO_PAGE_H
#define SAT_SRC_CRYPTO_PAGE_H

#include "crypto/keys.h"

#define SAT_PAGE_SIZE 4096
#define SAT_PAGE_USED 4016 /* of it is SQLite's */
#define SAT_PAGE_SALT_SIZE 16
#define SAT_PAGE_NONCE_SIZE 16

/* What every page of one database needs. Any thread may use it at any time. */
typedef struct sat__page_key {
    uint8_t salt[SAT_PAGE_SALT_SIZE];
    sat__database_key cipher;
    uint64_t inner[27]; /* SHA-512 after the key of the HMAC */
    uint64_t outer[27];
} sat__page_key;

SAT_CHECK sat_status sat__page_key_init(sat__page_key *key,
                                        const sat__database_key *database,
                                        const uint8_t salt[SAT_PAGE_SALT_SIZE],
                                        sat_error *err);
void sat__page_key_wipe(sat__page_key *key);
DEFINE_AUTO(sat__page_key, sat__page_key_wipe);

/*
 * Unseals `page` in place; what SQLite does not use of it becomes zero.
 * SAT_ERR_CORRUPT where it is not what this key sealed as page `number`. A page
 * of zeros, as a file system makes them, is a page of zeros.
 */
SAT_CHECK sat_status sat__page_unseal(const sat__page_key *key, uint32_t number,
                                      uint8_t page[SAT_PAGE_SIZE],
                                      sat_error *err);

/* Seals `page` in place. */
SAT_CHECK sat_status sat__page_seal(const sat__page_key *key,
                                    const sat_env *env, uint32_t number,
                                    uint8_t page[SAT_PAGE_SIZE],
                                    sat_error *err);

#endif /* SAT_SRC_CRYPTO_PAGE_H */
