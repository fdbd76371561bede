/*
 * meet.c - a profile, and another device at an address
 */
#include <stdio.h>

#include "base/error.h"
#include "peer/session.h"
#include "store/profile.h"

/* Merging the last page of a first sync of a large vault takes a while. */
#define ANSWER_MS ((uint64_t)10 * 60 * 1000)

typedef struct meeting {
    sat__transport transport;
    sat__peer_call call;
    sat_sync_progress_fn *progress; /* or NULL */
    void *context;
    sat_sync_report report;
    uint64_t begun_ms;
} meeting;

static void meeting_end(meeting *m)
{
    transport_close(&m->transport);
}

DEFINE_AUTO(meeting, meeting_end);

static uint64_t now_ms(const meeting *m)
{
    const sat_env *const env = m->call.peer->env;

    return env->wall(env->context);
}

static void measure(meeting *m)
{
    m->transport.count(m->transport.self, &m->report.bytes_sent,
                       &m->report.bytes_received);
    const uint64_t now = now_ms(m); /* which may have gone back */
    m->report.duration_us = now > m->begun_ms ? (now - m->begun_ms) * 1000 : 0;
}

static bool should_stop(void *context)
{
    meeting *const m = context;

    if (m->progress == NULL)
        return false;
    measure(m);
    return m->progress(&m->report, m->context) == 0;
}

static bool on_page(const sat__peer_report *so_far, void *context)
{
    meeting *const m = context;

    m->report.pushed = so_far->pushed;
    m->report.pulled = so_far->pulled;
    m->report.conflicts = so_far->conflicts;
    return !should_stop(m);
}

static sat_status begin_meeting(const sat__peer *peer, const sat__url *url,
                                meeting *m, sat_error *err)
{
    const sat__http_options options = {.url = *url,
                                       .body_max = SAT_PEER_BODY_MAX,
                                       .answer_ms = ANSWER_MS,
                                       .stop = should_stop,
                                       .stop_context = m};

    TRY(sat__transport_http(&options, &m->transport, err));
    m->call = (sat__peer_call){.peer = peer, .transport = &m->transport};
    memcpy(m->call.remote, url->device, sizeof m->call.remote);
    m->begun_ms = now_ms(m);
    return SAT_OK;
}

/* ---- who is there ---- */

sat_status sat_peer_probe(const char *url, uint8_t id[SAT_DEVICE_ID_SIZE],
                          sat_error *err)
{
    sat__http_options options = {.body_max = 0};

    TRY(sat__url_parse(url, &options.url, err));
    return sat__transport_probe(&options, id, err);
}

sat_status sat_peer_join(sat_profile *profile, const char *url, sat_device *out,
                         sat_error *err)
{
    AUTO(sat__peer_session) session = {.account = NULL};
    AUTO(meeting) m = {.progress = NULL};
    sat_device device = {.is_authorized = 0};
    sat__peer_info info;
    sat__url parsed;

    TRY(sat__url_parse(url, &parsed, err));
    if (!parsed.has_device)
        return sat__fail(err, SAT_ERR_INVALID,
                         "the address needs the id of the device, "
                         "https://host:port#device-id");
    TRY(sat__peer_session_open(profile, NULL, &session, err));
    if (memcmp(parsed.device, session.peer.id, sizeof parsed.device) == 0)
        return sat__fail(err, SAT_ERR_INVALID, "this is the device itself");
    TRY(begin_meeting(&session.peer, &parsed, &m, err));
    TRY(sat__peer_join(&m.call, url, &info, err));
    memcpy(device.id, parsed.device, sizeof device.id);
    memcpy(device.name, info.name, sizeof device.name);
    (void)snprintf(device.url, sizeof device.url, "%s", url);
    device.is_authorized = info.is_authorized;
    *out = device;
    return SAT_OK;
}

/* ---- syncing ---- */

typedef struct search {
    const char *url; /* without an id */
    sat__url *found;
} search;

static sat_status match_url(const sat__known_device *device, void *context,
                            sat_error *err)
{
    const search *const wanted = context;
    const size_t len = strcspn(device->url, "#");

    (void)err;
    if (strlen(wanted->url) == len && !device->is_revoked &&
        strncmp(device->url, wanted->url, len) == 0) {
        memcpy(wanted->found->device, device->id, sizeof device->id);
        wanted->found->has_device = true;
    }
    return SAT_OK;
}

/* Syncing is for devices that this one has let in: an address is not enough. */
static sat_status find_device(const sat__peer *peer, const char *text,
                              sat__url *url, sat_error *err)
{
    search wanted = {text, url};
    sat__known_device device;

    TRY(sat__url_parse(text, url, err));
    if (!url->has_device)
        TRY(sat__registry_list(peer->registry, match_url, &wanted, err));
    if (!url->has_device)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "no device was joined at '%.120s'", text);
    const sat_status status =
        sat__registry_find(peer->registry, url->device, &device, err);
    if (status == SAT_ERR_NOT_FOUND)
        return sat__fail(err, SAT_ERR_DENIED, "join this device first");
    TRY(status);
    if (!device.is_authorized)
        return sat__fail(err, SAT_ERR_DENIED,
                         "the device '%s' is not authorised here", device.name);
    return SAT_OK;
}

sat_status sat_peer_sync(sat_profile *profile, const char *vault,
                         const char *url, sat_sync_progress_fn *progress,
                         void *context, sat_sync_report *out, sat_error *err)
{
    AUTO(sat__peer_session) session = {.account = NULL};
    AUTO(meeting) m = {.progress = progress, .context = context};
    sat__peer_report report;
    sat__url parsed;

    TRY(sat__peer_session_open(profile, vault, &session, err));
    TRY(find_device(&session.peer, url, &parsed, err));
    TRY(begin_meeting(&session.peer, &parsed, &m, err));
    TRY(sat__peer_sync(&m.call, on_page, &m, &report, err));
    TRY(sat__profile_follow_account(
        profile, sat__registry_ledger(session.peer.registry), err));
    m.report.pushed = report.pushed;
    m.report.pulled = report.pulled;
    m.report.conflicts = report.conflicts;
    measure(&m);
    *out = m.report;
    return SAT_OK;
}
