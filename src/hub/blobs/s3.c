/*
 * s3.c - blobs in a bucket, where devices bring and fetch them by themselves
 *
 * An address to upload is signed together with the length, the MD5 and the
 * SHA-256 of the blob: the S3 refuses any other. The hub itself only asks
 * whether a blob is there, and removes it.
 */
#include "hub/blobs/s3.h"

#include <sodium.h>
#include <stdio.h>

#include "crypto/secret.h"
#include "net/sigv4.h"
#include "net/transport.h"

#define SIZE_MAX_BYTES ((int64_t)5 << 30) /* of one PUT */
#define IDLE_MAX 16
#define PATIENCE_MS 5000
#define ANSWER_MAX ((size_t)64 * 1024)
#define PATH_SIZE 400

typedef struct s3 {
    const sat_env *env;
    hub_s3_address at;
    hub_s3_keys keys;
    pthread_mutex_t lock;
    sat__transport idle[IDLE_MAX]; /* guarded by lock */
    size_t idle_count;             /* guarded by lock */
} s3;

static sat__sigv4_keys keys_of(const s3 *s)
{
    return (sat__sigv4_keys){
        .access_key = s->keys.access,
        .secret_key = s->keys.secret,
        .session = s->keys.session[0] != 0 ? s->keys.session : NULL,
        .region = s->at.region,
        .service = "s3"};
}

/* "/bucket/prefix/key", or the bucket itself without a key. */
static void put_path(const s3 *s, const char *key, char out[PATH_SIZE])
{
    if (key == NULL)
        (void)snprintf(out, PATH_SIZE, "/%s", s->at.bucket);
    else
        (void)snprintf(out, PATH_SIZE, "/%s/%s%s", s->at.bucket, s->at.prefix,
                       key);
}

/* ---- addresses ---- */

static size_t upload_fields(void *self, const hub_blob *blob,
                            hub_blob_field out[HUB_BLOB_FIELDS_MAX])
{
    (void)self;
    out[0].name = "Content-MD5";
    (void)sodium_bin2base64(out[0].value, sizeof out[0].value, blob->md5,
                            sizeof blob->md5, sodium_base64_VARIANT_ORIGINAL);
    out[1].name = "x-amz-checksum-sha256";
    (void)sodium_bin2base64(out[1].value, sizeof out[1].value, blob->hash,
                            sizeof blob->hash, sodium_base64_VARIANT_ORIGINAL);
    return 2;
}

static sat_status put_url(const s3 *s, const char *method, const char *key,
                          const sat__sigv4_field *headers, size_t count,
                          uint64_t now_s, unsigned expires_s, sat_buf *url,
                          sat_error *err)
{
    const sat__sigv4_keys keys = keys_of(s);
    char path[PATH_SIZE];

    put_path(s, key, path);
    const sat__sigv4_request request = {.method = method,
                                        .path = path,
                                        .headers = headers,
                                        .header_count = count,
                                        .time_s = now_s};
    sat__buf_put_text(url, s->at.public_end.origin);
    return sat__sigv4_presign(&keys, &request, expires_s, url, err);
}

static sat_status upload_url(void *self, const hub_blob *blob, uint64_t now_s,
                             sat_buf *url, sat_error *err)
{
    const s3 *const s = self;
    hub_blob_field fields[HUB_BLOB_FIELDS_MAX];
    char length[24];

    (void)upload_fields(self, blob, fields);
    (void)snprintf(length, sizeof length, "%lld", (long long)blob->size);
    const sat__sigv4_field headers[] = {
        {"host", s->at.public_end.host},
        {"content-length", length},
        {"content-md5", fields[0].value},
        {"x-amz-checksum-sha256", fields[1].value}};
    return put_url(s, "PUT", blob->key, headers, 4, now_s, HUB_BLOB_UPLOAD_S,
                   url, err);
}

static sat_status download_url(void *self, const hub_blob *blob, uint64_t now_s,
                               sat_buf *url, sat_error *err)
{
    const s3 *const s = self;
    const sat__sigv4_field host = {"host", s->at.public_end.host};

    return put_url(s, "GET", blob->key, &host, 1, now_s, HUB_BLOB_DOWNLOAD_S,
                   url, err);
}

/* ---- asking ---- */

static sat_status take_transport(s3 *s, sat__transport *out, sat_error *err)
{
    const sat__http_options to = {.url = s->at.endpoint.url,
                                  .is_public = true,
                                  .timeout_ms = PATIENCE_MS,
                                  .body_max = ANSWER_MAX};
    {
        SCOPED_LOCK(&s->lock);
        if (s->idle_count > 0) {
            *out = s->idle[--s->idle_count];
            return SAT_OK;
        }
    }
    return sat__transport_http(&to, out, err);
}

static void give_back(s3 *s, sat__transport *transport)
{
    {
        SCOPED_LOCK(&s->lock);
        if (s->idle_count < IDLE_MAX) {
            s->idle[s->idle_count++] = *transport;
            return;
        }
    }
    transport_close(transport);
}

