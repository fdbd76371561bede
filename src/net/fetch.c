/*
 * fetch.c - a file, as a stream over one connection
 */
#include "net/fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "crypto/hash.h"
#include "net/http_parse.h"

#define PIECE ((size_t)256 * 1024)
#define PROBLEM_MAX ((size_t)64 * 1024) /* of an answer that is no file */

typedef struct fetching {
    const sat__fetch *fetch;
    char target[SAT_FETCH_URL_SIZE];
    sat__wire wire;
    sat__response response;
    int fd;
    uint64_t at, size; /* of the file */
    char md5[32];      /* in base64, of what goes to an S3; else empty */
    char sha256[48];
} fetching;

static void fetching_clear(fetching *job)
{
    sat__wire_clear(&job->wire);
    sat__response_clear(&job->response);
}

DEFINE_AUTO(fetching, fetching_clear);

/* ---- where it is ---- */

static sat_status read_url(const sat__fetch *fetch, const char *url,
                           sat__http_options *options, const char **target,
                           sat_error *err)
{
    *options = fetch->own;
    *target = url;
    if (url[0] == '/')
        return SAT_OK;
    options->is_public = true;
    if (sat__url_split(url, &options->url, target, NULL) != SAT_OK)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the server names an address that is none");
    return SAT_OK;
}

static sat_status begin(const sat__fetch *fetch, const char *url, fetching *job,
                        sat_error *err)
{
    sat__http_options options;
    const char *target;

    job->fetch = fetch;
    TRY(read_url(fetch, url, &options, &target, err));
    if (strlen(target) >= sizeof job->target)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the server's address is too long");
    memcpy(job->target, target, strlen(target) + 1);
    TRY(sat__wire_init(&job->wire, &options,
                       options.is_public ? NULL : options.url.device, err));
    return sat__wire_connect(&job->wire, err);
}

/* ---- what is said ---- */

static sat_status write_head(fetching *job, const char *method, sat_buf *out,
                             sat_error *err)
{
    const sat__headers *const more = job->fetch->headers;
    const sat__http_options *const options = &job->wire.options;
    const uint16_t usual = options->url.is_tls ? 443 : 80;
    const bool is_usual = options->is_public && options->url.port == usual;

    /* What was signed names the host as people write it. */
    sat__buf_printf(out, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, job->target,
                    is_usual ? options->url.host : job->wire.authority);
    for (size_t i = 0; more != NULL && i < more->count; i++)
        sat__buf_printf(out, "%s: %s\r\n",
                        (const char *)more->text.data + more->at[i].name,
                        (const char *)more->text.data + more->at[i].value);
    if (job->md5[0] != 0)
        sat__buf_printf(out,
                        "Content-MD5: %s\r\n"
                        "x-amz-checksum-sha256: %s\r\n",
                        job->md5, job->sha256);
    if (strcmp(method, "PUT") == 0)
        sat__buf_printf(out,
                        "Content-Type: application/octet-stream\r\n"
                        "Content-Length: %" PRIu64 "\r\n",
                        job->size);
    else if (job->at > 0)
        sat__buf_printf(out, "Range: bytes=%" PRIu64 "-\r\n", job->at);
    sat__buf_put_text(out, "Connection: close\r\n\r\n");
    return sat__buf_status(out, err);
}

static sat_status report(const fetching *job, sat_error *err)
{
    if (job->fetch->progress == NULL ||
        job->fetch->progress(job->at, job->size, job->fetch->context) != 0)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_STOPPED, "stopped");
}

/* What the server thinks of it; 2xx is fine. */
static sat_status read_status(const fetching *job, sat_error *err)
{
    const unsigned status = job->response.status;

    if (status >= 200 && status < 300)
        return SAT_OK;
    return sat__fail(err,
                     status == 401 || status == 403   ? SAT_ERR_DENIED
                     : status == 404 || status == 410 ? SAT_ERR_NOT_FOUND
                     : status == 409 || status == 412 ? SAT_ERR_CONFLICT
                     : status == 413                  ? SAT_ERR_LIMIT
                     : status == 507                  ? SAT_ERR_FULL
                     : status == 429 || status >= 500 ? SAT_ERR_OFFLINE
                                                      : SAT_ERR_INVALID,
                     "%s keeps the file to itself: %s", job->wire.authority,
                     sat__reason_phrase(status));
}

/* ---- what comes ---- */

/* Where the body of the answer belongs, once its head is there. */
static sat_status take_head(fetching *job, bool is_file,
                            sat__http_parser *parser, sat_error *err)
{
    const bool is_ok = job->response.status == 200;
    const bool is_rest = job->response.status == 206;

    if (!is_file || (!is_ok && !is_rest)) {
        sat__http_parser_limit(parser, PROBLEM_MAX);
        return SAT_OK;
    }
    /* Who does not know parts sends all of it. */
    if (is_ok)
        job->at = 0;
    if (lseek(job->fd, (off_t)job->at, SEEK_SET) < 0 ||
        ftruncate(job->fd, (off_t)job->at) != 0)
        return sat__fail_os(err, errno, "cannot write what comes");
    sat__http_parser_limit(parser, (size_t)(job->size - job->at));
    return SAT_OK;
}

static sat_status write_body(fetching *job, sat_error *err)
{
    sat_buf *const body = &job->response.body;

    for (size_t at = 0; at < body->len;) {
        const ssize_t len = write(job->fd, body->data + at, body->len - at);
        if (len < 0 && errno != EINTR)
            return sat__fail_os(err, errno, "cannot write what comes");
        at += len > 0 ? (size_t)len : 0;
    }
    job->at += body->len;
    body->len = 0;
    return report(job, err);
}

