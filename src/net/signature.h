/*
 * signature.h - requests and responses that a device signed (RFC 9421, RFC
 * 9530)
 *
 * A request's signature covers what is asked of whom, with what body, for which
 * device, and a nonce of the server's. A response's covers its own status and
 * body and the request's signature, so it answers that request and no other.
 *
 *      Content-Digest: sha-256=:…:
 *      Satchel-Recipient: <device id of the server>
 *      Signature-Input: sig=("@method" "@authority" "@path" "@query"
 *          "content-digest" "satchel-recipient" "content-type");
 *          keyid="<public key>";nonce="…";tag="satchel"
 *      Signature: sig=:…:
 */
#ifndef SAT_SRC_NET_SIGNATURE_H
#define SAT_SRC_NET_SIGNATURE_H

#include "crypto/identity.h"
#include "net/message.h"

#define SAT_SIGNATURE_TAG "satchel"
#define SAT_SIGNATURE_COMPONENTS_MAX 16

typedef struct sat__signature_component {
    sat_bytes name; /* without quotes */
    bool is_req;    /* of the request that a response answers */
} sat__signature_component;

/* What Signature-Input and Signature say; views into them. */
typedef struct sat__signature {
    sat__signature_component components[SAT_SIGNATURE_COMPONENTS_MAX];
    size_t count;
    sat_bytes params; /* as it stands: the list and its parameters */
    sat_bytes keyid, nonce, tag;
    uint8_t bytes[SAT_SIGNATURE_SIZE];
} sat__signature;

/* Reads one signature; anything but Ed25519's, or a second one, fails with
 * SAT_ERR_AUTH. */
SAT_CHECK sat_status sat__signature_parse(const char *input,
                                          const char *signature,
                                          sat__signature *out, sat_error *err);

/* Appends the signature base. `response` is NULL for a request. A component
 * that the message does not have fails with SAT_ERR_AUTH. */
SAT_CHECK sat_status sat__signature_base(const sat__signature *signature,
                                         const sat__request *request,
                                         const sat__response *response,
                                         sat_buf *out, sat_error *err);

/* Whether the signature covers the component. */
bool sat__signature_covers(const sat__signature *signature, const char *name,
                           bool is_req);

/* ---- messages between devices ---- */

/* Adds digest, recipient and signature. Host must be set by now. */
SAT_CHECK sat_status
sat__request_sign(sat__request *request, const sat__identity *identity,
                  const uint8_t recipient[SAT_DEVICE_ID_SIZE],
                  const char *nonce, sat_error *err);

/*
 * Checks all but the digest and whether the nonce is fresh, and fills in
 * signer and is_signed. *nonce is a view into the request.
 */
SAT_CHECK sat_status sat__request_verify(
    sat__request *request, const uint8_t recipient[SAT_DEVICE_ID_SIZE],
    sat_bytes *nonce, sat_error *err);

SAT_CHECK sat_status sat__response_sign(sat__response *response,
                                        const sat__request *request,
                                        const sat__identity *identity,
                                        sat_error *err);

/* Checks signature and digest of what should be `device`'s answer. */
SAT_CHECK sat_status
sat__response_verify(const sat__response *response, const sat__request *request,
                     const uint8_t device[SAT_DEVICE_ID_SIZE], sat_error *err);

/* ---- digests ---- */

/* "sha-256=:…:" of `body`. */
#define SAT_DIGEST_SIZE 64
void sat__digest_format(sat_bytes body, char out[SAT_DIGEST_SIZE]);

/* SAT_ERR_AUTH unless Content-Digest is that of `body`. */
SAT_CHECK sat_status sat__digest_check(const sat__headers *headers,
                                       sat_bytes body, sat_error *err);

#endif /* SAT_SRC_NET_SIGNATURE_H */
