/*
 * make.c - making a backup
 *
 * Vault after vault: the pages whose nonce is not the one that the chain has,
 * then the files that it does not have. Packs are recorded one by one, so what
 * was interrupted is continued like a chain, and the manifest, which comes
 * last, makes a backup of it all.
 */
#include <jansson.h>
#include <stdio.h>

#include "backup/copy.h"
#include "backup/sender.h"
#include "backup/shelf.h"
#include "backup/tidy.h"
#include "base/error.h"
#include "base/sql.h"
#include "satchel/backup.h"
#include "store/file.h"
#include "store/fs.h"
#include "store/media_stream.h"
#include "store/snapshot.h"
#include "store/vault_db.h"
#include "sync/replica.h"

#define CHAIN_PACKS_MAX 64 /* behind the base */
#define CHAIN_SLACK ((uint64_t)4 << 20)

typedef struct maker {
    sat_profile *profile;
    sat_backup_options options;
    sat__place place;
    sat__shelf shelf;
    sat__backup_state state;
    sat__manifest made;
    sat__sender sender;
    char folder[SAT_PATH_SIZE]; /* of the files of the present vault */
    uint32_t vault;             /* index of the present vault */
} maker;

static void maker_clear(maker *job)
{
    sat__sender_clear(&job->sender);
    sat__manifest_clear(&job->made);
    sat__backup_state_close(&job->state);
    sat__shelf_clear(&job->shelf);
    place_close(&job->place);
}
DEFINE_AUTO(maker, maker_clear);

/* The slot of the phrase, which says whose the backup is. */
static sat_status find_phrase(const sat_profile *profile, sat__keys_entry *out,
                              sat_error *err)
{
    for (size_t i = 0; i < profile->keys.count; i++)
        if (profile->keys.entries[i].slot.kind == SAT_SLOT_PHRASE) {
            *out = profile->keys.entries[i];
            return SAT_OK;
        }
    return sat__fail(err, SAT_ERR_UNSUPPORTED,
                     "the profile has no recovery phrase, so nobody could "
                     "restore a backup of it");
}

/* ---- the chain that this backup continues ---- */

static const uint8_t *owner_of(const maker *job)
{
    return job->made.keys.entries[0].slot.principal.sign;
}

static bool is_on_shelf(const sat__shelf *shelf, const sat__blob_name *name)
{
    for (size_t i = 0; i < shelf->count; i++)
        if (strcmp(shelf->manifests[i].name.text, name->text) == 0)
            return true;
    return false;
}

/* Folding: a new base where the chain has grown as large again as its base. */
static bool is_long(const sat__pack *packs, size_t count, size_t base)
{
    uint64_t of_base = 0;
    uint64_t behind = 0;
    for (size_t i = 0; i < count; i++)
        *(i < base ? &of_base : &behind) += packs[i].size;
    return count - base > CHAIN_PACKS_MAX || behind > of_base + CHAIN_SLACK;
}

static bool has_packs_of(const sat__manifest *manifest,
                         const sat__manifest *made)
{
    if (manifest->pack_count != made->pack_count)
        return false;
    for (size_t i = 0; i < made->pack_count; i++)
        if (strcmp(manifest->packs[i].name.text, made->packs[i].name.text) != 0)
            return false;
    return true;
}

/* The newest backup may be one that was made, and not noted any more. */
static sat_status note_unnoted(maker *job, sat_error *err)
{
    sat__manifest *const newest =
        sat__shelf_find(&job->shelf, owner_of(job), 0);
    if (newest == NULL || !has_packs_of(newest, &job->made) ||
        sat__manifest_unseal(newest, &job->profile->secrets->master, NULL) !=
            SAT_OK)
        return SAT_OK;
    return sat__backup_state_finish(&job->state, newest, err);
}

