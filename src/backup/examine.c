/*
 * examine.c - the backups at a place: listed, verified, removed
 */
#include <unistd.h>

#include "backup/coverage.h"
#include "backup/receiver.h"
#include "backup/shelf.h"
#include "backup/state.h"
#include "base/error.h"
#include "satchel/backup.h"

/* A place and what is there, for an unlocked profile. */
typedef struct examined {
    sat_profile *profile;
    const char *where;
    sat__place place;
    sat__shelf shelf;
    uint8_t owner[SAT_SIGN_KEY_SIZE];
} examined;

static void examined_clear(examined *in)
{
    sat__shelf_clear(&in->shelf);
    place_close(&in->place);
}
DEFINE_AUTO(examined, examined_clear);

static sat_status look(examined *in, sat__place_use use, sat_error *err)
{
    TRY(sat__profile_require(in->profile, err));
    const sat__slot *const slot =
        sat__keys_file_slot(&in->profile->keys, SAT_SLOT_PHRASE);
    if (slot == NULL)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "the profile has no recovery phrase");
    memcpy(in->owner, slot->principal.sign, sizeof in->owner);
    const sat__place_access access = {.env = in->profile->env,
                                      .profile = in->profile};
    TRY(sat__place_open(in->where, &access, use, &in->place, err));
    return sat__shelf_read(&in->place, &in->shelf, err);
}

/* A backup from before the master key was renewed is sealed under the former
 * one, which only the phrase still opens. */
static sat_status unseal(const examined *in, sat__manifest *manifest,
                         sat_error *err)
{
    const sat_status st =
        sat__manifest_unseal(manifest, &in->profile->secrets->master, err);
    if (st == SAT_ERR_AUTH)
        return sat__fail(err, st,
                         "backup %llu was made before the master key was "
                         "renewed; only the recovery phrase opens it",
                         (unsigned long long)manifest->number);
    return st;
}

sat_status sat_backup_list(sat_profile *profile, const char *at,
                           sat_backup_fn *each, void *context, sat_error *err)
{
    AUTO(examined) in = {.profile = profile, .where = at};
    uint8_t signer[SAT_DEVICE_ID_SIZE];
    TRY(look(&in, SAT__PLACE_READ, err));
    for (size_t i = 0; i < in.shelf.count; i++) {
        sat__manifest *const manifest = &in.shelf.manifests[i];
        if (!sat__shelf_is_of(manifest, in.owner))
            continue;
        const sat_status st = unseal(&in, manifest, err);
        if (st != SAT_OK && st != SAT_ERR_AUTH)
            return st;
        sat__device_id(manifest->keys.device.sign, signer);
        const sat_backup backup = {.version = manifest->number,
                                   .created = manifest->created,
                                   .size = sat__manifest_total(manifest),
                                   .files = manifest->files,
                                   .missing = manifest->missing,
                                   .device = manifest->device_name,
                                   .signer = signer};
        TRY(each(&backup, context, err));
    }
    if (in.shelf.damaged > 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "a backup in '%s' is damaged",
                         at);
    return SAT_OK;
}

/* ---- to the last byte ---- */

typedef struct proof {
    sat__coverage coverage;
    sat__file_piece file; /* the one whose pieces come */
    uint64_t done;
    sat__sha256_state hash;
} proof;

static sat_status prove_pages(void *self, const char *vault, uint32_t first,
                              uint32_t count, uint8_t *pages, sat_error *err)
{
    proof *const in = self;
    (void)pages;
    (void)err;
    sat__coverage_note(&in->coverage, vault, first, count);
    return SAT_OK;
}

static sat_status prove_piece(void *self, const sat__file_piece *piece,
                              sat_error *err)
{
    proof *const in = self;
    uint8_t digest[SAT_SHA256_SIZE];
    if (piece->offset == 0) {
        in->file = *piece;
        in->done = 0;
        sat__sha256_init(&in->hash);
    }
    if (piece->offset != in->done || piece->size != in->file.size ||
        strcmp(piece->blob.text, in->file.blob.text) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "a file's pieces do not fit");
    sat__sha256_update(&in->hash, piece->bytes);
    in->done += piece->bytes.len;
    if (in->done < piece->size)
        return SAT_OK;
    sat__sha256_final(&in->hash, digest);
    in->done = UINT64_MAX;
    if (memcmp(digest, piece->content, sizeof digest) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "a file is not what it was");
    return SAT_OK;
}

