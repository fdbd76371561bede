/*
 * wordlist.h - BIP39's English words, in their order
 */
#ifndef SAT_SRC_CRYPTO_WORDLIST_H
#define SAT_SRC_CRYPTO_WORDLIST_H

#define SAT_WORDLIST_COUNT 2048
#define SAT_WORDLIST_LETTERS 8 /* of the longest word */

/* Each padded with zeros. */
extern const char sat__wordlist[SAT_WORDLIST_COUNT][SAT_WORDLIST_LETTERS + 1];

#endif /* SAT_SRC_CRYPTO_WORDLIST_H */
