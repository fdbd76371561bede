/*
 * sigv4.h - requests signed as AWS, and every S3, wants them (Signature V4)
 *
 *      request ─> canonical text ─SHA-256─> string to sign ─HMAC─> signature
 *
 * A signature stands in the Authorization field, or in the query: then whoever
 * has the address may send that request until it runs out, and no other.
 */
#ifndef SAT_SRC_NET_SIGV4_H
#define SAT_SRC_NET_SIGV4_H

#include "base/buf.h"

#define SAT_SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"
#define SAT_SIGV4_EMPTY                                                        \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SAT_SIGV4_DATE_SIZE 17 /* "20130524T000000Z" */
#define SAT_SIGV4_FIELDS_MAX 16

typedef struct sat__sigv4_keys {
    const char *access_key, *secret_key;
    const char *session; /* of temporary keys, or NULL */
    const char *region, *service;
} sat__sigv4_keys;

typedef struct sat__sigv4_field {
    const char *name, *value;
} sat__sigv4_field;

/* A request; nothing in it is escaped yet. At most SAT_SIGV4_FIELDS_MAX fields
 * of a kind; those of the head have names in lower case, and host is one. */
typedef struct sat__sigv4_request {
    const char *method, *path;
    const sat__sigv4_field *query;
    size_t query_count;
    const sat__sigv4_field *headers;
    size_t header_count;
    const char *payload; /* its SHA-256 in hexadecimal, or one of the above */
    uint64_t time_s;
} sat__sigv4_request;

void sat__sigv4_date(uint64_t time_s, char out[SAT_SIGV4_DATE_SIZE]);

/* The signature, in hexadecimal; SAT_ERR_LIMIT where there are more fields. */
SAT_CHECK sat_status sat__sigv4_sign(const sat__sigv4_keys *keys,
                                     const sat__sigv4_request *request,
                                     char out[65], sat_error *err);

/* Appends what stands in the Authorization field. The request has a field
 * x-amz-date that says its time. */
SAT_CHECK sat_status sat__sigv4_authorization(const sat__sigv4_keys *keys,
                                              const sat__sigv4_request *request,
                                              sat_buf *out, sat_error *err);

/* Appends the target, path and query, that is good for `expires_s` seconds to
 * whoever sends exactly these fields of the head. */
SAT_CHECK sat_status sat__sigv4_presign(const sat__sigv4_keys *keys,
                                        const sat__sigv4_request *request,
                                        unsigned expires_s, sat_buf *out,
                                        sat_error *err);

/* Appends `text` with all but A-Z a-z 0-9 - . _ ~ escaped; '/' stays where
 * `is_path` says so. */
void sat__uri_escape(const char *text, bool is_path, sat_buf *out);

#endif /* SAT_SRC_NET_SIGV4_H */
