/*
 * signature.c - signature bases, and what devices put in them
 */
#include "net/signature.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>

#include "base/error.h"
#include "crypto/secret.h"

#define BASE64_SIZE(len) (((len) + 2) / 3 * 4 + 1)

/* ---- the base ---- */

static bool is_name(sat_bytes name, const char *text)
{
    return bytes_equal(name, bytes_of(text, strlen(text)));
}

static void put_lower(sat_buf *out, const char *text)
{
    for (; *text != 0; text++)
        sat__buf_put_byte(out, (uint8_t)tolower((unsigned char)*text));
}

static bool put_derived(sat_bytes name, const sat__request *request,
                        sat_buf *out)
{
    const char *const host = sat__headers_get(&request->headers, "Host");
    sat_bytes part;

    if (is_name(name, "@method")) {
        sat__buf_put_text(out, request->method);
        return true;
    }
    if (is_name(name, "@authority")) {
        if (host != NULL)
            put_lower(out, host);
        return host != NULL;
    }
    if (is_name(name, "@path"))
        part = sat__request_path(request);
    else if (is_name(name, "@query"))
        part = sat__request_query(request);
    else
        return false;
    sat__buf_put(out, part.data, part.len);
    return true;
}

static bool put_field(sat_bytes name, const sat__headers *headers, sat_buf *out)
{
    char text[64];

    if (name.len >= sizeof text)
        return false;
    memcpy(text, name.data, name.len);
    text[name.len] = 0;
    for (const char *at = text; *at != 0; at++)
        if (isupper((unsigned char)*at))
            return false;
    const char *const value = sat__headers_get(headers, text);
    if (value != NULL)
        sat__buf_put_text(out, value);
    return value != NULL;
}

static bool put_value(const sat__signature_component *component,
                      const sat__request *request,
                      const sat__response *response, sat_buf *out)
{
    const sat_bytes name = component->name;
    const bool is_of_response = response != NULL && !component->is_req;

    if (response == NULL && component->is_req)
        return false;
    if (is_of_response && is_name(name, "@status")) {
        sat__buf_printf(out, "%u", response->status);
        return true;
    }
    if (name.len > 0 && name.data[0] == '@')
        return !is_of_response && put_derived(name, request, out);
    return put_field(
        name, is_of_response ? &response->headers : &request->headers, out);
}

static bool comes_twice(const sat__signature *signature, size_t at)
{
    const sat__signature_component *const all = signature->components;

    for (size_t i = 0; i < at; i++)
        if (all[i].is_req == all[at].is_req &&
            bytes_equal(all[i].name, all[at].name))
            return true;
    return false;
}

sat_status sat__signature_base(const sat__signature *signature,
                               const sat__request *request,
                               const sat__response *response, sat_buf *out,
                               sat_error *err)
{
    for (size_t i = 0; i < signature->count; i++) {
        const sat__signature_component *const component =
            &signature->components[i];
        sat__buf_printf(out, "\"%.*s\"%s: ", (int)component->name.len,
                        (const char *)component->name.data,
                        component->is_req ? ";req" : "");
        if (comes_twice(signature, i) ||
            !put_value(component, request, response, out))
            return sat__fail(err, SAT_ERR_AUTH,
                             "the signature covers what the message does not "
                             "have");
        sat__buf_put_byte(out, '\n');
    }
    sat__buf_put_text(out, "\"@signature-params\": ");
    sat__buf_put(out, signature->params.data, signature->params.len);
    return sat__buf_status(out, err);
}

bool sat__signature_covers(const sat__signature *signature, const char *name,
                           bool is_req)
{
    for (size_t i = 0; i < signature->count; i++)
        if (signature->components[i].is_req == is_req &&
            is_name(signature->components[i].name, name))
            return true;
    return false;
}

/* ---- digests ---- */

