/*
 * sync.c - satchel sync
 */
#include <stdio.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "net/body.h"
#include "satchel/agent.h"
#include "satchel/peer.h"
#include "store/secrets.h"
#include "satchel/account.h"

#define HUB "hub"

/* Drawn on the terminal while a sync is under way. */
typedef struct sync_line {
    bool is_shown;
} sync_line;

static int show_progress(const sat_sync_report *so_far, void *context)
{
    const sync_line *const line = context;

    if (line->is_shown)
        (void)fprintf(stderr, "\r%llu pulled, %llu pushed\033[K",
                      (unsigned long long)so_far->pulled,
                      (unsigned long long)so_far->pushed);
    return !cli_is_stopping();
}

static sat_status report(const cli_run *cli, const sat_sync_report *done,
                         sat_error *err)
{
    const double seconds = (double)done->duration_us / 1e6;
    AUTO(cli_json) json = CLI_JSON_INIT;

    if (!cli->json) {
        cli_say(cli,
                "%llu pulled, %llu pushed, %llu conflicts, %llu bytes in, %llu "
                "out, %.2f s",
                (unsigned long long)done->pulled,
                (unsigned long long)done->pushed,
                (unsigned long long)done->conflicts,
                (unsigned long long)done->bytes_received,
                (unsigned long long)done->bytes_sent, seconds);
        return cli_flush(err);
    }
    cli_json_open(&json, '{');
    cli_json_put_integer(&json, "pushed", (int64_t)done->pushed);
    cli_json_put_integer(&json, "pulled", (int64_t)done->pulled);
    cli_json_put_integer(&json, "conflicts", (int64_t)done->conflicts);
    cli_json_put_integer(&json, "bytes_sent", (int64_t)done->bytes_sent);
    cli_json_put_integer(&json, "bytes_received",
                         (int64_t)done->bytes_received);
    cli_json_key(&json, "seconds");
    cli_json_real(&json, seconds);
    cli_json_close(&json, '}');
    return cli_json_print(&json, err);
}

static sat_status sync_once(cli_run *cli, sat_profile *profile, const char *url,
                            sat_error *err)
{
    sync_line line = {!cli->json && !cli->quiet && isatty(STDERR_FILENO)};
    sat_sync_report done = {0};

    const bool is_hub = strcmp(url, HUB) == 0;
    const sat_status st =
        is_hub ? sat_hub_sync(profile, show_progress, &line, &done, err)
               : sat_peer_sync(profile, cli->vault, url, show_progress, &line,
                               &done, err);
    if (line.is_shown)
        (void)fputs("\r\033[K", stderr);
    if (is_hub && st == SAT_ERR_OFFLINE)
        cli_hint(cli, "what was written waits here for the next sync");
    if (!is_hub && st == SAT_ERR_DENIED)
        cli_hint(cli, strstr(err->message, "revoked") != NULL
                          ? "'satchel device renew' makes this device another "
                            "one, which 'satchel join' can let in"
                          : "on the other device, 'satchel device authorize' "
                            "with this one's id lets it in");
    TRY(st);
    return report(cli, &done, err);
}

/* Who to sync with when nobody is named: the hub of the account, or else the
 * peer that was joined, if it is the only one. */
typedef struct joined_peer {
    char url[SAT_PEER_URL_SIZE];
    size_t count;
} joined_peer;

static sat_status note_joined(const sat_device *device, void *context,
                              sat_error *err)
{
    joined_peer *const joined = context;

    (void)err;
    if (device->url[0] == '\0' || device->is_revoked)
        return SAT_OK;
    (void)snprintf(joined->url, sizeof joined->url, "%s", device->url);
    joined->count++;
    return SAT_OK;
}

static sat_status choose_peer(cli_run *cli, sat_profile *profile,
                              joined_peer *out, sat_error *err)
{
    sat_account account;

    if (cli->count == 1) {
        if (strlen(cli->operands[0]) >= sizeof out->url)
            return sat__fail(err, SAT_ERR_LIMIT, "the address is too long");
        (void)snprintf(out->url, sizeof out->url, "%s", cli->operands[0]);
        return SAT_OK;
    }
    if (sat_account_show(profile, &account, NULL) == SAT_OK) {
        (void)snprintf(out->url, sizeof out->url, "%s", HUB);
        return SAT_OK;
    }
    TRY(sat_device_list(profile, note_joined, out, err));
    if (out->count == 1)
        return SAT_OK;
    cli_hint(cli, out->count == 0 ? "'satchel join URL' meets one"
                                  : "'satchel device list --json' has their "
                                    "addresses; name one");
    return sat__fail(err, SAT_ERR_INVALID,
                     out->count == 0 ? "no other device was joined yet"
                                     : "several devices were joined");
}

