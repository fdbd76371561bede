/*
 * visit.c - the agent's page, and the backup that it asks for
 *
 * A restore needs the profile for itself. So the agent ends, all but the page
 * that asked, the backup takes the profile's place, and another agent begins,
 * to whose page that one sends its visitor.
 */
#include <signal.h>
#include <stdio.h>

#include "agent/agent.h"
#include "agent/control.h"
#include "base/error.h"
#include "net/body.h"
#include "satchel/backup.h"
#include "store/profile.h"

void sat__agent_publish(sat__agent *agent)
{
    if (agent->page == NULL)
        return;
    AUTO_JSON json_t *value = sat__agent_describe(agent);
    char *const text = value != NULL ? json_dumps(value, JSON_COMPACT) : NULL;
    {
        SCOPED_LOCK(&agent->lock);
        free(agent->described);
        agent->described = text;
    }
    sat__page_touch(agent->page);
}

static char *describe_for_page(void *context)
{
    sat__agent *const agent = context;

    SCOPED_LOCK(&agent->lock);
    return agent->described != NULL ? strdup(agent->described) : NULL;
}

static void sync_for_page(void *context)
{
    sat__agent *const agent = context;

    atomic_store(&agent->is_sync_asked, true);
    sat__agent_ring(agent);
}

static void restore_for_page(void *context, const char *from, uint64_t version,
                             const char *phrase)
{
    sat__agent *const agent = context;
    {
        SCOPED_LOCK(&agent->lock);
        sat__agent_restore *const to = agent->restore;
        to->version = version;
        (void)snprintf(to->from, sizeof to->from, "%s", from);
        (void)snprintf(to->phrase, sizeof to->phrase, "%s", phrase);
        to->is_wanted = true;
    }
    sat__agent_ring(agent);
}

bool sat__agent_is_leaving(sat__agent *agent)
{
    SCOPED_LOCK(&agent->lock);
    return agent->restore->is_wanted;
}

static sat_status start_page(sat__agent *agent, sat_error *err)
{
    const sat__page_owner owner = {agent, sync_for_page, describe_for_page,
                                   restore_for_page};
    sat_profile *twin = NULL;

    TRY(sat__profile_twin(agent->profile, &twin, err));
    TRY(sat__page_start(twin, agent->vault, &owner, &agent->page, err));
    sat__agent_publish(agent);
    return SAT_OK;
}

sat_status sat__agent_invite(sat__agent *agent, char url[SAT_PAGE_URL_SIZE],
                             char file[SAT_PATH_SIZE], sat_error *err)
{
    char folder[SAT_PATH_SIZE];

    if (agent->page == NULL)
        TRY(start_page(agent, err));
    TRY(sat__control_path(agent->profile->path, "", folder, sizeof folder,
                          err));
    return sat__page_invite(agent->page, folder, url, file, err);
}

/* ---- a restore ---- */

void sat__agent_send_on(sat__agent *agent)
{
    char url[SAT_PAGE_URL_SIZE], file[SAT_PATH_SIZE];

    if (agent->restore->page != NULL &&
        sat__agent_invite(agent, url, file, NULL) == SAT_OK)
        sat__page_send_on(agent->restore->page, url);
}

void sat__agent_end_page(sat__agent *agent)
{
    if (sat__agent_is_leaving(agent)) {
        sat__page_stop(agent->restore->page);
        agent->restore->page = TAKE(agent->page);
    }
    sat__page_stop(agent->page);
}

void sat__agent_keep_address(sat__agent *agent)
{
    sat__agent_restore *const to = agent->restore;
    const char *const url =
        agent->server != NULL ? sat_peer_server_url(agent->server) : "";
    const char *const at = strstr(url, "://");

    if (at != NULL)
        (void)snprintf(to->address, sizeof to->address, "%.*s",
                       (int)strcspn(at + 3, "/#"), at + 3);
}

static int tell_page(uint64_t done, uint64_t total, void *context)
{
    sat__page_resting(context, done, total);
    return 1;
}

void sat__agent_restore_now(sat_profile *profile, sat__agent_restore *restore)
{
    sat_restore_options options = SAT_RESTORE_INIT;
    sat_error err = {0};

    options.phrase = restore->phrase;
    options.version = restore->version;
    options.progress = tell_page;
    options.context = restore->page;
    sat_status st = sat_backup_restore(profile->path, profile->env,
                                       restore->from, &options, NULL, &err);
    if (st == SAT_OK)
        st = sat_profile_unlock_phrase(profile, restore->phrase, &err);
    sat__wipe(restore->phrase, sizeof restore->phrase);
    restore->is_wanted = false;
    sat__page_rested(restore->page, st != SAT_OK ? err.message : NULL);
}