void sat__digest_format(sat_bytes body, char out[SAT_DIGEST_SIZE])
{
    uint8_t hash[SAT_SHA256_SIZE];
    char text[BASE64_SIZE(SAT_SHA256_SIZE)];

    sat__sha256(body, hash);
    (void)sodium_bin2base64(text, sizeof text, hash, sizeof hash,
                            sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(out, SAT_DIGEST_SIZE, "sha-256=:%s:", text);
}

sat_status sat__digest_check(const sat__headers *headers, sat_bytes body,
                             sat_error *err)
{
    const char *const said = sat__headers_get(headers, "Content-Digest");
    char expected[SAT_DIGEST_SIZE];

    sat__digest_format(body, expected);
    if (said == NULL || strcmp(said, expected) != 0)
        return sat__fail(err, SAT_ERR_AUTH,
                         "the digest is not that of the body");
    return SAT_OK;
}

/* ---- signing ---- */

static void put_digest(sat__headers *headers, sat_bytes body)
{
    char digest[SAT_DIGEST_SIZE];

    sat__digest_format(body, digest);
    sat__headers_put(headers, "Content-Digest", digest);
}

/* Signs with `params`, and adds both fields to `headers`. */
static sat_status add_signature(sat_buf *params, const sat__request *request,
                                const sat__response *response,
                                const sat__identity *identity,
                                sat__headers *headers, sat_error *err)
{
    static const uint8_t no_signature[SAT_SIGNATURE_SIZE];
    AUTO(sat_buf) input = SAT_BUF_INIT, base = SAT_BUF_INIT;
    uint8_t bytes[SAT_SIGNATURE_SIZE];
    char text[BASE64_SIZE(SAT_SIGNATURE_SIZE)], field[sizeof text + 8];
    sat__signature signature;

    sat__buf_printf(&input, "sig=%s", sat__buf_text(params));
    TRY(sat__buf_status(params, err));
    (void)sodium_bin2base64(text, sizeof text, no_signature,
                            sizeof no_signature,
                            sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(field, sizeof field, "sig=:%s:", text);
    TRY(sat__signature_parse(sat__buf_text(&input), field, &signature, err));
    TRY(sat__signature_base(&signature, request, response, &base, err));
    TRY(sat__identity_sign_http(identity, buf_view(&base), bytes, err));
    (void)sodium_bin2base64(text, sizeof text, bytes, sizeof bytes,
                            sodium_base64_VARIANT_ORIGINAL);
    (void)snprintf(field, sizeof field, "sig=:%s:", text);
    sat__headers_put(headers, "Signature-Input", sat__buf_text(&input));
    sat__headers_put(headers, "Signature", field);
    return sat__headers_status(headers, err);
}

/* What says how to read the body is covered wherever it is there. */
static const char *const optional[] = {"content-type", "content-encoding"};

#define OPTIONAL_COUNT (sizeof optional / sizeof optional[0])

static void put_optional(const sat__headers *headers, sat_buf *params)
{
    for (size_t i = 0; i < OPTIONAL_COUNT; i++)
        if (sat__headers_get(headers, optional[i]) != NULL)
            sat__buf_printf(params, " \"%s\"", optional[i]);
}

static void put_keyid(const sat__identity *identity, sat_buf *params)
{
    char key[2 * SAT_SIGN_KEY_SIZE + 1];

    sat__hex_format(sat__identity_principal(identity)->sign, SAT_SIGN_KEY_SIZE,
                    key);
    sat__buf_printf(params, ";keyid=\"%s\"", key);
}

sat_status sat__request_sign(sat__request *request,
                             const sat__identity *identity,
                             const uint8_t recipient[SAT_DEVICE_ID_SIZE],
                             const char *nonce, sat_error *err)
{
    AUTO(sat_buf) params = SAT_BUF_INIT;
    char id[2 * SAT_DEVICE_ID_SIZE + 1];
    sat__headers *const headers = &request->headers;

    sat__hex_format(recipient, SAT_DEVICE_ID_SIZE, id);
    put_digest(headers, buf_view(&request->body));
    sat__headers_put(headers, "Satchel-Recipient", id);
    sat__buf_put_text(&params,
                      "(\"@method\" \"@authority\" \"@path\" \"@query\" "
                      "\"content-digest\" \"satchel-recipient\"");
    put_optional(headers, &params);
    sat__buf_put_text(&params, ")");
    put_keyid(identity, &params);
    sat__buf_printf(&params, ";nonce=\"%s\";tag=\"" SAT_SIGNATURE_TAG "\"",
                    nonce);
    return add_signature(&params, request, NULL, identity, headers, err);
}

sat_status sat__response_sign(sat__response *response,
                              const sat__request *request,
                              const sat__identity *identity, sat_error *err)
{
    AUTO(sat_buf) params = SAT_BUF_INIT;
    sat__headers *const headers = &response->headers;

    put_digest(headers, buf_view(&response->body));
    sat__buf_put_text(&params, "(\"@status\" \"content-digest\"");
    put_optional(headers, &params);
    sat__buf_put_text(&params, " \"signature\";req)");
    put_keyid(identity, &params);
    sat__buf_put_text(&params, ";tag=\"" SAT_SIGNATURE_TAG "\"");
    return add_signature(&params, request, response, identity, headers, err);
}

/* ---- verifying ---- */

static sat_status parse_fields(const sat__headers *headers, sat__signature *out,
                               uint8_t key[SAT_SIGN_KEY_SIZE], sat_error *err)
{
    const char *const input = sat__headers_get(headers, "Signature-Input");
    const char *const text = sat__headers_get(headers, "Signature");
    char keyid[2 * SAT_SIGN_KEY_SIZE + 1];

    if (input == NULL || text == NULL)
        return sat__fail(err, SAT_ERR_AUTH, "the message is not signed");
    TRY(sat__signature_parse(input, text, out, err));
    if (!is_name(out->tag, SAT_SIGNATURE_TAG))
        return sat__fail(err, SAT_ERR_AUTH,
                         "the signature is for another purpose");
    (void)snprintf(keyid, sizeof keyid, "%.*s", (int)out->keyid.len,
                   out->keyid.len > 0 ? (const char *)out->keyid.data : "");
    if (out->keyid.len != sizeof keyid - 1 ||
        sat__hex_parse(keyid, key, SAT_SIGN_KEY_SIZE, NULL) != SAT_OK)
        return sat__fail(err, SAT_ERR_AUTH,
                         "the signature names no Ed25519 key");
    return SAT_OK;
}

static sat_status check_coverage(const sat__signature *signature,
                                 const char *const *names, size_t count,
                                 const sat__headers *headers, sat_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!sat__signature_covers(signature, names[i], false))
            return sat__fail(err, SAT_ERR_AUTH,
                             "the signature does not cover '%s'", names[i]);
    for (size_t i = 0; i < OPTIONAL_COUNT; i++)
        if (sat__headers_get(headers, optional[i]) != NULL &&
            !sat__signature_covers(signature, optional[i], false))
            return sat__fail(err, SAT_ERR_AUTH,
                             "the signature does not cover '%s'", optional[i]);
    return SAT_OK;
}

sat_status sat__request_verify(sat__request *request,
                               const uint8_t recipient[SAT_DEVICE_ID_SIZE],
                               sat_bytes *nonce, sat_error *err)
{
    static const char *const covered[] = {
        "@method", "@authority",     "@path",
        "@query",  "content-digest", "satchel-recipient"};
    AUTO(sat_buf) base = SAT_BUF_INIT;
    sat__signature signature;
    uint8_t key[SAT_SIGN_KEY_SIZE];
    char id[2 * SAT_DEVICE_ID_SIZE + 1];

    TRY(parse_fields(&request->headers, &signature, key, err));
    TRY(check_coverage(&signature, covered, sizeof covered / sizeof covered[0],
                       &request->headers, err));
    TRY(sat__signature_base(&signature, request, NULL, &base, err));
    TRY(sat__signature_verify_bare(key, buf_view(&base), signature.bytes, err));
    sat__hex_format(recipient, SAT_DEVICE_ID_SIZE, id);
    if (strcmp(sat__headers_get(&request->headers, "Satchel-Recipient"), id) !=
        0)
        return sat__fail(err, SAT_ERR_AUTH,
                         "the request is for another device");
    memcpy(request->signer, key, sizeof key);
    request->is_signed = true;
    *nonce = signature.nonce;
    return SAT_OK;
}

sat_status sat__response_verify(const sat__response *response,
                                const sat__request *request,
                                const uint8_t device[SAT_DEVICE_ID_SIZE],
                                sat_error *err)
{
    static const char *const covered[] = {"@status", "content-digest"};
    AUTO(sat_buf) base = SAT_BUF_INIT;
    sat__signature signature;
    uint8_t key[SAT_SIGN_KEY_SIZE], id[SAT_DEVICE_ID_SIZE];

    TRY(parse_fields(&response->headers, &signature, key, err));
    TRY(check_coverage(&signature, covered, sizeof covered / sizeof covered[0],
                       &response->headers, err));
    if (!sat__signature_covers(&signature, "signature", true))
        return sat__fail(err, SAT_ERR_AUTH,
                         "the answer is not bound to what was asked");
    sat__device_id(key, id);
    if (!sat__equal_secret(id, device, sizeof id))
        return sat__fail(err, SAT_ERR_AUTH,
                         "the answer is signed by another device");
    TRY(sat__signature_base(&signature, request, response, &base, err));
    TRY(sat__signature_verify_bare(key, buf_view(&base), signature.bytes, err));
    return sat__digest_check(&response->headers, buf_view(&response->body),
                             err);
}
