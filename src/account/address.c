/*
 * address.c - blobs by the addresses that a hub gives out
 */
#include "account/address.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/scope.h"
#include "crypto/hash.h"
#include "net/fetch.h"

sat_status sat__address_read_upload(sat_bytes answer, sat__address *out,
                                    sat_error *err)
{
    return sat__map_text(answer, "url", out->url, sizeof out->url, err);
}

sat_status sat__address_read_download(sat_bytes answer, sat__address *out,
                                      sat_error *err)
{
    TRY(sat__address_read_upload(answer, out, err));
    TRY(sat__map_uint(answer, "size", &out->size, err));
    return sat__map_fixed(answer, "sha256", out->hash, sizeof out->hash, err);
}

static sat_status send_to(const sat__transport *transport, const char *method,
                          const char *target, sat_bytes blob,
                          sat__response *response, sat_error *err)
{
    AUTO(sat__request) request = {0};

    for (const char *at = target; *at != 0; at++)
        if (*at <= ' ' || *at > '~')
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "the hub gives an address that is none");
    sat__request_set(&request, method, target);
    sat__buf_put(&request.body, blob.data, blob.len);
    TRY(sat__buf_status(&request.target, err));
    TRY(sat__buf_status(&request.body, err));
    sat__headers_put(&request.headers, "Host", transport->authority);
    TRY(sat__headers_status(&request.headers, err));
    return transport->exchange(transport->self, &request, response, err);
}

/* ---- on the hub itself ---- */

static sat_status put_here(sat__hub *hub, const char *target, sat_bytes blob,
                           sat_error *err)
{
    AUTO(sat__response) response = {0};

    TRY(send_to(&hub->transport, "PUT", target, blob, &response, err));
    if ((response.status >= 200 && response.status <= 299) ||
        response.status == 409)
        return SAT_OK;
    return sat__fail(err, SAT_ERR_OFFLINE, "the hub refuses a file: %s",
                     sat__reason_phrase(response.status));
}

static sat_status get_here(sat__hub *hub, const char *target, sat_buf *out,
                           sat_error *err)
{
    AUTO(sat__response) response = {0};

    TRY(send_to(&hub->transport, "GET", target, bytes_of(NULL, 0), &response,
                err));
    if (response.status == 404)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "the hub has lost a file");
    if (response.status != 200)
        return sat__fail(err, SAT_ERR_OFFLINE, "the hub refuses a file: %s",
                         sat__reason_phrase(response.status));
    const sat_buf taken = *out;
    *out = response.body;
    response.body = taken;
    return SAT_OK;
}

/* ---- in a store of its own ---- */

static sat_status open_piece(int *fd, sat_error *err)
{
    *fd = memfd_create("piece", MFD_CLOEXEC);
    return *fd >= 0 ? SAT_OK
                    : sat__fail_os(err, errno, "cannot keep a piece of a file");
}

static sat_status put_there(const char *url, sat_bytes blob, sat_error *err)
{
    const sat__fetch fetch = {.own = {.timeout_ms = 0}};
    AUTO_FD int fd = -1;

    TRY(open_piece(&fd, err));
    for (size_t at = 0; at < blob.len;) {
        const ssize_t len = write(fd, blob.data + at, blob.len - at);
        if (len < 0 && errno != EINTR)
            return sat__fail_os(err, errno, "cannot keep a piece of a file");
        at += len > 0 ? (size_t)len : 0;
    }
    const sat_status status = sat__fetch_put(&fetch, url, fd, blob.len, err);
    return status == SAT_ERR_CONFLICT ? SAT_OK : status;
}

static sat_status get_there(const char *url, uint64_t size, sat_buf *out,
                            sat_error *err)
{
    const sat__fetch fetch = {.own = {.timeout_ms = 0}};
    AUTO_FD int fd = -1;

    TRY(open_piece(&fd, err));
    TRY(sat__fetch_get(&fetch, url, fd, size, err));
    out->len = 0;
    if (!sat__buf_reserve(out, (size_t)size + 1))
        return sat__buf_status(out, err);
    while (out->len < size) {
        const ssize_t len =
            pread(fd, out->data + out->len, size - out->len, (off_t)out->len);
        if (len <= 0)
            return sat__fail_os(err, errno, "cannot read a piece of a file");
        out->len += (size_t)len;
    }
    return SAT_OK;
}

/* ---- both ways ---- */

sat_status sat__address_put(sat__hub *hub, const sat__address *address,
                            sat_bytes blob, sat_error *err)
{
    return address->url[0] == '/' ? put_here(hub, address->url, blob, err)
                                  : put_there(address->url, blob, err);
}

sat_status sat__address_get(sat__hub *hub, const sat__address *address,
                            size_t max, sat_buf *out, sat_error *err)
{
    uint8_t hash[SAT_SHA256_SIZE];

    if (address->size > max)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub has another file than was asked for");
    if (address->url[0] == '/')
        TRY(get_here(hub, address->url, out, err));
    else
        TRY(get_there(address->url, address->size, out, err));
    sat__sha256(buf_view(out), hash);
    if (out->len != address->size ||
        memcmp(hash, address->hash, sizeof hash) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub has another file than was asked for");
    return SAT_OK;
}
