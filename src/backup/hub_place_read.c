/*
 * hub_place_read.c - objects as they come from a hub
 */
#include <errno.h>
#include <unistd.h>

#include "backup/hub_place.h"
#include "backup/manifest.h"
#include "base/error.h"

static sat_status try_download(hub_place *in, const sat__hub_object *object,
                               sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    char url[SAT_FETCH_URL_SIZE];
    map_put_text(&map, "key", object->key);
    TRY(hub_place_ask(in, "/v0/backup/download_url", &map, &answer, err));
    TRY(sat__map_text(buf_view(&answer), "url", url, sizeof url, err));
    return sat__fetch_get(&in->fetch, url, in->got, object->object.size, err);
}

/* What has come of it stays, and the next try goes on there. */
static sat_status download(hub_place *in, const sat__hub_object *object,
                           sat_error *err)
{
    unsigned tries = 0;
    sat_status st;
    TRY(hub_place_open_file(&in->got, err));
    do
        st = try_download(in, object, err);
    while (hub_place_may_try_again(in, st, &tries));
    if (st == SAT_OK && lseek(in->got, 0, SEEK_SET) != 0)
        return sat__fail_os(err, errno, "cannot read an object");
    return st;
}

static const hub_cached *find_cached(const hub_place *in,
                                     const sat__blob_name *name)
{
    for (size_t i = 0; i < in->cached_count; i++)
        if (strcmp(in->cache[i].name.text, name->text) == 0)
            return &in->cache[i];
    return NULL;
}

/* Keeps the manifest that has come, if it is small and there is room. */
static sat_status keep(hub_place *in, const sat__hub_object *object,
                       sat_error *err)
{
    const size_t size = (size_t)object->object.size;
    hub_cached *const to = &in->cache[in->cached_count];
    if (object->kind != SAT__PLACE_MANIFEST ||
        in->cached_count == HUB_PLACE_CACHED_MAX || size > ((size_t)1 << 20))
        return SAT_OK;
    to->name = object->object.name;
    to->bytes.len = 0;
    if (!sat__buf_reserve(&to->bytes, size + 1))
        return sat__buf_status(&to->bytes, err);
    TRY(sat__place_read_file(in->got, to->bytes.data, size, err));
    to->bytes.len = size;
    in->got_cached = to;
    in->cached_count++;
    return SAT_OK;
}

sat_status hub_place_open(void *self, sat__place_kind kind,
                          const sat__blob_name *name, uint64_t *size,
                          sat_error *err)
{
    hub_place *const in = self;
    const sat__hub_object *const object =
        sat__hub_list_find(&in->list, kind, name);
    if (object == NULL || object->object.size > SAT_MANIFEST_SIZE_MAX)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "object %.16s… is not at the hub", name->text);
    *size = object->object.size;
    in->used = 0;
    in->got_cached = find_cached(in, name);
    if (in->got_cached != NULL)
        return SAT_OK;
    TRY(download(in, object, err));
    return keep(in, object, err);
}

sat_status hub_place_read(void *self, uint8_t *out, size_t len, sat_error *err)
{
    hub_place *const in = self;
    if (in->got_cached == NULL)
        return sat__place_read_file(in->got, out, len, err);
    if (len > in->got_cached->bytes.len - in->used)
        return sat__fail(err, SAT_ERR_CORRUPT, "an object ends too early");
    memcpy(out, in->got_cached->bytes.data + in->used, len);
    in->used += len;
    return SAT_OK;
}
