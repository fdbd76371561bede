/*
 * session.c - identity, registry and replica of a profile
 */
#include "peer/session.h"

#include <stdio.h>

#include "base/error.h"
#include "store/fs.h"
#include "store/vault.h"

/* What a person's devices share beside the vaults. */
static sat_status open_own(sat_profile *profile, sat__peer_session *session,
                           sat_error *err)
{
    session->own = session->peer;
    session->own.replica = NULL;
    session->own.vault = "account";
    session->own.db = NULL;
    session->own.files = NULL;
    TRY(sat_replica_open(profile, "account", &session->own.replica, err));
    session->peer.own = session->own.own = &session->own;
    return SAT_OK;
}

static sat_status open_replica(sat_profile *profile, sat__peer_session *session,
                               sat_error *err)
{
    TRY(sat__vault_file(profile, session->vault_name, ".files", session->files,
                        err));
    TRY(sat__fs_make_folder(session->files, err));
    TRY(sat_replica_open(profile, session->vault_name, &session->peer.replica,
                         err));
    session->peer.db = sat__replica_db(session->peer.replica);
    session->peer.files = session->files;
    return open_own(profile, session, err);
}

static sat_status open_session(sat_profile *profile, const char *vault,
                               sat__peer_session *out, sat_error *err)
{
    sat__peer *const peer = &out->peer;

    peer->env = profile->env;
    TRY(sat__profile_identity(profile, &peer->identity, err));
    sat__device_id(sat__identity_principal(peer->identity)->sign, peer->id);
    (void)snprintf(out->device_name, sizeof out->device_name, "%s",
                   sat_profile_device_name(profile));
    peer->name = out->device_name;
    TRY(sat__vault_open(profile, "account", 0, &out->account, err));
    TRY(sat__registry_open(out->account, peer->env, peer->identity,
                           &peer->registry, err));
    TRY(sat__profile_follow_account(profile,
                                    sat__registry_ledger(peer->registry), err));
    if (vault == NULL)
        return SAT_OK;
    if (strcmp(vault, "account") == 0)
        return sat__fail(err, SAT_ERR_DENIED,
                         "the vault 'account' goes along with every other "
                         "vault, to this person's devices alone");
    (void)snprintf(out->vault_name, sizeof out->vault_name, "%s", vault);
    peer->vault = out->vault_name;
    return open_replica(profile, out, err);
}

sat_status sat__peer_session_open(sat_profile *profile, const char *vault,
                                  sat__peer_session *out, sat_error *err)
{
    *out = (sat__peer_session){.account = NULL};
    const sat_status status = open_session(profile, vault, out, err);

    if (status != SAT_OK)
        sat__peer_session_close(out);
    return status;
}

void sat__peer_session_close(sat__peer_session *session)
{
    sat_replica_close(session->own.replica);
    sat_replica_close(session->peer.replica);
    sat__registry_close(session->peer.registry);
    (void)sqlite3_close_v2(session->account);
    *session = (sat__peer_session){.account = NULL};
}
