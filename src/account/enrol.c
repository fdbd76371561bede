/*
 * enrol.c - one device lets in another
 */
#include "account/enrol.h"

#include "account/vaults.h"
#include "base/error.h"

sat_status sat__account_enrol(sat__session *session,
                              const sat__principal *device, const char *name,
                              sat_error *err)
{
    const sat__opener self = {session->identity, session->device};
    sat__party party;

    TRY(sat__session_require(session, err));
    TRY(sat__session_update_chain(session, NULL, err));
    sat__party_of(SAT_PRINCIPAL_DEVICE, device, name, false, &party);
    const sat__account_principal *const known =
        sat__account_find(sat__account_state_of(session->chain), &party.id);
    if (known != NULL && known->is_removed)
        return sat__fail(err, SAT_ERR_DENIED,
                         "that device was removed from the account");
    if (known == NULL)
        TRY(sat__session_admit(session, session->identity, device, name, false,
                               err));
    TRY(sat__session_update_chain(session, NULL, err));
    return sat__vaults_let_in(session, &self, &party.id, err);
}