static sat_status may_continue(maker *job, bool *out, sat_error *err)
{
    sat__manifest *const made = &job->made;
    sat__blob_name last;
    int64_t base;
    *out = false;
    TRY(sat__backup_state_last(&job->state, &last, err));
    TRY(sat__backup_state_get(&job->state, SAT_BACKUP_BASE, &base, err));
    if (last.text[0] != 0 &&
        (!is_on_shelf(&job->shelf, &last) ||
         is_long(made->packs, made->pack_count, (size_t)base)))
        return SAT_OK;
    const sat_status st = sat__shelf_check(&job->place, made, err);
    *out = st == SAT_OK && made->pack_count > 0;
    made->base = (size_t)base;
    return st == SAT_ERR_CORRUPT ? SAT_OK : st;
}

static sat_status join_chain(maker *job, sat_error *err)
{
    sat__manifest *const made = &job->made;
    bool goes_on;
    TRY(sat__backup_state_packs(&job->state, &made->packs, &made->pack_count,
                                err));
    TRY(note_unnoted(job, err));
    TRY(may_continue(job, &goes_on, err));
    if (!goes_on) {
        made->pack_count = 0;
        made->base = 0;
        job->profile->env->random(job->profile->env->context, made->home.chain,
                                  sizeof made->home.chain);
        TRY(sat__backup_state_reset(&job->state, made->home.chain, err));
    }
    return sat__backup_state_chain(&job->state, made->home.chain, err);
}

/* ---- pages ---- */

/* What is known of the frame that is being filled. */
typedef struct scan {
    maker *job;
    const sat__snapshot *snapshot;
    const sat__backup_vault *vault;
    sat__send_job *frame; /* NULL: none is begun */
} scan;

static sat_status give_frame(scan *in)
{
    if (in->frame != NULL)
        sat__sender_give(&in->job->sender);
    in->frame = NULL;
    return SAT_OK;
}

static sat_status send_page(scan *in, uint32_t number, const uint8_t *page,
                            sat_error *err)
{
    sat__pack_page note = {.vault = in->job->vault, .page = number};
    if (in->frame == NULL) {
        TRY(sat__sender_job(&in->job->sender, &in->frame, err));
        in->frame->key = &in->snapshot->key;
        in->frame->vault = in->vault->name;
    }
    sat__send_job *const frame = in->frame;
    memcpy(frame->pages + frame->count * SAT_PAGE_SIZE, page, SAT_PAGE_SIZE);
    frame->numbers[frame->count++] = number;
    memcpy(note.nonce, page + SAT_PAGE_USED, sizeof note.nonce);
    sat__buf_put(&frame->record.pages, &note, sizeof note);
    return frame->count == SAT_FRAME_PAGES ? give_frame(in) : SAT_OK;
}

static sat_status scan_block(scan *in, uint32_t block, uint8_t *pages,
                             sat_error *err)
{
    static const uint8_t never[SAT_PAGE_NONCE_SIZE];
    const uint32_t first = block * SAT_STATE_BLOCK + 1;
    const uint32_t left = in->snapshot->pages - first + 1;
    const uint32_t count = left < SAT_STATE_BLOCK ? left : SAT_STATE_BLOCK;
    sat__nonces known;
    TRY(sat__backup_state_nonces(&in->job->state, in->vault->name, block,
                                 &known, err));
    TRY(sat__snapshot_read(in->snapshot, first, count, pages, err));
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *const page = pages + (size_t)i * SAT_PAGE_SIZE;
        const uint8_t *const nonce = page + SAT_PAGE_USED;
        if (memcmp(nonce, known.of[i], sizeof known.of[i]) != 0 ||
            memcmp(nonce, never, sizeof never) == 0)
            TRY(send_page(in, first + i, page, err));
        else
            in->job->sender.done += SAT_PAGE_SIZE;
    }
    return sat__sender_report(&in->job->sender, 0, err);
}

