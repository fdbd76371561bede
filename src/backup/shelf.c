/*
 * shelf.c - the backups of one person at a place
 *
 * A manifest goes before the packs that only it needs, so what is named is
 * always there. While there is a manifest that can not be read, nobody knows
 * what it needs, and nothing is cleared away.
 */
#include "backup/shelf.h"

#include "base/error.h"

#define ORPHAN_MS ((uint64_t)24 * 60 * 60 * 1000)

void sat__shelf_clear(sat__shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++)
        sat__manifest_clear(&shelf->manifests[i]);
    free(shelf->manifests);
    *shelf = (sat__shelf){.count = 0};
}

/* Names and sizes of objects, as a list to search. */
typedef struct inventory {
    sat__place_object *objects;
    size_t count, room;
} inventory;

static void inventory_clear(inventory *list)
{
    free(list->objects);
}
DEFINE_AUTO(inventory, inventory_clear);

static sat_status note(const sat__place_object *object, void *context,
                       sat_error *err)
{
    inventory *const list = context;
    if (list->count == list->room) {
        const size_t room = list->room == 0 ? 64 : 2 * list->room;
        sat__place_object *const more =
            realloc(list->objects, room * sizeof *more);
        if (more == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "no memory for a list");
        list->objects = more;
        list->room = room;
    }
    list->objects[list->count++] = *object;
    return SAT_OK;
}

static int by_name(const void *left, const void *right)
{
    const sat__place_object *const a = left;
    const sat__place_object *const b = right;
    return strcmp(a->name.text, b->name.text);
}

static const sat__place_object *look_up(const inventory *list,
                                        const sat__blob_name *name)
{
    sat__place_object wanted = {.name = *name};
    if (list->count == 0)
        return NULL;
    return bsearch(&wanted, list->objects, list->count, sizeof wanted, by_name);
}

static sat_status take_stock(const sat__place *place, sat__place_kind kind,
                             inventory *out, sat_error *err)
{
    TRY(place->calls->list(place->self, kind, note, out, err));
    if (out->count > 0)
        qsort(out->objects, out->count, sizeof *out->objects, by_name);
    return SAT_OK;
}

static int newest_first(const void *left, const void *right)
{
    const sat__manifest *const a = left;
    const sat__manifest *const b = right;
    if (a->number != b->number)
        return a->number > b->number ? -1 : 1;
    return strcmp(a->name.text, b->name.text);
}

sat_status sat__shelf_read(const sat__place *place, sat__shelf *out,
                           sat_error *err)
{
    AUTO(inventory) names = {.count = 0};
    AUTO(sat__shelf) shelf = {.count = 0};
    TRY(take_stock(place, SAT__PLACE_MANIFEST, &names, err));
    shelf.manifests = calloc(names.count + 1, sizeof *shelf.manifests);
    if (shelf.manifests == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a list");
    for (size_t i = 0; i < names.count; i++) {
        sat__manifest *const next = &shelf.manifests[shelf.count];
        const sat_status st =
            sat__manifest_get(place, &names.objects[i].name, next, err);
        shelf.count += st == SAT_OK;
        shelf.damaged += st == SAT_ERR_CORRUPT || st == SAT_ERR_LIMIT;
        shelf.newer += st == SAT_ERR_VERSION;
        if (st != SAT_OK && st != SAT_ERR_CORRUPT && st != SAT_ERR_LIMIT &&
            st != SAT_ERR_VERSION)
            return st;
    }
    qsort(shelf.manifests, shelf.count, sizeof *shelf.manifests, newest_first);
    *out = shelf;
    shelf = (sat__shelf){.count = 0};
    return SAT_OK;
}

bool sat__shelf_is_of(const sat__manifest *manifest,
                      const uint8_t owner[SAT_SIGN_KEY_SIZE])
{
    return memcmp(manifest->keys.entries[0].slot.principal.sign, owner,
                  SAT_SIGN_KEY_SIZE) == 0;
}

sat__manifest *sat__shelf_find(const sat__shelf *shelf,
                               const uint8_t owner[SAT_SIGN_KEY_SIZE],
                               uint64_t number)
{
    for (size_t i = 0; i < shelf->count; i++)
        if (sat__shelf_is_of(&shelf->manifests[i], owner) &&
            (number == 0 || shelf->manifests[i].number == number))
            return &shelf->manifests[i];
    return NULL;
}

/* Why the backup that was asked for may be none that can be read. */
static sat_status not_readable(const sat__shelf *shelf, const char *where,
                               sat_error *err)
{
    if (shelf->newer > 0)
        return sat__fail(err, SAT_ERR_VERSION,
                         "a newer satchel made a backup in '%s'; install that "
                         "to restore it",
                         where);
    if (shelf->damaged > 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "a backup in '%s' is damaged; an older one may be "
                         "whole, and is restored by its number",
                         where);
    return SAT_OK;
}

sat_status sat__shelf_require(const sat__shelf *shelf, const sat__place *place,
                              const char *where,
                              const uint8_t owner[SAT_SIGN_KEY_SIZE],
                              uint64_t number, sat__manifest **out,
                              sat_error *err)
{
    *out = sat__shelf_find(shelf, owner, number);
    if (*out != NULL && number > 0)
        return SAT_OK;
    TRY(not_readable(shelf, where, err));
    if (number == 0 || shelf->count == 0)
        TRY(place->calls->check(place->self, err));
    if (*out != NULL)
        return SAT_OK;
    if (shelf->count == 0)
        return sat__fail(err, SAT_ERR_NOT_FOUND, "there is no backup in '%s'",
                         where);
    if (sat__shelf_find(shelf, owner, 0) == NULL)
        return sat__fail(err, SAT_ERR_AUTH,
                         "this recovery phrase opens no backup in '%s'", where);
    return sat__fail(err, SAT_ERR_NOT_FOUND,
                     "there is no backup %llu in '%s'; 'satchel backup list' "
                     "shows those that are there",
                     (unsigned long long)number, where);
}

sat_status sat__shelf_check(const sat__place *place,
                            const sat__manifest *manifest, sat_error *err)
{
    AUTO(inventory) packs = {.count = 0};
    TRY(take_stock(place, SAT__PLACE_PACK, &packs, err));
    for (size_t i = 0; i < manifest->pack_count; i++) {
        const sat__pack *const pack = &manifest->packs[i];
        const sat__place_object *const found = look_up(&packs, &pack->name);
        if (found == NULL)
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "backup %llu is damaged: object %.16s… is missing",
                             (unsigned long long)manifest->number,
                             pack->name.text);
        if (found->size != pack->size)
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "backup %llu is damaged: object %.16s… has "
                             "another size",
                             (unsigned long long)manifest->number,
                             pack->name.text);
    }
    return SAT_OK;
}

