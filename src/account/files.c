/*
 * files.c - blobs of a vault's media files, by way of the hub
 *
 * Rows go before blobs. So whoever asks what the hub lacks has said already
 * which files are needed, and nobody who has seen that lets them go.
 */
#include "account/files.h"

#include <stdio.h>

#include "account/address.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/sql.h"
#include "crypto/stream.h"
#include "store/blob_part.h"
#include "store/file.h"
#include "store/vault.h"

#define PART_SIZE ((uint64_t)4 << 20)
#define ASKED_MAX 500
#define DAY_MS ((uint64_t)86400000)

typedef struct files_run {
    sat__follow *follow;
    char folder[SAT_PATH_SIZE];
    sat_buf piece;
    sat_error first;    /* what was wrong with one file … */
    sat_status trouble; /* … and held up no other */
} files_run;

static void files_run_clear(files_run *run)
{
    sat__buf_clear(&run->piece);
}

DEFINE_AUTO(files_run, files_run_clear);

typedef struct some_files {
    struct {
        sat__blob_name name;
        uint64_t size, parts; /* parts: how many the hub has */
    } list[ASKED_MAX];
    size_t count;
} some_files;

static uint64_t parts_of(uint64_t size)
{
    return (size + PART_SIZE - 1) / PART_SIZE;
}

/* What is wrong with one file is told at the end. */
static sat_status note(files_run *run, const sat__blob_name *name,
                       sat_status status, const sat_error *err)
{
    if (status != SAT_ERR_CORRUPT && status != SAT_ERR_NOT_FOUND)
        return status;
    if (run->trouble == SAT_OK && status == SAT_ERR_CORRUPT) {
        run->trouble = status;
        (void)sat__fail(&run->first, status, "media file %.16s…: %s",
                        name->text, err->message);
    }
    return SAT_OK;
}

/* ---- asking ---- */

static sat_status call(files_run *run, const char *what, sat__map *map,
                       sat_buf *answer, sat_error *err)
{
    AUTO(sat_buf) body = SAT_BUF_INIT;
    char target[160], path[48];

    (void)snprintf(path, sizeof path, "blobs/%s", what);
    sat__vault_target(&run->follow->id, path, target, sizeof target);
    TRY(sat__map_end(map, &body, err));
    return sat__hub_call(&run->follow->session->hub, "POST", target,
                         buf_view(&body), answer, err);
}

static sat_status put_hash(sat__map *map, const sat__blob_name *name,
                           sat_error *err)
{
    uint8_t hash[SAT_SHA256_SIZE];

    TRY(sat__hex_parse(name->text, hash, sizeof hash, err));
    sat__cbor_put_bytes(&map->values, hash, sizeof hash);
    return SAT_OK;
}

/* How much of each of these the hub has. */
static sat_status ask_parts(files_run *run, some_files *some, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    sat__cbor in;
    size_t count;

    if (some->count == 0)
        return SAT_OK;
    sat__map_key(&map, "files");
    sat__cbor_put_array(&map.values, some->count);
    for (size_t i = 0; i < some->count; i++)
        TRY(put_hash(&map, &some->list[i].name, err));
    TRY(call(run, "parts", &map, &answer, err));
    TRY(sat__map_get(buf_view(&answer), "parts", &in, err));
    TRY(sat__cbor_array(&in, ASKED_MAX, &count, err));
    if (count != some->count)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub does not say what files it has");
    for (size_t i = 0; i < count; i++)
        TRY(sat__cbor_uint(&in, &some->list[i].parts, err));
    return sat__cbor_done(&in, err);
}

/* {"file", "part"} */
static sat_status put_part(sat__map *map, const sat__blob_name *name,
                           uint64_t part, sat_error *err)
{
    map_put_uint(map, "part", part);
    sat__map_key(map, "file");
    return put_hash(map, name, err);
}

/* ---- taking ---- */

