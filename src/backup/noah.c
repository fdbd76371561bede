/*
 * noah.c - sealing and opening the interchange format
 */
#include "backup/noah.h"

#include <sodium.h>

#include "base/error.h"
#include "crypto/aead.h"
#include "store/fs.h"
#include "store/profile.h"

#define VERSION 1
#define SALT_SIZE 16
#define PASSES 600000
#define OLDER_PASSES 10000
#define BASE64 sodium_base64_VARIANT_ORIGINAL

static sat_bytes words_of(const sat__phrase *phrase)
{
    return bytes_of(phrase->text, strlen(phrase->text));
}

static sat_status derive(const sat__phrase *phrase, const uint8_t *salt,
                         uint32_t passes, sat__seal_key *out, sat_error *err)
{
    return sat__pbkdf2(SAT_SHA256, words_of(phrase), bytes_of(salt, SALT_SIZE),
                       passes, out->bytes, sizeof out->bytes, err);
}

static void older_salt(const sat__phrase *phrase, uint8_t out[SAT_SHA256_SIZE])
{
    sat__sha256(words_of(phrase), out);
}

static sat_status encode(sat_bytes bytes, sat_buf *out, sat_error *err)
{
    const size_t len = sodium_base64_encoded_len(bytes.len, BASE64);
    if (!sat__buf_reserve(out, len))
        return sat__buf_status(out, err);
    (void)sodium_bin2base64((char *)out->data + out->len, len, bytes.data,
                            bytes.len, BASE64);
    out->len += len - 1;
    return SAT_OK;
}

sat_status sat__noah_seal(const sat_env *env, const sat__phrase *phrase,
                          sat_noah format, sat_bytes plain, sat_buf *out,
                          sat_error *err)
{
    AUTO(sat__seal_key) key = {{0}};
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    uint8_t salt[SAT_SHA256_SIZE];
    uint8_t iv[SAT_AEAD_NONCE_SIZE];
    const bool is_older = format == SAT_NOAH_OLDER;
    if (plain.len > SAT_NOAH_SIZE_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "%zu bytes are too many for this format", plain.len);
    if (is_older)
        older_salt(phrase, salt);
    else
        env->random(env->context, salt, SALT_SIZE);
    env->random(env->context, iv, sizeof iv);
    TRY(derive(phrase, salt, is_older ? OLDER_PASSES : PASSES, &key, err));
    if (!is_older) {
        sat__buf_put_byte(&sealed, VERSION);
        sat__buf_put(&sealed, salt, SALT_SIZE);
    }
    sat__buf_put(&sealed, iv, sizeof iv);
    TRY(sat__buf_status(&sealed, err));
    TRY(sat__aead_seal(key.bytes, iv, bytes_of(NULL, 0), plain, &sealed, err));
    return encode(buf_view(&sealed), out, err);
}

static sat_status decode(sat_bytes text, sat_buf *out, sat_error *err)
{
    size_t len = 0;
    if (!sat__buf_reserve(out, text.len / 4 * 3 + 3))
        return sat__buf_status(out, err);
    if (sodium_base642bin(out->data, out->capacity, (const char *)text.data,
                          text.len, " \r\n\t", &len, NULL, BASE64) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "this is not base64");
    out->len = len;
    return SAT_OK;
}

static sat_status open_with(const sat__phrase *phrase, const uint8_t *salt,
                            uint32_t passes, sat_bytes rest, sat_buf *out,
                            sat_error *err)
{
    AUTO(sat__seal_key) key = {{0}};
    if (rest.len < SAT_AEAD_NONCE_SIZE + SAT_AEAD_TAG_SIZE)
        return sat__fail(err, SAT_ERR_AUTH, "it is too short");
    TRY(derive(phrase, salt, passes, &key, err));
    return sat__aead_unseal(key.bytes, rest.data, bytes_of(NULL, 0),
                            bytes_of(rest.data + SAT_AEAD_NONCE_SIZE,
                                     rest.len - SAT_AEAD_NONCE_SIZE),
                            out, err);
}

/* The older format says nothing of itself, so it is what the other is not. */
sat_status sat__noah_unseal(const sat__phrase *phrase, sat_bytes text,
                            sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    uint8_t salt[SAT_SHA256_SIZE];
    sat_status st = SAT_ERR_AUTH;
    TRY(decode(text, &bytes, err));
    if (bytes.len > 1 + SALT_SIZE && bytes.data[0] == VERSION)
        st = open_with(
            phrase, bytes.data + 1, PASSES,
            bytes_of(bytes.data + 1 + SALT_SIZE, bytes.len - 1 - SALT_SIZE),
            out, err);
    if (st == SAT_ERR_AUTH) {
        older_salt(phrase, salt);
        st = open_with(phrase, salt, OLDER_PASSES, buf_view(&bytes), out, err);
    }
    return st == SAT_ERR_AUTH
               ? sat__fail(err, st,
                           "this recovery phrase does not open the backup, or "
                           "it is damaged")
               : st;
}

static sat_status parse(const char *phrase, sat__phrase *out, sat_error *err)
{
    const sat_status st =
        sat__phrase_parse(bytes_of(phrase, strlen(phrase)), out, err);
    return st == SAT_ERR_INVALID ? sat__context(err, SAT_ERR_AUTH,
                                                "this is not a recovery phrase")
                                 : st;
}

sat_status sat_noah_export(sat_profile *profile, const char *file,
                           const char *phrase, sat_noah format, sat_error *err)
{
    AUTO(sat__phrase) words = {.words = 0};
    AUTO(sat_buf) zip = SAT_BUF_INIT;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    TRY(parse(phrase, &words, err));
    if (sat__fs_exists(file))
        return sat__fail(err, SAT_ERR_INVALID, "'%s' exists already", file);
    TRY(sat__noah_pack(profile, &zip, err));
    TRY(sat__noah_seal(profile->env, &words, format, buf_view(&zip), &text,
                       err));
    return sat__fs_replace(file, buf_view(&text), err);
}

sat_status sat_noah_import(sat_profile *profile, const char *file,
                           const char *phrase, sat_noah_report *out,
                           sat_error *err)
{
    AUTO(sat__phrase) words = {.words = 0};
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(sat_buf) zip = SAT_BUF_INIT;
    TRY(parse(phrase, &words, err));
    TRY(sat__fs_read(file, SAT_NOAH_SIZE_MAX / 2 * 3, &text, err));
    TRY(sat__noah_unseal(&words, buf_view(&text), &zip, err));
    return sat__noah_unpack(profile, buf_view(&zip), out, err);
}
