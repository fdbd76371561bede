/*
 * phrase.c - bits to words and back
 *
 * Words are looked up by comparing with all of the list, so that the time tells
 * nothing about which one it was; writing them indexes the list, which only the
 * person's own screen is to see.
 */
#include "crypto/phrase.h"

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/unicode.h"
#include "crypto/wordlist.h"

#define WORD_BITS 11
#define SEED_ITERATIONS 2048
#define TYPED_MAX 1024 /* a longer text is no phrase */

void sat__phrase_wipe(sat__phrase *phrase)
{
    sat__wipe(phrase, sizeof *phrase);
}

/* Bits of entropy in a phrase of so many words, 0 where none has so many. */
static size_t entropy_bits(size_t words)
{
    if (words < 12 || words > SAT_PHRASE_WORDS_MAX || words % 3 != 0)
        return 0;
    return words * 32 / 3;
}

/* Entropy and the checksum's byte: what the words spell, and some bits more. */
static void with_checksum(const uint8_t *entropy, size_t len,
                          uint8_t out[SAT_PHRASE_ENTROPY_MAX + 1])
{
    uint8_t digest[SAT_SHA256_SIZE];

    sat__sha256(bytes_of(entropy, len), digest);
    memcpy(out, entropy, len);
    out[len] = digest[0];
    sat__wipe(digest, sizeof digest);
}

static unsigned get_bits(const uint8_t *bytes, size_t at)
{
    unsigned value = 0;

    for (size_t i = at; i < at + WORD_BITS; i++)
        value = value << 1 | (bytes[i / 8] >> (7 - i % 8) & 1);
    return value;
}

static void put_bits(uint8_t *bytes, size_t at, unsigned value)
{
    for (size_t i = 0; i < WORD_BITS; i++) {
        const unsigned bit = value >> (WORD_BITS - 1 - i) & 1;
        bytes[(at + i) / 8] |= (uint8_t)(bit << (7 - (at + i) % 8));
    }
}

sat_status sat__phrase_of_entropy(sat_bytes entropy, sat__phrase *out,
                                  sat_error *err)
{
    uint8_t bits[SAT_PHRASE_ENTROPY_MAX + 1];
    const size_t words = entropy.len * 3 / 4;

    if (entropy_bits(words) != entropy.len * 8)
        return sat__fail(err, SAT_ERR_INVALID,
                         "%zu bytes are not the entropy of a phrase",
                         entropy.len);
    with_checksum(entropy.data, entropy.len, bits);
    *out = (sat__phrase){.words = words};
    memcpy(out->entropy, entropy.data, entropy.len);
    char *at = out->text;
    for (size_t i = 0; i < words; i++) {
        const char *const word = sat__wordlist[get_bits(bits, i * WORD_BITS)];
        at = stpcpy(at, word);
        *at++ = i + 1 < words ? ' ' : 0;
    }
    sat__wipe(bits, sizeof bits);
    return SAT_OK;
}

sat_status sat__phrase_generate(const sat_env *env, size_t words,
                                sat__phrase *out, sat_error *err)
{
    uint8_t entropy[SAT_PHRASE_ENTROPY_MAX];

    if (words != 12 && words != 24)
        return sat__fail(err, SAT_ERR_INVALID,
                         "a recovery phrase has 12 or 24 words, not %zu",
                         words);
    const size_t len = entropy_bits(words) / 8;
    env->random(env->context, entropy, len);
    const sat_status st =
        sat__phrase_of_entropy(bytes_of(entropy, len), out, err);
    sat__wipe(entropy, sizeof entropy);
    return st;
}

