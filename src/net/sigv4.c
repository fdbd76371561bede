/*
 * sigv4.c - one canonical text for a request, and keys derived day by day
 *
 * The query is escaped before it is sorted, since that is the order in which
 * the other side sees it.
 */
#include "net/sigv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define DAY_LEN 8

void sat__uri_escape(const char *text, bool is_path, sat_buf *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (const char *at = text; *at != 0; at++)
        if (strchr(plain, *at) != NULL || (is_path && *at == '/'))
            sat__buf_put(out, at, 1);
        else
            sat__buf_printf(out, "%%%02X", (unsigned)(uint8_t)*at);
}

void sat__sigv4_date(uint64_t time_s, char out[SAT_SIGV4_DATE_SIZE])
{
    const time_t at = (time_t)time_s;
    struct tm utc = {0};

    (void)gmtime_r(&at, &utc);
    (void)strftime(out, SAT_SIGV4_DATE_SIZE, "%Y%m%dT%H%M%SZ", &utc);
}

/* ---- the canonical request ---- */

static int compare_fields(const void *a, const void *b)
{
    const sat__sigv4_field *const one = a, *const other = b;
    const int names = strcmp(one->name, other->name);

    return names != 0 ? names : strcmp(one->value, other->value);
}

static sat_status sort_fields(const sat__sigv4_field *fields, size_t count,
                              sat__sigv4_field *out, sat_error *err)
{
    if (count > SAT_SIGV4_FIELDS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "a request has too many fields");
    for (size_t i = 0; i < count; i++)
        out[i] = fields[i];
    qsort(out, count, sizeof *out, compare_fields);
    return SAT_OK;
}

static sat_status put_query(const sat__sigv4_request *request, sat_buf *out,
                            sat_error *err)
{
    sat__sigv4_field escaped[SAT_SIGV4_FIELDS_MAX];
    AUTO(sat_buf) text = SAT_BUF_INIT;
    size_t places[SAT_SIGV4_FIELDS_MAX][2];
    const size_t count = request->query_count;

    if (count > SAT_SIGV4_FIELDS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "a request has too many fields");
    for (size_t i = 0; i < count; i++) {
        places[i][0] = text.len;
        sat__uri_escape(request->query[i].name, false, &text);
        sat__buf_put(&text, "", 1);
        places[i][1] = text.len;
        sat__uri_escape(request->query[i].value, false, &text);
        sat__buf_put(&text, "", 1);
    }
    TRY(sat__buf_status(&text, err));
    for (size_t i = 0; i < count; i++)
        escaped[i] = (sat__sigv4_field){(const char *)text.data + places[i][0],
                                        (const char *)text.data + places[i][1]};
    qsort(escaped, count, sizeof *escaped, compare_fields);
    for (size_t i = 0; i < count; i++)
        sat__buf_printf(out, "%s%s=%s", i > 0 ? "&" : "", escaped[i].name,
                        escaped[i].value);
    return SAT_OK;
}

/* Without spaces around it, and one where there were several. */
static void put_trimmed(const char *value, sat_buf *out)
{
    bool is_first = true;

    for (const char *at = value; *(at += strspn(at, " ")) != 0;) {
        const size_t len = strcspn(at, " ");
        if (!is_first)
            sat__buf_put_text(out, " ");
        sat__buf_put(out, at, len);
        is_first = false;
        at += len;
    }
}

static void put_names(const sat__sigv4_field *sorted, size_t count,
                      sat_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            sat__buf_put_text(out, ";");
        sat__buf_put_text(out, sorted[i].name);
    }
}

static sat_status put_canonical(const sat__sigv4_request *request, sat_buf *out,
                                sat_error *err)
{
    sat__sigv4_field sorted[SAT_SIGV4_FIELDS_MAX];
    const size_t count = request->header_count;

    TRY(sort_fields(request->headers, count, sorted, err));
    sat__buf_printf(out, "%s\n", request->method);
    sat__uri_escape(request->path, true, out);
    sat__buf_put_text(out, "\n");
    TRY(put_query(request, out, err));
    sat__buf_put_text(out, "\n");
    for (size_t i = 0; i < count; i++) {
        sat__buf_printf(out, "%s:", sorted[i].name);
        put_trimmed(sorted[i].value, out);
        sat__buf_put_text(out, "\n");
    }
    sat__buf_put_text(out, "\n");
    put_names(sorted, count, out);
    sat__buf_printf(out, "\n%s", request->payload);
    return sat__buf_status(out, err);
}

/* ---- signing ---- */

/* "20130524/us-east-1/s3/aws4_request" */
static void put_scope(const sat__sigv4_keys *keys, const char *date,
                      sat_buf *out)
{
    sat__buf_printf(out, "%.*s/%s/%s/aws4_request", DAY_LEN, date, keys->region,
                    keys->service);
}

