/*
 * phrase.h - a secret that a person can write down (BIP39)
 *
 *      entropy (16 or 32 bytes) │ checksum (4 or 8 bits)
 *      = 12 or 24 numbers of 11 bits = as many words of a list of 2048
 *
 * The English list only. What a person types is read in any case and spacing;
 * the seed comes from the words in lower case with one space between, so it is
 * the same in every program that knows BIP39.
 */
#ifndef SAT_SRC_CRYPTO_PHRASE_H
#define SAT_SRC_CRYPTO_PHRASE_H

#include "crypto/keys.h"

#define SAT_PHRASE_WORDS_MAX 24
#define SAT_PHRASE_ENTROPY_MAX 32
#define SAT_PHRASE_SEED_SIZE 64

/* Words of 8 letters at most, a space or the end after each. */
#define SAT_PHRASE_TEXT_SIZE (SAT_PHRASE_WORDS_MAX * 9)

typedef struct sat__phrase {
    char text[SAT_PHRASE_TEXT_SIZE]; /* the words, spelled the one way */
    size_t words;
    uint8_t entropy[SAT_PHRASE_ENTROPY_MAX];
} sat__phrase;

void sat__phrase_wipe(sat__phrase *phrase);
DEFINE_AUTO(sat__phrase, sat__phrase_wipe);

/* A new one of 12 or 24 words; another number fails with SAT_ERR_INVALID. */
SAT_CHECK sat_status sat__phrase_generate(const sat_env *env, size_t words,
                                          sat__phrase *out, sat_error *err);

/* The phrase of 16, 20, 24, 28 or 32 bytes of entropy. */
SAT_CHECK sat_status sat__phrase_of_entropy(sat_bytes entropy, sat__phrase *out,
                                            sat_error *err);

/*
 * Reads a phrase of 12, 15, 18, 21 or 24 words. SAT_ERR_INVALID says which word
 * by its number is none of the list, or that the checksum is wrong; the message
 * never holds a word.
 */
SAT_CHECK sat_status sat__phrase_parse(sat_bytes text, sat__phrase *out,
                                       sat_error *err);

/* BIP39's seed of phrase and passphrase, which is empty for our own keys. */
SAT_CHECK sat_status sat__phrase_seed(const sat__phrase *phrase,
                                      sat_bytes passphrase,
                                      uint8_t out[SAT_PHRASE_SEED_SIZE],
                                      sat_error *err);

#endif /* SAT_SRC_CRYPTO_PHRASE_H */