static sat_status scan_pages(maker *job, const sat__snapshot *snapshot,
                             sat_error *err)
{
    scan in = {.job = job,
               .snapshot = snapshot,
               .vault = &job->made.vaults[job->vault]};
    const uint32_t blocks =
        (snapshot->pages + SAT_STATE_BLOCK - 1) / SAT_STATE_BLOCK;
    AUTO_FREE uint8_t *pages = malloc((size_t)SAT_STATE_BLOCK * SAT_PAGE_SIZE);
    if (pages == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for pages");
    for (uint32_t i = 0; i < blocks; i++)
        TRY(scan_block(&in, i, pages, err));
    TRY(give_frame(&in));
    return sat__sender_drain(&job->sender, err);
}

/* ---- files ---- */

static sat_status plan_file(const sat__media *media, void *context,
                            sat_error *err)
{
    maker *const job = context;
    sat__todo todo = {
        .size = media->size, .blob = media->blob, .key = media->key};
    uint64_t done;
    bool is_there;
    if (!sat__blob_exists(job->folder, &media->blob)) {
        job->made.missing++;
        return SAT_OK;
    }
    job->made.files++;
    job->made.content += media->size;
    job->sender.total += media->size;
    TRY(sat__backup_state_blob(&job->state, job->made.vaults[job->vault].name,
                               &media->blob, &done, &is_there, err));
    job->sender.done += done;
    if (is_there && done == media->size)
        return SAT_OK;
    memcpy(todo.content, media->content, sizeof todo.content);
    const sat_status st = sat__backup_state_plan(&job->state, &todo, err);
    sat__file_key_wipe(&todo.key);
    return st;
}

static sat_status plan_files(maker *job, sqlite3 *db, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {NULL, false};
    TRY(sat__sql_begin(job->state.db, &change, err));
    TRY(sat__backup_state_unplan(&job->state, err));
    TRY(sat__file_each(db, plan_file, job, err));
    return sat__sql_commit(&change, err);
}

/* The frame of pieces that is being filled. */
typedef struct filling {
    maker *job;
    sat__send_job *frame; /* NULL: none is begun */
} filling;

static void give_pieces(filling *in)
{
    if (in->frame != NULL)
        sat__sender_give(&in->job->sender);
    in->frame = NULL;
}

/* Room for content in the frame, a new one where there is next to none. */
static sat_status make_room(filling *in, const char *vault, uint64_t wanted,
                            size_t *room, sat_error *err)
{
    if (in->frame != NULL) {
        *room = sat__frame_room(in->frame->len, vault);
        if (*room >= wanted || *room >= SAT_STREAM_CHUNK)
            return SAT_OK;
        give_pieces(in);
    }
    TRY(sat__sender_job(&in->job->sender, &in->frame, err));
    *room = sat__frame_room(0, vault);
    return SAT_OK;
}

static void put_piece(filling *in, const sat__file_piece *piece)
{
    sat__send_job *const frame = in->frame;
    const sat__pack_blob note = {.vault = in->job->vault,
                                 .blob = piece->blob,
                                 .done = piece->offset + piece->bytes.len};
    frame->len = sat__frame_put_piece(frame->frame, frame->len, piece);
    sat__buf_put(&frame->record.blobs, &note, sizeof note);
}

/* Reads content from `piece->offset` on, at most `room` bytes of it. */
static sat_status read_content(sat__media_reader *reader,
                               const sat__file_piece *piece, size_t room,
                               sat_buf *out, sat_error *err)
{
    const size_t skip = (size_t)(piece->offset % SAT_STREAM_CHUNK);
    uint64_t index = piece->offset / SAT_STREAM_CHUNK;
    out->len = 0;
    do
        TRY(sat__media_chunk(reader, index++, out, err));
    while (out->len < skip + room && index * SAT_STREAM_CHUNK < piece->size);
    const size_t there = out->len - skip;
    out->len = skip + (there < room ? there : room);
    return SAT_OK;
}

static sat_status send_pieces(filling *in, sat__media_reader *reader,
                              sat__file_piece *piece, sat_buf *content,
                              sat_error *err)
{
    size_t room;
    do {
        const size_t skip = (size_t)(piece->offset % SAT_STREAM_CHUNK);
        TRY(make_room(in, piece->vault, piece->size - piece->offset, &room,
                      err));
        TRY(read_content(reader, piece, room, content, err));
        piece->bytes = bytes_of(content->data + skip, content->len - skip);
        put_piece(in, piece);
        piece->offset += piece->bytes.len;
    } while (piece->offset < piece->size);
    return SAT_OK;
}

/* A file that went, or is damaged on this device, is missing in the backup. */
static sat_status send_file(filling *in, const sat__todo *todo,
                            sat_buf *content, sat_error *err)
{
    maker *const job = in->job;
    const char *const vault = job->made.vaults[job->vault].name;
    AUTO(sat__media_reader) reader = SAT_MEDIA_READER_INIT;
    sat__file_piece piece = {
        .blob = todo->blob, .size = todo->size, .key = todo->key};
    bool is_there;
    (void)snprintf(piece.vault, sizeof piece.vault, "%s", vault);
    memcpy(piece.content, todo->content, sizeof piece.content);
    TRY(sat__backup_state_blob(&job->state, vault, &todo->blob, &piece.offset,
                               &is_there, err));
    sat_status st = sat__media_open(&reader, job->folder, &todo->blob,
                                    &todo->key, todo->size, err);
    memcpy(piece.header, reader.header, sizeof piece.header);
    if (st == SAT_OK)
        st = send_pieces(in, &reader, &piece, content, err);
    sat__file_key_wipe(&piece.key);
    if (st != SAT_ERR_NOT_FOUND && st != SAT_ERR_CORRUPT)
        return st;
    job->made.missing++;
    job->made.files--;
    return SAT_OK;
}

static sat_status send_files(maker *job, sat_error *err)
{
    filling in = {.job = job};
    AUTO(sat_buf) content = SAT_BUF_INIT;
    sat__todo todo = {.id = 0};
    bool found = true;
    while (found) {
        TRY(sat__backup_state_next(&job->state, todo.id, &todo, &found, err));
        if (found)
            TRY(send_file(&in, &todo, &content, err));
    }
    sat__file_key_wipe(&todo.key);
    give_pieces(&in);
    TRY(sat__sender_drain(&job->sender, err));
    return sat__backup_state_unplan(&job->state, err);
}

/* ---- vaults ---- */

/* What was written gets its numbers before it is copied: else the device that
 * restores it would number it once more. */
static sat_status collect(const maker *job, const char *name, sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    AUTO_PTR(sqlite3) db = NULL;
    int64_t is_replica;
    TRY(sat__vault_open(job->profile, name, 0, &db, err));
    TRY(sat__sql_int(db,
                     "SELECT count(*) FROM sqlite_master WHERE name = "
                     "'sync_incarnations'",
                     &is_replica, err));
    if (is_replica == 0)
        return SAT_OK;
    TRY(sat_replica_open(job->profile, name, &replica, err));
    return sat__replica_collect(replica, NULL, err);
}

static sat_status send_vault(maker *job, sat_error *err)
{
    sat__backup_vault *const vault = &job->made.vaults[job->vault];
    TRY(collect(job, vault->name, err));
    TRY(sat__vault_file(job->profile, vault->name, ".files", job->folder, err));
    {
        AUTO(sat__snapshot) snapshot = {.db = NULL};
        TRY(sat__snapshot_begin(job->profile, vault->name, &snapshot, err));
        vault->pages = snapshot.pages;
        job->made.content += (uint64_t)vault->pages * SAT_PAGE_SIZE;
        job->sender.total += (uint64_t)vault->pages * SAT_PAGE_SIZE;
        const sat_status st = scan_pages(job, &snapshot, err);
        if (st != SAT_OK) /* the workers need the snapshot's key */
            sat__crew_free(TAKE(job->sender.crew));
        TRY(st);
        TRY(plan_files(job, snapshot.db, err));
    }
    return send_files(job, err);
}

static sat_status note_vault(const char *name, void *context, sat_error *err)
{
    sat__manifest *const made = context;
    (void)err;
    (void)snprintf(made->vaults[made->vault_count++].name,
                   SAT_VAULT_NAME_MAX + 1, "%s", name);
    return SAT_OK;
}

/* Deterministic, as far as JSON is. */
static sat_status describe_settings(const sat_profile *profile, sat_buf *out,
                                    sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO(sat_buf) conf = SAT_BUF_INIT;
    TRY(sat__profile_file(profile, "satchel.conf", path, err));
    TRY(sat__fs_read(path, (size_t)1 << 20, &conf, err));
    json_t *const json =
        json_pack("{s:s, s:s%}", "device_name", profile->conf.device_name,
                  "satchel.conf", sat__buf_text(&conf), conf.len);
    char *const text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text != NULL)
        sat__buf_put_text(out, text);
    free(text);
    return sat__buf_status(out, err);
}

