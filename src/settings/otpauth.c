/*
 * otpauth.c - otpauth URIs, read and written
 */
#include "settings/otpauth.h"

#include <sodium.h>
#include <stdio.h>
#include <strings.h>

#include "base/cbor.h"
#include "base/error.h"
#include "crypto/base32.h"
#include "crypto/totp.h"

#define SCHEME "otpauth://"
#define URI_MAX 4096

static const char *const algorithms[] = {
    [SAT_SHA1] = "SHA1", [SAT_SHA256] = "SHA256", [SAT_SHA512] = "SHA512"};

void sat__otpauth_wipe(sat__otpauth *entry)
{
    sodium_memzero(entry, sizeof *entry);
}

const char *sat__otpauth_algorithm(const sat__otpauth *entry)
{
    return algorithms[entry->hash];
}

bool sat__otpauth_is_name(const char *text)
{
    const size_t len = strlen(text);

    if (len == 0 || len >= SAT_MFA_NAME_SIZE ||
        !sat__utf8_valid((const uint8_t *)text, len))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return true;
}

sat_status sat__otpauth_set_secret(sat__otpauth *entry, sat_bytes base32,
                                   sat_error *err)
{
    AUTO(sat_buf) secret = SAT_BUF_INIT;

    if (sat__base32_parse(SAT_BASE32_RFC4648, base32, &secret, NULL) != SAT_OK)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the secret is not Base32: letters and 2 to 7");
    if (secret.len == 0 || secret.len > sizeof entry->secret)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the secret has %zu bytes; 1 to %d are accepted",
                         secret.len, SAT_MFA_SECRET_MAX);
    memcpy(entry->secret, secret.data, secret.len);
    entry->secret_size = secret.len;
    return SAT_OK;
}

sat_status sat__otpauth_set_algorithm(sat__otpauth *entry, const char *name,
                                      sat_error *err)
{
    for (int i = SAT_SHA1; i <= SAT_SHA512; i++)
        if (strcasecmp(name, algorithms[i]) == 0) {
            entry->hash = (sat__hash)i;
            return SAT_OK;
        }
    return sat__fail(err, SAT_ERR_INVALID,
                     "the algorithm of the codes is SHA1, SHA256 or SHA512");
}

sat_status sat__otpauth_set_numbers(sat__otpauth *entry, unsigned digits,
                                    unsigned period, sat_error *err)
{
    if (digits < SAT_TOTP_DIGITS_MIN || digits > SAT_TOTP_DIGITS_MAX)
        return sat__fail(err, SAT_ERR_INVALID, "a code has 6 to 8 digits");
    if (period < 1 || period > SAT_MFA_PERIOD_MAX)
        return sat__fail(err, SAT_ERR_INVALID, "a code lasts 1 to %d seconds",
                         SAT_MFA_PERIOD_MAX);
    entry->digits = digits;
    entry->period = period;
    return SAT_OK;
}

/* ---- reading ---- */

static sat_status bad(sat_error *err, const char *what)
{
    return sat__fail(err, SAT_ERR_INVALID, "this is not an otpauth address: %s",
                     what);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes %XX in `text`, appending to `out`. */
static sat_status unescape(sat_bytes text, sat_buf *out, sat_error *err)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '%') {
            sat__buf_put_byte(out, text.data[i]);
            continue;
        }
        const int high =
            i + 2 < text.len ? digit_of((char)text.data[i + 1]) : -1;
        const int low =
            i + 2 < text.len ? digit_of((char)text.data[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0)
            return bad(err, "a % without two digits behind it");
        sat__buf_put_byte(out, (uint8_t)(high << 4 | low));
        i += 2;
    }
    return sat__buf_status(out, err);
}

sat_status sat__otpauth_set_name(const char *text, char out[SAT_MFA_NAME_SIZE],
                                 sat_error *err)
{
    if (text[0] != '\0' && (!sat__otpauth_is_name(text) || strchr(text, ':')))
        return bad(err, "a name that is too long, or not a line of UTF-8, or "
                        "has a colon");
    (void)snprintf(out, SAT_MFA_NAME_SIZE, "%s", text);
    return SAT_OK;
}

/* "Issuer:account", or the account alone. */
static sat_status read_label(sat_bytes label, sat__otpauth *out, sat_error *err)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;

    TRY(unescape(label, &text, err));
    const char *account = sat__buf_text(&text);
    char *const colon = strchr(account, ':');
    if (colon != NULL) {
        *colon = '\0';
        TRY(sat__otpauth_set_name(account, out->issuer, err));
        account = colon + 1 + strspn(colon + 1, " ");
    }
    return sat__otpauth_set_name(account, out->account, err);
}

