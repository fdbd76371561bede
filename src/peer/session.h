/*
 * session.h - a profile, gone as far as meeting others needs
 */
#ifndef SAT_SRC_PEER_SESSION_H
#define SAT_SRC_PEER_SESSION_H

#include "peer/peer.h"

typedef struct sat__peer_session {
    sqlite3 *account; /* where the registry is */
    char vault_name[65];
    char device_name[SAT_DEVICE_NAME_SIZE];
    char files[SAT_PATH_SIZE];
    sat__peer own; /* of the vault `account` */
    sat__peer peer;
} sat__peer_session;

/* Opens the registry of `profile`, and the vault unless it is NULL. The profile
 * stays open at least as long. The session does not move: `peer` points in. */
SAT_CHECK sat_status sat__peer_session_open(sat_profile *profile,
                                            const char *vault,
                                            sat__peer_session *out,
                                            sat_error *err);
void sat__peer_session_close(sat__peer_session *session);
DEFINE_AUTO(sat__peer_session, sat__peer_session_close);

#endif /* SAT_SRC_PEER_SESSION_H */
