/*
 * body_zstd.c - bodies made smaller, and large again within bounds
 */
#include <strings.h>
#include <zstd.h>

#include "base/error.h"
#include "net/body.h"

#define LEVEL 1
#define WINDOW_LOG_MAX                                                         \
    21                  /* 2 MB is the most that a sender makes us remember    \
                         */
#define WORTH_BYTES 512 /* smaller bodies are left as they are */

static void dstream_free(ZSTD_DStream *stream)
{
    (void)ZSTD_freeDStream(stream);
}

typedef ZSTD_DStream sat__dstream;
DEFINE_AUTO_PTR(sat__dstream, dstream_free);

bool sat__body_may_compress(const sat__headers *headers)
{
    const char *const value = sat__headers_get(headers, "Accept-Encoding");

    return value != NULL && strcasecmp(value, "zstd") == 0;
}

/* One frame, into at most `max` bytes. */
static sat_status expand(sat_bytes packed, size_t max, sat_buf *out,
                         sat_error *err)
{
    AUTO_PTR(sat__dstream) stream = ZSTD_createDStream();
    ZSTD_inBuffer in = {packed.data, packed.len, 0};
    size_t left = 1;

    if (stream == NULL || ZSTD_isError(ZSTD_DCtx_setParameter(
                              stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    while (left != 0) {
        const size_t step = ZSTD_DStreamOutSize();
        if (!sat__buf_reserve(out, step))
            return sat__buf_status(out, err);
        ZSTD_outBuffer piece = {out->data + out->len, step, 0};
        left = ZSTD_decompressStream(stream, &piece, &in);
        out->len += piece.pos;
        if (ZSTD_isError(left))
            return sat__fail(err, SAT_ERR_CORRUPT, "the body is not zstd");
        if (out->len > max)
            return sat__fail(err, SAT_ERR_LIMIT,
                             "the body is larger than is accepted");
        if (left != 0 && in.pos == in.size && piece.pos < step)
            return sat__fail(err, SAT_ERR_CORRUPT, "the body is cut short");
    }
    if (in.pos != in.size)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the body goes on behind its end");
    return SAT_OK;
}

static void replace(sat_buf *body, sat_buf *with)
{
    sat_buf before = *body;

    *body = *with;
    *with = before;
}

sat_status sat__body_expand(const sat__headers *headers, sat_buf *body,
                            size_t max, sat_error *err)
{
    const char *const coding = sat__headers_get(headers, "Content-Encoding");
    AUTO(sat_buf) plain = SAT_BUF_INIT;

    if (coding == NULL)
        return SAT_OK;
    if (strcasecmp(coding, "zstd") != 0)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "this content encoding is not accepted");
    TRY(expand(buf_view(body), max, &plain, err));
    replace(body, &plain);
    return SAT_OK;
}

sat_status sat__body_compress(sat__headers *headers, sat_buf *body,
                              sat_error *err)
{
    AUTO(sat_buf) packed = SAT_BUF_INIT;
    const size_t bound = ZSTD_compressBound(body->len);

    if (body->len < WORTH_BYTES)
        return SAT_OK;
    if (!sat__buf_reserve(&packed, bound))
        return sat__buf_status(&packed, err);
    const size_t len =
        ZSTD_compress(packed.data, bound, body->data, body->len, LEVEL);
    if (ZSTD_isError(len) || len >= body->len)
        return SAT_OK;
    packed.len = len;
    replace(body, &packed);
    sat__headers_put(headers, "Content-Encoding", "zstd");
    return sat__headers_status(headers, err);
}
