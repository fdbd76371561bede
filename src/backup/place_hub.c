/*
 * place_hub.c - backups at the hub of an account
 *
 *      begin, write, commit:  a file in memory ─ its hash ─> an address ─> PUT
 *      open, read:            an address ─> GET ─> a file in memory
 *
 * The hub gives out addresses, and counts a backup when it has found all
 * objects that its manifest needs; so a manifest is committed by naming it. An
 * object goes whole or not at all, and one that was torn off goes again, to a
 * fresh address.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "account/challenge.h"
#include "account/session.h"
#include "backup/hub_list.h"
#include "backup/manifest.h"
#include "base/error.h"
#include "net/fetch.h"

#define TRIES 6
#define PAUSE_MS 200           /* after the first try; then twice as long */
#define CACHED_MAX ((size_t)8) /* manifests */

/* A manifest that was seen: it is asked for more than once. */
typedef struct cached {
    sat__blob_name name;
    sat_buf bytes;
} cached;

typedef struct hub_place {
    const sat_env *env;
    sat__session session;      /* of a profile; closed where there is none */
    sat__hub guest;            /* of the phrase, else */
    sat__identity *guest_keys; /* made for this once */
    sat__hub *hub;             /* one of the two */
    sat__fetch fetch;
    sat__hub_list list;
    cached cache[CACHED_MAX];
    size_t cached_count;
    /* what is written */
    int part; /* its bytes, or -1 */
    sat__place_kind kind;
    sat__sha256_state hash;
    uint64_t size;
    sat_buf manifest; /* the same once more, where it is one */
    /* what is read */
    int got; /* or -1 */
    const cached *got_cached;
    size_t used;
} hub_place;

/* ---- asking ---- */

static sat_status ask(hub_place *in, const char *target, sat__map *map,
                      sat_buf *answer, sat_error *err)
{
    AUTO(sat_buf) body = SAT_BUF_INIT;
    TRY(sat__map_end(map, &body, err));
    answer->len = 0;
    return sat__hub_call(in->hub, "POST", target, buf_view(&body), answer, err);
}

