/*
 * tls.c - OpenSSL on memory BIOs
 */
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>

#include "base/error.h"
#include "crypto/secret.h"

#define RECORD_SIZE ((size_t)16 * 1024)

struct sat__tls_context {
    SSL_CTX *ssl;
    bool is_server;
    bool is_pinned; /* of a client: the other end must be this device */
    uint8_t pinned[SAT_DEVICE_ID_SIZE];
    char host[256]; /* of a client that trusts authorities; "" otherwise */
};

struct sat__tls {
    SSL *ssl;
    BIO *in, *out; /* of ssl */
};

static void x509_free(X509 *certificate)
{
    X509_free(certificate);
}

static void evp_pkey_free(EVP_PKEY *key)
{
    EVP_PKEY_free(key);
}

DEFINE_AUTO_PTR(X509, x509_free);
DEFINE_AUTO_PTR(EVP_PKEY, evp_pkey_free);

static sat_status fail_tls(sat_error *err, sat_status status, const char *what)
{
    const char *const reason = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return sat__fail(err, status, "%s: %s", what,
                     reason != NULL ? reason : "no reason given");
}

static sat_status new_context(const SSL_METHOD *method, sat__tls_context **out,
                              sat_error *err)
{
    AUTO_PTR(sat__tls_context) context = calloc(1, sizeof *context);

    if (context == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    context->ssl = SSL_CTX_new(method);
    if (context->ssl == NULL ||
        SSL_CTX_set_min_proto_version(context->ssl, TLS1_3_VERSION) != 1)
        return fail_tls(err, SAT_ERR_NOMEM, "TLS can not be prepared");
    (void)SSL_CTX_set_mode(context->ssl, SSL_MODE_RELEASE_BUFFERS);
    *out = TAKE(context);
    return SAT_OK;
}

/* ---- the server's certificate ---- */

/* The other side looks at nothing but the key, so all else is constant. */
static bool fill_certificate(X509 *certificate, EVP_PKEY *key)
{
    X509_NAME *const name = X509_get_subject_name(certificate);
    const uint8_t common[] = "Satchel device";

    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
           ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate),
                                     "19700101000000Z") == 1 &&
           ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate),
                                     "99991231235959Z") == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1,
                                      0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 &&
           X509_set_pubkey(certificate, key) == 1 &&
           X509_sign(certificate, key, NULL) > 0;
}

sat_status sat__tls_context_server(const sat__identity *identity,
                                   sat__tls_context **out, sat_error *err)
{
    AUTO_PTR(sat__tls_context) context = NULL;
    AUTO_PTR(EVP_PKEY) key = NULL;
    AUTO_PTR(X509) certificate = X509_new();

    TRY(new_context(TLS_server_method(), &context, err));
    TRY(sat__identity_tls_key(identity, &key, err));
    if (certificate == NULL || !fill_certificate(certificate, key) ||
        SSL_CTX_use_certificate(context->ssl, certificate) != 1 ||
        SSL_CTX_use_PrivateKey(context->ssl, key) != 1 ||
        SSL_CTX_set_num_tickets(context->ssl, 0) != 1)
        return fail_tls(err, SAT_ERR_NOMEM, "no TLS certificate can be made");
    context->is_server = true;
    *out = TAKE(context);
    return SAT_OK;
}

sat_status sat__tls_context_files(const char *certificates, const char *key,
                                  sat__tls_context **out, sat_error *err)
{
    AUTO_PTR(sat__tls_context) context = NULL;

    TRY(new_context(TLS_server_method(), &context, err));
    if (SSL_CTX_use_certificate_chain_file(context->ssl, certificates) != 1)
        return fail_tls(err, SAT_ERR_INVALID, "the TLS certificate");
    if (SSL_CTX_use_PrivateKey_file(context->ssl, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context->ssl) != 1)
        return fail_tls(err, SAT_ERR_INVALID, "the key of the TLS certificate");
    (void)SSL_CTX_set_num_tickets(context->ssl, 0);
    context->is_server = true;
    *out = TAKE(context);
    return SAT_OK;
}

/* ---- the client's pin ---- */

static bool read_id(const X509 *certificate, uint8_t id[SAT_DEVICE_ID_SIZE])
{
    const EVP_PKEY *const key =
        certificate != NULL ? X509_get0_pubkey(certificate) : NULL;
    uint8_t sign[SAT_SIGN_KEY_SIZE];
    size_t len = sizeof sign;

    if (key == NULL || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_public_key(key, sign, &len) != 1 || len != sizeof sign)
        return false;
    sat__device_id(sign, id);
    return true;
}

/* That the other side holds the key is for TLS to prove; here it is only asked
 * whether it is the right one. */