static sat_status read_number(const char *text, unsigned *out, sat_error *err)
{
    *out = 0;
    if (text[0] == '\0' || strlen(text) > 6)
        return bad(err, "a number that is none");
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return bad(err, "a number that is none");
        *out = *out * 10 + (unsigned)(*text - '0');
    }
    return SAT_OK;
}

static bool is_named(sat_bytes name, const char *as)
{
    return name.len == strlen(as) &&
           strncasecmp((const char *)name.data, as, name.len) == 0;
}

static sat_status read_parameter(sat_bytes name, sat_bytes value,
                                 sat__otpauth *out, sat_error *err)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;

    TRY(unescape(value, &text, err));
    if (is_named(name, "secret"))
        return sat__otpauth_set_secret(out, buf_view(&text), err);
    if (is_named(name, "issuer"))
        return sat__otpauth_set_name(sat__buf_text(&text), out->issuer, err);
    if (is_named(name, "algorithm"))
        return sat__otpauth_set_algorithm(out, sat__buf_text(&text), err);
    if (is_named(name, "digits"))
        return read_number(sat__buf_text(&text), &out->digits, err);
    if (is_named(name, "period"))
        return read_number(sat__buf_text(&text), &out->period, err);
    return SAT_OK; /* others are of no matter to the codes */
}

static sat_status read_query(const char *query, sat__otpauth *out,
                             sat_error *err)
{
    while (*query != '\0') {
        const size_t len = strcspn(query, "&");
        const char *const equals = memchr(query, '=', len);
        if (equals != NULL) {
            const size_t name = (size_t)(equals - query);
            TRY(read_parameter(bytes_of(query, name),
                               bytes_of(equals + 1, len - name - 1), out, err));
        }
        query += len + (query[len] == '&');
    }
    return SAT_OK;
}

static sat_status parse(const char *uri, sat__otpauth *out, sat_error *err)
{
    if (strnlen(uri, URI_MAX) == URI_MAX)
        return bad(err, "it is too long");
    if (strncasecmp(uri, SCHEME, strlen(SCHEME)) != 0)
        return bad(err, "it does not begin with " SCHEME);
    uri += strlen(SCHEME);
    if (strncasecmp(uri, "totp/", 5) != 0)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "only codes by the time, otpauth://totp/, are known");
    uri += 5;
    const size_t label = strcspn(uri, "?");
    out->digits = 6;
    out->period = 30;
    TRY(read_label(bytes_of(uri, label), out, err));
    if (uri[label] == '?')
        TRY(read_query(uri + label + 1, out, err));
    if (out->secret_size == 0)
        return bad(err, "it has no secret");
    return sat__otpauth_set_numbers(out, out->digits, out->period, err);
}

sat_status sat__otpauth_parse(const char *uri, sat__otpauth *out,
                              sat_error *err)
{
    AUTO(sat__otpauth) entry = {.secret_size = 0};

    TRY(parse(uri, &entry, err));
    *out = entry;
    return SAT_OK;
}

/* ---- writing ---- */

static void put_escaped(sat_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
            (c >= 'A' && c <= 'Z') || strchr("-._~@", c) != NULL)
            sat__buf_put_byte(out, c);
        else
            sat__buf_printf(out, "%%%02X", c);
    }
}

sat_status sat__otpauth_format(const sat__otpauth *entry,
                               char out[SAT_MFA_URI_SIZE], sat_error *err)
{
    char base32[SAT_BASE32_LENGTH(SAT_MFA_SECRET_MAX) + 1];
    AUTO(sat_buf) uri = SAT_BUF_INIT;

    sat__buf_put_text(&uri, SCHEME "totp/");
    put_escaped(&uri, entry->issuer);
    sat__buf_put_text(&uri, entry->issuer[0] != '\0' ? ":" : "");
    put_escaped(&uri, entry->account);
    sat__base32_format(SAT_BASE32_RFC4648,
                       bytes_of(entry->secret, entry->secret_size), base32);
    sat__buf_printf(&uri, "?secret=%s", base32);
    sodium_memzero(base32, sizeof base32);
    if (entry->issuer[0] != '\0') {
        sat__buf_put_text(&uri, "&issuer=");
        put_escaped(&uri, entry->issuer);
    }
    sat__buf_printf(&uri, "&algorithm=%s&digits=%u&period=%u",
                    sat__otpauth_algorithm(entry), entry->digits,
                    entry->period);
    TRY(sat__buf_status(&uri, err));
    if (uri.len >= SAT_MFA_URI_SIZE)
        return sat__fail(err, SAT_ERR_LIMIT, "the address is too long");
    memcpy(out, sat__buf_text(&uri), uri.len + 1);
    return SAT_OK;
}
