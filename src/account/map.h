/*
 * map.h - messages with named fields, as deterministic CBOR
 *
 * Written in any order, and put in that of the keys' bytes at the end; read by
 * name, where fields that nobody asks for are passed over.
 */
#ifndef SAT_SRC_ACCOUNT_MAP_H
#define SAT_SRC_ACCOUNT_MAP_H

#include "base/cbor.h"

#define SAT_MAP_FIELDS_MAX 16

typedef struct sat__map {
    size_t count;
    struct {
        const char *key; /* lent */
        size_t begin, len;
    } fields[SAT_MAP_FIELDS_MAX];
    sat_buf values;
} sat__map;

void sat__map_clear(sat__map *map);
DEFINE_AUTO(sat__map, sat__map_clear);

/* Begins the field `key`: its value is what is appended to map->values next,
 * until another field begins. */
void sat__map_key(sat__map *map, const char *key);

static inline void map_put_bytes(sat__map *map, const char *key,
                                 sat_bytes value)
{
    sat__map_key(map, key);
    sat__cbor_put_bytes(&map->values, value.data, value.len);
}

static inline void map_put_text(sat__map *map, const char *key,
                                const char *value)
{
    sat__map_key(map, key);
    sat__cbor_put_str(&map->values, value);
}

static inline void map_put_uint(sat__map *map, const char *key, uint64_t value)
{
    sat__map_key(map, key);
    sat__cbor_put_uint(&map->values, value);
}

/* Appends the map to `out`. */
SAT_CHECK sat_status sat__map_end(sat__map *map, sat_buf *out, sat_error *err);

/* ---- reading ---- */

/* The value of `key` in the map that `bytes` is: *out is empty where it is not
 * there. */
SAT_CHECK sat_status sat__map_find(sat_bytes bytes, const char *key,
                                   sat__cbor *out, bool *found, sat_error *err);

/* The same where it must be there: SAT_ERR_CORRUPT. */
SAT_CHECK sat_status sat__map_get(sat_bytes bytes, const char *key,
                                  sat__cbor *out, sat_error *err);
SAT_CHECK sat_status sat__map_bytes(sat_bytes bytes, const char *key,
                                    sat_bytes *out, sat_error *err);
SAT_CHECK sat_status sat__map_fixed(sat_bytes bytes, const char *key,
                                    uint8_t *out, size_t len, sat_error *err);
SAT_CHECK sat_status sat__map_text(sat_bytes bytes, const char *key, char *out,
                                   size_t size, sat_error *err);
SAT_CHECK sat_status sat__map_uint(sat_bytes bytes, const char *key,
                                   uint64_t *out, sat_error *err);
SAT_CHECK sat_status sat__map_bool(sat_bytes bytes, const char *key, bool *out,
                                   sat_error *err);

#endif /* SAT_SRC_ACCOUNT_MAP_H */