static sat_status note_packs(const sat__manifest *manifest, inventory *out,
                             sat_error *err)
{
    for (size_t i = 0; i < manifest->pack_count; i++) {
        const sat__place_object object = {.name = manifest->packs[i].name};
        TRY(note(&object, out, err));
    }
    return SAT_OK;
}

/* What the backups on the shelf need. */
static sat_status note_needed(const sat__shelf *shelf, inventory *out,
                              sat_error *err)
{
    for (size_t i = 0; i < shelf->count; i++)
        TRY(note_packs(&shelf->manifests[i], out, err));
    if (out->count > 0)
        qsort(out->objects, out->count, sizeof *out->objects, by_name);
    return SAT_OK;
}

static sat_status clear_away(sat__place *place, const inventory *packs,
                             const inventory *needed, uint64_t before,
                             sat_error *err)
{
    for (size_t i = 0; i < packs->count; i++) {
        const sat__place_object *const object = &packs->objects[i];
        if (object->written < before && look_up(needed, &object->name) == NULL)
            TRY(place->calls->remove(place->self, SAT__PLACE_PACK,
                                     &object->name, err));
    }
    return SAT_OK;
}

sat_status sat__shelf_remove(sat__place *place, const sat_env *env,
                             const sat__manifest *manifest, sat_error *err)
{
    AUTO(inventory) released = {.count = 0};
    AUTO(inventory) needed = {.count = 0};
    AUTO(sat__shelf) left = {.count = 0};
    (void)env;
    TRY(note_packs(manifest, &released, err));
    TRY(place->calls->remove(place->self, SAT__PLACE_MANIFEST, &manifest->name,
                             err));
    TRY(sat__shelf_read(place, &left, err));
    TRY(note_needed(&left, &needed, err));
    return left.newer + left.damaged > 0
               ? SAT_OK
               : clear_away(place, &released, &needed, UINT64_MAX, err);
}

static sat_status sweep(sat__place *place, const sat_env *env, sat_error *err)
{
    const uint64_t now = env->wall(env->context);
    AUTO(inventory) packs = {.count = 0};
    AUTO(inventory) needed = {.count = 0};
    AUTO(sat__shelf) shelf = {.count = 0};
    TRY(sat__shelf_read(place, &shelf, err));
    if (shelf.newer + shelf.damaged > 0 || now < ORPHAN_MS)
        return SAT_OK;
    TRY(note_needed(&shelf, &needed, err));
    TRY(take_stock(place, SAT__PLACE_PACK, &packs, err));
    return clear_away(place, &packs, &needed, now - ORPHAN_MS, err);
}

sat_status sat__shelf_prune(sat__place *place, const sat_env *env,
                            const uint8_t owner[SAT_SIGN_KEY_SIZE], size_t keep,
                            sat_error *err)
{
    AUTO(sat__shelf) shelf = {.count = 0};
    size_t found = 0;
    TRY(sat__shelf_read(place, &shelf, err));
    for (size_t i = 0; i < shelf.count; i++)
        if (sat__shelf_is_of(&shelf.manifests[i], owner) && ++found > keep)
            TRY(sat__shelf_remove(place, env, &shelf.manifests[i], err));
    return sweep(place, env, err);
}
