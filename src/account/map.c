/*
 * map.c - messages with named fields
 */
#include "account/map.h"

#include "base/error.h"

void sat__map_clear(sat__map *map)
{
    sat__buf_clear(&map->values);
}

void sat__map_key(sat__map *map, const char *key)
{
    if (map->count > 0)
        map->fields[map->count - 1].len =
            map->values.len - map->fields[map->count - 1].begin;
    if (map->count == SAT_MAP_FIELDS_MAX) {
        map->values.failed = true;
        return;
    }
    map->fields[map->count].key = key;
    map->fields[map->count++].begin = map->values.len;
}

/* Shorter keys first: their length is the first byte. */
static bool is_before(const char *a, const char *b)
{
    const size_t left = strlen(a);
    const size_t right = strlen(b);
    return left != right ? left < right : strcmp(a, b) < 0;
}

static size_t next_after(const sat__map *map, const char *last)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < map->count; i++) {
        const char *const key = map->fields[i].key;
        if ((last == NULL || is_before(last, key)) &&
            (best == SIZE_MAX || is_before(key, map->fields[best].key)))
            best = i;
    }
    return best;
}

sat_status sat__map_end(sat__map *map, sat_buf *out, sat_error *err)
{
    const char *last = NULL;
    if (map->count > 0)
        map->fields[map->count - 1].len =
            map->values.len - map->fields[map->count - 1].begin;
    sat__cbor_put_map(out, map->count);
    for (size_t n = 0; n < map->count; n++) {
        const size_t at = next_after(map, last);
        last = map->fields[at].key;
        sat__cbor_put_str(out, last);
        sat__buf_put(out, map->values.data + map->fields[at].begin,
                     map->fields[at].len);
    }
    TRY(sat__buf_status(&map->values, err));
    return sat__buf_status(out, err);
}

/* ---- reading ---- */

#define FIELDS_MAX 64

sat_status sat__map_find(sat_bytes bytes, const char *key, sat__cbor *out,
                         bool *found, sat_error *err)
{
    sat__cbor in = cbor_of(bytes);
    size_t count;
    *found = false;
    TRY(sat__cbor_map(&in, FIELDS_MAX, &count, err));
    for (size_t i = 0; i < count; i++) {
        sat_bytes name;
        sat_bytes value;
        TRY(sat__cbor_text(&in, &name, err));
        TRY(sat__cbor_skip(&in, &value, err));
        if (!*found && bytes_equal(name, bytes_of(key, strlen(key)))) {
            *out = cbor_of(value);
            *found = true;
        }
    }
    return sat__cbor_done(&in, err);
}

sat_status sat__map_get(sat_bytes bytes, const char *key, sat__cbor *out,
                        sat_error *err)
{
    bool found;
    TRY(sat__map_find(bytes, key, out, &found, err));
    if (!found)
        return sat__fail(err, SAT_ERR_CORRUPT, "malformed message: no '%s'",
                         key);
    return SAT_OK;
}

sat_status sat__map_bytes(sat_bytes bytes, const char *key, sat_bytes *out,
                          sat_error *err)
{
    sat__cbor in;
    TRY(sat__map_get(bytes, key, &in, err));
    return sat__cbor_bytes(&in, out, err);
}

sat_status sat__map_fixed(sat_bytes bytes, const char *key, uint8_t *out,
                          size_t len, sat_error *err)
{
    sat__cbor in;
    TRY(sat__map_get(bytes, key, &in, err));
    return sat__cbor_fixed(&in, out, len, err);
}

sat_status sat__map_text(sat_bytes bytes, const char *key, char *out,
                         size_t size, sat_error *err)
{
    sat__cbor in;
    sat_bytes text;
    TRY(sat__map_get(bytes, key, &in, err));
    TRY(sat__cbor_text(&in, &text, err));
    if (text.len >= size || memchr(text.data, 0, text.len) != NULL)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "malformed message: '%s' is too long", key);
    memcpy(out, text.data, text.len);
    out[text.len] = 0;
    return SAT_OK;
}

sat_status sat__map_uint(sat_bytes bytes, const char *key, uint64_t *out,
                         sat_error *err)
{
    sat__cbor in;
    TRY(sat__map_get(bytes, key, &in, err));
    return sat__cbor_uint(&in, out, err);
}

sat_status sat__map_bool(sat_bytes bytes, const char *key, bool *out,
                         sat_error *err)
{
    sat__cbor in;
    TRY(sat__map_get(bytes, key, &in, err));
    return sat__cbor_bool(&in, out, err);
}
