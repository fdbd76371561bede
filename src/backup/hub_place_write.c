/*
 * hub_place_write.c - objects on their way to a hub, and manifests named there
 */
#include <errno.h>
#include <unistd.h>

#include "backup/hub_place.h"
#include "backup/manifest.h"
#include "base/error.h"

sat_status hub_place_begin(void *self, sat__place_kind kind, sat_error *err)
{
    hub_place *const in = self;
    in->kind = kind;
    in->size = 0;
    in->manifest.len = 0;
    sat__sha256_init(&in->hash);
    return hub_place_open_file(&in->part, err);
}

sat_status hub_place_write(void *self, sat_bytes bytes, sat_error *err)
{
    hub_place *const in = self;
    sat__sha256_update(&in->hash, bytes);
    in->size += bytes.len;
    if (in->kind == SAT__PLACE_MANIFEST)
        sat__buf_put(&in->manifest, bytes.data, bytes.len);
    while (bytes.len > 0) {
        const ssize_t len = write(in->part, bytes.data, bytes.len);
        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0)
            return sat__fail_os(err, errno, "no memory for an object");
        bytes.data += len;
        bytes.len -= (size_t)len;
    }
    return sat__buf_status(&in->manifest, err);
}

/* The limit of the hub is one of the person's, not of this request. */
static sat_status too_large(sat_status st, sat_error *err)
{
    return st == SAT_ERR_LIMIT
               ? sat__context(err, SAT_ERR_FULL, "this is too large to back up")
               : st;
}

static sat_status try_upload(hub_place *in, const uint8_t hash[SAT_SHA256_SIZE],
                             sat__hub_object *out, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    char url[SAT_FETCH_URL_SIZE];
    uint8_t md5[16];
    map_put_uint(&map, "size", in->size);
    map_put_bytes(&map, "sha256", bytes_of(hash, SAT_SHA256_SIZE));
    TRY(sat__fetch_md5(in->part, in->size, md5, err));
    map_put_bytes(&map, "md5", bytes_of(md5, sizeof md5));
    TRY(hub_place_ask(in, "/v0/backup/upload_url", &map, &answer, err));
    TRY(sat__map_text(buf_view(&answer), "key", out->key, sizeof out->key,
                      err));
    TRY(sat__map_text(buf_view(&answer), "url", url, sizeof url, err));
    const sat_status st =
        sat__fetch_put(&in->fetch, url, in->part, in->size, err);
    return st == SAT_ERR_CONFLICT ? SAT_OK : st; /* it came, unheard */
}

static sat_status upload(hub_place *in, sat__hub_object *out, sat_error *err)
{
    uint8_t hash[SAT_SHA256_SIZE];
    unsigned tries = 0;
    sat_status st;
    sat__sha256_final(&in->hash, hash);
    sat__hex_format(hash, sizeof hash, out->object.name.text);
    out->object.size = in->size;
    out->object.written = in->env->wall(in->env->context);
    do
        st = try_upload(in, hash, out, err);
    while (hub_place_may_try_again(in, st, &tries));
    return too_large(st, err);
}

/* ---- a manifest, named ---- */

static sat_status put_keys(const hub_place *in, const sat__manifest *manifest,
                           sat__map *map, sat_error *err)
{
    sat__map_key(map, "objects");
    sat__cbor_put_array(&map->values, manifest->pack_count);
    for (size_t i = 0; i < manifest->pack_count; i++) {
        const sat__hub_object *const pack = sat__hub_list_find(
            &in->list, SAT__PLACE_PACK, &manifest->packs[i].name);
        if (pack == NULL)
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "object %.16s… is not at the hub",
                             manifest->packs[i].name.text);
        sat__cbor_put_str(&map->values, pack->key);
    }
    return SAT_OK;
}

/* Whether the hub counts it already: its word to us was lost. */
static bool is_counted(const hub_place *in, const sat__hub_object *manifest)
{
    const sat__hub_object *const there = sat__hub_list_find(
        &in->list, SAT__PLACE_MANIFEST, &manifest->object.name);
    return there != NULL && there->version == manifest->version;
}

static sat_status try_complete(hub_place *in, const sat__manifest *manifest,
                               const sat__hub_object *object, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    map_put_uint(&map, "version", manifest->number);
    map_put_text(&map, "manifest", object->key);
    TRY(put_keys(in, manifest, &map, err));
    return hub_place_ask(in, "/v0/backup/complete_upload", &map, &answer, err);
}

static sat_status complete(hub_place *in, sat__hub_object *object,
                           sat_error *err)
{
    AUTO(sat__manifest) manifest = SAT_MANIFEST_INIT;
    unsigned tries = 0;
    sat_status st;
    TRY(sat__manifest_decode(buf_view(&in->manifest), &manifest, err));
    object->version = manifest.number;
    do
        st = try_complete(in, &manifest, object, err);
    while (hub_place_may_try_again(in, st, &tries));
    if (st != SAT_OK && st != SAT_ERR_CONFLICT)
        return too_large(st, err);
    TRY(hub_place_take_stock(in, err));
    return st == SAT_OK || is_counted(in, object)
               ? SAT_OK
               : sat__fail(err, SAT_ERR_CONFLICT,
                           "another device made backup %llu meanwhile",
                           (unsigned long long)manifest.number);
}

void hub_place_abandon(void *self)
{
    hub_place *const in = self;
    hub_place_close_file(&in->part);
}

sat_status hub_place_commit(void *self, sat__blob_name *out, sat_error *err)
{
    hub_place *const in = self;
    sat__hub_object object = {.kind = in->kind};
    TRY(upload(in, &object, err));
    if (in->kind == SAT__PLACE_MANIFEST)
        TRY(complete(in, &object, err));
    else
        TRY(sat__hub_list_add(&in->list, &object, err));
    hub_place_close_file(&in->part);
    *out = object.object.name;
    return SAT_OK;
}
