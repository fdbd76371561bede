/*
 * hub_list.c - what a hub says it keeps of an account's backups
 */
#include "backup/hub_list.h"

#include "account/map.h"
#include "base/error.h"

void sat__hub_list_clear(sat__hub_list *list)
{
    free(list->objects);
    *list = (sat__hub_list){.count = 0};
}

sat_status sat__hub_list_add(sat__hub_list *list, const sat__hub_object *object,
                             sat_error *err)
{
    if (list->count == SAT_HUB_OBJECTS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the hub lists more objects than it may");
    if (list->count == list->room) {
        const size_t room = list->room == 0 ? 64 : 2 * list->room;
        sat__hub_object *const more =
            realloc(list->objects, room * sizeof *more);
        if (more == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "no memory for a list");
        list->objects = more;
        list->room = room;
    }
    list->objects[list->count++] = *object;
    return SAT_OK;
}

const sat__hub_object *sat__hub_list_find(const sat__hub_list *list,
                                          sat__place_kind kind,
                                          const sat__blob_name *name)
{
    const sat__hub_object *found = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const sat__hub_object *const at = &list->objects[i];
        if (at->kind == kind && strcmp(at->object.name.text, name->text) == 0 &&
            (found == NULL || found->version == 0))
            found = at;
    }
    return found;
}

/* A key goes into requests as it is, so it is digits and nothing else. */
static sat_status read_key(sat_bytes map, const char *field,
                           char out[SAT_HUB_KEY_SIZE], sat_error *err)
{
    uint8_t digits[(SAT_HUB_KEY_SIZE - 1) / 2];
    TRY(sat__map_text(map, field, out, SAT_HUB_KEY_SIZE, err));
    return sat__hex_parse(out, digits, sizeof digits, err);
}

static sat_status read_object(sat_bytes map, sat__hub_object *out,
                              sat_error *err)
{
    uint8_t hash[SAT_SHA256_SIZE];
    TRY(read_key(map, "key", out->key, err));
    TRY(sat__map_uint(map, "size", &out->object.size, err));
    TRY(sat__map_fixed(map, "sha256", hash, sizeof hash, err));
    sat__hex_format(hash, sizeof hash, out->object.name.text);
    return SAT_OK;
}

/* The first of a backup's objects is its manifest. */
static sat_status read_objects(sat__cbor in, sat__hub_object backup,
                               const char *manifest, sat__hub_list *out,
                               sat_error *err)
{
    size_t count;
    bool has_manifest = manifest == NULL;
    TRY(sat__cbor_array(&in, SAT_HUB_OBJECTS_MAX, &count, err));
    for (size_t i = 0; i < count; i++) {
        sat_bytes map;
        TRY(sat__cbor_skip(&in, &map, err));
        TRY(read_object(map, &backup, err));
        const bool is_manifest =
            manifest != NULL && strcmp(backup.key, manifest) == 0;
        backup.kind = is_manifest ? SAT__PLACE_MANIFEST : SAT__PLACE_PACK;
        has_manifest = has_manifest || is_manifest;
        TRY(sat__hub_list_add(out, &backup, err));
    }
    if (!has_manifest)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub lists a backup without its manifest");
    return SAT_OK;
}

static sat_status read_backup(sat_bytes map, sat__hub_list *out, sat_error *err)
{
    sat__hub_object backup = {.version = 0};
    char manifest[SAT_HUB_KEY_SIZE];
    sat__cbor objects;
    TRY(sat__map_uint(map, "version", &backup.version, err));
    TRY(sat__map_uint(map, "created_at", &backup.object.written, err));
    TRY(read_key(map, "manifest", manifest, err));
    if (backup.version == 0 || backup.version > INT64_MAX)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub lists a backup without a number");
    TRY(sat__map_get(map, "objects", &objects, err));
    return read_objects(objects, backup, manifest, out, err);
}

sat_status sat__hub_list_read(sat_bytes answer, sat__hub_list *out,
                              sat_error *err)
{
    const sat__hub_object upload = {.version = 0};
    sat__cbor in;
    size_t count;
    TRY(sat__map_get(answer, "backups", &in, err));
    TRY(sat__cbor_array(&in, SAT_HUB_BACKUPS_MAX, &count, err));
    for (size_t i = 0; i < count; i++) {
        sat_bytes map;
        TRY(sat__cbor_skip(&in, &map, err));
        TRY(read_backup(map, out, err));
    }
    TRY(sat__map_get(answer, "uploads", &in, err));
    return read_objects(in, upload, NULL, out, err);
}