/* The part in which `offset` is, from there on. */
static sat_status take_part(files_run *run, const sat__blob_name *name,
                            uint64_t offset, uint64_t size, uint64_t *got,
                            sat_error *err)
{
    const uint64_t part = offset / PART_SIZE;
    const uint64_t left = size - part * PART_SIZE;
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    sat__address address;

    TRY(put_part(&map, name, part, err));
    TRY(call(run, "download_url", &map, &answer, err));
    TRY(sat__address_read_download(buf_view(&answer), &address, err));
    if (address.size != (left < PART_SIZE ? left : PART_SIZE))
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub has another file than was asked for");
    TRY(sat__address_get(&run->follow->session->hub, &address, PART_SIZE,
                         &run->piece, err));
    const size_t begin = (size_t)(offset - part * PART_SIZE);
    *got = run->piece.len - begin;
    return sat__blob_part_put(
        run->folder, name, offset,
        bytes_of(run->piece.data + begin, run->piece.len - begin), size, err);
}

static sat_status take(files_run *run, const sat__blob_name *name,
                       uint64_t size, uint64_t parts, sat_error *err)
{
    uint64_t offset = sat__blob_part_size(run->folder, name);

    while (offset < size && offset / PART_SIZE < parts) {
        uint64_t got = 0;
        const sat_status status = take_part(run, name, offset, size, &got, err);
        if (status == SAT_ERR_BUSY || status == SAT_ERR_CONFLICT)
            return SAT_OK; /* another process brings it */
        TRY(status);
        offset += got;
        TRY(sat__follow_progress(run->follow, err));
    }
    return SAT_OK;
}

static sat_status want(const sat__blob_name *name, uint64_t size, void *context,
                       sat_error *err)
{
    some_files *const some = context;

    (void)err;
    if (some->count == ASKED_MAX)
        return SAT_ERR_STOPPED;
    some->list[some->count].name = *name;
    some->list[some->count++].size = size;
    return SAT_OK;
}

/* Lists first: no reading of the database stays open meanwhile. */
static sat_status take_all(files_run *run, sat_error *err)
{
    AUTO_FREE some_files *some = calloc(1, sizeof *some);
    sat__blob_name after = {""};

    if (some == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    do {
        some->count = 0;
        const sat_status status = sat__file_missing(
            run->follow->db, run->folder, &after, want, some, err);
        if (status != SAT_ERR_STOPPED)
            TRY(status);
        TRY(ask_parts(run, some, err));
        for (size_t i = 0; i < some->count; i++) {
            const sat__blob_name *const name = &some->list[i].name;
            TRY(note(
                run, name,
                take(run, name, some->list[i].size, some->list[i].parts, err),
                err));
            after = *name;
        }
    } while (some->count == ASKED_MAX);
    return SAT_OK;
}

/* ---- giving ---- */

static sat_status give_part(files_run *run, const sat__blob_name *name,
                            uint64_t part, bool is_last, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0}, done = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    sat__address address;
    uint8_t hash[SAT_SHA256_SIZE], md5[16];
    char key[64];

    sat__sha256(buf_view(&run->piece), hash);
    map_put_uint(&map, "size", run->piece.len);
    map_put_bytes(&map, "sha256", bytes_of(hash, sizeof hash));
    sat__md5(buf_view(&run->piece), md5);
    map_put_bytes(&map, "md5", bytes_of(md5, sizeof md5));
    TRY(call(run, "upload_url", &map, &answer, err));
    TRY(sat__address_read_upload(buf_view(&answer), &address, err));
    TRY(sat__map_text(buf_view(&answer), "key", key, sizeof key, err));
    TRY(sat__address_put(&run->follow->session->hub, &address,
                         buf_view(&run->piece), err));
    map_put_text(&done, "key", key);
    sat__map_key(&done, "last");
    sat__cbor_put_bool(&done.values, is_last);
    TRY(put_part(&done, name, part, err));
    TRY(call(run, "complete_upload", &done, &answer, err));
    return sat__follow_progress(run->follow, err);
}

/*
 * Reads all of it, also what the hub has already: the last part goes only where
 * the whole is what its name says. Parts that came from elsewhere meanwhile
 * are told apart by the hub.
 */
