/*
 * cbor.h - deterministic CBOR (RFC 8949, section 4.2.1)
 *
 * The one format for bytes that leave a device. The writer writes the shortest
 * form and definite lengths; the reader accepts nothing else, so that what was
 * signed can not be spelled in a second way. Floats are always 8 bytes long:
 * SQLite has no other, and -0.0 keeps its sign. Keys of a map are written, and
 * must come, in ascending order of their encoded bytes.
 *
 * A reader checks every length against what is left before it believes it, and
 * follows no nesting of its own: depth is the caller's, through
 * sat__cbor_skip() which is bounded.
 */
#ifndef SAT_SRC_BASE_CBOR_H
#define SAT_SRC_BASE_CBOR_H

#include "base/buf.h"

#define SAT_CBOR_DEPTH_MAX 16

/* Text that is not UTF-8, as SQLite may hold it: this tag on a byte string. */
#define SAT_CBOR_TAG_RAW_TEXT 40001

typedef enum sat__cbor_type {
    SAT_CBOR_UINT = 0,
    SAT_CBOR_NEGINT = 1,
    SAT_CBOR_BYTES = 2,
    SAT_CBOR_TEXT = 3,
    SAT_CBOR_ARRAY = 4,
    SAT_CBOR_MAP = 5,
    SAT_CBOR_TAG = 6,
    SAT_CBOR_FLOAT = 7, /* 8-byte floats */
    SAT_CBOR_NULL = 8,
    SAT_CBOR_BOOL = 9,
    SAT_CBOR_END = 10, /* nothing is left */
    SAT_CBOR_BAD = 11  /* not what a correct writer writes */
} sat__cbor_type;

/* Writing. Nothing fails here; check the buffer once, when all is written. */
void sat__cbor_put_uint(sat_buf *out, uint64_t value);
void sat__cbor_put_int(sat_buf *out, int64_t value);
void sat__cbor_put_float(sat_buf *out, double value);
void sat__cbor_put_bytes(sat_buf *out, const void *data, size_t len);
void sat__cbor_put_text(sat_buf *out, const char *text, size_t len);
void sat__cbor_put_str(sat_buf *out, const char *text);
void sat__cbor_put_null(sat_buf *out);
void sat__cbor_put_bool(sat_buf *out, bool value);
void sat__cbor_put_array(sat_buf *out, size_t count); /* items follow */
void sat__cbor_put_map(sat_buf *out, size_t count); /* key, value, … follow */
void sat__cbor_put_tag(sat_buf *out, uint64_t tag); /* one item follows */

/*
 * Reading. A reader is a value; copy it to look ahead. After a failure it
 * stands still and every further call fails too. Views point into the input.
 */
typedef struct sat__cbor {
    const uint8_t *at;
    const uint8_t *end;
} sat__cbor;

static inline sat__cbor cbor_of(sat_bytes bytes)
{
    return (sat__cbor){bytes.data,
                       bytes.len > 0 ? bytes.data + bytes.len : bytes.data};
}

/* What comes next, without consuming it. */
sat__cbor_type sat__cbor_peek(const sat__cbor *in);

SAT_CHECK sat_status sat__cbor_uint(sat__cbor *in, uint64_t *out,
                                    sat_error *err);
SAT_CHECK sat_status sat__cbor_int(sat__cbor *in, int64_t *out, sat_error *err);
SAT_CHECK sat_status sat__cbor_float(sat__cbor *in, double *out,
                                     sat_error *err);
SAT_CHECK sat_status sat__cbor_bytes(sat__cbor *in, sat_bytes *out,
                                     sat_error *err);
/* Text must be UTF-8 without surrogates; a NUL inside is allowed. */
SAT_CHECK sat_status sat__cbor_text(sat__cbor *in, sat_bytes *out,
                                    sat_error *err);
SAT_CHECK sat_status sat__cbor_bool(sat__cbor *in, bool *out, sat_error *err);
SAT_CHECK sat_status sat__cbor_null(sat__cbor *in, sat_error *err);
SAT_CHECK sat_status sat__cbor_tag(sat__cbor *in, uint64_t *out,
                                   sat_error *err);

/*
 * The head of an array or map. More items than bytes are left, or than `max`,
 * fail with SAT_ERR_CORRUPT or SAT_ERR_LIMIT.
 */
SAT_CHECK sat_status sat__cbor_array(sat__cbor *in, size_t max, size_t *count,
                                     sat_error *err);
SAT_CHECK sat_status sat__cbor_map(sat__cbor *in, size_t max, size_t *count,
                                   sat_error *err);

/* Reads a text key of a map, which must be exactly `name`. */
SAT_CHECK sat_status sat__cbor_key(sat__cbor *in, const char *name,
                                   sat_error *err);

/* Whether the next item is the text `name`; consumes it only then. */
bool sat__cbor_is_key(sat__cbor *in, const char *name);

/* Reads a byte string of exactly `len` bytes into `out`. */
SAT_CHECK sat_status sat__cbor_fixed(sat__cbor *in, uint8_t *out, size_t len,
                                     sat_error *err);

/*
 * Passes over one whole item, at most SAT_CBOR_DEPTH_MAX deep, checking that it
 * is well formed and its maps are in order; *out, if not NULL, is its bytes.
 */
SAT_CHECK sat_status sat__cbor_skip(sat__cbor *in, sat_bytes *out,
                                    sat_error *err);

/* Fails with SAT_ERR_CORRUPT unless everything was read. */
SAT_CHECK sat_status sat__cbor_done(const sat__cbor *in, sat_error *err);

/* Whether `len` bytes are UTF-8 (RFC 3629). */
bool sat__utf8_valid(const uint8_t *data, size_t len);

#endif /* SAT_SRC_BASE_CBOR_H */
