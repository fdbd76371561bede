/*
 * buf.c - bytes that grow, and are wiped when they go
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

void sat__buf_clear(sat_buf *buf)
{
    if (buf->data != NULL)
        explicit_bzero(buf->data, buf->capacity);
    free(buf->data);
    *buf = (sat_buf)SAT_BUF_INIT;
}

/* A buffer may hold a secret, so the old place is wiped, not just moved. */
bool sat__buf_reserve(sat_buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    if (more <= buf->capacity - buf->len && buf->data != NULL)
        return true;
    size_t capacity = buf->capacity < 64 ? 64 : buf->capacity;
    while (capacity - buf->len <= more) {
        if (capacity > SIZE_MAX / 2) {
            buf->failed = true;
            return false;
        }
        capacity *= 2;
    }
    uint8_t *const data = malloc(capacity);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    if (buf->len > 0)
        memcpy(data, buf->data, buf->len);
    if (buf->data != NULL)
        explicit_bzero(buf->data, buf->len);
    free(buf->data);
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void sat__buf_put(sat_buf *buf, const void *data, size_t len)
{
    if (len == 0 || !sat__buf_reserve(buf, len))
        return;
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
}

void sat__buf_put_byte(sat_buf *buf, uint8_t byte)
{
    sat__buf_put(buf, &byte, 1);
}

void sat__buf_put_text(sat_buf *buf, const char *text)
{
    sat__buf_put(buf, text, strlen(text));
}

void sat__buf_printf(sat_buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (need < 0 || !sat__buf_reserve(buf, (size_t)need + 1))
        return;
    va_start(args, format);
    (void)vsnprintf((char *)buf->data + buf->len, (size_t)need + 1, format,
                    args);
    va_end(args);
    buf->len += (size_t)need;
}

sat_status sat__buf_status(const sat_buf *buf, sat_error *err)
{
    if (buf->failed)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    return SAT_OK;
}

const char *sat__buf_text(sat_buf *buf)
{
    if (!sat__buf_reserve(buf, 1))
        return "";
    buf->data[buf->len] = 0;
    return (const char *)buf->data;
}

void sat__hex_format(const uint8_t *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[data[i] >> 4];
        *out++ = digits[data[i] & 15];
    }
    *out = 0;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

sat_status sat__hex_parse(const char *text, uint8_t *out, size_t len,
                          sat_error *err)
{
    if (strlen(text) != 2 * len)
        return sat__fail(err, SAT_ERR_INVALID,
                         "expected %zu hexadecimal digits", 2 * len);
    for (size_t i = 0; i < len; i++) {
        const int high = digit_value(text[2 * i]);
        const int low = digit_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return sat__fail(err, SAT_ERR_INVALID,
                             "a character is not a hexadecimal digit");
        out[i] = (uint8_t)(high << 4 | low);
    }
    return SAT_OK;
}
