/*
 * body.h - what the bodies of messages say
 *
 * The small ones are a tree of values, read from and written as JSON or
 * deterministic CBOR with the same fields, whichever the other side speaks. The
 * large ones between devices are CBOR that their reader walks itself. Either
 * may be compressed with zstd where the other side said so.
 */
#ifndef SAT_SRC_NET_BODY_H
#define SAT_SRC_NET_BODY_H

#include <jansson.h>

#include "net/message.h"

typedef enum sat__body_type {
    SAT_BODY_NONE = 0, /* no type was said */
    SAT_BODY_JSON = 1,
    SAT_BODY_CBOR = 2,
    SAT_BODY_OTHER = 3
} sat__body_type;

/* What Content-Type says. */
sat__body_type sat__body_type_of(const sat__headers *headers);

/* What an answer to `headers` should be: CBOR where Accept names it, else JSON.
 */
sat__body_type sat__body_type_wanted(const sat__headers *headers);

/*
 * Undoes Content-Encoding in place. What would become larger than `max` fails
 * with SAT_ERR_LIMIT, another encoding than zstd with SAT_ERR_UNSUPPORTED.
 */
SAT_CHECK sat_status sat__body_expand(const sat__headers *headers,
                                      sat_buf *body, size_t max,
                                      sat_error *err);

/* Compresses `body` and says so, where that makes it smaller. */
SAT_CHECK sat_status sat__body_compress(sat__headers *headers, sat_buf *body,
                                        sat_error *err);

/* Whether Accept-Encoding names zstd. */
bool sat__body_may_compress(const sat__headers *headers);

static inline void json_release(json_t **value)
{
    json_decref(*value);
}

/* AUTO_JSON json_t *value = NULL;   decreased at the end of its block */
#define AUTO_JSON __attribute__((cleanup(json_release)))

/*
 * Reads one whole value. Deeper than 16, a key twice, a number beyond its type,
 * text that is not UTF-8 or holds a NUL: SAT_ERR_CORRUPT or SAT_ERR_LIMIT.
 */
SAT_CHECK sat_status sat__body_read(sat__body_type type, sat_bytes body,
                                    json_t **out, sat_error *err);

/* Appends `value` to `body`, and says its type in `headers`. */
SAT_CHECK sat_status sat__body_write(sat__body_type type, const json_t *value,
                                     sat__headers *headers, sat_buf *body,
                                     sat_error *err);

#endif /* SAT_SRC_NET_BODY_H */
