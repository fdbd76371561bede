/*
 * buf.h - views of bytes, and bytes that grow
 *
 * A sat_bytes is a view into somebody else's memory; a sat_buf owns and grows.
 * Appending to a buffer that could not grow does nothing and is remembered, so
 * that a writer checks once, at the end, with buf_status().
 */
#ifndef SAT_SRC_BASE_BUF_H
#define SAT_SRC_BASE_BUF_H

#include <stdbool.h>
#include <string.h>

#include "base/scope.h"

typedef struct sat_bytes {
    const uint8_t *data;
    size_t len;
} sat_bytes;

typedef struct sat_buf {
    uint8_t *data;
    size_t len;
    size_t capacity;
    bool failed; /* memory was refused; what is here is incomplete */
} sat_buf;

#define SAT_BUF_INIT                                                           \
    {                                                                          \
        NULL, 0, 0, false                                                      \
    }

/* Wipes and releases what the buffer holds; it is empty afterwards. */
void sat__buf_clear(sat_buf *buf);

/* Makes room for `more` bytes beyond len; false where memory is refused. */
bool sat__buf_reserve(sat_buf *buf, size_t more);

/* Appends `len` bytes. */
void sat__buf_put(sat_buf *buf, const void *data, size_t len);
void sat__buf_put_byte(sat_buf *buf, uint8_t byte);
void sat__buf_put_text(sat_buf *buf, const char *text);
void sat__buf_printf(sat_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* SAT_ERR_NOMEM if an append was dropped since the buffer was made. */
SAT_CHECK sat_status sat__buf_status(const sat_buf *buf, sat_error *err);

/* The content as text; a NUL is kept behind the last byte. Never NULL. */
const char *sat__buf_text(sat_buf *buf);

static inline sat_bytes buf_view(const sat_buf *buf)
{
    return (sat_bytes){buf->data, buf->len};
}

static inline sat_bytes bytes_of(const void *data, size_t len)
{
    return (sat_bytes){data, len};
}

static inline bool bytes_equal(sat_bytes a, sat_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

DEFINE_AUTO(sat_buf, sat__buf_clear);

/* Lower-case hexadecimal; `out` has room for 2 * len + 1 characters. */
void sat__hex_format(const uint8_t *data, size_t len, char *out);

/* Reads exactly 2 * len hexadecimal digits. */
SAT_CHECK sat_status sat__hex_parse(const char *text, uint8_t *out, size_t len,
                                    sat_error *err);

#endif /* SAT_SRC_BASE_BUF_H */