/* After a failure that passes; false when there were enough of them. */
static bool may_try_again(const hub_place *in, sat_status st, unsigned *tries)
{
    uint8_t chance;
    if ((st != SAT_ERR_OFFLINE && st != SAT_ERR_DENIED) || ++*tries == TRIES)
        return false;
    in->env->random(in->env->context, &chance, 1);
    const unsigned long ms =
        ((unsigned long)PAUSE_MS << (*tries - 1)) * (192U + chance / 2U) / 256U;
    const struct timespec pause = {(time_t)(ms / 1000),
                                   (long)(ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL); /* a signal wakes whoever wants to stop */
    return true;
}

static sat_status try_list(hub_place *in, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    sat__hub_list_clear(&in->list);
    TRY(ask(in, "/v0/backup/list", &map, &answer, err));
    return sat__hub_list_read(buf_view(&answer), &in->list, err);
}

static sat_status take_stock(hub_place *in, sat_error *err)
{
    unsigned tries = 0;
    sat_status st;
    do
        st = try_list(in, err);
    while (st == SAT_ERR_OFFLINE && may_try_again(in, st, &tries));
    return st;
}

static sat_status hub_list(void *self, sat__place_kind kind,
                           sat__place_fn *each, void *context, sat_error *err)
{
    const hub_place *const in = self;
    for (size_t i = 0; i < in->list.count; i++)
        if (in->list.objects[i].kind == kind)
            TRY(each(&in->list.objects[i].object, context, err));
    return SAT_OK;
}

/* ---- writing ---- */

static void close_file(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static sat_status open_file(int *fd, sat_error *err)
{
    close_file(fd);
    *fd = memfd_create("satchel-backup", MFD_CLOEXEC);
    return *fd >= 0 ? SAT_OK
                    : sat__fail_os(err, errno, "no memory for an object");
}

static sat_status hub_begin(void *self, sat__place_kind kind, sat_error *err)
{
    hub_place *const in = self;
    in->kind = kind;
    in->size = 0;
    in->manifest.len = 0;
    sat__sha256_init(&in->hash);
    return open_file(&in->part, err);
}

static sat_status hub_write(void *self, sat_bytes bytes, sat_error *err)
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
    TRY(ask(in, "/v0/backup/upload_url", &map, &answer, err));
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
    while (may_try_again(in, st, &tries));
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
    return ask(in, "/v0/backup/complete_upload", &map, &answer, err);
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
    while (may_try_again(in, st, &tries));
    if (st != SAT_OK && st != SAT_ERR_CONFLICT)
        return too_large(st, err);
    TRY(take_stock(in, err));
    return st == SAT_OK || is_counted(in, object)
               ? SAT_OK
               : sat__fail(err, SAT_ERR_CONFLICT,
                           "another device made backup %llu meanwhile",
                           (unsigned long long)manifest.number);
}

static void hub_abandon(void *self)
{
    hub_place *const in = self;
    close_file(&in->part);
}

static sat_status hub_commit(void *self, sat__blob_name *out, sat_error *err)
{
    hub_place *const in = self;
    sat__hub_object object = {.kind = in->kind};
    TRY(upload(in, &object, err));
    if (in->kind == SAT__PLACE_MANIFEST)
        TRY(complete(in, &object, err));
    else
        TRY(sat__hub_list_add(&in->list, &object, err));
    close_file(&in->part);
    *out = object.object.name;
    return SAT_OK;
}

/* ---- reading ---- */

static sat_status try_download(hub_place *in, const sat__hub_object *object,
                               sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    char url[SAT_FETCH_URL_SIZE];
    map_put_text(&map, "key", object->key);
    TRY(ask(in, "/v0/backup/download_url", &map, &answer, err));
    TRY(sat__map_text(buf_view(&answer), "url", url, sizeof url, err));
    return sat__fetch_get(&in->fetch, url, in->got, object->object.size, err);
}

/* What has come of it stays, and the next try goes on there. */
static sat_status download(hub_place *in, const sat__hub_object *object,
                           sat_error *err)
{
    unsigned tries = 0;
    sat_status st;
    TRY(open_file(&in->got, err));
    do
        st = try_download(in, object, err);
    while (may_try_again(in, st, &tries));
    if (st == SAT_OK && lseek(in->got, 0, SEEK_SET) != 0)
        return sat__fail_os(err, errno, "cannot read an object");
    return st;
}

static sat_status read_file(int fd, uint8_t *out, size_t len, sat_error *err)
{
    while (len > 0) {
        const ssize_t got = read(fd, out, len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sat__fail_os(err, errno, "cannot read an object");
        if (got == 0)
            return sat__fail(err, SAT_ERR_CORRUPT, "an object ends too early");
        out += got;
        len -= (size_t)got;
    }
    return SAT_OK;
}

static const cached *find_cached(const hub_place *in,
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
    cached *const to = &in->cache[in->cached_count];
    if (object->kind != SAT__PLACE_MANIFEST || in->cached_count == CACHED_MAX ||
        size > ((size_t)1 << 20))
        return SAT_OK;
    to->name = object->object.name;
    to->bytes.len = 0;
    if (!sat__buf_reserve(&to->bytes, size + 1))
        return sat__buf_status(&to->bytes, err);
    TRY(read_file(in->got, to->bytes.data, size, err));
    to->bytes.len = size;
    in->got_cached = to;
    in->cached_count++;
    return SAT_OK;
}

static sat_status hub_open(void *self, sat__place_kind kind,
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

static sat_status hub_read(void *self, uint8_t *out, size_t len, sat_error *err)
{
    hub_place *const in = self;
    if (in->got_cached == NULL)
        return read_file(in->got, out, len, err);
    if (len > in->got_cached->bytes.len - in->used)
        return sat__fail(err, SAT_ERR_CORRUPT, "an object ends too early");
    memcpy(out, in->got_cached->bytes.data + in->used, len);
    in->used += len;
    return SAT_OK;
}

/* ---- removing ---- */

/* Packs go by themselves when no backup names them any more. */
static sat_status hub_remove(void *self, sat__place_kind kind,
                             const sat__blob_name *name, sat_error *err)
{
    hub_place *const in = self;
    const sat__hub_object *const object =
        sat__hub_list_find(&in->list, kind, name);
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    if (kind == SAT__PLACE_PACK || object == NULL)
        return SAT_OK;
    map_put_uint(&map, "version", object->version);
    const sat_status st = ask(in, "/v0/backup/delete", &map, &answer, err);
    if (st != SAT_OK && st != SAT_ERR_NOT_FOUND)
        return st;
    return take_stock(in, err);
}

static sat_status hub_check(void *self, sat_error *err)
{
    (void)self;
    (void)err;
    return SAT_OK;
}

static void log_out(hub_place *in)
{
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    if (in->guest.access[0] == 0)
        return;
    const sat_status st = sat__hub_call(&in->guest, "POST", "/api/auth/logout",
                                        bytes_of(NULL, 0), &answer, NULL);
    (void)st; /* it runs out by itself */
}

static void hub_close(void *self)
{
    hub_place *const in = self;
    log_out(in);
    close_file(&in->part);
    close_file(&in->got);
    for (size_t i = 0; i < CACHED_MAX; i++)
        sat__buf_clear(&in->cache[i].bytes);
    sat__buf_clear(&in->manifest);
    sat__hub_list_clear(&in->list);
    sat__session_close(&in->session);
    sat__hub_close(&in->guest);
    sat__identity_free(in->guest_keys);
    free(in);
}

static const sat__place_calls calls = {
    hub_list, hub_begin, hub_write,  hub_commit, hub_abandon,
    hub_open, hub_read,  hub_remove, hub_check,  hub_close};

/* ---- opening ---- */

static sat_status enter_profile(hub_place *in, sat_profile *profile,
                                uint8_t account[32], sat_error *err)
{
    TRY(sat__session_open(profile, &in->session, err));
    TRY(sat__session_require(&in->session, err));
    const sat__id *const id = sat__chain_id(in->session.chain);
    if (id == NULL)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "this profile's account has no chain yet");
    memcpy(account, id->bytes, sizeof id->bytes);
    in->hub = &in->session.hub;
    return sat__url_parse(in->session.url, &in->fetch.own.url, err);
}

static sat_status enter_guest(hub_place *in, const char *url,
                              const sat__root *phrase, uint8_t account[32],
                              sat_error *err)
{
    char pinned[SAT_HUB_URL_SIZE];
    TRY(sat__hub_pin(url, pinned, err));
    TRY(sat__url_parse(pinned, &in->fetch.own.url, err));
    TRY(sat__identity_generate(in->env, &in->guest_keys, err));
    TRY(sat__hub_open(pinned, in->guest_keys, NULL, NULL, &in->guest, err));
    in->hub = &in->guest;
    return sat__hub_login_phrase(&in->guest, phrase, "restoring", account, err);
}

static sat_status read_settings(hub_place *in, sat__place *out, sat_error *err)
{
    AUTO(sat__map) map = {.count = 0};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    uint64_t keep_count;
    TRY(ask(in, "/v0/backup/settings", &map, &answer, err));
    TRY(sat__map_uint(buf_view(&answer), "keep", &keep_count, err));
    TRY(sat__map_uint(buf_view(&answer), "size_max", &out->limit, err));
    if (keep_count == 0 || keep_count > SAT_HUB_BACKUPS_MAX)
        return sat__fail(err, SAT_ERR_CORRUPT, "the hub keeps no backups");
    out->keep = (unsigned)keep_count;
    return SAT_OK;
}

static sat_status enter(hub_place *in, const char *where,
                        const sat__place_access *access, sat__place *out,
                        sat_error *err)
{
    static const char kind[] = "hub";
    uint8_t account[32], digest[SAT_SHA256_SIZE];
    sat__sha256_state hash;
    if (access->phrase != NULL)
        TRY(enter_guest(in, where, access->phrase, account, err));
    else if (access->profile != NULL)
        TRY(enter_profile(in, access->profile, account, err));
    else
        return sat__fail(err, SAT_ERR_INVALID, "there is no hub to ask");
    sat__sha256_init(&hash);
    sat__sha256_update(&hash, bytes_of(kind, sizeof kind));
    sat__sha256_update(&hash, bytes_of(account, sizeof account));
    sat__sha256_final(&hash, digest);
    sat__hex_format(digest, 16, out->id);
    TRY(read_settings(in, out, err));
    return take_stock(in, err);
}

sat_status sat__place_open_hub(const char *where,
                               const sat__place_access *access, sat__place *out,
                               sat_error *err)
{
    hub_place *const in = calloc(1, sizeof *in);
    if (in == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a place");
    in->env = access->env;
    in->part = in->got = -1;
    sat__place place = {.calls = &calls, .self = in};
    const sat_status st = enter(in, where, access, &place, err);
    if (st != SAT_OK) {
        place_close(&place);
        return st;
    }
    *out = place;
    return SAT_OK;
}
