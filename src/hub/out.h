/*
 * out.h - an answer, written as JSON or deterministic CBOR
 *
 * Straight into the body, so that a page of items is written once. Keys of a
 * map come in the order of CBOR: shorter ones first, then by their bytes.
 */
#ifndef SAT_SRC_HUB_OUT_H
#define SAT_SRC_HUB_OUT_H

#include "base/buf.h"

typedef struct hub_out {
    sat_buf *buf;
    bool is_json;
    bool is_value; /* a key was written: no comma comes before its value */
    unsigned depth;
    bool has_some[16]; /* of the JSON list at that depth */
    bool is_map[16];
} hub_out;

/* `count` items follow, a key before each in a map; then end(). */
void hub_out_map(hub_out *out, size_t count);
void hub_out_array(hub_out *out, size_t count);
void hub_out_end(hub_out *out);
void hub_out_key(hub_out *out, const char *key);

void hub_out_int(hub_out *out, int64_t value);
void hub_out_bool(hub_out *out, bool value);
void hub_out_null(hub_out *out);
void hub_out_text(hub_out *out, const char *text);
void hub_out_id(hub_out *out, const uint8_t *bytes, size_t len); /* in hex */
void hub_out_data(hub_out *out, sat_bytes bytes);                /* base64 */

/* A whole array whose items were counted while they were written elsewhere: to
 * an out of the same spelling with a `depth` of 1. */
void hub_out_list(hub_out *out, const sat_buf *items, size_t count);

#endif /* SAT_SRC_HUB_OUT_H */
