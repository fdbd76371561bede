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
#include "backup/hub_place.h"
#include "base/error.h"

#define TRIES 6
#define PAUSE_MS 200 /* after the first try; then twice as long */

/* ---- asking ---- */

sat_status hub_place_ask(hub_place *in, const char *target, sat__map *map,
                         sat_buf *answer, sat_error *err)
{
    AUTO(sat_buf) body = SAT_BUF_INIT;
    TRY(sat__map_end(map, &body, err));
    answer->len = 0;
    return sat__hub_call(in->hub, "POST", target, buf_view(&body), answer, err);
}

bool hub_place_may_try_again(const hub_place *in, sat_status st,
                             unsigned *tries)
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
    TRY(hub_place_ask(in, "/v0/backup/list", &map, &answer, err));
    return sat__hub_list_read(buf_view(&answer), &in->list, err);
}

sat_status hub_place_take_stock(hub_place *in, sat_error *err)
{
    unsigned tries = 0;
    sat_status st;
    do
        st = try_list(in, err);
    while (st == SAT_ERR_OFFLINE && hub_place_may_try_again(in, st, &tries));
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

/* ---- files in memory ---- */

void hub_place_close_file(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

sat_status hub_place_open_file(int *fd, sat_error *err)
{
    hub_place_close_file(fd);
    *fd = memfd_create("satchel-backup", MFD_CLOEXEC);
    return *fd >= 0 ? SAT_OK
                    : sat__fail_os(err, errno, "no memory for an object");
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
    const sat_status st =
        hub_place_ask(in, "/v0/backup/delete", &map, &answer, err);
    if (st != SAT_OK && st != SAT_ERR_NOT_FOUND)
        return st;
    return hub_place_take_stock(in, err);
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
    hub_place_close_file(&in->part);
    hub_place_close_file(&in->got);
    for (size_t i = 0; i < HUB_PLACE_CACHED_MAX; i++)
        sat__buf_clear(&in->cache[i].bytes);
    sat__buf_clear(&in->manifest);
    sat__hub_list_clear(&in->list);
    sat__session_close(&in->session);
    sat__hub_close(&in->guest);
    sat__identity_free(in->guest_keys);
    free(in);
}

static const sat__place_calls calls = {
    hub_list,          hub_place_begin, hub_place_write, hub_place_commit,
    hub_place_abandon, hub_place_open,  hub_place_read,  hub_remove,
    hub_check,         hub_close};

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
    TRY(hub_place_ask(in, "/v0/backup/settings", &map, &answer, err));
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
    return hub_place_take_stock(in, err);
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