static bool is_file_of(const fetching *job)
{
    return job->response.status == 200 || job->response.status == 206;
}

static sat_status feed(fetching *job, bool is_file, sat__http_parser *parser,
                       sat_bytes plain, bool *is_done, sat_error *err)
{
    const char *detail;

    do {
        size_t used;
        const sat__http_event event =
            sat__http_parser_feed(parser, plain, &used);
        plain = bytes_of(plain.data + used, plain.len - used);
        if (event == SAT_HTTP_FAILED) {
            (void)sat__http_parser_failure(parser, &detail);
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "%s does not answer properly: %s",
                             job->wire.authority, detail);
        }
        if (event == SAT_HTTP_HEAD)
            TRY(take_head(job, is_file, parser, err));
        else if (is_file && is_file_of(job))
            TRY(write_body(job, err));
        *is_done = event == SAT_HTTP_DONE;
    } while (!*is_done &&
             (plain.len > 0 || sat__http_parser_is_pending(parser)));
    return SAT_OK;
}

static sat_status receive(fetching *job, bool is_file, sat_error *err)
{
    AUTO_PTR(sat__http_parser) parser = NULL;
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    bool is_done = false;

    TRY(sat__http_parser_responses(&job->response, &parser, err));
    while (!is_done) {
        TRY(sat__wire_receive(&job->wire, &plain, err));
        TRY(feed(job, is_file, parser, buf_view(&plain), &is_done, err));
    }
    return read_status(job, err);
}

/* ---- what goes ---- */

static sat_status hash_file(int fd, uint64_t size, uint8_t md5[16],
                            uint8_t sha256[SAT_SHA256_SIZE], sat_error *err)
{
    AUTO_FREE uint8_t *piece = malloc(PIECE);
    sat__md5_state first;
    sat__sha256_state second;

    if (piece == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    sat__md5_init(&first);
    sat__sha256_init(&second);
    for (uint64_t at = 0; at < size;) {
        const uint64_t left = size - at;
        const ssize_t len =
            pread(fd, piece, left < PIECE ? left : PIECE, (off_t)at);
        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0)
            return sat__fail_os(err, len < 0 ? errno : EIO,
                                "cannot read what is to go");
        sat__md5_update(&first, bytes_of(piece, (size_t)len));
        sat__sha256_update(&second, bytes_of(piece, (size_t)len));
        at += (uint64_t)len;
    }
    sat__md5_final(&first, md5);
    sat__sha256_final(&second, sha256);
    return SAT_OK;
}

sat_status sat__fetch_md5(int fd, uint64_t size, uint8_t out[16],
                          sat_error *err)
{
    uint8_t sha256[SAT_SHA256_SIZE];

    return hash_file(fd, size, out, sha256, err);
}

static sat_status name_content(fetching *job, sat_error *err)
{
    uint8_t md5[16], sha256[SAT_SHA256_SIZE];

    if (!job->wire.options.is_public)
        return SAT_OK;
    TRY(hash_file(job->fd, job->size, md5, sha256, err));
    (void)sodium_bin2base64(job->md5, sizeof job->md5, md5, sizeof md5,
                            sodium_base64_VARIANT_ORIGINAL);
    (void)sodium_bin2base64(job->sha256, sizeof job->sha256, sha256,
                            sizeof sha256, sodium_base64_VARIANT_ORIGINAL);
    return SAT_OK;
}

static sat_status send_file(fetching *job, sat_error *err)
{
    AUTO_FREE uint8_t *piece = malloc(PIECE);

    if (piece == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    while (job->at < job->size) {
        const uint64_t left = job->size - job->at;
        const ssize_t len =
            pread(job->fd, piece, left < PIECE ? left : PIECE, (off_t)job->at);
        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0)
            return sat__fail_os(err, len < 0 ? errno : EIO,
                                "cannot read what is to go");
        TRY(sat__wire_send(&job->wire, bytes_of(piece, (size_t)len), err));
        job->at += (uint64_t)len;
        TRY(report(job, err));
    }
    return SAT_OK;
}

sat_status sat__fetch_put(const sat__fetch *fetch, const char *url, int fd,
                          uint64_t size, sat_error *err)
{
    AUTO(fetching) job = {.fd = fd, .size = size};
    AUTO(sat_buf) head = SAT_BUF_INIT;

    TRY(begin(fetch, url, &job, err));
    TRY(name_content(&job, err));
    TRY(write_head(&job, "PUT", &head, err));
    sat_status st = sat__wire_send(&job.wire, buf_view(&head), err);
    if (st == SAT_OK)
        st = send_file(&job, err);
    /* Who refuses a file answers, and hangs up before it has all of it. */
    return st == SAT_OK || st == SAT_ERR_OFFLINE ? receive(&job, false, err)
                                                 : st;
}

sat_status sat__fetch_get(const sat__fetch *fetch, const char *url, int fd,
                          uint64_t size, sat_error *err)
{
    AUTO(fetching) job = {.fd = fd, .size = size};
    AUTO(sat_buf) head = SAT_BUF_INIT;
    struct stat info;

    if (fstat(fd, &info) != 0)
        return sat__fail_os(err, errno, "cannot write what comes");
    job.at = (uint64_t)info.st_size;
    if (job.at == size && size > 0)
        return SAT_OK;
    if (job.at > size)
        job.at = 0;
    TRY(begin(fetch, url, &job, err));
    TRY(write_head(&job, "GET", &head, err));
    TRY(sat__wire_send(&job.wire, buf_view(&head), err));
    TRY(receive(&job, true, err));
    if (job.at != size)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "%s has another number of bytes than was announced",
                         job.wire.authority);
    return SAT_OK;
}