static sat_status prove_content(const examined *in, sat__manifest *manifest,
                                sat__progress progress, sat_error *err)
{
    proof of = {.done = UINT64_MAX};
    const sat__receiver receiver = {.place = &in->place,
                                    .manifest = manifest,
                                    .sink = {prove_pages, prove_piece, &of},
                                    .progress = progress};
    TRY(unseal(in, manifest, err));
    sat_status st = sat__coverage_init(&of.coverage, manifest, err);
    if (st == SAT_OK)
        st = sat__backup_receive(&receiver, err);
    if (st == SAT_OK)
        st = sat__coverage_check(&of.coverage, err);
    sat__coverage_clear(&of.coverage);
    sat__file_key_wipe(&of.file.key);
    return st;
}

/* ---- object by object ---- */

static sat_status prove_object(const sat__place *place, const sat__pack *pack,
                               uint8_t *piece, size_t room, sat_error *err)
{
    sat__sha256_state hash;
    uint8_t digest[SAT_SHA256_SIZE];
    sat__blob_name actual;
    uint64_t left;
    TRY(place->calls->open(place->self, SAT__PLACE_PACK, &pack->name, &left,
                           err));
    sat__sha256_init(&hash);
    while (left > 0) {
        const size_t len = left < room ? (size_t)left : room;
        TRY(place->calls->read(place->self, piece, len, err));
        sat__sha256_update(&hash, bytes_of(piece, len));
        left -= len;
    }
    sat__sha256_final(&hash, digest);
    sat__hex_format(digest, sizeof digest, actual.text);
    if (strcmp(actual.text, pack->name.text) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "object %.16s… is damaged",
                         pack->name.text);
    return SAT_OK;
}

static sat_status prove_objects(const examined *in,
                                const sat__manifest *manifest,
                                sat__progress progress, sat_error *err)
{
    const uint64_t total = sat__manifest_total(manifest);
    const size_t room = SAT_STREAM_SEALED_CHUNK;
    AUTO_FREE uint8_t *piece = malloc(room);
    uint64_t done = 0;
    if (piece == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory to verify");
    for (size_t i = 0; i < manifest->pack_count; i++) {
        TRY(prove_object(&in->place, &manifest->packs[i], piece, room, err));
        done += manifest->packs[i].size;
        if (progress.each != NULL &&
            progress.each(done, total, progress.context) == 0)
            return sat__fail(err, SAT_ERR_STOPPED,
                             "the verification was stopped");
    }
    return SAT_OK;
}

static sat_status verify_one(const examined *in, sat__manifest *manifest,
                             bool is_full, sat__progress progress,
                             sat_error *err)
{
    sat_status st = sat__shelf_check(&in->place, manifest, err);
    if (st != SAT_OK)
        return st;
    st = is_full ? prove_content(in, manifest, progress, err)
                 : prove_objects(in, manifest, progress, err);
    return st == SAT_ERR_CORRUPT
               ? sat__context(err, st, "backup %llu is damaged",
                              (unsigned long long)manifest->number)
               : st;
}

sat_status sat_backup_verify(sat_profile *profile, const char *at,
                             uint64_t version, int is_full,
                             sat_progress_fn *progress, void *context,
                             uint64_t *count, sat_error *err)
{
    AUTO(examined) in = {.profile = profile, .where = at};
    const sat__progress follow = {progress, context};
    sat__manifest *newest;
    uint64_t good = 0;
    TRY(look(&in, SAT__PLACE_READ, err));
    TRY(sat__shelf_require(&in.shelf, &in.place, at, in.owner, version, &newest,
                           err));
    for (size_t i = 0; i < in.shelf.count; i++) {
        sat__manifest *const manifest = &in.shelf.manifests[i];
        if (!sat__shelf_is_of(manifest, in.owner) ||
            (version > 0 && manifest->number != version))
            continue;
        TRY(verify_one(&in, manifest, is_full != 0, follow, err));
        good++;
    }
    *count = good;
    return SAT_OK;
}

sat_status sat_backup_delete(sat_profile *profile, const char *at,
                             uint64_t version, sat_error *err)
{
    AUTO(examined) in = {.profile = profile, .where = at};
    AUTO(sat__backup_state) state = SAT_BACKUP_STATE_INIT;
    sat__manifest *found;
    if (version == 0)
        return sat__fail(err, SAT_ERR_INVALID, "which backup is to go?");
    if (!sat__place_is_hub(at) && access(at, F_OK) != 0)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "there is no backup: '%s' does not exist", at);
    TRY(look(&in, SAT__PLACE_WRITE, err));
    TRY(sat__backup_state_open(profile, in.place.id, &state, err));
    TRY(sat__shelf_require(&in.shelf, &in.place, at, in.owner, version, &found,
                           err));
    return sat__shelf_remove(&in.place, profile->env, found, err);
}