/* Sleeps, unless asked to stop. */
static void wait_for(uint64_t ms)
{
    const struct timespec step = {0, 100000000};

    for (uint64_t waited = 0; waited < ms && !cli_is_stopping(); waited += 100)
        (void)nanosleep(&step, NULL); /* a signal ends it early */
}

/* A peer that is away, or busy, is tried again; what can not get better by
 * itself ends the syncing. */
static bool is_passing(sat_status status)
{
    return status == SAT_ERR_OFFLINE || status == SAT_ERR_BUSY;
}

static sat_status sync_every(cli_run *cli, sat_profile *profile,
                             const char *url, uint64_t every_ms, sat_error *err)
{
    while (!cli_is_stopping()) {
        const sat_status st = sync_once(cli, profile, url, err);
        if (is_passing(st))
            cli_complain(cli, err);
        else if (st != SAT_ERR_STOPPED)
            TRY(st);
        wait_for(every_ms);
    }
    return SAT_OK;
}

/* One line for every sync that did something. */
static int note_follow(const sat_sync_report *done, sat_status status,
                       const sat_error *why, void *context)
{
    const cli_run *const cli = context;

    if (done != NULL && status != SAT_OK)
        cli_complain(cli, why);
    else if (done != NULL && report(cli, done, NULL) != SAT_OK)
        return 0;
    return !cli_is_stopping();
}

/* With --fail-on-conflict the exit code tells whether any is open. */
static sat_status check_conflicts(cli_run *cli, cli_session *session,
                                  sat_error *err)
{
    uint64_t count;

    if (!cli_flag(cli, "fail-on-conflict"))
        return SAT_OK;
    TRY(cli_session_enter(cli, session, cli->vault, err));
    TRY(sat_replica_conflict_count(session->replica, &count, err));
    cli->conflicts_pending = count > 0;
    return SAT_OK;
}

/* ---- through the agent ---- */

static sat_status read_report(const char *answer, void *context, sat_error *err)
{
    AUTO_JSON json_t *value = NULL;
    sat_sync_report *const out = context;
    json_int_t pushed, pulled, conflicts, sent, received;
    double seconds;

    TRY(sat__body_read(SAT_BODY_JSON, bytes_of(answer, strlen(answer)), &value,
                       err));
    if (json_unpack(value, "{s:I, s:I, s:I, s:I, s:I, s:F}", "pushed", &pushed,
                    "pulled", &pulled, "conflicts", &conflicts, "bytes_sent",
                    &sent, "bytes_received", &received, "seconds",
                    &seconds) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the agent answers something else");
    *out = (sat_sync_report){.pushed = (uint64_t)pushed,
                             .pulled = (uint64_t)pulled,
                             .conflicts = (uint64_t)conflicts,
                             .bytes_sent = (uint64_t)sent,
                             .bytes_received = (uint64_t)received,
                             .duration_us = (uint64_t)(seconds * 1e6)};
    return SAT_OK;
}

/* Where an agent keeps this vault in step, it syncs, with all devices; two that
 * sync at once would do everything twice. SAT_ERR_NOT_FOUND where none does. */
static sat_status sync_by_agent(const cli_run *cli, const sat_profile *profile,
                                sat_error *err)
{
    sat_sync_report done = {0};
    char question[128];

    (void)snprintf(question, sizeof question,
                   "{\"ask\":\"sync\",\"vault\":\"%.64s\"}", cli->vault);
    TRY(sat_agent_ask(sat_profile_path(profile), question, read_report, &done,
                      err));
    return report(cli, &done, err);
}

sat_status cli_sync(cli_run *cli, sat_error *err)
{
    AUTO(cli_session) session = {0};
    joined_peer peer = {0};
    uint64_t every_ms;

    TRY(cli_duration(cli, "every", &every_ms, err));
    TRY(cli_session_unlock(cli, &session, err));
    TRY(sat__vault_name_check(cli->vault, err));
    if (every_ms == 0 && cli->count == 0) {
        const sat_status st = sync_by_agent(cli, session.profile, err);
        if (st != SAT_ERR_NOT_FOUND) {
            TRY(st);
            return check_conflicts(cli, &session, err);
        }
    }
    TRY(choose_peer(cli, session.profile, &peer, err));
    cli_watch_signals();
    if (every_ms != 0 && strcmp(peer.url, HUB) == 0)
        return sat_hub_follow(session.profile, cli->vault, every_ms,
                              note_follow, cli, err);
    if (every_ms != 0)
        return sync_every(cli, session.profile, peer.url, every_ms, err);
    TRY(sync_once(cli, session.profile, peer.url, err));
    return check_conflicts(cli, &session, err);
}