static sat_status give(files_run *run, const sat__blob_name *name,
                       uint64_t parts, sat_error *err)
{
    sat__sha256_state state;
    uint8_t hash[SAT_SHA256_SIZE];
    char text[sizeof name->text];
    uint64_t size = 1;

    sat__sha256_init(&state);
    for (uint64_t at = 0; at < size; at += PART_SIZE) {
        run->piece.len = 0;
        TRY(sat__blob_read(run->folder, name, at, PART_SIZE, &run->piece, &size,
                           err));
        sat__sha256_update(&state, buf_view(&run->piece));
        const bool is_last = at + PART_SIZE >= size;
        if (is_last) {
            sat__sha256_final(&state, hash);
            sat__hex_format(hash, sizeof hash, text);
            if (strcmp(text, name->text) != 0)
                return sat__fail(err, SAT_ERR_CORRUPT,
                                 "it is damaged on this device");
        }
        if (at / PART_SIZE >= parts)
            TRY(give_part(run, name, at / PART_SIZE, is_last, err));
    }
    return SAT_OK;
}

static sat_status give_some(files_run *run, some_files *some, sat_error *err)
{
    TRY(ask_parts(run, some, err));
    for (size_t i = 0; i < some->count; i++) {
        const sat__blob_name *const name = &some->list[i].name;
        if (some->list[i].parts < parts_of(some->list[i].size))
            TRY(note(run, name, give(run, name, some->list[i].parts, err),
                     err));
    }
    some->count = 0;
    return SAT_OK;
}

/* ---- what is here ---- */

typedef struct held {
    files_run *run;
    sat_buf hashes; /* of the blobs that rows name and this device has */
    sat_buf sizes;
} held;

static void held_clear(held *h)
{
    sat__buf_clear(&h->hashes);
    sat__buf_clear(&h->sizes);
}

DEFINE_AUTO(held, held_clear);

static sat_status hold(const sat__media *media, void *context, sat_error *err)
{
    held *const h = context;
    const uint64_t size = sat__stream_size(media->size);

    if (!sat__blob_exists(h->run->folder, &media->blob))
        return SAT_OK;
    sat__buf_put(&h->hashes, &media->blob, sizeof media->blob);
    sat__buf_put(&h->sizes, &size, sizeof size);
    TRY(sat__buf_status(&h->sizes, err));
    return sat__buf_status(&h->hashes, err);
}

static sat_status give_held(files_run *run, const held *h, sat_error *err)
{
    AUTO_FREE some_files *some = calloc(1, sizeof *some);
    const size_t count = h->sizes.len / sizeof(uint64_t);

    if (some == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        memcpy(&some->list[some->count].name,
               h->hashes.data + i * sizeof(sat__blob_name),
               sizeof(sat__blob_name));
        memcpy(&some->list[some->count++].size,
               h->sizes.data + i * sizeof(uint64_t), sizeof(uint64_t));
        if (some->count == ASKED_MAX)
            TRY(give_some(run, some, err));
    }
    return give_some(run, some, err);
}

/* Asks anew where what is here has changed, and once a day. */
static sat_status give_all(files_run *run, bool is_due, sat_error *err)
{
    sat__follow *const follow = run->follow;
    AUTO(held) h = {.run = run};
    AUTO(sat_buf) before = SAT_BUF_INIT;
    uint8_t digest[SAT_SHA256_SIZE];
    bool found;

    TRY(sat__file_each(follow->db, hold, &h, err));
    sat__sha256(buf_view(&h.hashes), digest);
    TRY(sat__follow_get(follow, "files given", &before, &found, err));
    if (!is_due &&
        bytes_equal(buf_view(&before), bytes_of(digest, sizeof digest)))
        return SAT_OK;
    TRY(give_held(run, &h, err));
    return sat__follow_put(follow, "files given",
                           bytes_of(digest, sizeof digest), err);
}

/* ---- what nobody needs ---- */

typedef struct unneeded {
    sat_buf hashes; /* of 32 bytes each */
    uint8_t after[SAT_SHA256_SIZE];
    bool is_done;
} unneeded;

static void unneeded_clear(unneeded *u)
{
    sat__buf_clear(&u->hashes);
}

DEFINE_AUTO(unneeded, unneeded_clear);