/* Everything of the manifest that is known before anything is read. */
static sat_status prepare(maker *job, sat_error *err)
{
    const sat_profile *const profile = job->profile;
    sat__manifest *const made = &job->made;
    made->created = profile->env->wall(profile->env->context);
    made->keys.device = profile->keys.device;
    made->keys.generation = profile->keys.generation;
    made->keys.count = 1;
    memcpy(made->home.device, profile->device_id, sizeof made->home.device);
    (void)snprintf(made->device_name, sizeof made->device_name, "%s",
                   profile->conf.device_name);
    made->secret_key = profile->secrets->secret_key;
    made->vaults = calloc(SAT_VAULTS_MAX, sizeof *made->vaults);
    if (made->vaults == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a manifest");
    TRY(find_phrase(profile, &made->keys.entries[0], err));
    TRY(sat_vault_list(job->profile, note_vault, made, err));
    return describe_settings(profile, &made->settings, err);
}

/* One more than any that this device made or finds here. */
static sat_status choose_number(maker *job, sat_error *err)
{
    const sat__manifest *const newest =
        sat__shelf_find(&job->shelf, owner_of(job), 0);
    int64_t highest;
    TRY(sat__backup_state_get(&job->state, SAT_BACKUP_NUMBER, &highest, err));
    job->made.number = (uint64_t)highest + 1;
    if (newest != NULL && newest->number > (uint64_t)highest)
        job->made.number = newest->number + 1;
    return SAT_OK;
}

static sat_status send_all(maker *job, sat_error *err)
{
    sat__sender *const sender = &job->sender;
    sender->env = job->profile->env;
    sender->place = &job->place;
    sender->state = &job->state;
    sender->vaults = job->made.vaults;
    sender->home = job->made.home;
    sender->ordinal = job->made.pack_count;
    sender->progress =
        (sat__progress){job->options.progress, job->options.context};
    TRY(sat__sender_begin(sender, err));
    for (job->vault = 0; job->vault < job->made.vault_count; job->vault++)
        TRY(send_vault(job, err));
    return sat__sender_end(sender, err);
}

static uint64_t without_manifest(const sat__manifest *made)
{
    return sat__manifest_total(made) - made->size;
}

static sat_status check_limit(const maker *job, sat_error *err)
{
    const uint64_t size = without_manifest(&job->made);
    if (job->options.limit == 0 || size <= job->options.limit)
        return SAT_OK;
    return sat__fail(
        err, SAT_ERR_FULL, "the backup has %llu bytes, and the limit is %llu",
        (unsigned long long)size, (unsigned long long)job->options.limit);
}

/* Where somebody reads, the next backup will. */
static sat_status prune(maker *job, sat_error *err)
{
    const sat_status st = sat__shelf_prune(
        &job->place, job->profile->env, owner_of(job), job->options.keep, err);
    return st == SAT_ERR_BUSY ? SAT_OK : st;
}

/* The manifest makes a backup of what was sent. */
static sat_status conclude(maker *job, sat_error *err)
{
    sat__manifest *const made = &job->made;
    const sat_profile *const profile = job->profile;
    const size_t before = made->pack_count;
    free(TAKE(made->packs));
    TRY(sat__backup_state_packs(&job->state, &made->packs, &made->pack_count,
                                err));
    if (before == 0 || made->base == 0)
        made->base = made->pack_count;
    TRY(check_limit(job, err));
    TRY(sat__shelf_check(&job->place, made, err));
    TRY(sat__manifest_put(made, profile->env, &profile->secrets->master,
                          profile->secrets->identity, &job->place, err));
    TRY(sat__backup_state_finish(&job->state, made, err));
    return prune(job, err);
}

/* ---- where it went ---- */

sat_status sat_backup_place(const sat_profile *profile, char out[SAT_PATH_SIZE],
                            sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO(sat_buf) text = SAT_BUF_INIT;
    TRY(sat__profile_file(profile, "backup/place", path, err));
    TRY(sat__fs_read(path, SAT_PATH_SIZE - 1, &text, err));
    (void)snprintf(out, SAT_PATH_SIZE, "%s", sat__buf_text(&text));
    return SAT_OK;
}

static sat_status remember_place(const sat_profile *profile, const char *to,
                                 sat_error *err)
{
    char path[SAT_PATH_SIZE];
    AUTO_FREE char *real = realpath(to, NULL);
    if (real == NULL)
        return SAT_OK; /* it is there, but can not be looked at */
    TRY(sat__profile_file(profile, "backup/place", path, err));
    return sat__fs_replace(path, bytes_of(real, strlen(real)), err);
}

static void describe(const maker *job, sat_backup *out)
{
    const sat__manifest *const made = &job->made;
    *out = (sat_backup){.version = made->number,
                        .created = made->created,
                        .size = sat__manifest_total(made),
                        .uploaded = job->sender.sent + made->size,
                        .files = made->files,
                        .missing = made->missing,
                        .device = sat_profile_device_name(job->profile),
                        .signer = sat_profile_device_id(job->profile)};
}

static sat_status make(maker *job, const char *to, sat_error *err)
{
    const sat_env *const env = job->profile->env;
    TRY(sat__profile_require(job->profile, err));
    TRY(sat__profile_reload(job->profile, err));
    sat__restore_tidy(job->profile->path, -1);
    TRY(prepare(job, err));
    TRY(sat__place_open(to, env, SAT__PLACE_WRITE, &job->place, err));
    TRY(sat__backup_state_open(job->profile, job->place.id, &job->state, err));
    TRY(sat__shelf_read(&job->place, &job->shelf, err));
    TRY(join_chain(job, err));
    TRY(prune(job, err)); /* of one that was interrupted before it did */
    TRY(choose_number(job, err));
    TRY(send_all(job, err));
    return conclude(job, err);
}

static sat_status complete(const sat_backup_options *options,
                           sat_backup_options *out, sat_error *err)
{
    *out = (sat_backup_options)SAT_BACKUP_INIT;
    if (options == NULL)
        return SAT_OK;
    if (options->size > sizeof *out)
        return sat__fail(err, SAT_ERR_VERSION, "options of a newer version");
    memcpy(out, options, options->size);
    if (out->keep == 0)
        return sat__fail(err, SAT_ERR_INVALID, "no backup would be kept");
    return SAT_OK;
}

#define MAKER_INIT(profile)                                                    \
    {                                                                          \
        (profile), .state = SAT_BACKUP_STATE_INIT, .made = SAT_MANIFEST_INIT,  \
                   .sender = {                                                 \
                       .pack = SAT_PACK_WRITER_INIT,                           \
                       .record = SAT_PACK_RECORD_INIT                          \
                   }                                                           \
    }

sat_status sat_backup_make(sat_profile *profile, const char *to,
                           const sat_backup_options *options, sat_backup *out,
                           sat_error *err)
{
    AUTO(maker) job = MAKER_INIT(profile);
    TRY(complete(options, &job.options, err));
    TRY(make(&job, to, err));
    TRY(remember_place(profile, to, err));
    if (out != NULL)
        describe(&job, out);
    return SAT_OK;
}

sat_status sat__backup_copy(sat_profile *profile, const char *to,
                            const sat_backup_options *options, sat_error *err)
{
    AUTO(maker) job = MAKER_INIT(profile);
    TRY(complete(options, &job.options, err));
    TRY(make(&job, to, err));
    return sat__backup_state_remove(profile, job.place.id, &job.state, err);
}