static sat_bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

/* The key of one day, region and service. */
static sat_status derive_key(const sat__sigv4_keys *keys, const char *date,
                             uint8_t out[32], sat_error *err)
{
    AUTO(sat_buf) first = SAT_BUF_INIT;

    sat__buf_put_text(&first, "AWS4");
    sat__buf_put_text(&first, keys->secret_key);
    if (first.failed)
        return sat__buf_status(&first, err);
    sat__hmac(SAT_SHA256, buf_view(&first), bytes_of(date, DAY_LEN), out);
    sat__wipe(first.data, first.len);
    sat__hmac(SAT_SHA256, bytes_of(out, 32), text_of(keys->region), out);
    sat__hmac(SAT_SHA256, bytes_of(out, 32), text_of(keys->service), out);
    sat__hmac(SAT_SHA256, bytes_of(out, 32), text_of("aws4_request"), out);
    return SAT_OK;
}

sat_status sat__sigv4_sign(const sat__sigv4_keys *keys,
                           const sat__sigv4_request *request, char out[65],
                           sat_error *err)
{
    AUTO(sat_buf) canonical = SAT_BUF_INIT, text = SAT_BUF_INIT;
    char date[SAT_SIGV4_DATE_SIZE], digest[65];
    uint8_t hash[32], key[32];

    TRY(put_canonical(request, &canonical, err));
    sat__sha256(buf_view(&canonical), hash);
    sat__hex_format(hash, sizeof hash, digest);
    sat__sigv4_date(request->time_s, date);
    sat__buf_printf(&text, ALGORITHM "\n%s\n", date);
    put_scope(keys, date, &text);
    sat__buf_printf(&text, "\n%s", digest);
    TRY(sat__buf_status(&text, err));
    TRY(derive_key(keys, date, key, err));
    sat__hmac(SAT_SHA256, bytes_of(key, sizeof key), buf_view(&text), hash);
    sat__wipe(key, sizeof key);
    sat__hex_format(hash, sizeof hash, out);
    return SAT_OK;
}

sat_status sat__sigv4_authorization(const sat__sigv4_keys *keys,
                                    const sat__sigv4_request *request,
                                    sat_buf *out, sat_error *err)
{
    sat__sigv4_field sorted[SAT_SIGV4_FIELDS_MAX];
    char date[SAT_SIGV4_DATE_SIZE], signature[65];

    TRY(sat__sigv4_sign(keys, request, signature, err));
    TRY(sort_fields(request->headers, request->header_count, sorted, err));
    sat__sigv4_date(request->time_s, date);
    sat__buf_printf(out, ALGORITHM " Credential=%s/", keys->access_key);
    put_scope(keys, date, out);
    sat__buf_put_text(out, ", SignedHeaders=");
    put_names(sorted, request->header_count, out);
    sat__buf_printf(out, ", Signature=%s", signature);
    return sat__buf_status(out, err);
}

sat_status sat__sigv4_presign(const sat__sigv4_keys *keys,
                              const sat__sigv4_request *request,
                              unsigned expires_s, sat_buf *out, sat_error *err)
{
    sat__sigv4_request signed_one = *request;
    sat__sigv4_field sorted[SAT_SIGV4_FIELDS_MAX];
    AUTO(sat_buf) credential = SAT_BUF_INIT, names = SAT_BUF_INIT;
    char date[SAT_SIGV4_DATE_SIZE], expires[12], signature[65];

    TRY(sort_fields(request->headers, request->header_count, sorted, err));
    put_names(sorted, request->header_count, &names);
    sat__sigv4_date(request->time_s, date);
    sat__buf_printf(&credential, "%s/", keys->access_key);
    put_scope(keys, date, &credential);
    (void)snprintf(expires, sizeof expires, "%u", expires_s);
    TRY(sat__buf_status(&credential, err));
    TRY(sat__buf_status(&names, err));
    const sat__sigv4_field query[] = {
        {"X-Amz-Algorithm", ALGORITHM},
        {"X-Amz-Credential", sat__buf_text(&credential)},
        {"X-Amz-Date", date},
        {"X-Amz-Expires", expires},
        {"X-Amz-SignedHeaders", sat__buf_text(&names)},
        {"X-Amz-Security-Token", keys->session}};
    signed_one.query = query;
    signed_one.query_count = keys->session != NULL ? 6 : 5;
    signed_one.payload = SAT_SIGV4_UNSIGNED;
    TRY(sat__sigv4_sign(keys, &signed_one, signature, err));
    sat__uri_escape(request->path, true, out);
    sat__buf_put_text(out, "?");
    TRY(put_query(&signed_one, out, err));
    sat__buf_printf(out, "&X-Amz-Signature=%s", signature);
    return sat__buf_status(out, err);
}
