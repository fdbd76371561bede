/*
 * signature_parse.c - the part of structured fields (RFC 8941) that is accepted
 *
 *      label=("name" "name";req …);key="text";key=number      label=:base64:
 *
 * It is read exactly as a writer writes it, without optional spaces, so that
 * the text itself can serve as the last line of the signature base.
 */
#include <sodium.h>

#include "base/error.h"
#include "net/signature.h"

#define LABEL_MAX 32

typedef struct reader {
    const char *at;
} reader;

static sat_status fail_syntax(sat_error *err)
{
    return sat__fail(err, SAT_ERR_AUTH,
                     "the signature is not written as is accepted");
}

static bool take(reader *in, const char *text)
{
    const size_t len = strlen(text);

    if (strncmp(in->at, text, len) != 0)
        return false;
    in->at += len;
    return true;
}

static size_t key_len(const char *at)
{
    return strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_-.*");
}

/* A quoted string without escapes. */
static bool take_string(reader *in, sat_bytes *out)
{
    if (!take(in, "\""))
        return false;
    const size_t len = strcspn(in->at, "\"\\");
    *out = bytes_of(in->at, len);
    in->at += len;
    return take(in, "\"");
}

static bool take_label(reader *in, sat_bytes *out)
{
    const size_t len = key_len(in->at);

    *out = bytes_of(in->at, len);
    in->at += len;
    return len > 0 && len <= LABEL_MAX && take(in, "=");
}

static bool take_components(reader *in, sat__signature *out)
{
    if (!take(in, "("))
        return false;
    while (out->count < SAT_SIGNATURE_COMPONENTS_MAX) {
        sat__signature_component *const component =
            &out->components[out->count++];
        if (!take_string(in, &component->name))
            return false;
        component->is_req = take(in, ";req");
        if (take(in, ")"))
            return true;
        if (!take(in, " "))
            return false;
    }
    return false;
}

static bool is_key(sat_bytes key, const char *name)
{
    return bytes_equal(key, bytes_of(name, strlen(name)));
}

static bool take_text_parameter(reader *in, sat__signature *out, sat_bytes key)
{
    sat_bytes value;
    sat_bytes *const slot = is_key(key, "keyid")   ? &out->keyid
                            : is_key(key, "nonce") ? &out->nonce
                            : is_key(key, "tag")   ? &out->tag
                                                   : NULL;

    if (!take_string(in, &value))
        return false;
    if (slot == NULL)
        return is_key(key, "alg") && is_key(value, "ed25519");
    if (slot->data != NULL)
        return false; /* twice */
    *slot = value;
    return true;
}

/* When it was created, and when it expires, is for other verifiers: here the
 * nonce says whether it is fresh. */
static bool take_parameter(reader *in, sat__signature *out)
{
    const sat_bytes key = bytes_of(in->at, key_len(in->at));

    in->at += key.len;
    if (!take(in, "="))
        return false;
    if (!is_key(key, "created") && !is_key(key, "expires"))
        return take_text_parameter(in, out, key);
    const size_t digits = strspn(in->at, "0123456789");
    in->at += digits;
    return digits > 0 && digits <= 15;
}

static bool take_bytes(reader *in, uint8_t *out, size_t len)
{
    size_t got;
    const char *end;

    if (!take(in, ":") ||
        sodium_base642bin(out, len, in->at, strcspn(in->at, ":"), NULL, &got,
                          &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        got != len)
        return false;
    in->at = end;
    return take(in, ":");
}

sat_status sat__signature_parse(const char *input, const char *signature,
                                sat__signature *out, sat_error *err)
{
    sat__signature parsed = {.count = 0};
    reader in = {input};
    sat_bytes label, signed_label;

    if (!take_label(&in, &label))
        return fail_syntax(err);
    const char *const from = in.at;
    if (!take_components(&in, &parsed))
        return fail_syntax(err);
    while (take(&in, ";"))
        if (!take_parameter(&in, &parsed))
            return fail_syntax(err);
    if (*in.at != 0)
        return fail_syntax(err);
    parsed.params = bytes_of(from, (size_t)(in.at - from));
    in.at = signature;
    if (!take_label(&in, &signed_label) || !bytes_equal(label, signed_label) ||
        !take_bytes(&in, parsed.bytes, sizeof parsed.bytes) || *in.at != 0)
        return fail_syntax(err);
    *out = parsed;
    return SAT_OK;
}
