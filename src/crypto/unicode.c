/*
 * unicode.c - NFKD by utf8proc, in memory that is wiped
 */
#include "crypto/unicode.h"

#include <utf8proc.h>

#include "base/cbor.h"
#include "base/error.h"

/*
 * utf8proc works in code points, which are then spelled out in place: four
 * bytes each, and never more than four in UTF-8.
 */
sat_status sat__unicode_nfkd(sat_bytes text, sat_buf *out, sat_error *err)
{
    const utf8proc_option_t how = UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;

    if (!sat__utf8_valid(text.data, text.len))
        return sat__fail(err, SAT_ERR_INVALID, "the text is not UTF-8");
    const utf8proc_ssize_t count =
        utf8proc_decompose(text.data, (utf8proc_ssize_t)text.len, NULL, 0, how);
    if (count < 0)
        return sat__fail(err, SAT_ERR_LIMIT, "the text is too long");

    AUTO(sat_buf) points = SAT_BUF_INIT;
    if (!sat__buf_reserve(&points, ((size_t)count + 1) * 4))
        return sat__buf_status(&points, err);
    utf8proc_int32_t *const at = (utf8proc_int32_t *)(void *)points.data;
    if (utf8proc_decompose(text.data, (utf8proc_ssize_t)text.len, at, count,
                           how) != count)
        return sat__fail(err, SAT_ERR_INVALID, "the text is not Unicode");
    const utf8proc_ssize_t len = utf8proc_reencode(at, count, how);
    if (len < 0)
        return sat__fail(err, SAT_ERR_INVALID, "the text is not Unicode");
    sat__buf_put(out, points.data, (size_t)len);
    return sat__buf_status(out, err);
}