static sat_status look_at(files_run *run, unneeded *u, sat_bytes file,
                          sat_error *err)
{
    uint8_t hash[SAT_SHA256_SIZE];
    sat__blob_name name;
    uint64_t size;

    TRY(sat__map_fixed(file, "file", hash, sizeof hash, err));
    if (memcmp(hash, u->after, sizeof hash) <= 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the hub's list of files is not in order");
    memcpy(u->after, hash, sizeof hash);
    sat__hex_format(hash, sizeof hash, name.text);
    const sat_status status =
        sat__file_blob_size(run->follow->db, &name, &size, err);
    if (status == SAT_ERR_NOT_FOUND)
        sat__buf_put(&u->hashes, hash, sizeof hash);
    else
        TRY(status);
    return sat__buf_status(&u->hashes, err);
}

static sat_status list_some(files_run *run, unneeded *u, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    sat__cbor in;
    size_t count;

    map_put_bytes(&map, "after", bytes_of(u->after, sizeof u->after));
    TRY(call(run, "list", &map, &answer, err));
    TRY(sat__map_bool(buf_view(&answer), "done", &u->is_done, err));
    TRY(sat__map_get(buf_view(&answer), "files", &in, err));
    TRY(sat__cbor_array(&in, 10000, &count, err));
    for (size_t i = 0; i < count; i++) {
        sat_bytes file;
        TRY(sat__cbor_skip(&in, &file, err));
        TRY(look_at(run, u, file, err));
    }
    if (count == 0)
        u->is_done = true;
    return SAT_OK;
}

/* The hub does it only while this head is the newest. */
static sat_status let_go(files_run *run, const unneeded *u, size_t at,
                         size_t count, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;

    map_put_uint(&map, "head_sequence", run->follow->head.sequence);
    sat__map_key(&map, "files");
    sat__cbor_put_array(&map.values, count);
    for (size_t i = 0; i < count; i++)
        sat__cbor_put_bytes(&map.values,
                            u->hashes.data + (at + i) * SAT_SHA256_SIZE,
                            SAT_SHA256_SIZE);
    return call(run, "delete", &map, &answer, err);
}

static sat_status sweep(files_run *run, sat_error *err)
{
    AUTO(unneeded) u = {.is_done = false};

    while (!u.is_done)
        TRY(list_some(run, &u, err));
    const size_t count = u.hashes.len / SAT_SHA256_SIZE;
    for (size_t at = 0; at < count; at += ASKED_MAX) {
        const size_t left = count - at;
        const sat_status status =
            let_go(run, &u, at, left < ASKED_MAX ? left : ASKED_MAX, err);
        if (status == SAT_ERR_CONFLICT)
            return SAT_OK; /* somebody wrote: another day */
        TRY(status);
    }
    return SAT_OK;
}

/* ---- all of it ---- */

/* Only who knows every row of files may say which blobs nobody needs. */
static sat_status has_files(const sat__follow *follow, bool *out,
                            sat_error *err)
{
    int64_t count;

    TRY(sat__sql_int(follow->db,
                     "SELECT count(*) FROM sync_tables WHERE uid = "
                     "'satchel_file' AND gen = 0 AND present",
                     &count, err));
    *out = count > 0 && follow->head.is_there;
    return SAT_OK;
}

static sat_status sync_in(files_run *run, sat_error *err)
{
    sat__follow *const follow = run->follow;
    const sat_env *const env = follow->session->env;
    const uint64_t now = env->wall(env->context);
    uint8_t number[8];
    uint64_t swept;

    TRY(sat__follow_number(follow, "files swept", &swept, err));
    const bool is_due = now > swept + DAY_MS;
    TRY(take_all(run, err));
    if (!sat__follow_may_write(follow))
        return SAT_OK;
    TRY(give_all(run, is_due, err));
    if (!is_due)
        return SAT_OK;
    TRY(sweep(run, err));
    bytes_put_u64(number, now);
    return sat__follow_put(follow, "files swept", bytes_of(number, 8), err);
}

sat_status sat__files_sync(sat__follow *follow, const char *name,
                           sat_error *err)
{
    AUTO(files_run) run = {.follow = follow};
    bool any;

    TRY(sat__replica_make_files(follow->replica, err));
    TRY(has_files(follow, &any, err));
    if (!any)
        return SAT_OK;
    TRY(sat__vault_file(follow->session->profile, name, ".files", run.folder,
                        err));
    TRY(sync_in(&run, err));
    if (run.trouble != SAT_OK)
        return sat__fail(err, run.trouble, "%s", run.first.message);
    return SAT_OK;
}
