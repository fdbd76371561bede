/*
 * rounds.c - syncing with every device that was joined
 */
#include "agent/rounds.h"

#include <stdio.h>

#include "base/error.h"
#include "base/scope.h"
#include "crypto/hash.h"
#include "satchel/audit.h"
#include "store/profile.h"
#include "sync/replica.h"

#define JITTER_PART 10 /* of an ordinary pause, both ways */

uint64_t sat__round_pause(uint64_t every_ms, unsigned failures, uint32_t chance)
{
    if (failures == 0) {
        const uint64_t width = every_ms / JITTER_PART;
        return every_ms - width + chance % (2 * width + 1);
    }
    uint64_t pause = every_ms;
    for (unsigned i = 1; i < failures && pause < SAT_ROUND_LONGEST_MS; i++)
        pause *= 2;
    if (pause > SAT_ROUND_LONGEST_MS)
        pause = SAT_ROUND_LONGEST_MS;
    return pause - chance % (pause / 2 + 1);
}

static uint32_t draw(const sat_env *env)
{
    uint8_t bytes[4];

    env->random(env->context, bytes, sizeof bytes);
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | bytes[3];
}

/* ---- who there is ---- */

typedef struct listing {
    const sat__round *round;
    sat__partner *partners;
    size_t count, capacity;
} listing;

static const sat__partner *known(const sat__round *round, const uint8_t *id)
{
    for (size_t i = 0; i < round->count; i++)
        if (memcmp(round->partners[i].id, id, SAT_DEVICE_ID_SIZE) == 0)
            return &round->partners[i];
    return NULL;
}

static sat_status note_device(const sat_device *device, void *context,
                              sat_error *err)
{
    listing *const list = context;

    if (device->url[0] == '\0' || device->is_revoked)
        return SAT_OK;
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity == 0 ? 8 : 2 * list->capacity;
        sat__partner *const more =
            realloc(list->partners, capacity * sizeof *more);
        if (more == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
        list->partners = more;
        list->capacity = capacity;
    }
    sat__partner *const partner = &list->partners[list->count++];
    const sat__partner *const before = known(list->round, device->id);
    *partner = before != NULL ? *before : (sat__partner){.failures = 0};
    memcpy(partner->id, device->id, sizeof partner->id);
    memcpy(partner->name, device->name, sizeof partner->name);
    if (strcmp(partner->url, device->url) != 0) {
        memcpy(partner->url, device->url, sizeof partner->url);
        partner->due_ms = 0; /* it is somewhere else now; try at once */
    }
    return SAT_OK;
}

static sat_status list_partners(sat__round *round, sat_error *err)
{
    listing list = {.round = round};

    const sat_status st =
        sat_device_list(round->profile, note_device, &list, err);
    if (st != SAT_OK) {
        free(list.partners);
        return st;
    }
    free(round->partners);
    round->partners = list.partners;
    round->count = list.count;
    return SAT_OK;
}

/* ---- with one of them ---- */

static int go_on(const sat_sync_report *so_far, void *context)
{
    (void)so_far;
    return !atomic_load((atomic_bool *)context);
}

static void add_up(sat_sync_report *all, const sat_sync_report *one)
{
    all->pushed += one->pushed;
    all->pulled += one->pulled;
    all->conflicts += one->conflicts;
    all->bytes_sent += one->bytes_sent;
    all->bytes_received += one->bytes_received;
    all->duration_us += one->duration_us;
}

/* Once for each kind of failure, not for every try. */
static void note_failure(const sat__round *round, const sat__partner *partner,
                         sat_status before)
{
    char detail[200];

    if (partner->failures > 1 && before == partner->last.status)
        return;
    (void)snprintf(detail, sizeof detail, "%s: %s", partner->name,
                   sat_status_name(partner->last.status));
    /* The sync has failed already; that it can not be noted changes nothing. */
    const sat_status st =
        sat_audit_add(round->profile, "CROSS_DEVICE_SYNC_ERROR", detail, NULL);
    (void)st;
}

static void sync_with(sat__round *round, sat__partner *partner)
{
    const sat_env *const env = round->profile->env;
    const sat_status before = partner->last.status;
    sat_sync_report done = {0};
    sat_error err = {0};

    const sat_status st =
        sat_peer_sync(round->profile, round->vault, partner->url, go_on,
                      round->stop, &done, &err);
    add_up(&round->done, &done);
    partner->tried_ms = env->wall(env->context);
    if (st == SAT_ERR_STOPPED)
        return;
    partner->last = err;
    partner->last.status = st;
    partner->failures = st == SAT_OK ? 0 : partner->failures + 1;
    partner->due_ms =
        round->now_ms +
        sat__round_pause(round->every_ms, partner->failures, draw(env));
    if (st == SAT_OK) {
        partner->synced_ms = partner->tried_ms;
        return;
    }
    round->failure = partner->last;
    note_failure(round, partner, before);
}

/* ---- the round ---- */

/* Whether the vault holds what it did not when somebody was last synced with.
 * What a sync brings is news as well, for the other devices. */
static sat_status look(sat__round *round, bool *is_news, sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    AUTO(sat_buf) knowledge = SAT_BUF_INIT;
    uint8_t hash[SAT_SHA256_SIZE];

    TRY(sat_replica_open(round->profile, round->vault, &replica, err));
    TRY(sat__replica_collect(replica, NULL, err));
    TRY(sat__replica_knowledge(replica, &knowledge, err));
    TRY(sat__buf_status(&knowledge, err));
    sat__sha256(buf_view(&knowledge), hash);
    *is_news = memcmp(hash, round->known, sizeof hash) != 0;
    memcpy(round->known, hash, sizeof hash);
    return SAT_OK;
}

static sat_status run(sat__round *round, sat_error *err)
{
    bool is_news = false;

    TRY(list_partners(round, err));
    if (round->count > 0)
        TRY(look(round, &is_news, err));
    for (size_t i = 0; i < round->count && !atomic_load(round->stop); i++) {
        sat__partner *const partner = &round->partners[i];
        if (round->is_forced || partner->due_ms <= round->now_ms ||
            (is_news && partner->failures == 0))
            sync_with(round, partner);
    }
    return SAT_OK;
}

void sat__round_run(sat__round *round)
{
    sat_error err = {0};

    round->done = (sat_sync_report){0};
    round->failure = (sat_error){.status = SAT_OK};
    if (run(round, &err) != SAT_OK)
        round->failure = err;
}

uint64_t sat__round_next(const sat__round *round)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < round->count; i++)
        if (round->partners[i].due_ms < next)
            next = round->partners[i].due_ms;
    return next;
}
