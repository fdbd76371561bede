/*
 * show.c - what there is to say of an account, and ending its session
 */
#include <stdio.h>

#include "account/session.h"
#include "base/error.h"

static const struct {
    sat_status status;
    const char *word;
} words[] = {{SAT_OK, "in step"},
             {SAT_ERR_OFFLINE, "offline"},
             {SAT_ERR_STOPPED, "stopped"},
             {SAT_ERR_DENIED, "refused"},
             {SAT_ERR_CORRUPT, "the hub shows what nobody signed"}};

/* What the last sync noted (vaults.c). */
static sat_status read_state(sat__session *session, sat_account *out,
                             sat_error *err)
{
    char status[24], when[24];
    TRY(sat__session_get(session, "status", status, sizeof status, err));
    TRY(sat__session_get(session, "synced", when, sizeof when, err));
    out->last_sync_ms = strtoull(when, NULL, 10);
    out->state = "never synced";
    if (status[0] != 0)
        out->state = "failed";
    for (size_t i = 0; status[0] != 0 && i < sizeof words / sizeof *words; i++)
        if (strtol(status, NULL, 10) == (long)words[i].status)
            out->state = words[i].word;
    if (!out->is_logged_in)
        out->state = "logged out";
    return SAT_OK;
}

sat_status sat_account_show(sat_profile *profile, sat_account *out,
                            sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    *out = (sat_account){.email = ""};
    TRY(sat__profile_require(profile, err));
    TRY(sat__session_open(profile, &session, err));
    TRY(sat__session_require(&session, err));
    const sat__account_state *const state =
        sat__account_state_of(session.chain);
    if (state == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT, "the account has no chain");
    (void)snprintf(out->email, sizeof out->email, "%s", session.email);
    (void)snprintf(out->url, sizeof out->url, "%s", session.url);
    memcpy(out->id, sat__chain_id(session.chain)->bytes, sizeof out->id);
    for (size_t i = 0; i < state->principal_count; i++)
        out->devices += !state->principals[i].is_removed &&
                        state->principals[i].who.kind == SAT_PRINCIPAL_DEVICE;
    out->is_logged_in = session.hub.refresh[0] != 0;
    return read_state(&session, out, err);
}

sat_status sat_account_secret_key(sat_profile *profile,
                                  char out[SAT_SECRET_KEY_TEXT], sat_error *err)
{
    TRY(sat__profile_require(profile, err));
    sat__secret_key_format(&profile->secrets->secret_key, out);
    return SAT_OK;
}

sat_status sat_account_logout(sat_profile *profile, sat_error *err)
{
    AUTO(sat__session) session = {.db = NULL};
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    TRY(sat__profile_require(profile, err));
    TRY(sat__session_open(profile, &session, err));
    TRY(sat__session_require(&session, err));
    sat_status st = SAT_OK;
    if (session.hub.refresh[0] != 0)
        st = sat__hub_call(&session.hub, "POST", "/api/auth/logout",
                           bytes_of(NULL, 0), &answer, err);
    /* A session that the hub has ended already is ended. */
    if (st != SAT_OK && st != SAT_ERR_AUTH && st != SAT_ERR_DENIED)
        return st;
    TRY(sat__session_put(&session, "access", "", err));
    return sat__session_put(&session, "refresh", "", err);
}
