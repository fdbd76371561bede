/*
 * fetch.h - a file that goes to an address that was given out, or comes from it
 *
 *      sat__fetch_put(&fetch, url, fd, size, err)     PUT, all of it
 *      sat__fetch_get(&fetch, url, fd, size, err)     GET, what is missing
 *
 * An address says by itself what may be done there, so nothing of a session
 * goes along. It is on any server: one that begins with '/' on the server that
 * gave it out, another at a host that a public authority vouches for. The file
 * is never in memory; what it holds is for the caller to verify.
 */
#ifndef SAT_SRC_NET_FETCH_H
#define SAT_SRC_NET_FETCH_H

#include "net/message.h"
#include "net/wire.h"

#define SAT_FETCH_URL_SIZE 4096

/* How far it is; 0 stops it. */
typedef int sat__fetch_fn(uint64_t done, uint64_t total, void *context);

typedef struct sat__fetch {
    sat__http_options own;       /* the server that gives out addresses */
    const sat__headers *headers; /* to be sent along, or NULL */
    sat__fetch_fn *progress;     /* or NULL */
    void *context;
} sat__fetch;

/*
 * Sends the first `size` bytes of `fd`. To another host, an S3, it sends along
 * what an address there is signed with: Content-MD5 and the SHA-256 of what is
 * in the file, so that nothing else is taken. SAT_ERR_DENIED: the address has
 * run out, or is for another file. SAT_ERR_CONFLICT: there is a file already.
 * SAT_ERR_LIMIT: it is too large. SAT_ERR_OFFLINE: the server is not there, is
 * busy or in trouble; try again.
 */
SAT_CHECK sat_status sat__fetch_put(const sat__fetch *fetch, const char *url,
                                    int fd, uint64_t size, sat_error *err);

/*
 * Makes `fd`, which holds the beginning of the file or nothing, `size` bytes
 * long. What has come stays where it fails, and the next call goes on there.
 * SAT_ERR_CORRUPT: the server has another number of bytes.
 */
SAT_CHECK sat_status sat__fetch_get(const sat__fetch *fetch, const char *url,
                                    int fd, uint64_t size, sat_error *err);

/* The MD5 of the first `size` bytes, for a hub that an address is asked of. */
SAT_CHECK sat_status sat__fetch_md5(int fd, uint64_t size, uint8_t out[16],
                                    sat_error *err);

#endif /* SAT_SRC_NET_FETCH_H */
