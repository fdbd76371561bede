/*
 * sessions.h - who is logged in, from which device
 *
 * A session is a row that is read at every request, so that ending it ends it
 * on every node at once.
 */
#ifndef SAT_SRC_HUB_SESSIONS_H
#define SAT_SRC_HUB_SESSIONS_H

#include "hub/tokens.h"

/* SAT_ERR_AUTH unless the call's session stands; fills in is_member. */
SAT_CHECK sat_status hub_session_check(hub_call *call, sat_error *err);

/* The same within work on the storage. */
SAT_CHECK sat_status hub_session_find(hub_db *db, hub_session *session,
                                      sat_error *err);

typedef struct hub_tokens_given {
    char access[HUB_ACCESS_SIZE];
    char refresh[HUB_REFRESH_SIZE];
} hub_tokens_given;

/* Begins a session, whose account and device are filled in; within work. */
SAT_CHECK sat_status hub_session_begin(hub_call *call, hub_db *db,
                                       hub_session *session,
                                       const uint8_t sign[32], const char *name,
                                       hub_tokens_given *out, sat_error *err);

/* The four fields that every answer with tokens has. Their keys come between
 * others in a map, so each is written by itself. */
void hub_put_refresh(hub_out *out, const hub_tokens_given *tokens);
void hub_put_access(hub_out *out, const hub_tokens_given *tokens);

/* Verifies `signature` over CBOR [origin, …] for any origin of the hub. `rest`
 * is the encoded elements after the origin, `count` of them. */
SAT_CHECK sat_status hub_verify(const hub_call *call, const uint8_t key[32],
                                const char *purpose, size_t count,
                                sat_bytes rest, const uint8_t signature[64],
                                sat_error *err);

#endif /* SAT_SRC_HUB_SESSIONS_H */