static int check_pin(X509_STORE_CTX *store, void *context_pointer)
{
    const sat__tls_context *const context = context_pointer;
    uint8_t id[SAT_DEVICE_ID_SIZE];

    if (read_id(X509_STORE_CTX_get0_cert(store), id) &&
        (!context->is_pinned ||
         sat__equal_secret(id, context->pinned, sizeof id)))
        return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

sat_status sat__tls_context_client(const uint8_t pinned[SAT_DEVICE_ID_SIZE],
                                   sat__tls_context **out, sat_error *err)
{
    AUTO_PTR(sat__tls_context) context = NULL;

    TRY(new_context(TLS_client_method(), &context, err));
    context->is_pinned = pinned != NULL;
    if (pinned != NULL)
        memcpy(context->pinned, pinned, sizeof context->pinned);
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context->ssl, check_pin, context);
    *out = TAKE(context);
    return SAT_OK;
}

sat_status sat__tls_context_public(const char *host, sat__tls_context **out,
                                   sat_error *err)
{
    AUTO_PTR(sat__tls_context) context = NULL;

    TRY(new_context(TLS_client_method(), &context, err));
    X509_VERIFY_PARAM *const wanted = SSL_CTX_get0_param(context->ssl);
    (void)snprintf(context->host, sizeof context->host, "%s", host);
    if (SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_default_verify_paths(context->ssl) != 1 ||
        (X509_VERIFY_PARAM_set1_ip_asc(wanted, host) != 1 &&
         X509_VERIFY_PARAM_set1_host(wanted, host, 0) != 1))
        return fail_tls(err, SAT_ERR_INVALID, "TLS can not be prepared");
    ERR_clear_error();
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
    *out = TAKE(context);
    return SAT_OK;
}

void sat__tls_context_free(sat__tls_context *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->ssl);
    free(context);
}

/* ---- connections ---- */

sat_status sat__tls_open(sat__tls_context *context, sat__tls **out,
                         sat_error *err)
{
    AUTO_PTR(sat__tls) tls = calloc(1, sizeof *tls);

    if (tls == NULL || (tls->ssl = SSL_new(context->ssl)) == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    SSL_set_bio(tls->ssl, tls->in, tls->out); /* owns both, NULL or not */
    if (tls->in == NULL || tls->out == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    if (context->is_server)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    if (context->host[0] != 0 &&
        SSL_set_tlsext_host_name(tls->ssl, context->host) != 1)
        return fail_tls(err, SAT_ERR_NOMEM, "TLS can not be prepared");
    *out = TAKE(tls);
    return SAT_OK;
}

void sat__tls_free(sat__tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

sat_status sat__tls_receive(sat__tls *tls, sat_bytes sealed, sat_error *err)
{
    size_t taken;

    if (sealed.len > 0 &&
        (BIO_write_ex(tls->in, sealed.data, sealed.len, &taken) != 1 ||
         taken != sealed.len))
        return fail_tls(err, SAT_ERR_NOMEM, "TLS");
    return SAT_OK;
}

static sat_status fail_read(sat__tls *tls, int result, sat_error *err)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return SAT_OK;
    case SSL_ERROR_ZERO_RETURN:
        return sat__fail(err, SAT_ERR_OFFLINE, "the other side hung up");
    default:
        if (SSL_get_verify_result(tls->ssl) != X509_V_OK)
            return sat__fail(err, SAT_ERR_AUTH,
                             "the device that answers is not the one that was "
                             "asked for");
        return fail_tls(err, SAT_ERR_AUTH, "TLS with the other side failed");
    }
}

sat_status sat__tls_read(sat__tls *tls, sat_buf *out, sat_error *err)
{
    size_t len = 0;

    ERR_clear_error();
    if (!sat__buf_reserve(out, RECORD_SIZE))
        return sat__buf_status(out, err);
    const int result =
        SSL_read_ex(tls->ssl, out->data + out->len, RECORD_SIZE, &len);
    if (result != 1)
        return fail_read(tls, result, err);
    out->len += len;
    return SAT_OK;
}

bool sat__tls_is_ready(const sat__tls *tls)
{
    return SSL_is_init_finished(tls->ssl) == 1;
}

sat_status sat__tls_remote(const sat__tls *tls, uint8_t id[SAT_DEVICE_ID_SIZE],
                           sat_error *err)
{
    if (!read_id(SSL_get0_peer_certificate(tls->ssl), id))
        return sat__fail(err, SAT_ERR_AUTH,
                         "the other side has not shown who it is");
    return SAT_OK;
}

sat_status sat__tls_write(sat__tls *tls, sat_bytes plain, sat_error *err)
{
    size_t written;

    ERR_clear_error();
    if (plain.len > 0 &&
        (SSL_write_ex(tls->ssl, plain.data, plain.len, &written) != 1 ||
         written != plain.len))
        return fail_tls(err, SAT_ERR_OFFLINE, "TLS with the other side failed");
    return SAT_OK;
}

void sat__tls_pending(sat__tls *tls, sat_buf *out)
{
    const size_t waiting = BIO_ctrl_pending(tls->out);
    size_t len = 0;

    if (waiting == 0 || !sat__buf_reserve(out, waiting))
        return;
    if (BIO_read_ex(tls->out, out->data + out->len, waiting, &len) == 1)
        out->len += len;
}
