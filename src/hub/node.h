/*
 * node.h - what a request says, whether it was JSON or CBOR
 *
 * One tree for both. In CBOR bytes are bytes; in JSON ids, keys, hashes and
 * signatures are lower-case hexadecimal, other bytes base64url without padding.
 * Views point into the body or the arena. What is missing or of another type
 * fails with SAT_ERR_INVALID and names the field.
 */
#ifndef SAT_SRC_HUB_NODE_H
#define SAT_SRC_HUB_NODE_H

#include "base/arena.h"
#include "net/body.h"

typedef enum hub_node_type {
    HUB_NODE_NULL,
    HUB_NODE_BOOL,
    HUB_NODE_INT,
    HUB_NODE_BYTES, /* of CBOR */
    HUB_NODE_TEXT,
    HUB_NODE_ARRAY,
    HUB_NODE_MAP
} hub_node_type;

typedef struct hub_node {
    hub_node_type type;
    int64_t integer;
    sat_bytes bytes; /* of bytes and text */
    sat_bytes key;   /* where it is in a map */
    size_t count;
    struct hub_node *first, *next;
} hub_node;

/* Reads a whole body; *out is a map. */
SAT_CHECK sat_status hub_node_read(sat__body_type type, sat_bytes body,
                                   sat__arena *arena, const hub_node **out,
                                   sat_error *err);

/* The field, or NULL where it is not there or null. */
const hub_node *hub_node_find(const hub_node *map, const char *key);

SAT_CHECK sat_status hub_node_int(const hub_node *map, const char *key,
                                  int64_t least, int64_t most, int64_t *out,
                                  sat_error *err);
SAT_CHECK sat_status hub_node_bool(const hub_node *map, const char *key,
                                   bool *out, sat_error *err);

/* Text of 1 to `max` bytes without control characters, ended by a NUL. */
SAT_CHECK sat_status hub_node_text(const hub_node *map, const char *key,
                                   size_t max, sat__arena *arena,
                                   const char **out, sat_error *err);

/* Exactly `len` bytes. */
SAT_CHECK sat_status hub_node_fixed(const hub_node *map, const char *key,
                                    uint8_t *out, size_t len, sat_error *err);

/* Up to `max` bytes. */
SAT_CHECK sat_status hub_node_data(const hub_node *map, const char *key,
                                   size_t max, sat__arena *arena,
                                   sat_bytes *out, sat_error *err);

/* An array of up to `max` bytes strings of up to `len` bytes each. */
SAT_CHECK sat_status hub_node_list(const hub_node *map, const char *key,
                                   size_t max, size_t len, sat__arena *arena,
                                   sat_bytes **out, size_t *count,
                                   sat_error *err);

/* An array of maps, whose first is *out. */
SAT_CHECK sat_status hub_node_maps(const hub_node *map, const char *key,
                                   size_t max, const hub_node **out,
                                   size_t *count, sat_error *err);

/* The same conversions for one value that stands elsewhere, as in a path. */
SAT_CHECK sat_status hub_id_parse(const char *text, uint8_t out[32],
                                  sat_error *err);

#endif /* SAT_SRC_HUB_NODE_H */