static sat_status make_request(const s3 *s, const char *method, const char *key,
                               sat__request *out, sat_error *err)
{
    const sat__sigv4_keys keys = keys_of(s);
    AUTO(sat_buf) authorization = SAT_BUF_INIT;
    char path[PATH_SIZE], date[SAT_SIGV4_DATE_SIZE];
    const uint64_t now_s = s->env->wall(s->env->context) / 1000;

    put_path(s, key, path);
    sat__sigv4_date(now_s, date);
    const sat__sigv4_field headers[] = {
        {"host", s->at.endpoint.host},
        {"x-amz-content-sha256", SAT_SIGV4_EMPTY},
        {"x-amz-date", date},
        {"x-amz-security-token", keys.session}};
    const sat__sigv4_request request = {.method = method,
                                        .path = path,
                                        .headers = headers,
                                        .header_count =
                                            keys.session != NULL ? 4 : 3,
                                        .payload = SAT_SIGV4_EMPTY,
                                        .time_s = now_s};
    TRY(sat__sigv4_authorization(&keys, &request, &authorization, err));
    sat__request_set(out, method, path);
    for (size_t i = 0; i < request.header_count; i++)
        sat__headers_put(&out->headers, headers[i].name, headers[i].value);
    sat__headers_put(&out->headers, "Authorization",
                     sat__buf_text(&authorization));
    return sat__headers_status(&out->headers, err);
}

/* Sends a request without a body; whatever the answer is. */
static sat_status ask(s3 *s, const char *method, const char *key,
                      sat__response *response, sat_error *err)
{
    AUTO(sat__request) request = {.method = ""};
    sat__transport transport;

    TRY(make_request(s, method, key, &request, err));
    TRY(take_transport(s, &transport, err));
    const sat_status status =
        transport.exchange(transport.self, &request, response, err);
    if (status == SAT_OK)
        give_back(s, &transport);
    else
        transport_close(&transport);
    /* Its certificate, its answer: none of it is the asker's fault. */
    return status == SAT_OK ? SAT_OK : SAT_ERR_OFFLINE;
}

static sat_status fail_answer(const sat__response *response, sat_error *err)
{
    return sat__fail(err, SAT_ERR_OFFLINE, "the S3 says %u %s",
                     response->status, sat__reason_phrase(response->status));
}

static sat_status size_of(void *self, const char *key, int64_t *out,
                          sat_error *err)
{
    AUTO(sat__response) response = {.status = 0};

    TRY(ask(self, "HEAD", key, &response, err));
    if (response.status == 404)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "there is no such blob");
    const char *const length =
        sat__headers_get(&response.headers, "Content-Length");
    if (response.status != 200 || length == NULL || strlen(length) > 18)
        return fail_answer(&response, err);
    *out = strtoll(length, NULL, 10);
    return SAT_OK;
}

static sat_status remove_object(void *self, const char *key, sat_error *err)
{
    AUTO(sat__response) response = {.status = 0};

    TRY(ask(self, "DELETE", key, &response, err));
    if (response.status != 200 && response.status != 204 &&
        response.status != 404)
        return fail_answer(&response, err);
    return SAT_OK;
}

/* ---- beginning and end ---- */

static void close_s3(void *self)
{
    s3 *const s = self;

    for (size_t i = 0; i < s->idle_count; i++)
        transport_close(&s->idle[i]);
    (void)pthread_mutex_destroy(&s->lock);
    sat__wipe(&s->keys, sizeof s->keys);
    free(s);
}

/* What is plainly wrong is said at once. */
static sat_status check_bucket(s3 *s, sat_error *err)
{
    AUTO(sat__response) response = {.status = 0};

    if (ask(s, "HEAD", NULL, &response, NULL) != SAT_OK)
        return SAT_OK;
    if (response.status == 404)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "the S3 at %s has no bucket '%s': make it there",
                         s->at.endpoint.origin, s->at.bucket);
    if (response.status == 401 || response.status == 403)
        return sat__fail(err, SAT_ERR_AUTH,
                         "the S3 at %s refuses these keys, or them in bucket "
                         "'%s'",
                         s->at.endpoint.origin, s->at.bucket);
    return SAT_OK;
}

sat_status hub_blobs_s3(const sat_env *env, const char *address,
                        const hub_s3_keys *keys, hub_blobs *out, sat_error *err)
{
    s3 *const s = calloc(1, sizeof *s);

    if (s == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    s->env = env;
    s->keys = *keys;
    (void)pthread_mutex_init(&s->lock, NULL);
    sat_status status = hub_s3_address_parse(address, &s->at, err);
    if (status == SAT_OK)
        status = check_bucket(s, err);
    if (status != SAT_OK) {
        close_s3(s);
        return status;
    }
    *out = (hub_blobs){.self = s,
                       .name = "s3",
                       .size_max = SIZE_MAX_BYTES,
                       .wants_md5 = true,
                       .upload_url = upload_url,
                       .download_url = download_url,
                       .upload_fields = upload_fields,
                       .size = size_of,
                       .remove = remove_object,
                       .close = close_s3};
    return SAT_OK;
}