/* A word as one number: its letters, then zeros. 0 is no word. */
static uint64_t pack(const uint8_t *letters, size_t len)
{
    uint8_t padded[SAT_WORDLIST_LETTERS] = {0};

    if (len > sizeof padded)
        return 0;
    for (size_t i = 0; i < len; i++) {
        const uint8_t c = letters[i];
        padded[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
    }
    const uint64_t packed = bytes_get_u64(padded);
    sat__wipe(padded, sizeof padded);
    return packed;
}

/* The number of a word, or -1. */
static int find_word(uint64_t packed)
{
    int found = -1;

    for (int i = 0; i < SAT_WORDLIST_COUNT; i++) {
        const uint64_t word = bytes_get_u64((const uint8_t *)sat__wordlist[i]);
        const uint64_t differs = word ^ packed;
        const int is_same = (int)((differs | (0 - differs)) >> 63) - 1;
        found = (found & ~is_same) | (i & is_same);
    }
    return found;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void drop_first(sat_bytes *text)
{
    text->data++;
    text->len--;
}

/* The next word of `text`, which moves behind it; empty when there is none. */
static sat_bytes next_word(sat_bytes *text)
{
    while (text->len > 0 && is_blank(*text->data))
        drop_first(text);
    sat_bytes word = bytes_of(text->data, 0);
    for (; text->len > 0 && !is_blank(*text->data); word.len++)
        drop_first(text);
    return word;
}

/* Counts first: "it has 11 words" helps more than "word 12 is missing". */
static sat_status count_words(sat_bytes text, size_t *out, sat_error *err)
{
    size_t words = 0;

    while (next_word(&text).len > 0)
        words++;
    if (entropy_bits(words) == 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "a recovery phrase has 12 or 24 words; this one has "
                         "%zu",
                         words);
    *out = words;
    return SAT_OK;
}

static sat_status read_words(sat_bytes text, size_t words,
                             uint8_t bits[SAT_PHRASE_ENTROPY_MAX + 1],
                             sat_error *err)
{
    memset(bits, 0, SAT_PHRASE_ENTROPY_MAX + 1);
    for (size_t i = 0; i < words; i++) {
        const sat_bytes word = next_word(&text);
        const int number = find_word(pack(word.data, word.len));
        if (number < 0)
            return sat__fail(err, SAT_ERR_INVALID,
                             "word %zu of the recovery phrase is none of the "
                             "words that phrases are made of",
                             i + 1);
        put_bits(bits, i * WORD_BITS, (unsigned)number);
    }
    return SAT_OK;
}

sat_status sat__phrase_parse(sat_bytes text, sat__phrase *out, sat_error *err)
{
    AUTO(sat_buf) spelled = SAT_BUF_INIT;
    AUTO(sat__phrase) phrase;
    uint8_t bits[SAT_PHRASE_ENTROPY_MAX + 1];
    size_t words = 0;

    if (text.len > TYPED_MAX)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the text is too long for a recovery phrase");
    TRY(sat__unicode_nfkd(text, &spelled, err));
    TRY(count_words(buf_view(&spelled), &words, err));
    TRY(read_words(buf_view(&spelled), words, bits, err));

    const size_t len = entropy_bits(words) / 8;
    const uint8_t checksum = bits[len];
    TRY(sat__phrase_of_entropy(bytes_of(bits, len), &phrase, err));
    with_checksum(phrase.entropy, len, bits);
    const uint8_t differs = (uint8_t)(checksum ^ bits[len]);
    sat__wipe(bits, sizeof bits);
    if (differs >> (8 - words / 3) != 0)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the recovery phrase's checksum is wrong: a word was "
                         "changed, or two have changed places");
    *out = phrase;
    return SAT_OK;
}

sat_status sat__phrase_seed(const sat__phrase *phrase, sat_bytes passphrase,
                            uint8_t out[SAT_PHRASE_SEED_SIZE], sat_error *err)
{
    AUTO(sat_buf) salt = SAT_BUF_INIT;
    sat__buf_put_text(&salt, "mnemonic");
    TRY(sat__unicode_nfkd(passphrase, &salt, err));
    return sat__pbkdf2(SAT_SHA512, bytes_of(phrase->text, strlen(phrase->text)),
                       buf_view(&salt), SEED_ITERATIONS, out,
                       SAT_PHRASE_SEED_SIZE, err);
}
